"""How something was said: level, liveliness and brightness of spans of sound, from arrays with one value a hop.

All arrays share one hop (0.01 s by default) and begin at 0 s: value i describes [i·hop_s, (i+1)·hop_s).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.01
FLOOR_DBFS = -100.0
"""Digital silence (−inf) counts as this."""
SPEECH_RANGE_DB = 30.0
"""Heuristic: hops this far or less below a span's own loud parts (95th percentile) count as sounding."""
PITCH_MIN_HZ, PITCH_MAX_HZ = 60.0, 400.0
"""The range of speaking voices, from deep to high."""
PITCH_RATE_HZ = 4_000
PITCH_WINDOW_S = 0.04
VOICED_STRENGTH = 0.5
"""A hop is voiced where its normalised autocorrelation reaches this; 0.45 is Boersma's (1993) threshold."""
OCTAVE_COST = 0.03
"""Handicap of a lag twice as long; Boersma's is 0.01, with a finer interpolation than the parabola here."""
QUIET_POWER = 1e-7
"""Mean square of a windowed frame (−70 dBFS) below which nothing counts as voiced."""
FRAMES_AT_ONCE = 4_096

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class SpanProsody:
    """What a span sounds like; None where it cannot be told (no sound, nothing voiced, beyond the recording)."""

    level_dbfs: float | None
    """Mean level over the sounding hops."""
    level_range_db: float | None
    """90th minus 10th percentile of the level over the sounding hops."""
    centroid_hz: float | None
    """Mean spectral centroid over the sounding hops."""
    pitch_hz: float | None
    """Median fundamental frequency over the voiced hops."""
    pitch_range_semitones: float | None
    """90th over 10th percentile of the fundamental frequency, in semitones."""


SILENT = SpanProsody(None, None, None, None, None)


def span_prosody(
    spans: Sequence[tuple[float, float]],
    level_dbfs: Array,
    *,
    centroid_hz: Array | None = None,
    pitch_hz: Array | None = None,
    hop_s: float = HOP_S,
) -> list[SpanProsody]:
    """Features of each span [start_s, end_s).

    Args:
        level_dbfs: RMS level of each hop, [n]; −inf and NaN count as silence.
        centroid_hz: Spectral centroid of each hop, [n]; NaN where it has none.
        pitch_hz: Fundamental frequency of each hop, [n]; NaN or 0 where unvoiced. `pitch_track` makes one.

    Raises ValueError when the arrays differ in length.
    """
    tracks = {"centroid_hz": centroid_hz, "pitch_hz": pitch_hz}
    for name, track in tracks.items():
        if track is not None and len(track) != len(level_dbfs):
            raise ValueError(f"{name} must be as long as level_dbfs, got {len(track)} and {len(level_dbfs)}")
    return [_prosody(start_s, end_s, level_dbfs, centroid_hz, pitch_hz, hop_s) for start_s, end_s in spans]


def _prosody(
    start_s: float, end_s: float, level_dbfs: Array, centroid_hz: Array | None, pitch_hz: Array | None, hop_s: float
) -> SpanProsody:
    first, last = round(start_s / hop_s), max(round(end_s / hop_s), round(start_s / hop_s) + 1)
    level = np.nan_to_num(level_dbfs[first:last].astype(np.float64), nan=FLOOR_DBFS, neginf=FLOOR_DBFS, posinf=0.0)
    if not len(level):
        return SILENT
    sounding = level >= max(np.percentile(level, 95) - SPEECH_RANGE_DB, FLOOR_DBFS + 1)
    if not sounding.any():
        return SILENT
    low_db, high_db = np.percentile(level[sounding], [10, 90])
    pitch, pitch_range = _pitch(pitch_hz[first:last][sounding]) if pitch_hz is not None else (None, None)
    return SpanProsody(
        level_dbfs=float(level[sounding].mean()),
        level_range_db=float(high_db - low_db),
        centroid_hz=_finite_mean(centroid_hz[first:last][sounding]) if centroid_hz is not None else None,
        pitch_hz=pitch,
        pitch_range_semitones=pitch_range,
    )


def _finite_mean(values: Array) -> float | None:
    finite = values[np.isfinite(values)].astype(np.float64)
    return float(finite.mean()) if len(finite) else None


def _pitch(track_hz: Array) -> tuple[float | None, float | None]:
    voiced = track_hz[np.isfinite(track_hz) & (track_hz > 0)].astype(np.float64)
    if len(voiced) < 5:
        return None, None
    low_hz, middle_hz, high_hz = np.percentile(voiced, [10, 50, 90])
    return float(middle_hz), float(12 * np.log2(high_hz / low_hz))


def pitch_track(samples: Array, sample_rate_hz: int, hop_s: float = HOP_S) -> NDArray[np.float32]:
    """Fundamental frequency of each hop of mono `samples`, float32 [ceil(samples / hop)]; NaN where unvoiced.

    The peak of the autocorrelation of a Hann window, divided by the window's own autocorrelation (Boersma 1993,
    "Accurate short-term analysis of the fundamental frequency"), on the sound brought down to about 4 kHz. Without
    that paper's path search, so single hops can jump by an octave: use medians and percentiles over spans.
    """
    step = max(1, round(sample_rate_hz / PITCH_RATE_HZ))
    rate_hz = sample_rate_hz / step
    hops = -(-len(samples) // max(1, round(hop_s * sample_rate_hz)))
    sound = samples[: len(samples) // step * step].astype(np.float32).reshape(-1, step).mean(axis=1)
    width = round(PITCH_WINDOW_S * rate_hz)
    padded = np.pad(sound, (width, 2 * width))
    centres = np.round((np.arange(hops) + 0.5) * hop_s * rate_hz).astype(int)
    starts = np.minimum(centres + width // 2, len(padded) - width)
    track = np.full(hops, np.nan, dtype=np.float32)
    for begin in range(0, hops, FRAMES_AT_ONCE):
        chosen = starts[begin : begin + FRAMES_AT_ONCE]
        track[begin : begin + len(chosen)] = _frame_pitch(padded[chosen[:, None] + np.arange(width)], rate_hz)
    return track


def _frame_pitch(frames: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    """Fundamental frequency of frames [k, width], NaN where unvoiced."""
    width = frames.shape[1]
    window = np.hanning(width).astype(np.float32)
    shortest, longest = int(rate_hz / PITCH_MAX_HZ), min(int(rate_hz / PITCH_MIN_HZ) + 1, width - 2)
    own = _autocorrelation(window[None])[0]
    windowed = (frames - frames.mean(axis=1, keepdims=True)) * window
    correlation = _autocorrelation(windowed)
    energy = correlation[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = correlation[:, : longest + 2] / energy * (own[0] / own[: longest + 2])
    lags = np.arange(shortest, longest + 1)
    before, middle, after = strength[:, lags - 1], strength[:, lags], strength[:, lags + 1]
    peak = (middle >= before) & (middle > after)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(peak, 0.5 * (before - after) / (before - 2 * middle + after), 0.0)
        height = np.where(peak, middle - 0.25 * (before - after) * shift, -np.inf)
    # A longer lag must be clearly stronger, or every multiple of the period would do as well as the period itself.
    best = np.argmax(height - OCTAVE_COST * np.log2(lags / shortest), axis=1)
    row = np.arange(len(frames))
    voiced = (height[row, best] >= VOICED_STRENGTH) & (energy[:, 0] > QUIET_POWER * width)
    return np.where(voiced, rate_hz / (lags[best] + shift[row, best]), np.nan).astype(np.float32)


def _autocorrelation(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Autocorrelation of frames [k, width] at lags 0..width−1: [k, width]."""
    width = frames.shape[1]
    spectrum = np.fft.rfft(frames, n=1 << (2 * width - 1).bit_length(), axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :width].astype(np.float32)
