"""Quiet places in a clip's sound: where it can be cut unheard."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Word

Interval = tuple[float, float]

SOFT_RANGE_DB, WIDE_RANGE_DB = 12.0, 50.0
"""With less between floor and speech, quiet and loud cannot be told apart; a deeper floor is digital silence."""
QUIET_SHARE = 0.3
"""Quiet is this much of the way, in dB, from the floor (5th percentile) to the speech (90th). A heuristic."""
CLICK_S, CLICK_DB = 0.05, 12.0
"""Shorter and no louder than this above quiet, a sound inside a pause (the lips, a key) does not end it."""
NEAR_S = 0.03
"""How far around a moment the level is looked at."""
LOUD_DBFS, SILENT_DBFS = 0.0, -120.0


@dataclass(frozen=True, slots=True, eq=False)
class Hush:
    """Where a clip is quiet, and how quiet."""

    spans: tuple[Interval, ...]
    """In order and apart."""
    highest_dbfs: NDArray[np.float64] | None
    """The highest level within NEAR_S of each hop; None where no level is known."""
    hop_s: float

    def near_dbfs(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The highest level within NEAR_S of each time; all alike where no level is known."""
        if self.highest_dbfs is None:
            return np.zeros(len(times_s))
        return self.highest_dbfs[np.clip(np.round(times_s / self.hop_s).astype(int), 0, len(self.highest_dbfs) - 1)]

    def within(self, start_s: float, end_s: float) -> list[Interval]:
        """The parts of the quiet stretches that lie in [start_s, end_s)."""
        clipped = [(max(a, start_s), min(b, end_s)) for a, b in self._touching(start_s, end_s)]
        return [(a, b) for a, b in clipped if a < b]

    def holds(self, times_s: NDArray[np.float64], margin_s: float) -> NDArray[np.bool_]:
        """Whether each time lies in a quiet stretch, at least `margin_s` from its ends."""
        quiet = np.zeros(len(times_s), dtype=bool)
        for start_s, end_s in self._touching(times_s.min(), times_s.max()) if len(times_s) else ():
            quiet |= (times_s >= start_s + margin_s) & (times_s <= end_s - margin_s)
        return quiet

    def _touching(self, start_s: float, end_s: float) -> tuple[Interval, ...]:
        first = bisect_left(self.spans, start_s, key=lambda span: span[1])
        return self.spans[first : bisect_right(self.spans, end_s, key=lambda span: span[0])]


def find_hush(
    words: Sequence[Word], level_dbfs: NDArray[np.floating] | None, hop_s: float, silences: Sequence[Interval]
) -> Hush:
    """Where a clip with these words is quiet: by its level, or by its silences where no level is known.

    Args:
        words: In order, on the clip's timeline. Floor and speech are measured from the first to the last of them.
        level_dbfs: RMS level of each hop from the clip's start on. What is no number counts as loud.
    """
    if level_dbfs is None:
        return Hush(tuple(sorted(silences)), None, hop_s)
    level = np.nan_to_num(level_dbfs.astype(np.float64), nan=LOUD_DBFS, posinf=LOUD_DBFS, neginf=SILENT_DBFS)
    if not len(level):
        return Hush((), None, hop_s)
    reach = max(1, round(NEAR_S / hop_s))
    padded = np.pad(level, reach, constant_values=LOUD_DBFS)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    said = np.zeros(len(level), dtype=bool)
    for word in words:
        said[round(word.start_s / hop_s) : round(word.end_s / hop_s)] = True
    if not said.any():
        return Hush((), highest, hop_s)
    spoken = level[round(words[0].start_s / hop_s) : np.flatnonzero(said)[-1] + 1]
    loud = float(np.percentile(level[said], 90))
    floor = max(float(np.percentile(spoken, 5)), loud - WIDE_RANGE_DB)
    quiet_dbfs = floor + QUIET_SHARE * (loud - floor)
    return Hush(_spans(level, quiet_dbfs, hop_s) if loud - floor >= SOFT_RANGE_DB else (), highest, hop_s)


def without(span: Interval, taken: Sequence[Interval]) -> list[Interval]:
    """What is left of `span` outside the `taken` ones."""
    left = [span]
    for start_s, end_s in taken:
        left = [
            part
            for a, b in left
            for part in (((a, min(b, start_s)), (max(a, end_s), b)) if start_s < b and end_s > a else ((a, b),))
            if part[0] < part[1]
        ]
    return left


def _spans(level: NDArray[np.float64], threshold: float, hop_s: float) -> tuple[Interval, ...]:
    quiet = level < threshold
    for first, last in _runs(~quiet):
        inside = first > 0 and last < len(quiet)
        if inside and (last - first) * hop_s <= CLICK_S and level[first:last].max() < threshold + CLICK_DB:
            quiet[first:last] = True
    return tuple((first * hop_s, last * hop_s) for first, last in _runs(quiet))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[first, last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
