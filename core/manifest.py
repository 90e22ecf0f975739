"""`manifest.json`: the published record of one recording's clips. It is written last: what has one is complete.

Paths are relative to the manifest. Times are seconds; those of `words` count from the clip's start. A reader should
accept fields it does not know; a change that breaks readers raises `version`.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.boxes import Box
from core.caption_report import CaptionReport
from core.framing_plan import FramingPlan
from core.records import CheckResult, ModelRef, RunnerUp, Silence, StageTiming, Word
from core.settings import Settings
from core.sights import LayoutSpan

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

    video: Annotated[str, Field(description="The first format in its largest size.")]
    poster: str
    sheet: Annotated[str | None, Field(description="Contact sheet: frames with their times.")] = None
    srt: str | None
    vtt: str | None
    text: Annotated[str | None, Field(description="What is said, as plain text.")] = None
    formats: Annotated[
        dict[str, dict[str, str]], Field(description="Format -> rendition -> file; `video` is among them.")
    ] = {}
    posters: Annotated[dict[str, str], Field(description="Format -> poster, for the formats beside the first.")] = {}
    hls: Annotated[dict[str, str], Field(description="Format -> master playlist.")] = {}
    parts: Annotated[list[str], Field(description="Files that the playlists name.")] = []

    @property
    def rendered(self) -> set[str]:
        """Those that are copies of the clip's rendering."""
        sizes = [file for renditions in self.formats.values() for file in renditions.values()]
        own = (self.video, self.poster, self.sheet, *self.posters.values())
        return {file for file in (*own, *sizes, *self.hls.values(), *self.parts) if file}

    @property
    def all(self) -> set[str]:
        """Every file, relative to the manifest."""
        return self.rendered | {file for file in (self.srt, self.vtt, self.text) if file}


class RemovedEntry(Part):
    """A pause or filler inside a clip, on the recording's timeline, with the words around it."""

    start_s: float
    end_s: float
    kind: str
    text: str
    before: str
    after: str
    saved_s: float
    share: float
    join_s: float
    removed: Annotated[bool, Field(description="False where it was only shown.")]


class ClipChecks(Part):
    """What was measured on the finished file, what was noticed and what was repaired."""

    measures: dict[str, float | str | None]
    warnings: list[str]
    repairs: list[str]

    @staticmethod
    def of(checks: CheckResult, repairs: tuple[str, ...], caption_warnings: list[str]) -> "ClipChecks":
        warnings = [*checks.warnings, *caption_warnings]
        return ClipChecks(measures=dict(checks.measures), warnings=warnings, repairs=list(repairs))


class ClipWriting(Part):
    """What is written about a clip, and who wrote it."""

    description: str
    tags: list[str]
    writer: Annotated[str, Field(description='"offline", or the name of the model that wrote title and description.')]
    note: str | None


class ClipEntry(Part):
    """One finished clip."""

    rank: Annotated[int, Field(description="1 is the best of the recording.")]
    start_s: float
    end_s: float
    score: float
    title: str
    text: str
    writing: ClipWriting
    reasons: dict[str, bool | int | float | str | None]
    words: Annotated[list[Word], Field(description="Times count from the clip's start as it plays.")]
    files: ClipFiles
    framing: Annotated[list[FramingPlan], Field(description="What each format shows when; times before tightening.")]
    tightening: Annotated[list[RemovedEntry], Field(description="What was removed, or would be (tighten: preview).")]
    intro_s: Annotated[float, Field(description="Length of the template's intro, which precedes the clip.")]
    captions: CaptionReport | None
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
    text: str | None = None
    overview: Annotated[str | None, Field(description="All clips in all formats, as one picture.")] = None
    layout: Annotated[str | None, Field(description="How slide and speaker share the picture when.")] = None
    slides: Annotated[str | None, Field(description="What stands on the slides.")] = None
    slide_images: list[str] = []
    chapters: Annotated[str | None, Field(description="WebVTT chapters: the title of each slide.")] = None


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
    template: Annotated[str | None, Field(description="Name of the brand template.")] = None
    corrections: Annotated[list[str], Field(description="Terms that the glossary corrected in the transcript.")] = []
    transcript: TranscriptEntry | None
    files: RecordingFiles
    warnings: list[str]


def layouts_json(spans: Sequence[LayoutSpan]) -> list[dict[str, Any]]:
    """What `layout.json` holds: boxes as [x, y, w, h] in whole pixels of the recording's picture as shown, or null."""

    def box(found: Box | None) -> list[int] | None:
        return [round(side) for side in (found.x, found.y, found.w, found.h)] if found else None

    return [
        {
            "start_s": round(span.start_s, 3),
            "end_s": round(span.end_s, 3),
            "layout": span.layout,
            "slide_box": box(span.slide_box),
            "face_box": box(span.face_box),
        }
        for span in spans
    ]
