"""A small JPEG for each slide or shot."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core import frames
from core.frames import Decoder
from core.records import MediaInfo, SlideSpan

QUALITY = 80
MOST = 400
"""So many pictures of 10-20 KB are what a report can carry; beyond that the longest spans get one."""


def write_thumbnails(
    path: Path,
    info: MediaInfo,
    spans: Sequence[SlideSpan],
    settled_s: Sequence[float],
    folder: Path,
    *,
    scratch: Path,
    width_px: int = frames.THUMBNAIL_WIDTH_PX,
    decoder: Decoder = "decord",
    most: int = MOST,
) -> list[SlideSpan]:
    """Write `slide-0001.jpg` … into the existing `folder`, upright and with square pixels; return spans that name them.

    Args:
        settled_s: For each span the time of the frame that stands for it, as `FrameReport.settled_s` has them.
        most: At most so many are written; the longest spans come first, the earlier of equals.

    Raises MediaError if no frame can be decoded, Cancelled if the run was told to stop.
    """
    from PIL import Image

    longest = sorted(range(len(spans)), key=lambda i: (spans[i].start_s - spans[i].end_s, i))[:most]
    wanted: dict[float, list[int]] = {}
    for i in longest:
        wanted.setdefault(settled_s[i], []).append(i)
    named = list(spans)
    shown = frames.frames_at(path, info, list(wanted), scratch=scratch, width_px=width_px, decoder=decoder)
    for time_s, frame in shown:
        for i in wanted[time_s]:
            name = f"slide-{i + 1:04d}.jpg"
            Image.fromarray(frame.image).save(folder / name, quality=QUALITY)
            named[i] = replace(spans[i], thumbnail=name)
    return named
