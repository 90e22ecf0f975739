"""Two models' scores as one: the order is swayed, level and spread stay."""

import numpy as np
import pytest

from models import blending, registry

OWN = np.array([0.1, 0.2, 0.3, 0.15, 0.25])
OTHER = np.array([0.9, 0.1, 0.2, 0.3, 0.4])


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def test_weight_nothing_changes_nothing():
    assert blending.blended(OWN, OTHER, 0) == pytest.approx(OWN)


def test_what_both_favour_comes_first_and_a_heavy_prior_decides():
    assert np.argsort(blending.blended(OWN, OTHER, 100)).tolist() == np.argsort(OTHER).tolist()
    assert blending.blended(OWN, OTHER, 1)[0] > OWN[0]


def test_level_and_spread_stay():
    found = logit(blending.blended(OWN, OTHER, 0.5))
    assert (found.mean(), found.std()) == pytest.approx((logit(OWN).mean(), logit(OWN).std()))


@pytest.mark.parametrize(
    "other", [pytest.param(np.full(5, 0.5), id="says nothing"), pytest.param(np.zeros(5), id="says no")]
)
def test_a_prior_without_an_opinion_changes_nothing(other):
    assert blending.blended(OWN, other, 0.5) == pytest.approx(OWN)


def test_one_sentence_keeps_its_score():
    assert blending.blended(np.array([0.3]), np.array([0.9]), 0.5) == pytest.approx([0.3])


def test_either_sign_is_enough():
    found = blending.either(np.array([0.0, 0.5, 0.2, 1.0]), np.array([0.0, 0.0, 0.5, 0.3]))
    assert found == pytest.approx([0.0, 0.5, 0.6, 1.0])


def test_a_manifest_names_the_very_version():
    ref = registry.resolve("baseline@1")
    entry = {"name": "baseline", "version": "1", "sha256": ref.sha256, "weight": 0.5}
    assert blending.from_manifest(entry) == blending.Prior(ref, 0.5)
    assert blending.from_manifest(None) is None
    with pytest.raises(ValueError, match="not the one"):
        blending.from_manifest(entry | {"sha256": "0" * 64})
