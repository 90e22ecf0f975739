"""Units for recordings without speech: stretches of 4–12 s to choose from, as sentences without text."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.prosody import FLOOR_DBFS, HOP_S
from core.records import Sentence, SlideSpan

SHORTEST_S, LONGEST_S, USUAL_S = 4.0, 12.0, 8.0
GRID_S = 0.5
"""One border may fall into each cell this long, beside those at changes of the picture."""
CHANGE_GAIN, QUIET_GAIN = 1.0, 0.6
"""Heuristic: what a border at a change of the picture, or at a point of full quiet, is worth."""
LENGTH_COST = 0.03
"""Heuristic: what a squared second of distance from USUAL_S costs; 4 s off costs half a change."""
QUIET_DB = 20.0
"""A point this far below the level around it is fully quiet."""
AROUND_S = 10.0
SMOOTH_S = 0.2


def units_without_speech(
    slides: Sequence[SlideSpan] | None,
    level_dbfs: NDArray[np.floating] | None,
    duration_s: float,
    *,
    hop_s: float = HOP_S,
) -> list[Sentence]:
    """Cut [0, duration_s) into adjoining units of 4–12 s; a recording under 4 s is one unit.

    Borders fall on changes of the picture and on quiet points as far as the lengths allow: the division with the
    greatest total of border gains less length costs, exactly, by dynamic programming. Of equal ones, the division
    whose later borders come first. Without picture and sound all units are about 8 s long.

    Args:
        slides: Slides or shots; None without video. Only their beginnings count.
        level_dbfs: RMS level of each hop from 0 s on; None without sound.
    """
    if not 0 < duration_s < float("inf"):
        raise ValueError(f"duration_s must be a positive number of seconds, got {duration_s}")
    times, gains = _candidates(slides or (), level_dbfs, duration_s, hop_s)
    borders = _best_borders(times, gains) if duration_s >= SHORTEST_S else [0.0, duration_s]
    return [Sentence(start_s, end_s, "", ()) for start_s, end_s in zip(borders, borders[1:], strict=False)]


def _candidates(
    slides: Sequence[SlideSpan], level_dbfs: NDArray[np.floating] | None, duration_s: float, hop_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times a border may fall on, increasing, with 0 and the end; and what each is worth."""
    cells = np.arange(GRID_S, duration_s, GRID_S)
    worth: dict[float, float] = {float(t): 0.0 for t in cells}
    if level_dbfs is not None and len(level_dbfs):
        worth |= {float(t): QUIET_GAIN * quiet for t, quiet in _quiet_points(level_dbfs, duration_s, hop_s)}
    worth |= {float(s.start_s): CHANGE_GAIN for s in slides if s.kind != "start" and 0 < s.start_s < duration_s}
    worth |= {0.0: 0.0, float(duration_s): 0.0}
    times = np.array(sorted(worth))
    return times, np.array([worth[t] for t in times.tolist()])


def _quiet_points(level_dbfs: NDArray[np.floating], duration_s: float, hop_s: float) -> list[tuple[float, float]]:
    """The quietest time of each cell and how quiet it is, 0..1, against the median of the 10 s around it."""
    per_cell = max(1, round(GRID_S / hop_s))
    count = len(level_dbfs) // per_cell
    if not count:
        return []
    level = np.nan_to_num(level_dbfs.astype(np.float64), nan=FLOOR_DBFS, neginf=FLOOR_DBFS, posinf=0.0)
    width = max(1, round(SMOOTH_S / hop_s))
    padded = np.pad(level, (width // 2, width - 1 - width // 2), mode="edge")
    smooth = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    cells = smooth[: count * per_cell].reshape(count, per_cell)
    middle = np.median(cells, axis=1)
    reach = min(round(AROUND_S / 2 / GRID_S), max(0, count - 1))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(middle, reach, mode="reflect"), 2 * reach + 1)
    lowest = cells.argmin(axis=1)
    times = (np.arange(count) * per_cell + lowest + 0.5) * hop_s
    quiet = np.clip((np.median(around, axis=1) - cells[np.arange(count), lowest]) / QUIET_DB, 0.0, 1.0)
    return [(float(t), float(q)) for t, q in zip(times, quiet, strict=True) if 0 < t < duration_s]


def _best_borders(times: NDArray[np.float64], gains: NDArray[np.float64]) -> list[float]:
    """The borders, first and last time included, with the greatest total; each step between 4 and 12 s."""
    total = np.full(len(times), -np.inf)
    total[0] = 0.0
    previous = np.zeros(len(times), dtype=np.int64)
    firsts = np.searchsorted(times, times - LONGEST_S, side="left")
    lasts = np.searchsorted(times, times - SHORTEST_S, side="right")
    for j in range(1, len(times)):
        first, last = firsts[j], lasts[j]
        if first >= last:
            continue
        options = total[first:last] - LENGTH_COST * (times[j] - times[first:last] - USUAL_S) ** 2
        best = int(np.argmax(options))
        total[j], previous[j] = options[best] + gains[j], first + best
    chosen = [len(times) - 1]
    while chosen[-1]:
        chosen.append(int(previous[chosen[-1]]))
    return times[chosen[::-1]].tolist()
