"""Records that pass between stages. Frozen, JSON-safe, times in seconds, intervals half-open [start, end)."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from core.intervals import check_interval

ChangeKind = Literal["start", "slide", "shot"]


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open interval [start_s, end_s) on the recording's timeline."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A recording: its identity is `sha256`; `uri` only says where its bytes are at present."""

    sha256: str
    bytes: int
    uri: str = field(metadata={"identity": False})
    name: str = field(metadata={"identity": False})
    """File name for people, always valid Unicode."""


@dataclass(frozen=True, slots=True)
class VideoStream:
    """What ffprobe says of the picture that clips are cut from."""

    index: int
    codec: str
    width: int
    """Coded width in pixels, before rotation and before non-square pixels are stretched."""
    height: int
    frame_rate: str
    """Nominal rate as an exact fraction, such as "30000/1001"."""
    average_frame_rate: str
    variable_frame_rate: bool
    rotation_deg: int
    """Clockwise turn a player applies: 0, 90, 180 or 270."""
    sample_aspect_ratio: str
    """"1:1" where pixels are square."""
    pixel_format: str
    color_range: str | None
    color_space: str | None
    color_transfer: str | None
    color_primaries: str | None
    interlaced: bool
    start_s: float
    """First presentation time relative to the start of the recording."""
    duration_s: float | None

    @property
    def fps(self) -> Fraction:
        return Fraction(self.frame_rate)


@dataclass(frozen=True, slots=True)
class AudioStream:
    """What ffprobe says of the sound that clips are cut from."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    start_s: float
    duration_s: float | None
    language: str | None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A recording as its container describes it. At least one of `video` and `audio` is there."""

    container: str
    """Name of ffmpeg's demuxer, such as "mov" or "matroska"."""
    duration_s: float
    """What can really be read: less than `declared_duration_s` where the file is cut off."""
    declared_duration_s: float
    video: VideoStream | None
    audio: AudioStream | None
    title: str | None
    truncated: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word with its times; `probability` is the recogniser's, 1.0 where a person wrote it."""

    text: str
    start_s: float
    end_s: float
    probability: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Consecutive words that belong together; `start_s` and `end_s` are those of its first and last word."""

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...]

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, by whom it was found (`source`: a model's name or "captions"), in which language."""

    sentences: tuple[Sentence, ...]
    language: str | None
    source: str
    dropped: tuple[str, ...] = ()
    """Why passages were left out: one sentence each (repetition loops, words heard in silence)."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch without sound above the threshold."""

    start_s: float
    end_s: float
    mean_dbfs: float

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class SlideSpan:
    """A stretch of picture between two changes: one slide, or one camera shot."""

    start_s: float
    end_s: float
    kind: ChangeKind
    """What began it: the recording, a new slide (still picture), or a cut between shots (moving picture)."""
    thumbnail: str | None = None
    """File name of its JPEG inside the stage's folder."""
    title: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class ModelRef:
    """One immutable version of a model. An alias is resolved to it once, at the start of a run."""

    name: str
    version: str
    sha256: str
    uri: str = field(metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class RunModels:
    """The immutable versions that a run stamps on all it makes."""

    highlight: ModelRef
    speech: ModelRef
    text: ModelRef
    faces: ModelRef
    ocr: ModelRef
    about: ModelRef | None = None
    """What finds the subject that the picks are turned toward; None where none was named."""


@dataclass(frozen=True, slots=True)
class StageRef:
    """Where a stage's output stands: the folder `analysis/<sha256>/<stage>/<key>` of the store."""

    sha256: str
    stage: str
    key: str
    seconds: float = field(default=0.0, metadata={"identity": False})
    """How long it took to make."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A moment chosen to become a clip."""

    rank: int
    """1 is the best."""
    start_s: float
    end_s: float
    score: float
    first_sentence: int
    last_sentence: int
    """Rows of the timeline, both included."""
    title: str
    text: str
    reasons: dict[str, bool | int | float | str | None]

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A moment that was considered and not chosen, and why it lost."""

    start_s: float
    end_s: float
    score: float
    first_sentence: int
    last_sentence: int
    text: str
    lost: str

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome of choosing: picks in timeline order, the best of the others, best first."""

    highlights: tuple[Highlight, ...]
    runners_up: tuple[RunnerUp, ...]
    objective: float
    """The sum of the picks' scores, which no other admissible choice exceeds."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption: at most two lines, shown during [start_s, end_s)."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was measured on a rendered clip. A clip with a problem is repaired or rejected, warnings are kept."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    measures: dict[str, float | str | None]


@dataclass(frozen=True, slots=True)
class StageTiming:
    """How long a stage took when it ran, and whether this run found it in the cache."""

    name: str
    seconds: float
    cached: bool
