"""Render chosen moments into clips, and join clips into a reel."""

from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import task

from core.contact_sheet import write_contact_sheet
from core.encoders import choose_encoder
from core.files import to_path
from core.hls import package_hls
from core.home import store
from core.machine import cores
from core.pools import ENCODING
from core.probe import probe
from core.production import Production
from core.records import Highlight, MediaInfo, MediaRef, ModelRef, Span, StageRef
from core.reel import join_clips
from core.rendering import RenderedClip, render_clip
from core.settings import RenderSettings
from core.takes import PosterPicker
from tasks.entries import read_value, write_value
from tasks.slots import slot
from tasks.stage import STAGE, Entry, worth_retrying

RENDER_VERSION = "4"
REEL_VERSION = "2"
CLIP_NAME = "clip.mp4"
POSTER_NAME = "poster.jpg"
REEL_NAME = "reel.mp4"
SHEET_NAME = "sheet.jpg"
HLS_FOLDER = "hls"
ENCODER_THREADS = 2
RENDERS_AT_ONCE = max(1, cores() // ENCODER_THREADS)


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
    production: Production,
    encoder: str,
    faces: ModelRef,
    settings: RenderSettings,
    version: str = RENDER_VERSION,
) -> StageRef:
    """Make one moment into finished, checked clips in all formats and sizes, with a poster and a contact sheet.

    Args:
        encoder: The name of the one that was chosen on this machine.
        faces: What looks for open eyes on the poster.
    """
    entry = Entry()
    with slot(ENCODING), entry.writing() as at:
        with TemporaryDirectory(dir=at.folder) as scratch:
            rendered = render_clip(
                to_path(recording.uri),
                info,
                span.start_s,
                span.end_s,
                settings=settings,
                encoder=choose_encoder(encoder),
                title=title,
                production=production,
                folder=at.folder,
                threads=ENCODER_THREADS,
                pick_poster=_poster_picker(Path(scratch)) if info.video else None,
                on_progress=lambda done_s: at.tell(0.95 * done_s / span.length_s),
            )
            if rendered.rejected is None:
                _write_sheet(at.folder, production, title, Path(scratch))
                if settings.hls:
                    _package(at.folder, rendered, production)
        write_value(at.folder, rendered, RenderedClip)
    return entry.ref


def _poster_picker(scratch: Path) -> PosterPicker:
    from models.faces import load_faces
    from models.poster import pick_poster

    def pick(clip: Path, found: MediaInfo, within_s: tuple[float, float]) -> float:
        return pick_poster(clip, found, load_faces(ENCODER_THREADS), scratch, within_s=within_s)

    return pick


def _write_sheet(folder: Path, production: Production, title: str, scratch: Path) -> None:
    clip = folder / CLIP_NAME
    found = probe(clip)
    write_contact_sheet(clip, found, folder / SHEET_NAME, scratch=scratch, title=title, captions=production.cues)


def _package(folder: Path, rendered: RenderedClip, production: Production) -> None:
    """Streaming packages beside the files: one for each format."""
    for format in dict.fromkeys(file.format for file in rendered.files):
        sizes = {file.rendition: folder / file.name for file in rendered.files if file.format == format}
        package_hls(
            sizes,
            vtt=production.subtitles,
            language=production.language,
            folder=folder / HLS_FOLDER / format,
            timeout_s=120 + rendered.duration_s,
        )


@task(name="reel", task_run_name="reel", cache_policy=STAGE, result_serializer="json", tags=["ffmpeg"])
def join_reel(
    recording: MediaRef, clips: tuple[StageRef, ...], titles: tuple[str, ...], version: str = REEL_VERSION
) -> StageRef:
    """One video of all clips in order, a chapter each."""
    entry = Entry()
    with entry.writing() as at:
        paths = [store().path(clip, CLIP_NAME) for clip in clips]
        made = [read_value(clip, RenderedClip) for clip in clips]
        title = f"Highlights of {Path(recording.name).stem}"
        join_clips(
            paths,
            titles,
            target=at.folder / REEL_NAME,
            durations_s=[clip.duration_s for clip in made],
            ends_s=[(clip.intro_s, clip.outro_s) for clip in made],
            title=title,
        )
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
