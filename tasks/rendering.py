"""Render chosen moments into clips, and join clips into a reel."""

from pathlib import Path

from prefect import task

from core.captions import build_cues, burn_rules, retime
from core.files import to_path
from core.home import store
from core.machine import cores
from core.picture import clip_size
from core.reading import CaptionRules
from core.records import Cue, Highlight, MediaInfo, MediaRef, Span, StageRef, Transcript, Word
from core.reel import join_clips
from core.rendering import RenderedClip, render_clip
from core.settings import RenderSettings
from tasks.entries import read_value, write_value
from tasks.stage import STAGE, Entry, worth_retrying

RENDER_VERSION = "1"
REEL_VERSION = "1"
CLIP_NAME = "clip.mp4"
POSTER_NAME = "poster.jpg"
REEL_NAME = "reel.mp4"
ENCODER_THREADS = 2
RENDERS_AT_ONCE = max(1, cores() // ENCODER_THREADS)


def said_in(
    transcript: Transcript | None, span: Span, rules: CaptionRules | None = None
) -> tuple[tuple[Word, ...], tuple[Cue, ...]]:
    """The words of a moment on the clip's own timeline, and its captions."""
    if transcript is None:
        return (), ()
    near = [s for s in transcript.sentences if s.start_s < span.end_s and s.end_s > span.start_s]
    words = retime([word for sentence in near for word in sentence.words], span.start_s, span.end_s)
    return tuple(words), tuple(build_cues(words, end_s=span.length_s, rules=rules)) if words else ()


def drawn_in(transcript: Transcript | None, span: Span, info: MediaInfo, settings: RenderSettings) -> tuple[Cue, ...]:
    """Captions to draw into the picture, in lines that fit its width; none if none are wanted."""
    if not settings.burn_captions:
        return ()
    return said_in(transcript, span, burn_rules(*clip_size(info.video, settings.max_height)))[1]


@task(
    name="render",
    task_run_name="render {title}",
    cache_policy=STAGE,
    result_serializer="json",
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_jitter_factor=0.5,
    retry_condition_fn=worth_retrying,
    tags=["ffmpeg"],
)
def render_highlight(
    recording: MediaRef,
    info: MediaInfo,
    span: Span,
    title: str,
    captions: tuple[Cue, ...],
    settings: RenderSettings,
    version: str = RENDER_VERSION,
) -> StageRef:
    """Cut one moment into a finished, checked clip with a poster. `captions` are drawn only if the settings say so."""
    entry = Entry()
    with entry.writing() as at:
        rendered = render_clip(
            to_path(recording.uri),
            info,
            span.start_s,
            span.end_s,
            settings=settings,
            title=title,
            captions=captions,
            folder=at.folder,
            threads=ENCODER_THREADS,
            on_progress=lambda done_s: at.tell(done_s / span.length_s),
        )
        write_value(at.folder, rendered, RenderedClip)
    return entry.ref


@task(name="reel", task_run_name="reel", cache_policy=STAGE, result_serializer="json", tags=["ffmpeg"])
def join_reel(
    recording: MediaRef, clips: tuple[StageRef, ...], titles: tuple[str, ...], version: str = REEL_VERSION
) -> StageRef:
    """One video of all clips in order, a chapter each."""
    entry = Entry()
    with entry.writing() as at:
        paths = [store().path(clip, CLIP_NAME) for clip in clips]
        lengths_s = [read_value(clip, RenderedClip).duration_s for clip in clips]
        title = f"Highlights of {Path(recording.name).stem}"
        join_clips(paths, titles, target=at.folder / REEL_NAME, durations_s=lengths_s, title=title)
    return entry.ref


def clip_rows(highlights: list[Highlight]) -> list[dict[str, str | int | float]]:
    """Rows of the clip table in the Prefect UI."""
    return [
        {
            "rank": h.rank,
            "start_s": round(h.start_s, 2),
            "end_s": round(h.end_s, 2),
            "score": round(h.score, 3),
            "title": h.title,
        }
        for h in highlights
    ]
