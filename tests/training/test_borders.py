"""Topic ends learned from the words beside them, and what they and the network weigh."""

import numpy as np
import pytest

from models import encoders, text
from training import borders, calibration
from training.data import LectureData
from training.module import HighlightModule

NAME = "all-minilm-l6-v2"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    found = LectureData(with_vectors=False, threads=1, cache=str(tmp_path_factory.mktemp("corpora")))
    found.setup("fit")
    return found


@pytest.fixture(scope="module")
def fitted(data):
    marks = text.marks(encoders.resolve(NAME).folder)
    return borders.fit(data.corpora["train"], data.rarity, marks, passes=40)


@pytest.fixture(scope="module")
def truth(data):
    _, ends = borders.examples(data.corpora["dev"], data.rarity, ())
    return ends.numpy() > 0


def test_the_marks_of_punctuation_are_known():
    folder = encoders.resolve(NAME).folder
    kept = text.tokenizer(folder)("So: yes, no; what? Oh! Well.", add_special_tokens=False)["input_ids"]
    words = [token for token in kept if token not in text.marks(folder)]
    assert text.tokenizer(folder).decode(words) == "so yes no what oh well"


def test_topic_ends_are_learned(data, fitted, truth):
    corpus = data.corpora["dev"]
    found = np.concatenate([fitted.logits(corpus[index].tokens, data.rarity) for index in range(len(corpus))])
    assert ((found > 0) == truth).mean() > 0.97


def test_the_same_lectures_give_the_same_model(data, fitted):
    again = borders.fit(data.corpora["train"], data.rarity, fitted.punctuation, passes=40)
    assert np.array_equal(again.weights, fitted.weights)


def test_the_mixture_leans_on_what_knows_something(data, fitted, truth):
    module = HighlightModule(
        size=24, layers=1, heads=6, reader_size=16, word_size=8, vector_size=0
    ).eval()  # says the same of every sentence
    module.network.rarity.copy_(module.network.rarity.new_tensor(data.rarity))
    corpus = data.corpora["dev"]
    mixed = calibration.calibrate_borders(fitted, module, corpus)
    assert mixed.mix[0] > 0.2
    found = [
        mixed.mixed(corpus[index].tokens, data.rarity, np.full(len(corpus[index].label), 0.15))
        for index in range(len(corpus))
    ]
    assert ((np.concatenate(found) > 0.5) == truth).mean() > 0.97


def test_logistic_regression_finds_what_made_the_labels():
    draw = np.random.default_rng(0)
    x = draw.standard_normal(20_000)
    truth = draw.random(20_000) < 1 / (1 + np.exp(-(1.5 * x - 0.7)))
    found = calibration.logistic(np.stack([x, np.ones_like(x)]), truth.astype(float))
    assert found == pytest.approx((1.5, -0.7), abs=0.06)
