"""Frames through ffmpeg, for what decord cannot be trusted with: slower to seek, but it reads every format."""

import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core import media, pipes, tools
from core.errors import MachineTrouble, MediaError, MediaTimeout
from core.records import MediaInfo, VideoStream

NEAR_S = 5e-4
"""Times closer than this are the same."""
REACH_S = 10.0
"""Reading on is cheaper than starting ffmpeg anew for a frame that is at most this far ahead."""
TIMED = ("mov", "matroska", "mpegts", "flv")
"""Formats that store when each frame is shown. In others (AVI, ASF, program streams) a decoder that skips to keyframes
may date each to the next one, so there all frames are decoded."""
BACK_OFF_S = (0.0, 15.0, 90.0)
"""How much earlier to seek when a seek landed after the frame wanted, as it may in transport streams."""
SHOWN = re.compile(rb"\bn: *\d+ pts: *(-?\d+|NOPTS)\b")
"""A line of the filter `showinfo`, whose time base is set to microseconds: its decimal seconds have only six digits."""
TURNS = {90: (("transpose", "clock"),), 180: (("hflip",), ("vflip",)), 270: (("transpose", "cclock"),)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which frames are asked for, and how large."""

    width_px: int
    height_px: int
    spans: tuple[tuple[float, float], ...] | None
    """Sorted, not overlapping: the frame shown at each start and those that begin by its end. None for keyframes."""
    step_s: float
    """Frames closer than this to the one before are left out."""
    sparse_s: float = 12.0
    """Where keyframes are further apart than this, other frames are taken between them,"""
    fill_s: float = 5.0
    """one each so many seconds."""


Picture = tuple[float, NDArray[np.uint8]]
"""Time on the recording's timeline, and the image [height, width, 3] (RGB)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a process may keep us waiting: at a time, and in all."""

    patience_s: float
    limit_s: float


def read(path: Path, info: MediaInfo, wanted: Wanted, limits: Limits) -> Iterator[Picture]:
    """Decode the `wanted` frames in order of time. Raises MediaError, MediaTimeout or Cancelled."""
    if wanted.spans is None:
        yield from _keyframes(path, info, wanted, limits)
    else:
        yield from _in_spans(path, info, wanted, limits)


def _keyframes(path: Path, info: MediaInfo, wanted: Wanted, limits: Limits) -> Iterator[Picture]:
    last_s = None
    for time_s, image in _decode(path, info, wanted, limits, seek_s=None, keyframes=True):
        if last_s is None or time_s > last_s + NEAR_S:
            yield from _between(path, info, wanted, limits, last_s, time_s)
            yield time_s, image
            last_s = time_s
    yield from _between(path, info, wanted, limits, last_s, None)


def _between(
    path: Path, info: MediaInfo, wanted: Wanted, limits: Limits, after_s: float | None, before_s: float | None
) -> Iterator[Picture]:
    """Frames at regular times between keyframes far apart.

    `after_s` is None: from the start to the first keyframe. `before_s` is None: from the last one to the end, with the
    last frame of all.
    """
    end_s = info.duration_s if before_s is None else before_s
    begin_s = _video(path, info).start_s
    if after_s is not None:
        begin_s = after_s + wanted.fill_s if end_s - after_s > wanted.sparse_s else end_s
    times_s = np.arange(begin_s, end_s - wanted.step_s, wanted.fill_s).tolist()
    if before_s is None:
        times_s.append(end_s)
    points = Wanted(wanted.width_px, wanted.height_px, tuple((t, t) for t in times_s), step_s=0.0)
    last_s = -np.inf if after_s is None else after_s
    for time_s, image in _in_spans(path, info, points, limits) if times_s else ():
        if last_s + NEAR_S < time_s and (before_s is None or time_s < before_s - NEAR_S):
            yield time_s, image
            last_s = time_s


def _in_spans(path: Path, info: MediaInfo, wanted: Wanted, limits: Limits) -> Iterator[Picture]:
    ahead = deque(wanted.spans or ())
    reach_s = REACH_S
    while ahead:
        target_s = ahead[0][0]
        pictures = _from(path, info, wanted, limits, target_s)
        first = next(pictures, None)
        if first is None:
            return
        # Where keyframes are far apart, a seek would decode the same stretch again: read on for as long.
        reach_s = max(reach_s, target_s - first[0])
        yield from _select(_chain(first, pictures), ahead, wanted.step_s, reach_s)
        pictures.close()


def _chain(first: Picture, rest: Iterable[Picture]) -> Iterator[Picture]:
    yield first
    yield from rest


def _select(
    pictures: Iterator[Picture], ahead: deque[tuple[float, float]], step_s: float, reach_s: float
) -> Iterator[Picture]:
    """Of `pictures`, which begin at or before the first span `ahead`, those that the spans ask for.

    Served spans are taken off `ahead`. Stops where the next span is over `reach_s` away; the end of the stream serves
    all that are left.
    """
    before: Picture | None = None
    given_s, begun = -np.inf, False
    for picture in pictures:
        time_s = picture[0]
        while ahead and ahead[0][0] + NEAR_S < time_s:
            shown = before or picture
            if not begun and shown[0] > given_s:
                yield shown
                given_s = shown[0]
            begun = True
            if time_s <= ahead[0][1] + NEAR_S:
                if time_s - given_s >= step_s - NEAR_S:
                    yield picture
                    given_s = time_s
                break
            ahead.popleft()
            begun = False
        before = picture
        if not ahead or ahead[0][0] - time_s > reach_s:
            return
    if ahead and before and before[0] > given_s and not begun:
        yield before
    ahead.clear()


def _from(path: Path, info: MediaInfo, wanted: Wanted, limits: Limits, target_s: float) -> Generator[Picture]:
    """Frames from a keyframe at or before `target_s` on, else from the first there is."""
    for back_s in BACK_OFF_S:
        if target_s - back_s <= 0:
            break
        pictures = _decode(path, info, wanted, limits, seek_s=target_s - back_s, keyframes=False)
        first = next(pictures, None)
        if first is not None and first[0] <= target_s + NEAR_S:
            yield first
            yield from pictures
            return
        pictures.close()
    yield from _decode(path, info, wanted, limits, seek_s=None, keyframes=False)


def arguments(path: Path, info: MediaInfo, wanted: Wanted, *, seek_s: float | None, keyframes: bool) -> list[str]:
    """What ffmpeg is told: raw frames to stdout, the time of each to stderr."""
    video = _video(path, info)
    options: dict[str, str | None] = dict(media.input_options(info.container))
    options |= {"threads": "1", "noautorotate": None}
    if keyframes and info.container in TIMED:
        options["skip_frame"] = "nokey"
    if seek_s is not None:
        # The frame shown at `seek_s` began before it, so nothing is cut off up to there.
        options |= {"ss": f"{seek_s:.6f}", "noaccurate_seek": None}
    stream = ffmpeg.input(media.file_url(path), **options)[str(video.index)]
    if keyframes:
        stream = stream.filter("select", f"isnan(prev_selected_t)+gte(t-prev_selected_t,{wanted.step_s:.6f})")
    for turn in TURNS.get(video.rotation_deg, ()):
        stream = stream.filter(*turn)
    stream = stream.filter("scale", wanted.width_px, wanted.height_px, flags="area")
    stream = stream.filter("format", "rgb24").filter("settb", "1/1000000")
    output = ffmpeg.output(
        stream.filter("showinfo", checksum=0),
        "pipe:1",
        format="rawvideo",
        fps_mode="passthrough",
        copyts=None,
        start_at_zero=None,
    )
    return ffmpeg.get_args(output)


def _video(path: Path, info: MediaInfo) -> VideoStream:
    if info.video is None:
        raise MediaError(f"Reading frames of {path.name}: it has no picture, only sound.")
    return info.video


def _decode(
    path: Path, info: MediaInfo, wanted: Wanted, limits: Limits, *, seek_s: float | None, keyframes: bool
) -> Generator[Picture]:
    """All frames from `seek_s` on in the order in which they come; a failure after the first one only ends them."""
    shape = (wanted.height_px, wanted.width_px, 3)
    size = int(np.prod(shape))
    program = [tools.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info"]
    program += arguments(path, info, wanted, seek_s=seek_s, keyframes=keyframes)
    times: deque[float | None] = deque()
    pixels, lines = bytearray(), b""
    count = 0
    pieces = pipes.read(
        program, what=f"Reading frames of {path.name}", patience_s=limits.patience_s, limit_s=limits.limit_s
    )
    try:
        for piece, said in pieces:
            pixels += piece
            *complete, lines = (lines + said).split(b"\n")
            shown = (SHOWN.search(line) for line in complete)
            times.extend(None if found[1] == b"NOPTS" else int(found[1]) / 1e6 for found in shown if found)
            while times and len(pixels) >= size:
                time_s = times.popleft()
                image = np.frombuffer(bytes(pixels[:size]), np.uint8).reshape(shape)
                del pixels[:size]
                if time_s is not None:
                    count += 1
                    yield time_s, image
    except (MediaTimeout, MachineTrouble):
        raise
    except MediaError:
        if not count:  # else the rest of the file is damaged, and what came before it is good
            raise
