"""Silences: stretches below a level for a minimum time, with edges refined by energy and spectral centroid."""

from collections.abc import Iterable

import numpy as np

from core.audio import Envelope, Floats
from core.records import Silence
from core.settings import SilenceSettings

CLICK_S = 0.04
"""Shorter sounds inside a silence (a click, a key) do not end it, within CLICK_ABOVE_DB of the threshold."""
CLICK_ABOVE_DB = 12.0
EDGE_S = 0.25
"""How far into a silence soft speech is looked for: the decay of a vowel, the hiss of an s."""
ABOVE_FLOOR_DB = 10.0
"""Soft speech stands this much above the silence's own floor."""
FRICATIVE_ABOVE_DB = 4.0
FRICATIVE_HZ = 3_000.0
"""A hiss need stand only FRICATIVE_ABOVE_DB above the floor if its centroid is this high, and above the floor's own."""


def find_silences(envelope: Envelope, settings: SilenceSettings, duration_s: float) -> list[Silence]:
    """Silences of at least `min_silence_ms` inside [0, duration_s), in order.

    A frame is silent if its RMS level lies below `silence_dbfs`. Each run of silent frames is then refined: clicks
    inside are bridged; at both ends frames are given back to speech where energy stands above the silence's own floor,
    less being needed where the spectral centroid says that the sound is a fricative. The margins are heuristics.
    """
    hop_s, level = envelope.hop_s, envelope.level_dbfs
    quiet = level < settings.silence_dbfs
    quiet |= _clicks(quiet, level, settings.silence_dbfs, hop_s)
    found = []
    for first, last in _runs(quiet):
        if (last - first) * hop_s * 1_000 < settings.min_silence_ms:
            continue
        first, last = _refine(first, last, envelope)
        start_s, end_s = first * hop_s, min(last * hop_s, duration_s)
        if (end_s - start_s) * 1_000 >= settings.min_silence_ms:
            mean_power = float(np.mean(10 ** (level[first:last] / 10)))
            found.append(Silence(round(start_s, 3), round(end_s, 3), round(10 * float(np.log10(mean_power)), 2)))
    return found


def _runs(mask: np.ndarray) -> Iterable[tuple[int, int]]:
    """[first, last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _clicks(quiet: np.ndarray, level: Floats, threshold_dbfs: float, hop_s: float) -> np.ndarray:
    """Short, moderately loud runs with silence on both sides."""
    bridged = np.zeros_like(quiet)
    for first, last in _runs(~quiet):
        inside = first > 0 and last < len(quiet)
        if inside and (last - first) * hop_s <= CLICK_S and level[first:last].max() < threshold_dbfs + CLICK_ABOVE_DB:
            bridged[first:last] = True
    return bridged


def _refine(first: int, last: int, envelope: Envelope) -> tuple[int, int]:
    level, centroid = envelope.level_dbfs[first:last], envelope.centroid_hz[first:last]
    floor_dbfs = float(np.percentile(level, 20))
    brightness_hz = max(FRICATIVE_HZ, 1.25 * float(np.median(centroid)))
    speech = (level > floor_dbfs + ABOVE_FLOOR_DB) | (
        (level > floor_dbfs + FRICATIVE_ABOVE_DB) & (centroid > brightness_hz)
    )
    reach = min(round(EDGE_S / envelope.hop_s), len(level) // 2)
    head, tail = np.flatnonzero(speech[:reach]), np.flatnonzero(speech[len(level) - reach :])
    given_head = int(head[-1]) + 1 if len(head) else 0
    given_tail = reach - int(tail[0]) if len(tail) else 0
    return first + given_head, last - given_tail
