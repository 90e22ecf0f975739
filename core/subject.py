"""Turn the picks toward a subject: what a clip is worth falls with how far it is from being about that.

A heuristic: a value is multiplied by how near the clip comes to what in the recording is most about the subject. Of
clips about it the better ones win; what has nothing to do with it keeps LEAST of its value, so that the best of the
rest fill the places for which the recording has too little.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.windows import QUANTUM, ScoredUnit, Windows

Floats = NDArray[np.float64]
LEAST = 0.05
"""What a value keeps that has nothing to do with the subject. A guess."""
SHARPNESS = 2
"""The model looks at stretches wider than a clip and rates what stands beside the subject nearly as high. A guess."""


def lift(probability: Floats, greatest: float) -> Floats:
    """What is multiplied with: 1 for the `greatest` probability in the recording, LEAST for none at all."""
    return LEAST + (1 - LEAST) * np.clip(probability / max(greatest, 1e-9), 0.0, 1.0) ** SHARPNESS


def closeness(units: Sequence[ScoredUnit], windows: Windows) -> Floats | None:
    """The lift of each window, from its mean probability by duration; None where no unit has one."""
    if not any(unit.about for unit in units):
        return None
    about = np.array([unit.about or 0.0 for unit in units], dtype=np.float64)
    seconds = np.array([max(unit.end_s - unit.start_s, 1e-3) for unit in units], dtype=np.float64)
    mass, time_s = (np.append(0.0, np.cumsum(each)) for each in (about * seconds, seconds))
    inside_s = time_s[windows.last + 1] - time_s[windows.first]
    return lift((mass[windows.last + 1] - mass[windows.first]) / inside_s, float(about.max()))


def turned(values: Floats, about: Floats) -> Floats:
    """Values after the lift: positive whole multiples of QUANTUM, as they were."""
    return np.maximum(np.round(values * about / QUANTUM), 1.0) * QUANTUM
