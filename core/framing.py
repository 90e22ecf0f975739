"""What a clip shows in each format, decided from its layouts, the speaker's face and the text on the slides.

`vertical` (9:16) and `square` (1:1) follow the speaker, and show a slide whole: on top of the speaker where both are
in the picture, else over a blurred ground. `source` is the recording's picture as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.boxes import Box, shared
from core.camera_path import split_shots
from core.compositions import Canvas, centred, fitted, slide_over_speaker, speaker
from core.framing_plan import EVEN_PX, Format, FramingPlan, Panel, Scene, Station
from core.sights import LayoutSpan, Sighting
from core.stretches import clip_stretches

WIDEST_PX = 1_080
"""What the apps that show upright clips take at most."""
FINEST = 1.5
"""The output is at most so many times as wide as the recording's short side: more would be empty pixels."""
SMALLEST_PX = 16
UPRIGHT = (0.5, 0.6)
"""A recording of such an aspect (9:16 is 0.5625) is upright already, and left as it is."""
TextBoxes = Callable[[float], Sequence[Box]]
"""Tells the lines of text on the slide at a time of the recording, in pixels of the upright picture."""


def plan_framing(
    format: Format,
    *,
    size: tuple[int, int],
    start_s: float,
    end_s: float,
    layouts: Sequence[LayoutSpan],
    sightings: Sequence[Sighting],
    text_boxes: TextBoxes,
    max_height: int,
    cuts_s: Sequence[float] = (),
) -> FramingPlan:
    """The plan of the clip [start_s, end_s) of a recording in one format.

    Args:
        size: Of the upright picture with square pixels, at the recording's own size; all boxes are in its pixels.
        layouts: On the recording's timeline; what they leave open counts as `other`.
        sightings: Of the speaker, on the recording's timeline, in order; gaps are bridged.
        max_height: For `source` the most lines, for the others the most pixels across (1080 is 1080x1920).
        cuts_s: Where the recording is known to cut to another shot, in order; a camera's jump is laid exactly there.

    Raises ValueError for an empty clip.
    """
    if not 0 <= start_s < end_s:
        raise ValueError(f"A clip must satisfy 0 <= start_s < end_s, got [{start_s}, {end_s})")
    width, height = output_size(format, size, max_height)
    picture = Box(0, 0, *size)
    if format == "source" or (format == "vertical" and _is_upright(size)):
        whole = Panel(Box(0, 0, width, height), (Station(0.0, picture),))
        return FramingPlan(format, width, height, (Scene(0.0, end_s - start_s, (whole,)),))
    near = [replace(seen, time_s=seen.time_s - start_s) for seen in sightings if start_s <= seen.time_s < end_s]
    cuts_s = [cut_s - start_s for cut_s in cuts_s]
    scenes: list[Scene] = []
    for span in clip_stretches(layouts, size=size, start_s=start_s, end_s=end_s):
        canvas = Canvas(format, width, height, span.start_s, span.end_s)
        has_text = any(_has_text(span, time_s + start_s, text_boxes) for time_s in (span.start_s, _middle_s(span)))
        scenes += _scenes(canvas, span, _seen_in(span, near), cuts_s, has_text=has_text)
    return FramingPlan(format, width, height, tuple(scenes))


def output_size(format: Format, size: tuple[int, int], max_height: int) -> tuple[int, int]:
    """Width and height of a clip in `format`, both even, from a recording that is shown at `size`."""
    width, height = size
    if format == "source":
        factor = min(1.0, max_height / height)
        return max(EVEN_PX, _even(width * factor)), max(EVEN_PX, EVEN_PX * int(height * factor / EVEN_PX + 1e-9))
    across = max(SMALLEST_PX, EVEN_PX * int(min(WIDEST_PX, max_height, FINEST * min(size)) / EVEN_PX))
    if format == "square":
        return across, across
    if _is_upright(size):
        factor = min(1.0, across / width)
        return max(EVEN_PX, _even(width * factor)), max(EVEN_PX, _even(height * factor))
    return across, _even(across * 16 / 9)


def _scenes(
    canvas: Canvas, span: LayoutSpan, seen: Sequence[Sighting], cuts_s: Sequence[float], *, has_text: bool
) -> list[Scene]:
    """The scenes of one stretch of layout: one, or one for each shot of the camera."""
    if span.slide_box and not span.face_box:
        return [fitted(canvas, span.slide_box)]
    assert span.face_box is not None
    if span.layout == "other":
        return [fitted(canvas, span.face_box) if has_text else centred(canvas, span.face_box)]
    shots = split_shots(seen, cuts_s)
    starts_s = [canvas.start_s, *(shot.start_s for shot in shots[1:])]
    scenes = []
    for number, begin_s in enumerate(starts_s):
        stop_s = starts_s[number + 1] if number + 1 < len(starts_s) else canvas.end_s
        part = replace(canvas, start_s=begin_s, end_s=stop_s)
        faces = shots[number].sightings if shots else ()
        if span.slide_box:
            scenes.append(slide_over_speaker(part, span.slide_box, span.face_box, faces))
        else:
            scenes.append(speaker(part, span.face_box, faces, closer=span.layout != "board"))
    return scenes


def _seen_in(span: LayoutSpan, sightings: Sequence[Sighting]) -> list[Sighting]:
    """Sightings of the stretch that lie in its camera's part of the picture."""
    box = span.face_box
    if box is None:
        return []
    return [s for s in sightings if span.start_s <= s.time_s < span.end_s and box.contains(Box(*s.box.centre, 1, 1), 1)]


def _has_text(span: LayoutSpan, time_s: float, text_boxes: TextBoxes) -> bool:
    box = span.face_box
    return span.layout == "other" and box is not None and any(shared(box, line) for line in text_boxes(time_s))


def _middle_s(span: LayoutSpan) -> float:
    return (span.start_s + span.end_s) / 2


def _is_upright(size: tuple[int, int]) -> bool:
    return UPRIGHT[0] <= size[0] / size[1] <= UPRIGHT[1]


def _even(pixels: float) -> int:
    return EVEN_PX * round(pixels / EVEN_PX)
