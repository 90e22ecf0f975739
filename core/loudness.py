"""Two-pass loudness by EBU R128: the clip's sound is measured first, then raised or lowered as a whole.

The second pass is a plain gain wherever the peaks allow it (what the filter loudnorm calls linear), so that speech
keeps its dynamics; else a limiter with look-ahead takes the peaks off, and gain and ceiling are corrected by measuring.
It runs on a file of the clip's sound alone, which costs a fraction of a second a minute.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from core import media
from core.cutting import Cut, arguments, read_sound
from core.errors import MediaError

PEAK_DBTP = -2.0
"""Highest true peak given to AAC, whose output overshoots its input."""
GATE_LUFS = -70.0
SILENT_LUFS = -55.0
"""Fainter sound is room noise or nothing, and raising it would only make noise loud."""
TOLERANCE_LU = 1.0
CLOSE_LU, CLOSE_DB = 0.2, 0.2
ROUNDS = 4
MOST_EXTRA_DB = 12.0
"""How much more than the plain gain is tried where the limiter takes loudness away."""
SUMMARY = re.compile(r"\bI:\s+(-?[\d.]+|-?inf|nan) LUFS.*?\bPeak:\s+(-?[\d.]+|-?inf|nan) dBFS", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a whole clip is, and how high its true peak."""

    integrated_lufs: float
    true_peak_dbtp: float

    @property
    def silent(self) -> bool:
        return not self.integrated_lufs >= SILENT_LUFS


@dataclass(frozen=True, slots=True)
class Levelling:
    """The second pass: a gain, and a ceiling for a limiter where the gain alone would pass it."""

    gain_db: float
    ceiling_dbfs: float | None

    def apply(self, sound: Any) -> Any:
        """`sound`, an ffmpeg-python stream of float samples, made as loud as planned."""
        if self.gain_db:
            sound = sound.filter("volume", f"{self.gain_db:.3f}dB", precision="float")
        if self.ceiling_dbfs is not None:
            ceiling = 10 ** (self.ceiling_dbfs / 20)
            sound = sound.filter("alimiter", limit=f"{ceiling:.5f}", attack=5, release=80, level=0, latency=1)
        return sound


def extract_sound(cut: Cut, target: Path) -> Loudness:
    """First pass: write the clip's sound as it is to `target` (WAV, 48 kHz stereo float) and measure it."""
    measured = _meter(read_sound(cut))
    written = ffmpeg.output(measured, media.file_url(target), f="wav", acodec="pcm_f32le", map_metadata=-1)
    return _measure(written, f"Reading the sound of {cut.source.name}", cut.duration_s)


def measure_loudness(path: Path, container: str, duration_s: float) -> Loudness:
    """Loudness of the first sound stream of a media file of about `duration_s` seconds. Raises MediaError."""
    sound = ffmpeg.input(media.file_url(path), **media.input_options(container)).audio
    return _measure(ffmpeg.output(_meter(sound), "-", f="null"), f"Measuring the loudness of {path.name}", duration_s)


def plan_levelling(sound: Path, before: Loudness, target_lufs: float, duration_s: float) -> Levelling:
    """How to bring `sound` (what `extract_sound` wrote) to `target_lufs` with its peaks at or below PEAK_DBTP.

    Silent sound is left alone. Where limiting takes loudness away that no more gain restores, the nearest stands.
    """
    if before.silent:
        return Levelling(0.0, None)
    plain_db = target_lufs - before.integrated_lufs
    if before.true_peak_dbtp + plain_db <= PEAK_DBTP:
        return Levelling(plain_db, None)
    plan = Levelling(plain_db, PEAK_DBTP - 0.3)
    for _ in range(ROUNDS):
        levelled = plan.apply(ffmpeg.input(media.file_url(sound), **media.input_options("wav")).audio)
        reached = _measure(ffmpeg.output(_meter(levelled), "-", f="null"), f"Levelling {sound.name}", duration_s)
        missing_db = target_lufs - reached.integrated_lufs
        over_db = reached.true_peak_dbtp - PEAK_DBTP
        if abs(missing_db) <= CLOSE_LU and over_db <= CLOSE_DB:
            break
        assert plan.ceiling_dbfs is not None
        gain_db = min(plan.gain_db + missing_db, plain_db + MOST_EXTRA_DB)
        plan = Levelling(gain_db, plan.ceiling_dbfs - max(0.0, over_db))
    return plan


def _meter(sound: Any) -> Any:
    return sound.filter("ebur128", peak="true", framelog="quiet")


def _measure(output: Any, what: str, duration_s: float) -> Loudness:
    said = media.run_ffmpeg(["-loglevel", "info", *arguments(output)], what=what, timeout_s=120 + 2 * duration_s)
    found = SUMMARY.findall(said)
    if not found:
        raise MediaError(f"{what}: ffmpeg gave no loudness; its filter ebur128 said: {said.strip()[-500:]}")
    integrated, peak = (float(value) for value in found[-1])
    # -70 LUFS is the gate of BS.1770: the filter says so when nothing at all is above it.
    return Loudness(integrated if integrated > GATE_LUFS else -math.inf, peak if math.isfinite(peak) else -math.inf)
