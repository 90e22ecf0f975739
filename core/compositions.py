"""How each layout is laid out in an upright or square picture: which part goes where, and how large.

The shares and limits are heuristics: what looked right on recordings of each layout.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.boxes import Box
from core.camera_path import follow
from core.framing_plan import EVEN_PX, Panel, Scene, Station
from core.sights import Sighting

CAMERA_FACE, PANEL_FACE, LARGEST_FACE = 1 / 6, 1 / 3.5, 1 / 3
"""A face is this part of its view's height if the picture allows; it should never be more than the last."""
CAMERA_SCALE, PANEL_SCALE = 2.5, 4.5
"""A view is never so small that it must be enlarged more than this, unless the whole picture is."""
EYES = 0.36
"""The middle of a face lies this far down in a view of the camera, so that the eyes are in the upper third."""
PANEL_EYES = 0.42
FACE_ROOM, CHEST_ROOM = 1.3, 2.5
"""A view is at least so much wider than the face, and CHEST_ROOM higher, which leaves captions a place under the chin:
else it is not filled but fitted."""
SLIDE_TOP = {"vertical": 0.1, "square": 0.0}
"""Above it, a slide would lie under the controls of the apps that show upright clips."""
SLIDE_SHARE = {"vertical": 0.5, "square": 0.58}
"""The most of the height that a slide gets where the speaker is shown too."""
CAPTION_BAND = 0.14
"""Left free under a square clip's speaker, in parts of its height, where a face fills the view."""
ALONE_AT = 0.42
"""A slide alone is centred this far down: captions go under it."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """What is composed: an upright or square picture of [start_s, end_s), in the clip's time."""

    format: str
    width: int
    height: int
    start_s: float
    end_s: float

    @property
    def area(self) -> Box:
        return Box(0, 0, self.width, self.height)

    def scene(self, *panels: Panel) -> Scene:
        covered = sum(panel.target.area for panel in panels) >= self.area.area
        return Scene(self.start_s, self.end_s, panels, "plain" if covered else "blur")


def fitted(canvas: Canvas, region: Box) -> Scene:
    """All of `region`, as large as it fits, over a ground."""
    target = _fit(region.w / region.h, canvas.area, share_above=ALONE_AT if canvas.format == "vertical" else 0.5)
    return canvas.scene(Panel(target, (Station(canvas.start_s, region),)))


def centred(canvas: Canvas, region: Box) -> Scene:
    """The middle of `region`, filling the picture."""
    return speaker(canvas, region, ())


def speaker(canvas: Canvas, region: Box, sightings: Sequence[Sighting], *, closer: bool = True) -> Scene:
    """The speaker followed in `region`. With `closer`, a small face is brought nearer."""
    panel = _view(canvas, canvas.area, region, sightings, CAMERA_FACE if closer else 0.0, CAMERA_SCALE, EYES)
    return canvas.scene(panel)


def slide_over_speaker(canvas: Canvas, slide: Box, region: Box, sightings: Sequence[Sighting]) -> Scene:
    """The whole slide on top; below it the speaker, as large as the recording's pixels allow."""
    top = _even(SLIDE_TOP[canvas.format] * canvas.height)
    place = Box(0, top, canvas.width, _even(SLIDE_SHARE[canvas.format] * canvas.height))
    upper = _fit(slide.w / slide.h, place, share_above=0.0)
    rest = canvas.height - upper.bottom
    # A small inset does not fill the rest: it would be enlarged too much.
    largest = max(canvas.width / region.w * region.h, PANEL_SCALE * region.h)
    face = _face_size(sightings)
    if canvas.format == "square" and face and CHEST_ROOM * face[1] > region.h:
        rest -= CAPTION_BAND * canvas.height
    lower = Box(0, upper.bottom, canvas.width, _even(min(rest, largest)))
    below = _view(canvas, lower, region, sightings, PANEL_FACE, PANEL_SCALE, PANEL_EYES)
    return canvas.scene(Panel(upper, (Station(canvas.start_s, slide),)), below)


def _view(
    canvas: Canvas,
    area: Box,
    region: Box,
    sightings: Sequence[Sighting],
    face_share: float,
    scale: float,
    face_height: float,
) -> Panel:
    face = _face_size(sightings)
    target = _fit(_aspect(area.w / area.h, region, face), area, share_above=0.0 if area.y else 0.5)
    aspect = target.w / target.h
    highest = min(region.h, region.w / aspect)
    height = highest
    if face and face_share:
        wanted = max(face[1] / face_share, face[1] / LARGEST_FACE, FACE_ROOM * face[0] / aspect, target.h / scale)
        height = min(highest, wanted)
    size = (min(region.w, height * aspect), height)
    path = follow(
        sightings, size=size, within=region, start_s=canvas.start_s, end_s=canvas.end_s, face_height=face_height
    )
    return Panel(target, path)


def _face_size(sightings: Sequence[Sighting]) -> tuple[float, float] | None:
    """Width and height that nine of ten sightings do not exceed."""
    if not sightings:
        return None
    w, h = (float(np.percentile([getattr(seen.box, side) for seen in sightings], 90)) for side in ("w", "h"))
    return w, h


def _aspect(aspect: float, region: Box, face: tuple[float, float] | None) -> float:
    """`aspect`, or one nearer to the region's where a view of `aspect` could not hold the face."""
    whole = region.w / region.h
    if face is None:
        return aspect
    if aspect < whole:
        return max(aspect, min(whole, FACE_ROOM * face[0] / region.h))
    return min(aspect, max(whole, region.w / (CHEST_ROOM * face[1])))


def _fit(aspect: float, area: Box, *, share_above: float) -> Box:
    """The largest box of `aspect` in `area`, on even pixels, its middle `share_above` down, or at the top for 0."""
    w, h = min(area.w, area.h * aspect), min(area.h, area.w / aspect)
    w, h = min(max(EVEN_PX, _even(w)), area.w), min(max(EVEN_PX, _even(h)), area.h)
    above = min(max(0.0, share_above * area.h - h / 2), area.h - h)
    return Box(EVEN_PX * int((area.x + (area.w - w) / 2) / EVEN_PX), EVEN_PX * int((area.y + above) / EVEN_PX), w, h)


def _even(pixels: float) -> int:
    return EVEN_PX * round(pixels / EVEN_PX)
