"""Borders: what is read of the words on both sides, and that a fitted model survives being stored."""

import numpy as np
import pytest

from models.borders import BITS, DEEP, WIDTHS, Borders, cohesion, features, from_bytes, to_bytes
from models.lecture_input import Tokens

STOP, ASKED = 90, 91
RARITY = np.full(100, 3.0, np.float32)
SAID = [[1, 2, 3, STOP], [4, 5, STOP], [6, 7, 8, 9, ASKED], [1, 2, 3, STOP]]


def read(sentences: list[list[int]]) -> np.ndarray:
    return features(Tokens.of(sentences), RARITY, (STOP, ASKED))


def made(weights: np.ndarray, **fields) -> Borders:
    return Borders(weights, 0.5, -2.0, (STOP, ASKED), **fields)


def test_every_border_has_as_many_features_and_the_last_sentence_has_one_too():
    found = read(SAID)
    assert found.shape == (4, found.shape[1]) and found.shape[1] > 90
    assert found.min() >= 0 and found.max() < 1 << BITS
    assert read([]).shape == (0, 0)


def test_a_border_is_what_stands_beside_it_not_where_the_words_are_far_away():
    here = read(SAID)
    elsewhere = read([[1, 2, 3, STOP], [4, 5, STOP], [6, 7, 8, 10, ASKED], [1, 2, 3, STOP]])
    same = (here == elsewhere).mean(axis=1)
    assert same[0] > 0.85  # only cohesion over several sentences may have changed
    assert same[0] - same[2] > 0.1  # its last word did


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param([[1, 2, STOP], [3]], [[1, 2, ASKED], [3]], id="a question"),
        pytest.param([[1, 2, STOP], [3]], [[1, 2], [3]], id="a sentence that breaks off"),
        pytest.param([[1, 2, STOP], [3]], [[2, 1, STOP], [3]], id="another order before"),
        pytest.param([[1], [2, 3, STOP]], [[1], [3, 2, STOP]], id="another order after"),
        pytest.param([[1], [2, 3]], [[2], [1, 3]], id="words that changed sides"),
    ],
)
def test_what_tells_borders_apart(one, other):
    assert (read(one)[0] != read(other)[0]).any()


def test_sentences_without_words_and_single_sentences_have_borders_too():
    assert read([[STOP], [STOP], []]).shape[0] == 3
    assert read([[5]]).shape[0] == 1


def test_cohesion_is_high_within_a_topic_and_low_where_it_ends():
    draw = np.random.default_rng(0)
    sentences = [draw.integers(0, 20, 12) for _ in range(20)] + [draw.integers(40, 60, 12) for _ in range(20)]
    tokens = Tokens.of([list(words) for words in sentences])
    found = cohesion(tokens.ids, np.repeat(np.arange(40), tokens.lengths), 40, RARITY)
    assert found.shape == (40, len(WIDTHS) + 2)
    assert found[:-1, 3].argmin() == 19
    assert found[DEEP:-DEEP, -1].argmax() == 19 - DEEP
    assert found[9, 3] > 0.6 and abs(found[19, 3]) < 0.4


def test_common_words_hold_nothing_together():
    tokens = Tokens.of([[1, 2], [1, 2]])
    assert cohesion(tokens.ids, np.repeat([0, 1], 2), 2, np.zeros(100, np.float32))[0, 0] == 0


def test_logits_add_up_what_each_feature_weighs():
    weights = np.zeros(1 << BITS, np.int8)
    found = read(SAID)
    only = next(number for number in found[2] if (found == number).sum() == 1)
    weights[only] = 6
    assert made(weights).logits(Tokens.of(SAID), RARITY) == pytest.approx([-2, -2, 1, -2])


def test_mixed_with_the_network_as_fitted():
    borders = made(np.zeros(1 << BITS, np.int8), mix=(0.5, 2.0, 1.0))
    found = borders.mixed(Tokens.of(SAID), RARITY, np.array([0.5, 0.8, 0.0, 1.0]))
    assert found[:2] == pytest.approx([0.5, 1 / (1 + 4.0**-2)])
    assert 0 < found[2] < 1e-9 and 1 - 1e-9 < found[3] < 1


def test_a_stored_model_is_the_same():
    weights = np.random.default_rng(0).integers(-127, 128, 1 << BITS).astype(np.int8)
    kept = from_bytes(to_bytes(made(weights, mix=(0.9, 0.2, -0.1))))
    assert np.array_equal(kept.weights, weights)
    assert (kept.unit, kept.bias, kept.punctuation, kept.mix) == (0.5, -2.0, (STOP, ASKED), (0.9, 0.2, -0.1))


def test_a_table_of_another_size_is_refused():
    with pytest.raises(ValueError, match="features expected"):
        from_bytes(to_bytes(made(np.zeros(8, np.int8))))
