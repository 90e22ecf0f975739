"""Glimpses of a video: its frames small and grey, with their times, to compare, to judge, and to pick a poster from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from core import media
from core.cutting import Cut, arguments, open_input

GLIMPSE_SIZE = (256, 144)
MOST_KEYFRAMES = 240
BLACK = 40
"""A frame is black when 98 of 100 of its pixels are darker than this of 255. A heuristic."""
SHOWN = re.compile(r"\[(?:showinfo@)?g(\d+) .*?\bpts_time:\s*(-?[\d.]+)")
JPEG_QUALITY = 3
MATRICES = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470bg", "bt2020nc": "bt2020"}
"""Names of the filter scale for what streams call their matrix."""


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """A frame of a video, small and grey."""

    time_s: float
    """Relative to the start of the clip."""
    grey: np.ndarray
    """Height x width by GLIMPSE_SIZE, 0 to 255."""

    @property
    def black(self) -> bool:
        return float(np.percentile(self.grey, 98)) < BLACK


def look(cut: Cut, times_s: Sequence[float], scratch: Path, *, around_s: float | None = None) -> list[list[Glimpse]]:
    """Glimpses near each of `times_s`, seconds from the cut's start: all frames within `around_s`, or one keyframe.

    The keyframe is the one that a seek finds, whose own time is told; there may be none.
    """
    keyframes = {"skip_frame": "nokey"} if around_s is None else {}
    graphs: list[Any] = []
    # ffmpeg-python takes two branches that read and trim alike for one: equal times are looked at once.
    rounded = [round(time_s, 6) for time_s in times_s]
    number_of = {time_s: number for number, time_s in enumerate(dict.fromkeys(rounded))}
    for time_s, number in number_of.items():
        lead_s = -time_s if around_s is None else around_s - time_s
        picture = _video(cut, lead_s, keyframes)
        if around_s is None:
            picture = picture.filter("trim", end_frame=1)
        else:
            picture = picture.filter("trim", start=f"{time_s - around_s:.6f}", end=f"{time_s + around_s:.6f}")
        graphs.append(_grey(picture, number))
    found = _glimpse(cut, graphs, scratch) if graphs else {}
    return [found.get(number_of[time_s], []) for time_s in rounded]


def keyframes(cut: Cut, scratch: Path) -> list[Glimpse]:
    """Glimpses of the keyframes of a clip that was read as `cut`, at most MOST_KEYFRAMES of them, evenly."""
    every = max(1, round(cut.duration_s / 2 / MOST_KEYFRAMES))
    picture = _video(cut, 0.0, {"skip_frame": "nokey"}).filter("select", f"not(mod(n,{every}))")
    return _glimpse(cut, [_grey(picture, 0)], scratch).get(0, [])


def _video(cut: Cut, lead_s: float, options: dict[str, Any]) -> Any:
    assert cut.info.video is not None
    opened = open_input(cut, lead_s, options={"threads": 1, "reinit_filter": 0, **options})
    return opened[str(cut.info.video.index)]


def _grey(picture: Any, number: int) -> Any:
    small = picture.filter("scale", *GLIMPSE_SIZE, flags="area").filter("format", "gray").filter("setsar", "1")
    return small.filter(f"showinfo@g{number}", checksum=0)


def _glimpse(cut: Cut, graphs: list[Any], scratch: Path) -> dict[int, list[Glimpse]]:
    raw = scratch / "glimpses.gray"
    joined = ffmpeg.filter(graphs, "concat", n=len(graphs), v=1, a=0) if len(graphs) > 1 else graphs[0]
    output = ffmpeg.output(joined, media.file_url(raw), f="rawvideo", **{"fps_mode": "passthrough"})
    timeout_s = 120 + cut.duration_s
    said = media.run_ffmpeg(
        ["-loglevel", "info", *arguments(output)], what=f"Looking at {cut.source.name}", timeout_s=timeout_s
    )
    frames = np.fromfile(raw, np.uint8).reshape(-1, GLIMPSE_SIZE[1], GLIMPSE_SIZE[0])
    raw.unlink()
    found: dict[int, list[Glimpse]] = {}
    shown = sorted((int(number), float(time_s)) for number, time_s in SHOWN.findall(said))
    for (number, time_s), grey in zip(shown, frames, strict=False):
        found.setdefault(number, []).append(Glimpse(time_s, grey))
    return found


def sharpest(seen: Sequence[Glimpse]) -> Glimpse:
    """The sharpest of the frames `seen`, black only if all are."""
    return max(seen, key=_sharpness)


def write_poster(clip: Path, matrix: str | None, time_s: float, target: Path) -> None:
    """Write the frame at `time_s` as a JPEG.

    Args:
        matrix: How the clip's colours are coded; JPEG files are understood to be coded by bt601 in full range.
    """
    coded = {"in_color_matrix": MATRICES[matrix]} if matrix in MATRICES else {}
    frame = ffmpeg.input(media.file_url(clip), ss=f"{max(0.0, time_s):.6f}", **media.input_options("mov")).video
    still = frame.filter("scale", in_range="tv", out_range="pc", out_color_matrix="bt601", **coded)
    options = {"frames:v": 1, "q:v": JPEG_QUALITY, "c:v": "mjpeg", "update": 1, "f": "image2", "map_metadata": -1}
    output = ffmpeg.output(still.filter("format", "yuvj420p"), media.file_url(target), **options)
    media.run_ffmpeg(ffmpeg.get_args(output), what=f"Making the poster of {clip.name}", timeout_s=120)


def _sharpness(glimpse: Glimpse) -> tuple[bool, float]:
    """Rank as a poster: any picture before black, then by the variance of the Laplacian, the usual sign of focus."""
    grey = glimpse.grey.astype(np.float32)
    edges = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return not glimpse.black, float(edges.var())
