"""Finds the layout over time: looks sparingly at each stretch between two changes of the picture, then decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import frames, layouts, media, panels, picture
from core.boxes import Box, overlap
from core.frames import Decoder, Frame, Raster
from core.layout_looks import WIDTH_PX, FindFaces, Image, Look, look, to_gray
from core.layout_sharp import Sharp
from core.layouts import CameraPanel, Judged
from core.records import MediaInfo, SlideSpan
from core.sights import LayoutSpan

BURST_S, STEP_S = 0.62, 0.19
"""How long and how often to look at a moment: enough to see a speaker move."""
MARGIN_S = 0.1
"""Frames this near to a change are left out."""
EVERY_S = 150.0
"""A longer stretch is looked at once each so many seconds: something may have changed slowly."""
MOST_LOOKS = 400
"""So many moments are looked at, those of the longest stretches; others are taken to be as what is beside them."""
FACE_WIDTH_PX = 480
"""An inset is brought to this width to look for a face in it."""
SAME_PICTURE, MOST_BORDERS = 0.97, 8
"""Borders around pictures that overlap by more are the same; of rare ones no notice is taken."""
OFTEN = 0.3
"""Borders that so many of the looks have are those of dark ones, too."""
SCAN_SHARE = 0.8
"""How much of the work the looks are taken to be, for the progress."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Frames during [from_s, until_s] stand for [start_s, end_s)."""

    start_s: float
    end_s: float
    from_s: float
    until_s: float


def find_layouts(
    path: Path,
    info: MediaInfo,
    spans: Sequence[SlideSpan],
    settled_s: Sequence[float],
    *,
    find_faces: FindFaces,
    scratch: Path,
    decoder: Decoder = "decord",
    on_progress: media.Progress | None = None,
) -> list[LayoutSpan]:
    """How slide and speaker share the picture, for every moment of the recording; neighbours differ.

    Args:
        spans: What lies between changes of the picture, from 0 to the recording's end, as `find_changes` gives them.
        settled_s: For each span the time of a frame that shows it well.
        find_faces: Finds faces in an RGB image, uint8 [h, w, 3], in its pixels.

    Raises MediaError if there is no picture or none of it can be decoded, Cancelled if the run was told to stop.
    """
    size = picture.shown_size(info.video)
    small = _raster(size, WIDTH_PX)
    moments = _moments(spans, settled_s)
    looks: list[Look] = []
    for moment, seen in _deal(path, info, moments, small, scratch, decoder):
        images = [frame.image for frame in seen]
        looks.append(look(moment.start_s, moment.end_s, seen[-1].time_s, images, find_faces))
        if on_progress:
            on_progress(SCAN_SHARE * min(moment.end_s, info.duration_s))
    cameras = layouts.find_panels(looks)
    sharp = Sharp(path, info, size, small, scratch, decoder)
    cameras, boxes = _sharpened(looks, cameras, sharp, find_faces)
    judged = layouts.judge(looks, cameras)
    pictures = _pictures(looks, judged, sharp)
    found = [_span(seen, j, boxes, whole) for seen, j, whole in zip(looks, judged, pictures, strict=True)]
    if on_progress:
        on_progress(info.duration_s)
    return layouts.joined(_stretched(found, info.duration_s))


def _raster(size: tuple[int, int], longest_px: int) -> Raster:
    factor = min(1.0, longest_px / max(size))
    return Raster(max(2, round(size[0] * factor)), max(2, round(size[1] * factor)))


def _moments(spans: Sequence[SlideSpan], settled_s: Sequence[float]) -> list[_Moment]:
    """What to look at, in order of time."""
    chosen = sorted(range(len(spans)), key=lambda i: (spans[i].start_s - spans[i].end_s, i))[:MOST_LOOKS]
    moments = []
    for i in sorted(chosen):
        start_s, end_s = spans[i].start_s, spans[i].end_s
        parts = max(1, min(int((end_s - start_s) / EVERY_S), MOST_LOOKS // len(chosen)))
        bounds = [start_s + (end_s - start_s) * k / parts for k in range(parts)] + [end_s]
        for k in range(parts):
            middle_s = settled_s[i] if bounds[k] <= settled_s[i] < bounds[k + 1] else (bounds[k] + bounds[k + 1]) / 2
            moments.append(_Moment(bounds[k], bounds[k + 1], *_burst(middle_s, start_s, end_s)))
    return moments


def _burst(time_s: float, start_s: float, end_s: float) -> tuple[float, float]:
    """From `time_s` on, most often a keyframe, so that little is decoded; earlier only where a change comes soon."""
    last_s = max(end_s - MARGIN_S, start_s)
    until_s = min(time_s + BURST_S, last_s)
    from_s = time_s if until_s - time_s >= BURST_S / 2 else max(start_s + MARGIN_S, until_s - BURST_S)
    return min(from_s, until_s), until_s


def _deal(
    path: Path, info: MediaInfo, moments: Sequence[_Moment], raster: Raster, scratch: Path, decoder: Decoder
) -> Iterator[tuple[_Moment, list[Frame]]]:
    """Each moment that has frames, with them."""
    wanted = [(m.from_s, m.until_s) for m in moments]
    read = frames.frames_in(path, info, wanted, raster, step_s=STEP_S, scratch=scratch, decoder=decoder)
    number, seen = 0, list[Frame]()
    for frame in read:
        while number < len(moments) and frame.time_s > moments[number].until_s + frames.NEAR_S:
            if seen:
                yield moments[number], seen
            number, seen = number + 1, []
        seen.append(frame)
    if seen and number < len(moments):
        yield moments[number], seen


def _sharpened(
    looks: Sequence[Look], cameras: Sequence[CameraPanel], sharp: Sharp, find_faces: FindFaces
) -> tuple[list[CameraPanel], list[tuple[Box, Box]]]:
    """Those panels that are a camera's, and for each the boxes (slide, camera) to the pixel."""
    kept, boxes = [], []
    images = sharp.images([[looks[i] for i in camera.members] for camera in cameras])
    for camera, seen in zip(cameras, images, strict=True):
        box = sharp.refined(seen, camera.box)
        if camera.proven or any(_shows_face(image, box, find_faces) for image in seen):
            kept.append(camera)
            boxes.append((_slide(seen, box, camera.beside), box))
    return kept, boxes


def _shows_face(image: Image, box: Box, find_faces: FindFaces) -> bool:
    """Whether a face is found in an inset, which is enlarged, for detectors see little in small pictures."""
    import cv2

    part = image[round(box.y) : round(box.bottom), round(box.x) : round(box.right)]
    factor = FACE_WIDTH_PX / part.shape[1]
    size = (FACE_WIDTH_PX, max(2, round(part.shape[0] * factor)))
    return bool(find_faces(np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)))


def _slide(images: Sequence[Image], camera: Box, beside: bool) -> Box:
    brightest = np.max([to_gray(image) for image in images], axis=0)
    return layouts.slide_beside(brightest, camera) if beside else panels.without_borders(brightest)


def _pictures(looks: Sequence[Look], judged: Sequence[Judged], sharp: Sharp) -> list[Box]:
    """For each look what the whole picture shows, without black borders, in pixels of the displayed picture."""
    bordered: list[tuple[Box, list[int]]] = []
    for i, (seen, j) in enumerate(zip(looks, judged, strict=True)):
        if j.panel is None and (seen.picture.w < seen.width or seen.picture.h < seen.height):
            group = next((members for box, members in bordered if overlap(box, seen.picture) > SAME_PICTURE), None)
            if group is None:
                bordered.append((seen.picture, [i]))
            else:
                group.append(i)
    result = [Box(0, 0, *sharp.size)] * len(looks)
    bordered = sorted(bordered, key=lambda each: -len(each[1]))[:MOST_BORDERS]
    images = sharp.images([[looks[i] for i in members] for _, members in bordered])
    for (box, members), seen in zip(bordered, images, strict=True):
        refined = sharp.refined(seen, box)
        dark = _dark_ones(looks, judged, box) if len(members) >= OFTEN * len(looks) else []
        for i in [*members, *dark]:
            result[i] = refined
    return result


def _dark_ones(looks: Sequence[Look], judged: Sequence[Judged], box: Box) -> list[int]:
    """Looks that may have the border `box` as well, but are too dark for it to be seen."""
    return [
        i
        for i, seen in enumerate(looks)
        if judged[i].panel is None and seen.picture.area > box.area and box.contains(seen.lit, slack_px=1)
    ]


def _span(seen: Look, judged: Judged, boxes: Sequence[tuple[Box, Box]], whole: Box) -> LayoutSpan:
    slide = face = None
    if judged.panel is not None:
        slide, face = boxes[judged.panel]
    elif judged.layout == "slides":
        slide = whole
    elif judged.layout in ("camera", "board"):
        face = whole
    return LayoutSpan(seen.start_s, seen.end_s, judged.layout, slide, face)


def _stretched(found: Sequence[LayoutSpan], duration_s: float) -> list[LayoutSpan]:
    """`found` without gaps: what was not looked at belongs to what comes before it."""
    starts = [0.0, *(span.start_s for span in found[1:])]
    ends = [*starts[1:], duration_s]
    return [
        LayoutSpan(start_s, end_s, span.layout, span.slide_box, span.face_box)
        for span, start_s, end_s in zip(found, starts, ends, strict=True)
    ]
