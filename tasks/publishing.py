"""Publish what a run made of one recording: files, captions, report, and the manifest at the end."""

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE

from core import timeline
from core.caption_files import shown_slides, to_chapters, to_srt, to_text, to_vtt
from core.caption_report import Replaced
from core.captions import build_captions
from core.contact_sheet import Shown, write_overview
from core.files import to_path
from core.home import store
from core.manifest import (
    ClipEntry,
    Manifest,
    ModelEntry,
    RecordingFiles,
    RejectedEntry,
    SourceEntry,
    TranscriptEntry,
    layouts_json,
)
from core.profanity import mask_text, mask_transcript
from core.publishing import publish
from core.records import (
    MediaInfo,
    MediaRef,
    RunModels,
    Selection,
    Silence,
    SlideSpan,
    Span,
    StageRef,
    StageTiming,
    Transcript,
)
from core.report import MAX_THUMBNAILS, render_report
from core.settings import Settings
from core.sights import LayoutSpan, Slide
from core.slide_index import to_json as slides_json
from core.tools import find_tool
from tasks.clip_entries import Finished, Parcel, clip_entry
from tasks.entries import SCORES_NAME, TIMELINE_NAME, envelope, read_value
from tasks.rendering import REEL_NAME
from tasks.subject import Found

LAYOUT_NAME, SLIDES_NAME, OVERVIEW_NAME = "layout.json", "slides.json", "overview.jpg"
CHAPTERS_NAME = "chapters.vtt"
REPORT_BINS = 1_500
FLOOR_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """The entries that a recording's analysis left; None where the recording has no such side."""

    sound: StageRef | None
    silences: StageRef | None
    transcript: StageRef | None
    picture: StageRef | None
    layout: StageRef | None
    slides: StageRef | None
    merged: StageRef
    scored: StageRef
    relevance: StageRef | None
    """None where no subject was named."""
    selected: StageRef
    written: StageRef
    warnings: tuple[str, ...]
    corrections: tuple[Replaced, ...] = ()
    """Terms that the glossary corrected."""


@dataclass(frozen=True, slots=True)
class Renderings:
    """The chosen moments with their renderings, in timeline order, and the reel if one was asked for."""

    clips: tuple[Finished, ...]
    reel: StageRef | None
    template: str | None = None
    """Name of the brand template."""


@task(
    name="publish",
    task_run_name="publish",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=1,
    retry_delay_seconds=5,
)
def publish_recording(
    recording: MediaRef,
    info: MediaInfo,
    analysis: Analysis,
    renderings: Renderings,
    settings: Settings,
    models: RunModels,
    timings: list[StageTiming],
    folder: str,
) -> str:
    """Publish into `folder` and return the manifest's path. Not cached: the folder may be anywhere, or gone."""
    began_s = time.monotonic()
    parcel = Parcel()
    transcript = read_value(analysis.transcript, Transcript) if analysis.transcript else None
    transcript = mask_transcript(transcript, settings.writing.profanity) if transcript else None
    slides = read_value(analysis.slides, list[Slide]) if analysis.slides else []
    good = [made for made in renderings.clips if made.clip.rejected is None]
    clips = [
        clip_entry(
            number,
            made,
            parcel,
            transcript=transcript,
            slides=slides,
            speaker=settings.writing.speaker,
            tightened=made.dressed.production.tightening is not None,
        )
        for number, made in enumerate(good, 1)
    ]
    if renderings.reel:
        parcel.copies["reel.mp4"] = store().path(renderings.reel, REEL_NAME)
    words = [word for sentence in transcript.sentences for word in sentence.words] if transcript else []
    if transcript and words:
        captions = build_captions(
            words, end_s=max(info.duration_s, words[-1].end_s), condense=settings.writing.condense
        )
        shown = shown_slides(slides, Span(0.0, info.duration_s))
        parcel.texts |= {
            "transcript.srt": to_srt(captions.cues),
            "transcript.vtt": to_vtt(captions.cues, speaker=settings.writing.speaker or None, slides=shown),
            "transcript.txt": to_text(transcript.sentences, slides),
        }
    images = _picture_files(analysis, slides, parcel)
    titled = shown_slides(slides, Span(0.0, info.duration_s))
    if titled:
        parcel.texts[CHAPTERS_NAME] = to_chapters(titled)
    overview = OVERVIEW_NAME if clips else None
    manifest = Manifest(
        winnow=package_version("winnow"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=_source(recording, info),
        models=_models(models, transcript, looked=analysis.picture is not None),
        settings=settings,
        tools={name: find_tool(name).version for name in ("ffmpeg", "ffprobe")}
        | {name: package_version(name) for name in ("prefect", "torch", "transformers", "faster-whisper", "decord")},
        stages=timings,
        clips=clips,
        rejected=[
            RejectedEntry(start_s=made.pick.start_s, end_s=made.pick.end_s, reason=made.clip.rejected)
            for made in renderings.clips
            if made.clip.rejected
        ],
        runners_up=[
            replace(other, text=mask_text(other.text, settings.writing.profanity))
            for other in read_value(analysis.selected, Selection).runners_up
        ],
        silences=read_value(analysis.silences, list[Silence]) if analysis.silences else [],
        transcript=TranscriptEntry(
            source=transcript.source,
            language=transcript.language,
            sentences=len(transcript.sentences),
            words=len(words),
            dropped=list(transcript.dropped),
        )
        if transcript
        else None,
        files=RecordingFiles(
            report="report.html",
            reel="reel.mp4" if renderings.reel else None,
            srt="transcript.srt" if words else None,
            vtt="transcript.vtt" if words else None,
            text="transcript.txt" if words else None,
            overview=overview,
            layout=LAYOUT_NAME if analysis.layout else None,
            slides=SLIDES_NAME if analysis.slides else None,
            slide_images=images,
            chapters=CHAPTERS_NAME if titled else None,
        ),
        template=renderings.template,
        corrections=list(dict.fromkeys(f"{each.text} → {each.instead}" for each in analysis.corrections)),
        warnings=list(analysis.warnings),
    )
    publishing = StageTiming("publish", round(time.monotonic() - began_s, 3), cached=False)
    manifest = manifest.model_copy(update={"stages": [*timings, publishing]})
    parcel.texts["report.html"] = _report(manifest, info, analysis, transcript, slides)
    with TemporaryDirectory() as scratch:
        if overview:
            parcel.copies[overview] = Path(scratch, overview)
            _write_overview(clips, parcel, recording.name, parcel.copies[overview])
        return str(publish(to_path(folder), manifest, copies=parcel.copies, texts=parcel.texts))


def _picture_files(analysis: Analysis, slides: list[Slide], parcel: Parcel) -> list[str]:
    """Add layout.json, slides.json and the slides' images to the parcel; the images' names."""
    if analysis.layout:
        spans = read_value(analysis.layout, list[LayoutSpan])
        parcel.texts[LAYOUT_NAME] = json.dumps(layouts_json(spans), indent=1)
    if not analysis.slides:
        return []
    parcel.texts[SLIDES_NAME] = json.dumps(slides_json(slides), indent=1, ensure_ascii=False)
    images = sorted({slide.image for slide in slides if slide.image})
    parcel.copies |= {name: store().path(analysis.slides, name) for name in images}
    return images


def _write_overview(clips: list[ClipEntry], parcel: Parcel, name: str, target: Path) -> None:
    """A picture with a row for each clip, of its poster in every format."""
    rows = [
        Shown(
            title=f"{number}. {entry.title}",
            note=entry.writing.description,
            pictures=tuple(
                (format, parcel.copies[entry.files.posters.get(format, entry.files.poster)])
                for format in entry.files.formats
            ),
        )
        for number, entry in enumerate(clips, 1)
    ]
    write_overview(rows, target, title=name)


def _source(recording: MediaRef, info: MediaInfo) -> SourceEntry:
    turned = info.video is not None and info.video.rotation_deg in (90, 270)
    size = (info.video.width, info.video.height) if info.video else (None, None)
    return SourceEntry(
        name=recording.name,
        sha256=recording.sha256,
        bytes=recording.bytes,
        duration_s=info.duration_s,
        width=size[1] if turned else size[0],
        height=size[0] if turned else size[1],
        frame_rate=info.video.frame_rate if info.video else None,
        has_video=info.video is not None,
        has_audio=info.audio is not None,
        title=info.title,
    )


def _models(models: RunModels, transcript: Transcript | None, *, looked: bool) -> dict[str, ModelEntry]:
    used = {"highlight": models.highlight, "text": models.text}
    if transcript and transcript.source != "captions":
        used["speech"] = models.speech
    if models.about:
        used["about"] = models.about
    if looked:
        used |= {"faces": models.faces, "ocr": models.ocr}
    return {role: ModelEntry.of(ref) for role, ref in used.items()}


def _report(
    manifest: Manifest, info: MediaInfo, analysis: Analysis, transcript: Transcript | None, read: list[Slide]
) -> str:
    rows = timeline.rows(timeline.read(store().path(analysis.merged, TIMELINE_NAME)))
    scores = pq.read_table(store().path(analysis.scored, SCORES_NAME))["highlight"].to_pylist()
    told = read_value(analysis.relevance, Found) if analysis.relevance else None
    about = told.rows if told and told.found else [0.0] * len(rows)
    slides = read_value(analysis.picture, list[SlideSpan]) if analysis.picture else []
    if read:
        slides = [replace(span, title=slide.title, text=slide.text) for span, slide in zip(slides, read, strict=True)]
    layouts = read_value(analysis.layout, list[LayoutSpan]) if analysis.layout else []
    shown = [s.thumbnail for s in slides if s.thumbnail]
    shown = shown[:: max(1, -(-len(shown) // MAX_THUMBNAILS))]
    return render_report(
        manifest.model_dump(mode="json"),
        curve=[(row["start_s"], row["end_s"], score) for row, score in zip(rows, scores, strict=True)],
        about=[(row["start_s"], row["end_s"], share) for row, share in zip(rows, about, strict=True)],
        sentences=transcript.sentences if transcript else (),
        slides=slides,
        thumbnails={name: store().read_bytes(analysis.picture, name) for name in shown} if analysis.picture else {},
        envelope=_loudness(analysis.sound, info.duration_s) if analysis.sound else [],
        layouts=layouts,
        builds={span.start_s for span, slide in zip(slides, read, strict=False) if slide.build},
    )


def _loudness(sound: StageRef, duration_s: float) -> list[float]:
    """The level of equal stretches of the recording between FLOOR_DBFS and full scale, 0..1."""
    heard = envelope(sound)
    level = heard.level_dbfs[: max(1, round(duration_s / heard.hop_s))]
    power = [float(np.mean(10 ** (part / 10))) for part in np.array_split(level, min(REPORT_BINS, len(level)))]
    dbfs = 10 * np.log10(np.maximum(power, 1e-12))
    return [round(float(x), 3) for x in np.clip(1 - dbfs / FLOOR_DBFS, 0, 1)]
