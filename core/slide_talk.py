"""How much of what is said stands on the slide: a speaker who speaks to the slide is seldom on a side track.

A heuristic, and a mild one: a clip's value is raised or lowered by at most MOST of itself, by how much more or less of
its words stand on the screen than is usual in the recording.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.grounding import COMMON, WORD, stem
from core.windows import ScoredUnit, Windows

Floats = NDArray[np.float64]
MOST = 0.1
STEEPNESS = 0.5
"""A share of words on the slide this much above the recording's mean gives the most. A guess."""


def share_shown(said: str, shown: str) -> float | None:
    """The share of the content words of `said` that also stand in `shown`; None where either has none."""
    on_slide = {stem(word) for word in WORD.findall(shown)}
    words = [word for word in WORD.findall(said) if len(word) > 3 and word.casefold() not in COMMON]
    if not words or not on_slide:
        return None
    return sum(stem(word) in on_slide for word in words) / len(words)


def agreement(units: Sequence[ScoredUnit], windows: Windows) -> Floats | None:
    """What each window's value is multiplied with, in [1 - MOST, 1 + MOST]; None where no slide has words."""
    if all(unit.shown is None for unit in units):
        return None
    known = np.array([unit.shown is not None for unit in units])
    shown = np.array([unit.shown or 0.0 for unit in units], dtype=np.float64)
    seconds = np.array([max(unit.end_s - unit.start_s, 1e-3) for unit in units], dtype=np.float64) * known
    usual = float((shown * seconds).sum() / seconds.sum())
    mass, time_s = (np.append(0.0, np.cumsum(each)) for each in (shown * seconds, seconds))
    inside_s = time_s[windows.last + 1] - time_s[windows.first]
    inside = mass[windows.last + 1] - mass[windows.first]
    mean = np.divide(inside, inside_s, out=np.full(len(windows), usual), where=inside_s > 0)
    return 1 + MOST * np.clip((mean - usual) / STEEPNESS, -1.0, 1.0)
