"""One clip, from the recording to checked files: sound first, then the one encode, checks, and a repair if need be."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core import checks, loudness, media, tools
from core.cutting import Cut, plan_cut
from core.encoders import Encoder
from core.encoding import SOUND, TIGHT, body_span_s, encode_call, made_files, total_cut_frames
from core.errors import MachineTrouble, MediaError, MediaTimeout
from core.glimpses import sharpest, write_poster
from core.loudness import Levelling, Loudness
from core.production import MadeFile, Production, look_stem
from core.records import CheckResult, MediaInfo
from core.settings import RenderSettings
from core.takes import CLIP, Order, PosterPicker, Take, examine, finite
from core.tighten_graph import tighten_wav

POSTER = "poster.jpg"
SCRATCH = "work"
MACHINE_SIGNS = ("Permission denied", "No such file")


@dataclass(frozen=True, slots=True)
class RenderedClip:
    """A clip as it was made: its files and `poster.jpg` lie in the folder, unless it could not be made at all."""

    duration_s: float
    width: int
    height: int
    frame_rate: str
    """An exact fraction, such as "30000/1001"."""
    loudness_lufs: float | None
    """Measured on the encoded sound; None without sound or where it is digital silence."""
    true_peak_dbtp: float | None
    checks: CheckResult
    repairs: tuple[str, ...]
    """What was done again and why, one sentence each."""
    rejected: str | None
    """Why the clip must not be used, as one sentence."""
    start_s: float
    end_s: float
    """Where the edges really lie in the recording: at borders of its frames."""
    files: tuple[MadeFile, ...] = ()
    """All formats and sizes; the first is `clip.mp4`."""
    intro_s: float = 0.0
    """How long the intro is that precedes the clip."""
    outro_s: float = 0.0


def render_clip(
    source: Path,
    info: MediaInfo,
    start_s: float,
    end_s: float,
    *,
    settings: RenderSettings,
    encoder: Encoder,
    title: str,
    production: Production,
    folder: Path,
    threads: int,
    pick_poster: PosterPicker | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> RenderedClip:
    """Cut [start_s, end_s) out of the recording into `folder`, in every format and size, with `folder`/poster.jpg.

    Args:
        info: What the probe found on `source`.
        production: Its plans and its tightening were made for the frames that `core.cutting.bounds` gives.
        folder: An empty folder that is this clip's alone; nothing else stays in it.
        threads: How many threads decoder, filters and encoder may use each.
        pick_poster: Chooses the poster's frame; without it the sharpest is taken.
        on_progress: Told how many seconds of the clip are encoded.

    A clip with a problem is repaired once and else rejected: see `rejected`. Raises ValueError for an interval outside
    the recording, Cancelled, and MediaError where the machine and not the recording fails.
    """
    order = Order(
        *(source, info, start_s, end_s, settings, encoder, title, production),
        *(folder.absolute(), threads, pick_poster, on_progress),
    )
    work = order.folder / SCRATCH
    work.mkdir()
    try:
        return _rendered(order, work)
    finally:
        shutil.rmtree(work)


def _rendered(order: Order, work: Path) -> RenderedClip:
    repairs: list[str] = []
    try:
        try:
            take = _take(order, work, careful=False)
        except MediaError as error:
            _raise_if_machine(error)
            repairs.append(f"Cut again from further back in the recording: {error}")
            take = _take(order, work, careful=True)
        if take.verdict.cut and not repairs:
            repairs.append(f"Cut again from further back in the recording: {take.verdict.cut[0]}")
            take = _take(order, work, careful=True)
        elif take.verdict.level and take.levelling and not repairs:
            repairs.append(f"Levelled the sound again: {take.verdict.level[0]}")
            take = _levelled_again(order, take, take.levelling, work)
    except MediaError as error:
        _raise_if_machine(error)
        return _failed(order, repairs, error)
    _write_posters(order, take)
    return _outcome(order, take, repairs)


def _take(order: Order, work: Path, *, careful: bool) -> Take:
    """Make the whole clip and look it over."""
    cut = plan_cut(order.source, order.info, order.start_s, order.end_s, careful=careful)
    before = levelling = None
    if order.info.audio:
        sound = work / SOUND
        before = loudness.extract_sound(cut, sound)
        tightening = order.production.tightening
        if tightening and order.tightens:
            tighten_wav(sound, work / TIGHT, tightening)
            sound = work / TIGHT
        levelling = loudness.plan_levelling(sound, before, order.settings.loudness_lufs, cut.duration_s)
    return _encoded(order, cut, before, levelling, work)


def _levelled_again(order: Order, take: Take, levelling: Levelling, work: Path) -> Take:
    """Encode anew with the gain corrected by what was measured."""
    assert take.before and take.after
    missing_db = order.settings.loudness_lufs - take.after.integrated_lufs
    over_db = max(0.0, take.after.true_peak_dbtp - loudness.PEAK_DBTP)
    ceiling_dbfs = levelling.ceiling_dbfs if levelling.ceiling_dbfs is not None else loudness.PEAK_DBTP
    corrected = Levelling(levelling.gain_db + missing_db, ceiling_dbfs - over_db)
    return _encoded(order, take.cut, take.before, corrected, work)


def _encoded(order: Order, cut: Cut, before: Loudness | None, levelling: Levelling | None, work: Path) -> Take:
    """The one encode of all formats and sizes, and what is found on them."""
    call, warnings = encode_call(
        order.production,
        cut,
        levelling,
        settings=order.settings,
        encoder=order.encoder,
        title=order.title,
        folder=order.folder,
        work=work,
        threads=order.threads,
    )
    _run_encoder(order, cut, call, work)
    return examine(order, cut, before, levelling, warnings, work)


def _run_encoder(order: Order, cut: Cut, call: list[str], work: Path) -> None:
    """Run ffmpeg and tell how far it is by its count of frames: with `-copyts`, its out_time begins anywhere."""

    def on_line(line: str) -> None:
        name, _, value = line.partition("=")
        if order.on_progress and name == "frame" and value.strip().isdigit():
            order.on_progress(float(int(value) / cut.frame_rate))

    program = [tools.ffmpeg(), *media.QUIET, "-y", "-progress", "pipe:1", "-stats_period", "0.5"]
    what = f"Rendering {cut.start_s:.1f} to {cut.start_s + cut.duration_s:.1f} s of {order.source.name}"
    media.run([*program, *call], what=what, timeout_s=_patience_s(cut), cwd=work, on_line=on_line)


def _patience_s(cut: Cut) -> float:
    return 300 + 120 * (cut.duration_s + cut.picture_lead_s)


def _write_posters(order: Order, take: Take) -> None:
    """The poster of the clip, and of each other format one of the same moment, named by its format."""
    if not (take.seen and take.found and take.found.video):
        return
    clip, (begin_s, end_s) = order.folder / CLIP, body_span_s(order.production, take.cut)
    seen = [replace(glimpse, time_s=glimpse.time_s + begin_s) for glimpse in take.seen]
    if order.pick_poster and order.info.video:
        seen = [replace(seen[0], time_s=order.pick_poster(clip, take.found, (begin_s, end_s)))]
    best = sharpest(seen)
    for number, look in enumerate(order.production.looks):
        stem = look_stem(number, look)
        target = order.folder / (POSTER if number == 0 else f"{stem}.jpg")
        write_poster(order.folder / f"{stem}.mp4", take.found.video.color_space, best.time_s, target)


def _outcome(order: Order, take: Take, repairs: Sequence[str]) -> RenderedClip:
    verdict, target_lufs = take.verdict, order.settings.loudness_lufs
    if take.after and take.after.integrated_lufs < target_lufs and take.after.true_peak_dbtp <= checks.CLIPPED_DBTP:
        # Its peaks allow no more. A clip somewhat too quiet is still worth having.
        verdict = replace(verdict, level=(), warnings=(*verdict.warnings, *verdict.level))
    found = verdict.result
    files = made_files(order.production)
    before, after = order.production.ends(take.cut.frame_rate)
    return RenderedClip(
        duration_s=float(total_cut_frames(order.production, take.cut) / take.cut.frame_rate),
        width=files[0].width,
        height=files[0].height,
        frame_rate=f"{take.cut.frame_rate.numerator}/{take.cut.frame_rate.denominator}",
        loudness_lufs=finite(take.after.integrated_lufs) if take.after else None,
        true_peak_dbtp=finite(take.after.true_peak_dbtp) if take.after else None,
        checks=found,
        repairs=tuple(repairs),
        rejected=found.problems[0] if found.problems else None,
        start_s=take.cut.start_s,
        end_s=take.cut.start_s + take.cut.duration_s,
        files=files,
        intro_s=float(before / take.cut.frame_rate),
        outro_s=float(after / take.cut.frame_rate),
    )


def _failed(order: Order, repairs: Sequence[str], error: MediaError) -> RenderedClip:
    """The recording cannot be decoded here at all: there is no clip."""
    for file in (*order.folder.glob("*.mp4"), *order.folder.glob("*.jpg")):
        file.unlink()
    reason = f"This part of the recording cannot be rendered: {error}"
    nothing = CheckResult((reason,), (), {})
    return RenderedClip(0.0, 0, 0, "0/1", None, None, nothing, tuple(repairs), reason, order.start_s, order.end_s)


def _raise_if_machine(error: MediaError) -> None:
    """Raise `error` again where it tells of the machine, which no other way of cutting can help."""
    if isinstance(error, MediaTimeout | MachineTrouble) or any(sign in str(error) for sign in MACHINE_SIGNS):
        raise error
