"""Publish what a run made of one recording: files, captions, report, and the manifest at the end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE

from core import timeline
from core.captions import build_cues, to_srt, to_vtt, violations
from core.files import to_path
from core.home import store
from core.manifest import (
    ClipChecks,
    ClipEntry,
    ClipFiles,
    Manifest,
    ModelEntry,
    RecordingFiles,
    RejectedEntry,
    SourceEntry,
    TranscriptEntry,
)
from core.publishing import clip_stem, publish
from core.reading import CaptionRules
from core.records import (
    Cue,
    Highlight,
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
from core.rendering import RenderedClip
from core.report import MAX_THUMBNAILS, render_report
from core.settings import Settings
from core.tools import find_tool
from tasks.entries import SCORES_NAME, TIMELINE_NAME, envelope, read_value
from tasks.rendering import CLIP_NAME, POSTER_NAME, REEL_NAME, said_in
from tasks.subject import Found

REPORT_BINS = 1_500
FLOOR_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """The entries that a recording's analysis left; None where the recording has no such side."""

    sound: StageRef | None
    silences: StageRef | None
    transcript: StageRef | None
    picture: StageRef | None
    merged: StageRef
    scored: StageRef
    relevance: StageRef | None
    """None where no subject was named."""
    selected: StageRef
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renderings:
    """The chosen moments with their renderings, in timeline order, and the reel if one was asked for."""

    clips: tuple[tuple[Highlight, StageRef], ...]
    reel: StageRef | None


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
    copies: dict[str, Path] = {}
    texts: dict[str, str] = {}
    transcript = read_value(analysis.transcript, Transcript) if analysis.transcript else None
    kept = [(h, ref, read_value(ref, RenderedClip)) for h, ref in renderings.clips]
    good = [(h, ref, clip) for h, ref, clip in kept if clip.rejected is None]
    clips = [_clip(n, h, ref, clip, transcript, copies, texts) for n, (h, ref, clip) in enumerate(good, 1)]
    if renderings.reel:
        copies["reel.mp4"] = store().path(renderings.reel, REEL_NAME)
    words = [word for sentence in transcript.sentences for word in sentence.words] if transcript else []
    if words:
        cues = build_cues(words, end_s=max(info.duration_s, words[-1].end_s))
        texts |= {"transcript.srt": to_srt(cues), "transcript.vtt": to_vtt(cues)}
    manifest = Manifest(
        winnow=package_version("winnow"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=_source(recording, info),
        models=_models(models, transcript),
        settings=settings,
        tools={name: find_tool(name).version for name in ("ffmpeg", "ffprobe")}
        | {name: package_version(name) for name in ("prefect", "torch", "transformers", "faster-whisper", "decord")},
        stages=timings,
        clips=clips,
        rejected=[RejectedEntry(start_s=h.start_s, end_s=h.end_s, reason=c.rejected) for h, _, c in kept if c.rejected],
        runners_up=list(read_value(analysis.selected, Selection).runners_up),
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
        ),
        warnings=list(analysis.warnings),
    )
    publishing = StageTiming("publish", round(time.monotonic() - began_s, 3), cached=False)
    manifest = manifest.model_copy(update={"stages": [*timings, publishing]})
    texts["report.html"] = _report(manifest, info, analysis, transcript)
    return str(publish(to_path(folder), manifest, copies=copies, texts=texts))


def _clip(
    number: int,
    highlight: Highlight,
    ref: StageRef,
    clip: RenderedClip,
    transcript: Transcript | None,
    copies: dict[str, Path],
    texts: dict[str, str],
) -> ClipEntry:
    """The manifest's entry of one clip; what it names is added to `copies` and `texts`."""
    stem = f"clips/{clip_stem(number, highlight.title)}"
    copies |= {f"{stem}.mp4": store().path(ref, CLIP_NAME), f"{stem}.jpg": store().path(ref, POSTER_NAME)}
    words, cues = said_in(transcript, Span(clip.start_s, clip.end_s))
    if cues:
        texts |= {f"{stem}.srt": to_srt(cues), f"{stem}.vtt": to_vtt(cues)}
    return ClipEntry(
        rank=highlight.rank,
        start_s=round(clip.start_s, 3),
        end_s=round(clip.end_s, 3),
        score=highlight.score,
        title=highlight.title,
        text=highlight.text,
        reasons=highlight.reasons,
        words=list(words),
        files=ClipFiles(
            video=f"{stem}.mp4",
            poster=f"{stem}.jpg",
            srt=f"{stem}.srt" if cues else None,
            vtt=f"{stem}.vtt" if cues else None,
        ),
        checks=ClipChecks.of(clip.checks, clip.repairs, _caption_warnings(cues)),
        render_key=ref.key,
    )


def _caption_warnings(cues: Sequence[Cue]) -> list[str]:
    """What is wrong with the captions, in a line: fast speech breaks the reading speed again and again."""
    broken = violations(cues, CaptionRules())
    if len(broken) < 3:
        return broken
    return [f"{len(broken)} times in {len(cues)} captions a rule is broken; first: {broken[0]}"]


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


def _models(models: RunModels, transcript: Transcript | None) -> dict[str, ModelEntry]:
    used = {"highlight": models.highlight, "text": models.text}
    if transcript and transcript.source != "captions":
        used["speech"] = models.speech
    if models.about:
        used["about"] = models.about
    return {role: ModelEntry.of(ref) for role, ref in used.items()}


def _report(manifest: Manifest, info: MediaInfo, analysis: Analysis, transcript: Transcript | None) -> str:
    rows = timeline.rows(timeline.read(store().path(analysis.merged, TIMELINE_NAME)))
    scores = pq.read_table(store().path(analysis.scored, SCORES_NAME))["highlight"].to_pylist()
    told = read_value(analysis.relevance, Found) if analysis.relevance else None
    about = told.rows if told and told.found else [0.0] * len(rows)
    slides = read_value(analysis.picture, list[SlideSpan]) if analysis.picture else []
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
    )


def _loudness(sound: StageRef, duration_s: float) -> list[float]:
    """The level of equal stretches of the recording between FLOOR_DBFS and full scale, 0..1."""
    heard = envelope(sound)
    level = heard.level_dbfs[: max(1, round(duration_s / heard.hop_s))]
    power = [float(np.mean(10 ** (part / 10))) for part in np.array_split(level, min(REPORT_BINS, len(level)))]
    dbfs = 10 * np.log10(np.maximum(power, 1e-12))
    return [round(float(x), 3) for x in np.clip(1 - dbfs / FLOOR_DBFS, 0, 1)]
