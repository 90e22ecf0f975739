"""`manifest.json`: the published record of one recording's clips. It is written last: what has one is complete.

Paths are relative to the manifest. Times are seconds; those of `words` count from the clip's start. A reader should
accept fields it does not know; a change that breaks readers raises `version`.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.records import CheckResult, ModelRef, RunnerUp, Silence, StageTiming, Word
from core.settings import Settings

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 1


class Part(BaseModel):
    """A piece of the manifest: frozen, and complete."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceEntry(Part):
    """The recording the clips were cut from."""

    name: str
    sha256: str
    bytes: int
    duration_s: float
    width: int | None
    height: int | None
    frame_rate: Annotated[str | None, Field(description='Exact fraction, such as "30000/1001".')]
    has_video: bool
    has_audio: bool
    title: str | None


class ModelEntry(Part):
    """A model's immutable version."""

    name: str
    version: str
    sha256: str

    @staticmethod
    def of(ref: ModelRef) -> "ModelEntry":
        return ModelEntry(name=ref.name, version=ref.version, sha256=ref.sha256)


class ClipFiles(Part):
    """Files of one clip; captions are missing where nothing is said."""

    video: str
    poster: str
    srt: str | None
    vtt: str | None


class ClipChecks(Part):
    """What was measured on the finished file, what was noticed and what was repaired."""

    measures: dict[str, float | str | None]
    warnings: list[str]
    repairs: list[str]

    @staticmethod
    def of(checks: CheckResult, repairs: tuple[str, ...], caption_warnings: list[str]) -> "ClipChecks":
        warnings = [*checks.warnings, *caption_warnings]
        return ClipChecks(measures=dict(checks.measures), warnings=warnings, repairs=list(repairs))


class ClipEntry(Part):
    """One finished clip."""

    rank: Annotated[int, Field(description="1 is the best of the recording.")]
    start_s: float
    end_s: float
    score: float
    title: str
    text: str
    reasons: dict[str, bool | int | float | str | None]
    words: list[Word]
    files: ClipFiles
    checks: ClipChecks
    render_key: Annotated[str, Field(description="Key of the stored rendering that the files are copies of.")]


class RejectedEntry(Part):
    """A moment that was chosen and rendered, and failed the checks even after repair."""

    start_s: float
    end_s: float
    reason: str


class TranscriptEntry(Part):
    """Where the words come from."""

    source: Annotated[str, Field(description='Model name, or "captions".')]
    language: str | None
    sentences: int
    words: int
    dropped: list[str]


class RecordingFiles(Part):
    """Files about the whole recording."""

    report: str
    reel: str | None
    srt: str | None
    vtt: str | None


class Manifest(Part):
    """Everything about one recording's clips and how they came to be."""

    version: int = MANIFEST_VERSION
    winnow: str
    created: Annotated[str, Field(description="ISO 8601, UTC.")]
    source: SourceEntry
    models: dict[str, ModelEntry]
    settings: Settings
    tools: dict[str, str]
    stages: list[StageTiming]
    clips: list[ClipEntry]
    rejected: list[RejectedEntry]
    runners_up: list[RunnerUp]
    silences: list[Silence]
    transcript: TranscriptEntry | None
    files: RecordingFiles
    warnings: list[str]
