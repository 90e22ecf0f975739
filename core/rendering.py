"""One clip, from the recording to a checked file: sound first, then the one encode, checks, and a repair if need be."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from core import checks, glimpses, loudness, media, picture, tools
from core.cutting import SOUND_OPTIONS, Cut, arguments, file_options, picture_options, plan_cut, read_picture
from core.errors import MediaError, MediaTimeout, RefusedInput
from core.glimpses import Glimpse, write_poster
from core.loudness import Levelling, Loudness
from core.probe import probe
from core.records import CheckResult, Cue, MediaInfo
from core.settings import RenderSettings

CLIP, POSTER = "clip.mp4", "poster.jpg"
SCRATCH = "work"
CONTAINER = "mov"
MACHINE_SIGNS = ("No space left", "quota exceeded", "Read-only file system", "Permission denied", "No such file")


@dataclass(frozen=True, slots=True)
class RenderedClip:
    """A clip as it was made: `clip.mp4` and `poster.jpg` lie in the folder, unless it could not be made at all."""

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


@dataclass(frozen=True, slots=True)
class _Order:
    """What `render_clip` was asked for."""

    source: Path
    info: MediaInfo
    start_s: float
    end_s: float
    settings: RenderSettings
    title: str
    captions: tuple[Cue, ...]
    folder: Path
    threads: int
    on_progress: Callable[[float], None] | None

    @property
    def burns(self) -> bool:
        return self.settings.burn_captions and bool(self.captions)


@dataclass(frozen=True, slots=True)
class _Take:
    """One try at a clip, and what was found on it."""

    cut: Cut
    size: tuple[int, int]
    before: Loudness | None
    levelling: Levelling | None
    after: Loudness | None
    verdict: checks.Verdict
    seen: tuple[Glimpse, ...]
    matrix: str | None
    """How its colours are coded, as the file says."""


def render_clip(
    source: Path,
    info: MediaInfo,
    start_s: float,
    end_s: float,
    *,
    settings: RenderSettings,
    title: str,
    captions: Sequence[Cue],
    folder: Path,
    threads: int,
    on_progress: Callable[[float], None] | None = None,
) -> RenderedClip:
    """Cut [start_s, end_s) out of the recording into `folder`/clip.mp4, with `folder`/poster.jpg; nothing else stays.

    Args:
        info: What the probe found on `source`.
        captions: On the clip's own timeline, 0 being its start; burned in if the settings say so, always checked.
        folder: An empty folder that is this clip's alone.
        threads: How many threads decoder, filters and encoder may use each.
        on_progress: Told how many seconds of the clip are encoded.

    A clip with a problem is repaired once and else rejected: see `rejected`. Raises ValueError for an interval outside
    the recording, Cancelled, and MediaError where the machine and not the recording fails.
    """
    order = _Order(
        source, info, start_s, end_s, settings, title, tuple(captions), folder.absolute(), threads, on_progress
    )
    work = order.folder / SCRATCH
    work.mkdir()
    try:
        return _rendered(order, work)
    finally:
        shutil.rmtree(work)


def _rendered(order: _Order, work: Path) -> RenderedClip:
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
    if take.seen:
        write_poster(order.folder / CLIP, take.matrix, take.seen, order.folder / POSTER)
    return _outcome(take, repairs, order.settings.loudness_lufs)


def _take(order: _Order, work: Path, *, careful: bool) -> _Take:
    """Make the whole clip and look it over."""
    cut = plan_cut(order.source, order.info, order.start_s, order.end_s, careful=careful)
    before = levelling = None
    if order.info.audio:
        sound = work / "sound.wav"
        before = loudness.extract_sound(cut, sound)
        levelling = loudness.plan_levelling(sound, before, order.settings.loudness_lufs, cut.duration_s)
    _encode(order, cut, levelling, work)
    return _examined(order, cut, before, levelling, work)


def _levelled_again(order: _Order, take: _Take, levelling: Levelling, work: Path) -> _Take:
    """Encode the sound anew with the gain corrected by what was measured; the picture is kept."""
    assert take.before and take.after
    missing_db = order.settings.loudness_lufs - take.after.integrated_lufs
    over_db = max(0.0, take.after.true_peak_dbtp - loudness.PEAK_DBTP)
    ceiling_dbfs = levelling.ceiling_dbfs if levelling.ceiling_dbfs is not None else loudness.PEAK_DBTP
    corrected = Levelling(levelling.gain_db + missing_db, ceiling_dbfs - over_db)
    clip, made = order.folder / CLIP, work / CLIP
    kept = ffmpeg.input(media.file_url(clip), **media.input_options(CONTAINER)).video
    options = {"c:v": "copy", **SOUND_OPTIONS, **file_options(order.title)}
    output = ffmpeg.output(kept, corrected.apply(_sound(work)), media.file_url(made), **options)
    media.run_ffmpeg(
        arguments(output), what=f"Levelling a clip of {order.source.name}", timeout_s=_patience_s(take.cut)
    )
    made.replace(clip)
    return _examined(order, take.cut, take.before, corrected, work)


def _encode(order: _Order, cut: Cut, levelling: Levelling | None, work: Path) -> None:
    """The one encode: picture, levelled sound, burned captions."""
    size = picture.clip_size(order.info.video, order.settings.max_height)
    sound = levelling.apply(_sound(work)) if levelling else None
    picture.copy_fonts(work)
    if order.info.video:
        shown = picture.finish_picture(
            read_picture(cut, threads=order.threads), order.info.video, size, picture.plan_colours(order.info.video)
        )
    else:
        assert sound is not None
        (work / "title.ass").write_text(picture.title_ass(order.title), encoding="utf-8")
        split = sound.filter("aformat", channel_layouts="stereo").asplit()
        sound, shown = split[0], picture.generated_picture(split[1], cut.frames, size)
    if order.burns:
        from core.captions import to_ass

        (work / "captions.ass").write_text(
            to_ass(order.captions, width_px=size[0], height_px=size[1]), encoding="utf-8"
        )
        shown = picture.burn_captions(shown)
    options = picture_options(cut, order.settings, order.threads) | file_options(order.title)
    if sound is not None:
        options |= SOUND_OPTIONS
    streams = [shown] if sound is None else [shown, sound]
    output = ffmpeg.output(*streams, media.file_url(order.folder / CLIP), **options)
    _run_encoder(order, cut, ["-filter_complex_threads", str(order.threads), *arguments(output)], work)


def _run_encoder(order: _Order, cut: Cut, call: list[str], work: Path) -> None:
    """Run ffmpeg and tell how far it is by its count of frames: with `-copyts`, its out_time begins anywhere."""

    def on_line(line: str) -> None:
        name, _, value = line.partition("=")
        if order.on_progress and name == "frame" and value.strip().isdigit():
            order.on_progress(float(int(value) / cut.frame_rate))

    program = [tools.ffmpeg(), *media.QUIET, "-y", "-progress", "pipe:1", "-stats_period", "0.5"]
    what = f"Rendering {cut.start_s:.1f} to {cut.start_s + cut.duration_s:.1f} s of {order.source.name}"
    media.run([*program, *call], what=what, timeout_s=_patience_s(cut), cwd=work, on_line=on_line)


def _sound(work: Path) -> Any:
    return ffmpeg.input(media.file_url(work / "sound.wav"), **media.input_options("wav")).audio


def _patience_s(cut: Cut) -> float:
    return 300 + 60 * (cut.duration_s + cut.picture_lead_s)


def _examined(order: _Order, cut: Cut, before: Loudness | None, levelling: Levelling | None, work: Path) -> _Take:
    """Look the finished clip over, and compare it with the recording."""
    clip = order.folder / CLIP
    try:
        found = probe(clip)
    except RefusedInput as error:
        raise MediaError(f"Rendering a clip of {order.source.name}: what came out is not playable: {error}") from error
    size = picture.clip_size(order.info.video, order.settings.max_height)
    bad = checks.check_container(clip, found, cut, size)
    itself = Cut(clip, found, 0.0, 0.0, cut.frames, cut.frame_rate, 0.0, 0.0)
    warnings = [text for text in (picture.plan_colours(order.info.video).warning,) if text]
    level: list[str] = []
    after, lag_s, seen = None, None, []
    if found.video:
        seen = glimpses.keyframes(itself, work)
        more, noted = checks.check_picture(itself, cut, seen, work, burned=order.burns)
        bad, warnings = bad + more, warnings + noted
    if found.audio and before:
        more, noted, lag_s = checks.check_sound(itself, cut, work)
        bad, warnings = bad + more, warnings + noted
        after = loudness.measure_loudness(clip, CONTAINER, cut.duration_s)
        level = checks.check_level(after, before, order.settings.loudness_lufs)
    measures: dict[str, float | str | None] = {
        "duration_s": found.duration_s,
        "loudness_lufs": _finite(after.integrated_lufs) if after else None,
        "true_peak_dbtp": _finite(after.true_peak_dbtp) if after else None,
        "source_loudness_lufs": _finite(before.integrated_lufs) if before else None,
        "gain_db": levelling.gain_db if levelling else None,
        "sound_lag_s": lag_s,
    }
    captions = tuple(checks.check_captions(order.captions, cut))
    verdict = checks.Verdict(tuple(bad), tuple(level), captions, tuple(warnings), measures)
    return _Take(cut, size, before, levelling, after, verdict, tuple(seen), found.video and found.video.color_space)


def _outcome(take: _Take, repairs: Sequence[str], target_lufs: float) -> RenderedClip:
    verdict = take.verdict
    if take.after and take.after.integrated_lufs < target_lufs and take.after.true_peak_dbtp <= checks.CLIPPED_DBTP:
        # Its peaks allow no more. A clip somewhat too quiet is still worth having.
        verdict = replace(verdict, level=(), warnings=(*verdict.warnings, *verdict.level))
    found = verdict.result
    return RenderedClip(
        duration_s=take.cut.duration_s,
        width=take.size[0],
        height=take.size[1],
        frame_rate=f"{take.cut.frame_rate.numerator}/{take.cut.frame_rate.denominator}",
        loudness_lufs=_finite(take.after.integrated_lufs) if take.after else None,
        true_peak_dbtp=_finite(take.after.true_peak_dbtp) if take.after else None,
        checks=found,
        repairs=tuple(repairs),
        rejected=found.problems[0] if found.problems else None,
        start_s=take.cut.start_s,
        end_s=take.cut.start_s + take.cut.duration_s,
    )


def _failed(order: _Order, repairs: Sequence[str], error: MediaError) -> RenderedClip:
    """The recording cannot be decoded here at all: there is no clip."""
    for name in (CLIP, POSTER):
        (order.folder / name).unlink(missing_ok=True)
    reason = f"This part of the recording cannot be rendered: {error}"
    nothing = CheckResult((reason,), (), {})
    return RenderedClip(0.0, 0, 0, "0/1", None, None, nothing, tuple(repairs), reason, order.start_s, order.end_s)


def _raise_if_machine(error: MediaError) -> None:
    """Raise `error` again where it tells of the machine, which no other way of cutting can help."""
    if isinstance(error, MediaTimeout) or any(sign in str(error) for sign in MACHINE_SIGNS):
        raise error


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
