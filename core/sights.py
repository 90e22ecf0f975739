"""Records of what is seen: layouts, faces, slides. Boxes are in pixels of the upright picture with square pixels."""

from dataclasses import dataclass
from typing import Literal

from core.boxes import Box
from core.intervals import check_interval

Layout = Literal["slides", "camera", "pip", "side", "board", "other"]


@dataclass(frozen=True, slots=True)
class LayoutSpan:
    """How slide and speaker share the picture during [start_s, end_s). Spans cover the recording without gaps.

    Boxes are in pixels of the upright picture at the recording's own size. `face_box` is the whole part of the picture
    that the camera fills (the inset, the panel, or all of it), not the face in it.
    """

    start_s: float
    end_s: float
    layout: Layout
    slide_box: Box | None = None
    face_box: Box | None = None

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Face:
    """A face that a detector found in one picture."""

    box: Box
    score: float
    """0..1: how sure the detector is."""
    landmarks: tuple[tuple[float, float], ...]
    """Five points in pixels: left eye, right eye, nose, left and right corner of the mouth, as the viewer sees them."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where the speaker's face is at a moment, in pixels of the upright picture at the recording's own size."""

    time_s: float
    box: Box
    mouth: Box


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text on a slide, in pixels of the upright picture at the recording's own size."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Slide:
    """What is on the screen during [start_s, end_s), in words; spans cover the recording as `SlideSpan`s do."""

    start_s: float
    end_s: float
    title: str | None
    text: str
    """All lines, top to bottom, joined by newlines; empty where no slide is shown."""
    build: bool
    """It only adds to the slide before it."""
    image: str | None
    """File name of its JPEG inside the stage's folder."""
    lines: tuple[TextLine, ...]

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)
