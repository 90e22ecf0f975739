"""What a model says about a timeline, and what every highlight model can do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from core.records import ModelRef


@dataclass(frozen=True, slots=True)
class Scores:
    """One value a row of the timeline in each array, all float64 in [0, 1], shape [n]."""

    highlight: np.ndarray
    """How much the row belongs into a highlight. The model's card says whether it is calibrated."""
    boundary: np.ndarray | None
    """How likely a topic ends with the row; None where the model cannot tell."""
    parts: dict[str, np.ndarray]
    """What the score was made of, for the reasons of a pick; 0.5 is neutral, also where a part is unknown."""


class HighlightModel(Protocol):
    """A loaded model, whatever its kind. `models.registry.load` makes one."""

    @property
    def ref(self) -> ModelRef: ...

    def predict(self, timeline: pa.Table, *, on_progress: Callable[[float], None] | None = None) -> Scores:
        """Score every row of a timeline; `on_progress` is told the share done, in (0, 1]."""
        ...
