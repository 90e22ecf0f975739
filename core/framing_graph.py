"""A framing plan as an ffmpeg graph: one pass from the clip's frames to the composed picture.

What comes in is the finished picture of the whole recording (core.picture.finish_picture at the displayed size): square
pixels, yuv420p, tagged. All that happens here is cropping, scaling and laying on top, which leaves colours and tags as
they are. Views move by less than a pixel of the recording: a crop in whole pixels is enlarged first, and what is left
of the way is cropped from the enlarged picture.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any

import ffmpeg

from core.boxes import Box
from core.errors import BadSetting
from core.framing_plan import EVEN_PX, FramingPlan, Panel, Scene, Station

BLUR_PX = 96
"""The ground is blurred at about this size, where it costs next to nothing."""
BLUR_SIGMA = 3.0
DARKENING, PALING = 0.55, 0.8
"""What is left of the ground's light and colour. A heuristic: it must not draw the eye."""
BLACK_LUMA, NO_CHROMA = 16, 128
PLAIN = "0x10161e"
LEAST_RAMP_PX = 0.01
MOST_CHARACTERS = 100_000
"""Linux takes no argument longer than 131,072."""


def compose(picture: Any, plan: FramingPlan, *, shown_size: tuple[int, int], frame_rate: Fraction, frames: int) -> Any:
    """The picture of `plan`, an ffmpeg-python stream of `frames` frames at `frame_rate`, from time 0 on.

    Args:
        picture: The clip's frames from 0 on, in the colours that the clip will have, `shown_size` large.
        shown_size: Width and height of the upright recording with square pixels, in which the plan counts.

    A view that reaches outside the picture is moved inside, and made smaller where it does not fit. Raises BadSetting
    for a plan with more movement than fits into a command.
    """
    pieces = [
        (scene, first, last)
        for scene in plan.scenes
        if (first := round(scene.start_s * frame_rate)) < (last := min(frames, round(scene.end_s * frame_rate)))
    ]
    scene, first, _ = pieces[-1]
    pieces[-1] = (scene, first, frames)
    size = (plan.width, plan.height)
    branches = picture.split() if len(pieces) > 1 else None
    composed = []
    for number, (scene, first, last) in enumerate(pieces):
        part = picture
        if branches is not None:
            part = branches[number].filter("trim", start_frame=first, end_frame=last)
        composed.append(_scene(part, scene, size, shown_size))
    if len(composed) == 1:
        return composed[0]
    rate = f"{frame_rate.numerator}/{frame_rate.denominator}"
    restarted = [part.filter("setpts", "PTS-STARTPTS") for part in composed]
    joined = ffmpeg.filter(restarted, "concat", n=len(restarted), v=1, a=0)
    return joined.filter("settb", f"1/({rate})").filter("setpts", "N").filter("fps", fps=rate)


def _scene(picture: Any, scene: Scene, size: tuple[int, int], shown_size: tuple[int, int]) -> Any:
    panels = [_inside(panel, shown_size) for panel in scene.panels]
    blurred = scene.ground == "blur" or not panels
    branches = iter(picture.split()[number] for number in range(len(panels) + blurred))
    if len(panels) + blurred == 1:
        branches = iter([picture])
    if blurred:
        region = panels[0].path[0].box if panels else Box(0, 0, *shown_size)
        canvas = _ground(next(branches), region, size)
    else:
        first = panels.pop(0)
        canvas = _panel(next(branches), first, shown_size)
        if (first.target.w, first.target.h) != size:
            x, y = int(first.target.x), int(first.target.y)
            canvas = canvas.filter("pad", *size, x, y, color=PLAIN)
    for panel in panels:
        shown = _panel(next(branches), panel, shown_size)
        canvas = canvas.overlay(
            shown, x=int(panel.target.x), y=int(panel.target.y), format="yuv420", eof_action="endall"
        )
    return canvas.filter("setsar", "1")


def _ground(picture: Any, region: Box, size: tuple[int, int]) -> Any:
    """The middle of `region`, blurred and darkened, filling the output."""
    factor = min(region.w / size[0], region.h / size[1])
    w, h = max(EVEN_PX, _even_floor(size[0] * factor)), max(EVEN_PX, _even_floor(size[1] * factor))
    x, y = _even_floor(region.centre[0] - w / 2), _even_floor(region.centre[1] - h / 2)
    small = BLUR_PX / max(size)
    light = f"{BLACK_LUMA}+(val-{BLACK_LUMA})*{DARKENING}"
    pale = f"{NO_CHROMA}+(val-{NO_CHROMA})*{PALING}"
    return (
        picture.filter("crop", w, h, max(0, x), max(0, y))
        .filter(
            "scale",
            max(EVEN_PX, _even_floor(size[0] * small)),
            max(EVEN_PX, _even_floor(size[1] * small)),
            flags="area",
        )
        .filter("gblur", sigma=BLUR_SIGMA)
        .filter("lutyuv", y=light, u=pale, v=pale)
        .filter("scale", *size, flags="bicubic")
        .filter("setsar", "1")
    )


def _panel(picture: Any, panel: Panel, shown_size: tuple[int, int]) -> Any:
    """What the panel shows, as large as its target."""
    first, target = panel.path[0].box, panel.target
    across = _Axis([s.time_s for s in panel.path], [s.box.x for s in panel.path], first.w, target.w, shown_size[0])
    down = _Axis([s.time_s for s in panel.path], [s.box.y for s in panel.path], first.h, target.h, shown_size[1])
    shown = picture
    if (across.length, down.length) != shown_size:
        shown = shown.filter("crop", across.length, down.length, across.begin, down.begin, exact=1)
    shown = shown.filter("scale", across.scaled, down.scaled, flags="bicubic")
    if (across.scaled, down.scaled) != (target.w, target.h):
        shown = shown.filter("crop", int(target.w), int(target.h), across.rest, down.rest, exact=1)
    return shown.filter("setsar", "1")


class _Axis:
    """One axis of a moving view: `begin` and `length` of the crop in whole pixels of the recording, how long that is
    once enlarged (`scaled`), and where in it the view begins (`rest`), as expressions of ffmpeg in t."""

    def __init__(
        self, times_s: Sequence[float], places: Sequence[float], view: float, target: float, room: int
    ) -> None:
        factor = target / view
        still = max(places) - min(places) < LEAST_RAMP_PX
        if still and abs(places[0] - round(places[0])) < LEAST_RAMP_PX and abs(view - round(view)) < LEAST_RAMP_PX:
            self.length, self.scaled, self.begin, self.rest = round(view), int(target), str(round(places[0])), "0"
            return
        self.length = min(EVEN_PX * ceil(view / EVEN_PX) + EVEN_PX, room)
        self.scaled = max(int(target), round(self.length * factor))
        way, last = ramps(times_s, places), room - self.length
        grid = f"min({EVEN_PX}*floor(ld(0)/{EVEN_PX}),{last})"
        self.begin = f"st(0,{way});{grid}"
        self.rest = f"st(0,{way});{factor:.6f}*(ld(0)-{grid})"


def ramps(times_s: Sequence[float], places: Sequence[float]) -> str:
    """The way through `places` at `times_s` as an expression of ffmpeg in t: a sum of the ramps on which it moves.

    Raises BadSetting where that gets too long.
    """
    terms = [f"{places[0]:.3f}"]
    for (from_s, here), (to_s, there) in pairwise(zip(times_s, places, strict=True)):
        if abs(there - here) >= LEAST_RAMP_PX / 10:
            slope = (there - here) / (to_s - from_s)
            terms.append(f"{slope:+.4f}*clip(t-{from_s:.4f},0,{to_s - from_s:.4f})")
    way = "".join(terms)
    if len(way) > MOST_CHARACTERS // 4:
        raise BadSetting(
            f"A view of the framing plan moves {len(terms)} times, which is more than fits into a command of ffmpeg:"
            " use fewer stations, or a shorter clip."
        )
    return way


def _inside(panel: Panel, shown_size: tuple[int, int]) -> Panel:
    """The panel with all its boxes inside the picture."""
    w, h = panel.path[0].box.w, panel.path[0].box.h
    factor = min(1.0, shown_size[0] / w, shown_size[1] / h)
    stations = []
    for station in panel.path:
        middle_x, middle_y = station.box.centre
        x = min(max(0.0, middle_x - w * factor / 2), shown_size[0] - w * factor)
        y = min(max(0.0, middle_y - h * factor / 2), shown_size[1] - h * factor)
        stations.append(Station(station.time_s, Box(x, y, w * factor, h * factor)))
    return Panel(panel.target, tuple(stations))


def _even_floor(pixels: float) -> int:
    return EVEN_PX * floor(pixels / EVEN_PX)
