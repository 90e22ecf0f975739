import numpy as np
import pytest
import torch

from models.highlight import Batch, HighlightConfig, HighlightNetwork
from models.lecture_input import EXTRAS, Tokens, lecture_input

CONFIG = HighlightConfig(
    vocabulary=50, word_size=8, reader_size=16, vector_size=12, size=24, layers=2, heads=6, dropout=0.0
)
COIN = np.random.default_rng(0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = HighlightNetwork(CONFIG)
    torch.nn.init.normal_(network.out.weight)
    network.rarity.copy_(torch.rand(50))
    return network.eval()


def lecture(lengths, slides=None, vectors=True, extras=None):
    coin = np.random.default_rng(1)
    tokens = Tokens.of([coin.integers(0, 50, n) for n in lengths])
    rarity = np.linspace(0, 3, 50, dtype=np.float32)
    given = coin.normal(size=(len(lengths), 12)).astype(np.float32) if vectors else None
    slides = None if slides is None else np.array(slides)
    return Batch.of(lecture_input(tokens, rarity, slides=slides, vectors=given, extras=extras, dimension=12))


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(lecture([3, 5, 2]), id="sentences"),
        pytest.param(lecture([0, 5, 0]), id="sentences without words between others"),
        pytest.param(lecture([0, 0]), id="no words at all"),
        pytest.param(lecture([4]), id="one sentence"),
        pytest.param(lecture([4, 4, 4], slides=[0, 0, 1]), id="slides"),
        pytest.param(lecture([4, 4], vectors=False), id="no sentence vectors"),
    ],
)
def test_every_sentence_gets_two_finite_logits(network, batch):
    highlight, boundary = network(batch)
    assert highlight.shape == boundary.shape == (len(batch.sentences),)
    assert torch.isfinite(torch.stack([highlight, boundary])).all()


def test_three_thousand_sentences_go_through_in_one_pass(network):
    with torch.inference_mode():
        assert len(network(lecture([6] * 3_000))[0]) == 3_000


def test_words_of_one_sentence_do_not_leak_into_another(network):
    full, changed = lecture([3, 4, 5]), lecture([3, 4, 5])
    changed.tokens[full.places[full.sentence == 2]] = 7
    before, after = network.reader(full), network.reader(changed)
    assert torch.allclose(before[0], after[0], atol=1e-5)
    assert not torch.allclose(before[2], after[2], atol=1e-2)
    only_next = 4 * CONFIG.reader_size
    assert torch.allclose(before[1][:only_next], after[1][:only_next], atol=1e-5)
    assert not torch.allclose(before[1][only_next:], after[1][only_next:], atol=1e-2)


def test_a_group_that_training_never_showed_has_no_say(network):
    loud = np.random.default_rng(2).normal(size=(3, len(EXTRAS)))
    fresh = HighlightNetwork(CONFIG).eval()
    torch.nn.init.normal_(fresh.out.weight)
    assert torch.equal(fresh(lecture([3, 5, 2]))[0], fresh(lecture([3, 5, 2], extras=loud))[0])


def test_slides_change_what_is_said_and_their_numbers_do_not(network):
    hidden, shown = lecture([3, 5, 2]), lecture([3, 5, 2], slides=[4, 4, 9])
    assert not torch.equal(network(hidden)[0], network(shown)[0])
    assert torch.equal(network(shown)[0], network(lecture([3, 5, 2], slides=[0, 0, 1]))[0])


def test_calibration_moves_the_logits(network):
    plain = network(lecture([3, 5, 2]))[0].detach()
    network.scale[0], network.shift[0] = 2.0, -1.0
    try:
        assert torch.allclose(network(lecture([3, 5, 2]))[0], 2 * plain - 1, atol=1e-5)
    finally:
        network.scale[0], network.shift[0] = 1.0, 0.0
