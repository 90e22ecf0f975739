"""How good predictions are, as published for lecture highlights and for text segmentation. All shares are in [0, 1].

Plain numpy on arrays of one value a sentence, so that training, evaluation and comparison count alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class TopK:
    """Macro means over clips of what the best k sentences of each hold, and the F1 of the two means."""

    precision: float
    recall: float
    f1: float
    clips: int
    """How many clips the means are of."""


def top_k_hits(score: NDArray[np.floating], label: NDArray[np.integer], clip: NDArray[np.integer], k: int) -> NDArray:
    """Positives among the k best sentences of each clip: int64, one value for each of 0..max(clip).

    Args:
        score: [n] any finite numbers; of equal scores the earlier sentence is the better.
        label: [n] 1 positive, anything else not.
        clip: [n] number of the clip that a sentence belongs to, from 0.
    """
    if not len(clip):
        return np.zeros(0, dtype=np.int64)
    rows = np.arange(len(clip))
    order = np.lexsort((rows, -np.asarray(score, dtype=np.float64), clip))
    sorted_clip = clip[order]
    starts = np.append(0, np.flatnonzero(np.diff(sorted_clip)) + 1)
    rank = rows - np.repeat(starts, np.diff(np.append(starts, len(clip))))
    chosen = order[rank < k]
    return np.bincount(clip[chosen], weights=label[chosen] == 1, minlength=int(clip.max()) + 1).astype(np.int64)


def top_k(hits: NDArray[np.integer], positives: NDArray[np.integer], k: int) -> TopK:
    """Means over clips of hits / k and hits / positives, and 2PR / (P + R) of those means.

    Precision divides by k also where a clip has fewer sentences: only so does choosing perfectly give the published
    upper bound. A clip without a positive has no recall and is left out. NaN where no clip is left.
    """
    judged = positives > 0
    if not judged.any():
        return TopK(float("nan"), float("nan"), float("nan"), 0)
    precision = float((hits[judged] / k).mean())
    recall = float((hits[judged] / positives[judged]).mean())
    return TopK(precision, recall, f1(precision, recall), int(judged.sum()))


def f1(precision: float, recall: float) -> float:
    """Harmonic mean; 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def window_size(last: NDArray[np.bool_]) -> int:
    """Half the mean length of the true segments, rounded, at least 1: the window of Pk and of WindowDiff."""
    segments = int(last[:-1].sum()) + 1
    return max(1, round(len(last) / (2 * segments)))


def pk(
    last: NDArray[np.bool_], found: NDArray[np.bool_], kept: NDArray[np.bool_] | None = None, k: int | None = None
) -> float:
    """Share of sentence pairs (i, i + k) that one side puts in one segment and the other not: 0 is perfect.

    Beeferman, Berger, Lafferty 1999. Whether the lecture ends with its last sentence is not asked.

    Args:
        last: [n] whether a sentence truly is the last of its segment.
        found: [n] whether it was found to be.
        kept: [n] pairs with a sentence that is not kept, at or between their ends, are left out; None keeps all.
        k: Distance of a pair; None for `window_size(last)`.

    Returns NaN where no pair is left.
    """
    true, guess = _boundaries_in_windows(last, found, kept, k)
    return float(((true > 0) != (guess > 0)).mean()) if len(true) else float("nan")


def windowdiff(
    last: NDArray[np.bool_], found: NDArray[np.bool_], kept: NDArray[np.bool_] | None = None, k: int | None = None
) -> float:
    """Share of pairs (i, i + k) between which the number of boundaries differs: 0 is perfect. Arguments as for `pk`.

    Pevzner, Hearst 2002.
    """
    true, guess = _boundaries_in_windows(last, found, kept, k)
    return float((true != guess).mean()) if len(true) else float("nan")


def _boundaries_in_windows(
    last: NDArray[np.bool_], found: NDArray[np.bool_], kept: NDArray[np.bool_] | None, k: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each i in [0, n - k): how many true and how many found boundaries lie between sentences i and i + k."""
    step = window_size(last) if k is None else k
    pairs = max(0, len(last) - step)
    true, guess = (_sums(flags, step)[:pairs] for flags in (last, found))
    if kept is None:
        return true, guess
    whole = _sums(kept, step + 1)[:pairs] == step + 1
    return true[whole], guess[whole]


def _sums(flags: NDArray[np.bool_], width: int) -> NDArray[np.int64]:
    """Sum over [i, i + width) for each i at which that fits."""
    totals = np.append(0, np.cumsum(flags, dtype=np.int64))
    return totals[width:] - totals[: max(0, len(totals) - width)]


def segmentation_accuracy(last: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """Share of sentences for which "is the last of its segment" is answered rightly; NaN without sentences."""
    return float((last == found).mean()) if len(last) else float("nan")


def expected_calibration_error(
    probability: NDArray[np.floating], label: NDArray[np.integer], bins: int = ECE_BINS
) -> float:
    """Mean over bins, weighted by their size, of |mean probability - share of positives|; NaN without sentences.

    Bins have equal width over [0, 1]: (0, 1/bins], (1/bins, 2/bins], … with 0 in the first (Guo et al. 2017).
    """
    if not len(label):
        return float("nan")
    probability = np.asarray(probability, dtype=np.float64)
    place = np.clip(np.ceil(probability * bins).astype(np.int64) - 1, 0, bins - 1)
    total = np.bincount(place, weights=probability - (label == 1), minlength=bins)
    return float(np.abs(total).sum() / len(label))
