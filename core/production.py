"""What a clip is made into, as data: formats with framing and captions, what is left out, what is put around it.

Times of cues count from the start of the body as it plays: after tightening, before an intro is put in front.
"""

from dataclasses import dataclass
from fractions import Fraction

from core.brand import Template
from core.brand_graph import end_frames
from core.framing_plan import FramingPlan
from core.ladder import Ladder
from core.records import Cue
from core.tightening import Tightening


@dataclass(frozen=True, slots=True)
class Look:
    """One format of a clip."""

    plan: FramingPlan
    captions: str | None = None
    """Advanced SubStation Alpha to draw into the picture; None draws nothing."""
    free: bool = False
    """The plan is somebody's own, so that it need not show the whole picture."""

    @property
    def untouched(self) -> bool:
        """Whether it shows the recording's whole picture as it is."""
        return self.plan.format == "source" and not self.free

    @property
    def size(self) -> tuple[int, int]:
        return self.plan.width, self.plan.height


@dataclass(frozen=True, slots=True)
class Production:
    """Everything that a clip is made by, apart from where it lies in its recording and how it is encoded."""

    looks: tuple[Look, ...]
    """One at least; the first is the clip itself, the others are made beside it."""
    ladder: Ladder
    """The sizes that each format is made in."""
    cues: tuple[Cue, ...] = ()
    tightening: Tightening | None = None
    template: Template | None = None
    speaker: str = ""
    subtitles: str | None = None
    """WebVTT of the whole clip, intro included, for streaming; None where nothing is said."""
    language: str | None = None

    def body_frames(self, frames: int) -> int:
        """How many of the clip's `frames` are left."""
        return self.tightening.kept_frames if self.tightening else frames

    def ends(self, rate: Fraction) -> tuple[int, int]:
        """Frames of intro and outro."""
        return end_frames(self.template, rate) if self.template else (0, 0)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file of a finished clip."""

    format: str
    rendition: str
    name: str
    width: int
    height: int


def look_stem(number: int, look: Look) -> str:
    """The stem of a format's files: `clip` for the first, the format's name for the others."""
    return "clip" if number == 0 else look.plan.format
