"""Training begins where a version stopped, with sentence vectors beside it or without."""

import numpy as np
import pytest
import torch

from core.errors import RefusedInput
from models import learned, pretrained, registering
from models.highlight import Batch, HighlightConfig, HighlightNetwork
from models.lecture_input import Tokens, lecture_input
from training.starting import begin_with

SIZES = {"word_size": 8, "reader_size": 16, "size": 24, "layers": 1}
TOKENS = Tokens.of([[2001, 2002, 1012], [2003, 1012], [2004, 2005, 2006, 1012]])


def network(**sizes) -> HighlightNetwork:
    found = HighlightNetwork(HighlightConfig(**(SIZES | sizes))).eval()
    torch.nn.init.normal_(found.out.weight)
    return found


def answers(found: HighlightNetwork, vectors=None) -> np.ndarray:
    size = found.config.vector_size
    read = lecture_input(TOKENS, found.rarity.numpy(), vectors=vectors, dimension=size)
    with torch.inference_mode():
        return torch.stack(found(Batch.of(read))).numpy()


@pytest.fixture
def version(winnow_home):
    """A words-only version in the user's own registry, and its network."""
    torch.manual_seed(0)
    found = network(vector_size=0)
    found.scale.fill_(2.0)
    entry = {"name": "all-minilm-l6-v2", "sha256": pretrained.resolve("all-minilm-l6-v2").sha256}
    manifest = {"kind": "highlight", "description": "A test.", "licence": "Apache-2.0", "encoder": entry}
    registering.register(str(winnow_home / "models"), "words", learned.files_of(found), manifest)
    found.scale.fill_(1.0)
    return found


@pytest.mark.parametrize("size", [0, 6], ids=["as it was", "with vectors beside its words"])
def test_at_first_it_answers_as_the_version_did_before_calibration(version, size):
    fresh = network(vector_size=size)
    vectors = np.random.default_rng(0).standard_normal((3, size)).astype(np.float32) if size else None
    assert not np.allclose(answers(fresh, vectors), answers(version), atol=0.1)
    begin_with(fresh, "words@1")
    assert answers(fresh, vectors) == pytest.approx(answers(version), abs=0.02)


def test_the_vectors_can_be_learned(version):
    fresh = network(vector_size=6)
    begin_with(fresh, "words")
    read = lecture_input(TOKENS, fresh.rarity.numpy(), vectors=np.ones((3, 6), np.float32), dimension=6)
    fresh(Batch.of(read))[0].sum().backward()
    assert fresh.enter.weight.grad is not None
    assert fresh.enter.weight.grad[:, 16:22].shape == (24, 6)
    assert fresh.enter.weight.detach()[:, 16:22].abs().max() == 0


@pytest.mark.parametrize(
    ("reference", "sizes", "says"),
    [
        pytest.param("words", {"size": 48}, "other sizes", id="other sizes"),
        pytest.param("nobody", {}, "nobody", id="no such version"),
        pytest.param("baseline", {}, "has no network", id="a model without a network"),
    ],
)
def test_what_cannot_be_begun_with_is_refused(version, reference, sizes, says):
    with pytest.raises(RefusedInput, match=says):
        begin_with(network(vector_size=0, **sizes), reference)
