"""A framing plan: what a clip in one format shows when, as data. Boxes of the recording in, boxes of the output out.

Times count from the clip's start as it lies in the recording, before anything is tightened.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from core.boxes import Box
from core.intervals import check_interval

Format = Literal["source", "vertical", "square"]
Ground = Literal["blur", "plain"]
EVEN_PX = 2
"""Output boxes lie on whole even pixels, as 4:2:0 video needs them."""


@dataclass(frozen=True, slots=True)
class Station:
    """Where a panel looks at a moment; between two stations it moves evenly, outside of them it stands still."""

    time_s: float
    box: Box


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the output and the part of the recording that it shows, scaled to fill it."""

    target: Box
    """In pixels of the output: whole, even, inside it."""
    path: tuple[Station, ...]
    """In pixels of the upright recording, in order of time; all boxes have one size, of the target's aspect."""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("A Panel needs a station at least")
        if any(a.time_s >= b.time_s for a, b in pairwise(self.path)):
            raise ValueError("The stations of a Panel must be in order of time")
        w, h = self.path[0].box.w, self.path[0].box.h
        if any(abs(s.box.w - w) > 0.01 or abs(s.box.h - h) > 0.01 for s in self.path):
            raise ValueError("The boxes of a Panel's path must have one size")


@dataclass(frozen=True, slots=True)
class Scene:
    """What is shown during [start_s, end_s): panels over a ground, later ones on top."""

    start_s: float
    end_s: float
    panels: tuple[Panel, ...]
    ground: Ground = "plain"
    """What fills the rest: the recording itself, blurred and darkened, or plain dark."""

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class FramingPlan:
    """A clip in one format, `width` x `height` pixels; scenes follow each other without gaps from 0 to its end."""

    format: Format
    width: int
    height: int
    scenes: tuple[Scene, ...]

    def __post_init__(self) -> None:
        if not self.scenes or self.scenes[0].start_s != 0:
            raise ValueError("A FramingPlan must have a scene that begins at 0")
        if any(a.end_s != b.start_s for a, b in pairwise(self.scenes)):
            raise ValueError("The scenes of a FramingPlan must follow each other without gaps")
        if self.width % EVEN_PX or self.height % EVEN_PX:
            raise ValueError(f"A FramingPlan needs an even size, got {self.width}x{self.height}")
