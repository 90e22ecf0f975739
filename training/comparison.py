"""Whether one model is better than another on the same lectures: a paired bootstrap, and what follows from it.

The figure is the Top-3 F1 of `training.metrics.top_k`: macro means over clips, F1 of the two means. The clips of a
lecture share its subject, its speaker and its slides, so whole lectures are drawn, with replacement, as many as there
are (bootstrap of clusters; Field and Welsh 2007); what both models got for a drawn lecture stays together. The interval
is that of the percentiles of the differences (Efron 1979).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import RefusedInput

TOP_K = 3
RESAMPLES = 10_000
SEED = 0
DRAWN_AT_ONCE = 500
"""Resamples that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a challenger does against a champion. Figures are percent, differences percentage points."""

    champion_f1: float
    challenger_f1: float
    difference: float
    """Challenger less champion."""
    low: float
    """The interval of the difference that the bootstrap gives at `confidence`, half of the rest on either side."""
    high: float
    better_share: float
    """Share of the resamples, in [0, 1], in which the challenger is better."""
    lectures: int
    """Lectures with a clip that counts: one that holds a positive."""
    clips: int
    """Clips that count."""
    confidence: float
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the challenger is to become champion, and why, as a clause for people."""

    better: bool
    why: str


def compare(
    lecture: Sequence[str] | NDArray[np.str_],
    positives: NDArray[np.integer],
    champion: NDArray[np.integer],
    challenger: NDArray[np.integer],
    *,
    confidence: float,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Compare two models on the same clips.

    Args:
        lecture: [n] id of the lecture that each clip belongs to.
        positives: [n] how many sentences of the clip are in its summary; clips with none are left out.
        champion: [n] how many of these are among the champion's best 3 of the clip.
        challenger: [n] the same of the challenger.
        confidence: Of the interval, in (0, 1).
        seed: The same one draws the same lectures.

    Raises RefusedInput where no clip has a positive, ValueError for arrays of different lengths.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
    if not len(lecture) == len(positives) == len(champion) == len(challenger):
        lengths = [len(lecture), len(positives), len(champion), len(challenger)]
        raise ValueError(f"lecture, positives, champion and challenger must be equally long, got {lengths}")
    judged = np.asarray(positives) > 0
    if not judged.any():
        raise RefusedInput("Comparing two models: no clip of these lectures has a sentence that is in its summary.")
    sums = _sums(np.asarray(lecture)[judged], positives[judged], champion[judged], challenger[judged])
    first, second = _f1_of_both(sums.sum(axis=0, keepdims=True))
    drawn = _differences(sums, resamples, np.random.default_rng(seed))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Comparison(
        champion_f1=float(first[0]),
        challenger_f1=float(second[0]),
        difference=float(second[0] - first[0]),
        low=float(low),
        high=float(high),
        better_share=float((drawn > 0).mean()),
        lectures=len(sums),
        clips=int(judged.sum()),
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def fewest_lectures(confidence: float) -> int:
    """With fewer lectures no interval is to be trusted.

    Two equally good models differ in the same direction on all of n lectures with probability 2^-n a direction, and
    the interval then lies on one side of 0 whatever the size of the differences: n must make that rarer than the
    interval's own tail, (1 - confidence) / 2.
    """
    return math.ceil(math.log2(2 / (1 - confidence)))


def judge(found: Comparison, margin: float) -> Verdict:
    """The rule of promotion: better by `margin` percentage points or more, and the whole interval above 0.

    Both, because a large difference on few lectures may be chance, and a sure one may be too small to be worth a
    change. A challenger that is only as good is never better, also with a margin of 0.
    """
    points = f"{abs(found.difference):.2f} points"
    interval = f"the {100 * found.confidence:g} % interval is {found.low:+.2f} to {found.high:+.2f}"
    fewest = fewest_lectures(found.confidence)
    if found.difference == 0:
        return Verdict(False, "it is exactly as good")
    if found.difference < 0:
        return Verdict(False, f"it is worse by {points}")
    if found.lectures < fewest:
        return Verdict(
            False, f"it is better by {points}, but on {found.lectures} lectures; to tell takes {fewest} or more"
        )
    if found.difference < margin:
        return Verdict(False, f"it is better by {points}, less than the margin of {margin:.2f}")
    if found.low <= 0:
        return Verdict(False, f"it is better by {points}, but that may be chance: {interval}")
    return Verdict(True, f"it is better by {points}, and {interval}")


def _sums(
    lecture: NDArray, positives: NDArray[np.integer], champion: NDArray[np.integer], challenger: NDArray[np.integer]
) -> NDArray[np.float64]:
    """[lectures, 5] sums over a lecture's clips: 1, then precision and recall of either model."""
    index = np.unique(lecture, return_inverse=True)[1]
    hits = (champion / TOP_K, champion / positives, challenger / TOP_K, challenger / positives)
    columns = [np.bincount(index, weights=values) for values in (np.ones(len(index)), *hits)]
    return np.stack(columns, axis=1).astype(np.float64)


def _f1_of_both(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 in percent of either model, from rows as `_sums` gives them; 0 where precision and recall are."""
    means = sums[:, 1:] / sums[:, :1]
    found = []
    for precision, recall in ((means[:, 0], means[:, 1]), (means[:, 2], means[:, 3])):
        total = precision + recall
        found.append(np.divide(200 * precision * recall, total, out=np.zeros_like(total), where=total > 0))
    return found[0], found[1]


def _differences(sums: NDArray[np.float64], resamples: int, coin: np.random.Generator) -> NDArray[np.float64]:
    """The difference in each resample of the lectures, percentage points."""
    count, found = len(sums), []
    for first in range(0, resamples, DRAWN_AT_ONCE):
        rows = min(DRAWN_AT_ONCE, resamples - first)
        drawn = coin.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        champion, challenger = _f1_of_both(times @ sums)
        found.append(challenger - champion)
    return np.concatenate(found)
