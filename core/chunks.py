"""How a long recording is cut for recognition: chunks of minutes at its quietest pauses, windows of speech in them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.records import Span

TARGET_S = 180.0
MAX_S = 260.0
PAUSE_S = 0.6
"""A cut is wanted in the middle of a pause at least this long: the level is averaged over so much, in dB."""
LOWEST_DBFS = -90.0
"""Quieter is not better: digital silence is no better place for a cut than a quiet room."""
PULL_DB = 6.0
"""A cut this many dB quieter is worth being as far from the target as is allowed. A heuristic."""


def chunk_spans(
    levels_dbfs: ArrayLike, hop_s: float, duration_s: float, target_s: float = TARGET_S, max_s: float = MAX_S
) -> list[Span]:
    """Spans of about `target_s` and at most `max_s` seconds that tile [0, duration_s), cut where it is quietest.

    Args:
        levels_dbfs: Level every `hop_s` seconds from time 0, in dBFS. Where it ends early, or is not finite, the cut is
            made at the target.
        hop_s: Length of a hop in seconds.
        duration_s: Length of the recording; there are no spans if it is not above 0.
    """
    if not 0 < target_s <= max_s or hop_s <= 0:
        raise ValueError(f"chunk_spans needs 0 < target_s <= max_s and hop_s > 0, got {target_s}, {max_s}, {hop_s}")
    quiet = _smoothed(levels_dbfs, hop_s)
    least_s = max(target_s / 2, 2 * target_s - max_s)
    spans: list[Span] = []
    start_s = 0.0
    while duration_s - start_s > max_s:
        # The last piece must not be a sliver, which would be recognised without context.
        latest_s = min(start_s + max_s, duration_s - least_s / 2)
        cut_s = _quietest_s(quiet, hop_s, start_s + least_s, latest_s, min(start_s + target_s, latest_s))
        spans.append(Span(start_s, cut_s))
        start_s = cut_s
    if duration_s > start_s:
        spans.append(Span(start_s, duration_s))
    return spans


def _smoothed(levels_dbfs: ArrayLike, hop_s: float) -> NDArray[np.float32]:
    """Mean level in dB over PAUSE_S around each hop; not a number where any of it is unknown."""
    levels = np.maximum(np.asarray(levels_dbfs, dtype=np.float64), LOWEST_DBFS)
    width = max(1, round(PAUSE_S / hop_s))
    if len(levels) < width:
        return np.zeros(0, np.float32)
    padded = np.pad(levels, (width // 2, width - 1 - width // 2), mode="edge")
    unknown = ~np.isfinite(padded)
    sums = np.cumsum(np.concatenate([[0.0], np.where(unknown, 0.0, padded)]))
    holes = np.cumsum(np.concatenate([[0], unknown]))
    mean = (sums[width:] - sums[:-width]) / width
    return np.where(holes[width:] > holes[:-width], np.nan, mean).astype(np.float32)


def _quietest_s(quiet: NDArray[np.float32], hop_s: float, from_s: float, to_s: float, target_s: float) -> float:
    """The quietest time in [from_s, to_s], the one nearer to the target among equals; the target if none is known."""
    first, last = int(np.ceil(from_s / hop_s)), int(to_s / hop_s) + 1
    times = np.arange(first, min(last, len(quiet))) * hop_s
    window = quiet[first : first + len(times)]
    if not len(times) or not np.isfinite(window).any():
        return round(target_s, 3)
    reach_s = max(target_s - from_s, to_s - target_s, hop_s)
    cost = window + PULL_DB * np.abs(times - target_s) / reach_s
    return round(float(times[int(np.nanargmin(cost))]), 3)


def pack_windows(speech: Sequence[Span], max_s: float, gap_s: float) -> list[Span]:
    """Stretches of speech, in order and each at most `max_s` long, packed with the pauses between them into windows.

    A window is at most `max_s` long and holds no pause longer than `gap_s`; each stretch is in exactly one.
    """
    windows: list[Span] = []
    for span in speech:
        last = windows[-1] if windows else None
        if last and span.end_s - last.start_s <= max_s and span.start_s - last.end_s <= gap_s:
            windows[-1] = Span(last.start_s, span.end_s)
        else:
            windows.append(span)
    return windows
