"""What is checked on a finished clip: against its plan, and against the recording read anew from elsewhere.

Pictures are compared as small grey glimpses: keyframes of the recording, which need no exact seek and cost little,
against the clip's frames at the same times. Sound is compared by its envelope. All thresholds are heuristics.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from core import media
from core.cutting import Cut, arguments, read_sound
from core.glimpses import Glimpse, look
from core.loudness import TOLERANCE_LU, Loudness
from core.records import AudioStream, CheckResult, Cue, MediaInfo
from core.tightening import Tightening

POOL = 4
"""Glimpses are compared after averaging squares of this many pixels, so that scaling and coding do not count."""
GLIMPSES = 5
CAPTION_SHARE = 0.35
"""Lower part of the picture left out of comparisons when captions are burned into it."""
ALIKE = 0.6
"""Correlation of two glimpses of the same moment: about 0.99 in practice, after tone mapping still above 0.8."""
FLAT, FLAT_APART = 3.0, 40.0
MOVED = 6.0
UNLIT = 12.0
LISTEN_HZ, ENVELOPE_HZ = 8_000, 200
LATE_S = 0.025
LISTEN_S = 120.0
WINDOW_S = 0.5
SILENT_RMS, AUDIBLE_RMS = 10 ** (-60 / 20), 10 ** (-50 / 20)
CLIPPED_DBTP = -0.1
PICTURE_TRAITS = ("codec", "pixel format", "width", "height", "frame rate", "rotation", "pixel aspect")
AAC_FRAME_S = 1024 / 48_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found on a clip, by what could mend it."""

    cut: tuple[str, ...]
    """Problems that reading the recording again, more carefully, may mend."""
    level: tuple[str, ...]
    """Problems that another gain may mend."""
    captions: tuple[str, ...]
    """Problems of the captions themselves, which rendering cannot mend."""
    warnings: tuple[str, ...]
    measures: dict[str, float | str | None]

    @property
    def result(self) -> CheckResult:
        return CheckResult((*self.cut, *self.level, *self.captions), self.warnings, self.measures)


def check_container(clip: Path, found: MediaInfo, cut: Cut, size: tuple[int, int]) -> list[str]:
    """Problems of the file itself: duration, streams and their form, index in front."""
    problems: list[str] = []
    slack_s = 1 / float(cut.frame_rate) + AAC_FRAME_S
    if abs(found.duration_s - cut.duration_s) > slack_s:
        problems.append(f"The clip lasts {found.duration_s:.3f} s instead of {cut.duration_s:.3f} s.")
    wants_sound = cut.info.audio is not None
    if (found.audio is not None) != wants_sound:
        problems.append(
            "The clip has no sound." if wants_sound else "The clip has sound though the recording has none."
        )
    elif found.audio and (found.audio.codec, found.audio.sample_rate_hz, found.audio.channels) != ("aac", 48_000, 2):
        problems.append(f"The clip's sound is {found.audio.codec} instead of 48 kHz stereo AAC.")
    if found.video is None:
        return [*problems, "The clip has no picture."]
    made = found.video
    expected = ("h264", "yuv420p", *size, cut.frame_rate, 0, "1:1")
    actual = (
        *(made.codec, made.pixel_format, made.width, made.height),
        *(made.fps, made.rotation_deg, made.sample_aspect_ratio),
    )
    for name, got, wanted in zip(PICTURE_TRAITS, actual, expected, strict=True):
        if got != wanted:
            problems.append(f"The {name} of the clip's picture is {got} instead of {wanted}.")
    if not starts_fast(clip):
        problems.append("The clip's index (moov) comes after its data, so playing it over a network starts late.")
    return problems


def starts_fast(path: Path) -> bool:
    """True if the MP4 at `path` has its index before its data (ISO/IEC 14496-12: boxes of 32- or 64-bit size)."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", head)
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0] - 8
            if size < 8:
                return False
            file.seek(size - 8, 1)
    return False


def check_captions(captions: Sequence[Cue], cut: Cut) -> list[str]:
    """Problems of the cues: overlapping, or outside the clip by more than a frame."""
    end_s = cut.duration_s + 1 / float(cut.frame_rate)
    problems = [
        f'The caption "{" ".join(cue.lines)}" at {cue.start_s:.2f} s ends at {cue.end_s:.2f} s, after the clip.'
        for cue in captions
        if cue.end_s > end_s
    ]
    problems += [
        f"Captions overlap at {after.start_s:.2f} s."
        for cue, after in pairwise(captions)
        if after.start_s < cue.end_s - 1e-6
    ]
    return problems


def check_level(after: Loudness, before: Loudness, target_lufs: float) -> list[str]:
    """Problems of the encoded sound's loudness and peaks; sound that was left alone as silent has none."""
    problems: list[str] = []
    off_lu = after.integrated_lufs - target_lufs
    if not before.silent and not abs(off_lu) <= TOLERANCE_LU:
        problems.append(f"The clip's loudness is {after.integrated_lufs:.1f} LUFS instead of {target_lufs:.1f}.")
    if not before.silent and after.true_peak_dbtp > CLIPPED_DBTP:
        problems.append(f"The clip's sound clips: its true peak is {after.true_peak_dbtp:.1f} dBTP.")
    return problems


def check_picture(
    clip: Cut,
    cut: Cut,
    seen: Sequence[Glimpse],
    scratch: Path,
    *,
    burned: bool,
    tightening: Tightening | None = None,
) -> tuple[list[str], list[str]]:
    """(problems, warnings) of the picture: other than the recording's, or black or frozen, where it is not.

    Args:
        clip: The finished clip as a cut of itself.
        seen: Its keyframes.
        scratch: Folder for a passing file.
        tightening: What of `cut` was left out; the rest is compared at the times to which it moved.
    """
    if cut.info.video is None:
        unlit = all(float(glimpse.grey.max()) < UNLIT for glimpse in seen)
        return (["The generated picture lacks even its ground."] if unlit else []), []
    black = [glimpse.time_s for glimpse in seen if glimpse.black]
    source = _source_glimpses(cut, black, scratch, tightening)
    frame_s = 1 / float(cut.frame_rate)
    times_s = [tightening.shown_s(glimpse.time_s) if tightening else glimpse.time_s for glimpse in source]
    near_by = look(clip, times_s, scratch, around_s=1.6 * frame_s)
    pairs = list(zip(source, near_by, strict=True))
    problems: list[str] = []
    warnings: list[str] = []
    if any(not theirs.black and near and all(g.black for g in near) for theirs, near in pairs):
        problems.append("The clip is black where the recording is not.")
    elif len(black) > len(seen) / 5:
        warnings.append(f"The recording itself is black in {len(black)} of {len(seen)} places looked at.")
    unlike = [theirs.time_s for theirs, near in pairs if not any(_alike(theirs, mine, burned=burned) for mine in near)]
    if len(unlike) * 2 >= max(1, len(pairs)) and unlike:
        problems.append(f"The clip's picture is not the recording's at {unlike[0]:.1f} s.")
    recording_still = _still([theirs.grey for theirs in source])
    if not recording_still and _still([mine.grey for near in near_by for mine in near]):
        problems.append("The clip's picture stands still while the recording's moves.")
    return problems, warnings


def check_lit(cut: Cut, seen: Sequence[Glimpse], scratch: Path) -> list[str]:
    """Problems of a picture that is framed anew, so that it cannot be held against the recording's: black where that
    is not."""
    if cut.info.video is None or not all(glimpse.black for glimpse in seen):
        return []
    lit = any(not glimpse.black for glimpse in _source_glimpses(cut, (), scratch, None))
    return ["The clip is black where the recording is not."] if lit else []


def wav_as_cut(path: Path, like: Cut) -> Cut:
    """The WAV at `path`, which has the sound of `like` from its start to its end, as a cut of itself."""
    audio = AudioStream(0, "pcm_f32le", 48_000, 2, 0.0, None, None)
    info = MediaInfo("wav", like.duration_s, like.duration_s, None, audio, None, False)
    return Cut(path, info, 0.0, 0.0, like.frames, like.frame_rate, 0.0, 0.0)


def check_sound(clip: Cut, cut: Cut, scratch: Path) -> tuple[list[str], list[str], float | None]:
    """(problems, warnings, lag in seconds) of the sound against the recording's, read anew from further back."""
    elsewhere = replace(cut, sound_lead_s=min(cut.sound_lead_s + 7.3, cut.start_s))
    theirs, mine = (_listen(read_sound(one), scratch, one) for one in (elsewhere, clip))
    problems: list[str] = []
    warnings: list[str] = []
    their_rms, my_rms = _rms(theirs), _rms(mine)
    length = min(len(their_rms), len(my_rms))
    audible = their_rms[:length] > AUDIBLE_RMS
    dead = audible & (my_rms[:length] < SILENT_RMS)
    if dead.sum() > 0.2 * max(1, length):
        problems.append(f"The clip is silent for {dead.sum() * WINDOW_S:.1f} s where the recording is not.")
    elif (their_rms < SILENT_RMS).mean() > 0.5:
        warnings.append("The recording itself is silent for most of this clip.")
    lag_s = _lag_s(theirs, mine)
    if lag_s is not None and abs(lag_s) > LATE_S:
        problems.append(f"The clip's sound is {abs(lag_s) * 1000:.0f} ms {'late' if lag_s > 0 else 'early'}.")
    return problems, warnings, lag_s


def _source_glimpses(
    cut: Cut, suspects_s: Sequence[float], scratch: Path, tightening: Tightening | None
) -> list[Glimpse]:
    """The recording at a few times of the clip: keyframes that lie in it, else frames found by decoding.

    Args:
        suspects_s: Times of the clip as it plays.
        tightening: Nothing of what it leaves out is among what is found.
    """
    length_s = tightening.shown_duration_s if tightening else cut.duration_s

    def place_s(shown_s: float) -> float:
        return tightening.source_s(shown_s) if tightening else shown_s

    def stays(time_s: float) -> bool:
        inside = 0 <= time_s < cut.duration_s - 1 / float(cut.frame_rate)
        return inside and not (tightening and tightening.holding(time_s))

    spread = [place_s(length_s * (place + 0.5) / GLIMPSES) for place in range(GLIMPSES)]
    found = [glimpse for group in look(cut, spread, scratch) for glimpse in group]
    inside = {round(g.time_s, 3): g for g in found if stays(g.time_s)}
    wanted = [place_s(time_s) for time_s in suspects_s[:: max(1, len(suspects_s) // 3)]][:3]
    if len(inside) < 2:
        wanted += [place_s(length_s * share) for share in (0.1, 0.5, 0.9)]
    around = [group for group in look(cut, wanted, scratch, around_s=2 / float(cut.frame_rate)) if group]
    exact = [staying[0] for group in around if (staying := [g for g in group if stays(g.time_s)])]
    return sorted([*inside.values(), *exact], key=lambda glimpse: glimpse.time_s)


def _alike(one: Glimpse, other: Glimpse, *, burned: bool) -> bool:
    a, b = (_pooled(glimpse.grey) for glimpse in (one, other))
    if burned:
        rows = round(len(a) * (1 - CAPTION_SHARE))
        a, b = a[:rows], b[:rows]
    if a.std() < FLAT or b.std() < FLAT:
        return abs(float(a.mean() - b.mean())) < FLAT_APART and max(float(a.std()), float(b.std())) < 4 * FLAT
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) >= ALIKE


def _still(frames: Sequence[np.ndarray]) -> bool:
    """True if no part of the picture changes from one frame to the next by more than coding does."""
    return all(float(np.abs(_pooled(a) - _pooled(b)).max()) < MOVED for a, b in pairwise(frames))


def _pooled(grey: np.ndarray) -> np.ndarray:
    height, width = grey.shape
    return grey.reshape(height // POOL, POOL, width // POOL, POOL).mean(axis=(1, 3))


def _listen(sound: Any, scratch: Path, cut: Cut) -> np.ndarray:
    raw = scratch / "listen.s16"
    small = sound.filter("aformat", channel_layouts="mono", sample_rates=LISTEN_HZ, sample_fmts="s16")
    output = ffmpeg.output(small, media.file_url(raw), f="s16le", acodec="pcm_s16le")
    media.run_ffmpeg(arguments(output), what=f"Listening to {cut.source.name}", timeout_s=120 + cut.duration_s)
    heard = np.fromfile(raw, np.int16).astype(np.float32) / 32_768
    raw.unlink()
    return heard


def _rms(samples: np.ndarray) -> np.ndarray:
    size = min(len(samples), round(WINDOW_S * LISTEN_HZ))
    windows = samples[: len(samples) // size * size].reshape(-1, size)
    return np.sqrt((windows**2).mean(axis=1))


def _lag_s(theirs: np.ndarray, mine: np.ndarray) -> float | None:
    """How much later `mine` sounds than `theirs`, by the peak of their envelopes' correlation; None if they differ."""
    step = LISTEN_HZ // ENVELOPE_HZ
    length = min(len(theirs), len(mine), round(LISTEN_S * LISTEN_HZ)) // step * step
    a, b = (np.abs(x[:length]).reshape(-1, step).mean(axis=1) for x in (theirs, mine))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    if scale < 1e-6:
        return None
    size = 2 * len(a)
    products = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    reach = min(len(a) - 1, ENVELOPE_HZ)
    around = np.concatenate([products[-reach:], products[: reach + 1]]) / scale
    return float(np.argmax(around) - reach) / ENVELOPE_HZ if around.max() > ALIKE else None
