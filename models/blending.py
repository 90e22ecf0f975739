"""The scores of two models as one, for a version that keeps a simpler model beside its network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.records import ModelRef

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prior:
    """The unsupervised baseline, asked beside a network."""

    ref: ModelRef
    weight: float
    """How much it weighs against the network's 1."""


def from_manifest(entry: dict[str, Any] | None) -> Prior | None:
    """The prior that a manifest's `prior` names. Raises WeightsError where that version is not here as it was."""
    from models import registry

    if entry is None:
        return None
    ref = registry.resolve(f"{entry['name']}@{entry['version']}", [registry.BUILTIN])
    if ref.sha256 != entry["sha256"]:
        raise ValueError(f"{entry['name']}@{entry['version']} is not the one that it was made with")
    return Prior(ref, float(entry["weight"]))


def blended(own: Floats, other: Floats, weight: float) -> Floats:
    """Probabilities `own` [n] whose order is swayed by scores `other` [n] of weight `weight`; level and spread stay.

    Both are compared as standard scores within the recording, so that only what stands out in each counts.
    """
    kept = np.clip(own, 1e-6, 1 - 1e-6)
    logits = np.log(kept / (1 - kept))
    mixed = _standard(logits) + weight * _standard(other)
    return 1 / (1 + np.exp(-(logits.mean() + logits.std() * _standard(mixed))))


def either(one: Floats, other: Floats) -> Floats:
    """Probability that at least one of two signs is right, taken as independent (noisy or)."""
    return 1 - (1 - one) * (1 - other)


def _standard(values: Floats) -> Floats:
    return (values - values.mean()) / (values.std() + 1e-9)
