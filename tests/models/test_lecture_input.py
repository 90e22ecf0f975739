import numpy as np
import pytest

from models.lecture_input import EXTRAS, GAP, MAX_TOKENS, Tokens, lecture_input, standardised

RARITY = np.array([0.0, 1.0, 2.0, 4.0], np.float32)


def read(*sentences, slides=None):
    return lecture_input(Tokens.of(sentences), RARITY, slides=None if slides is None else np.array(slides), dimension=0)


def test_words_are_counted_and_first_mentions_told():
    found = read([1, 2], [2, 3])
    words = found.word_features[found.places]
    assert words[:, 0].tolist() == [0.25, 0.5, 0.5, 1.0]
    assert np.exp(words[:, 1] * 3) - 1 == pytest.approx([1, 2, 2, 1], abs=1e-5)
    assert words[:, 2].tolist() == [1, 1, 0, 1]


def test_each_sentence_is_followed_by_padding_that_a_convolution_cannot_reach_across():
    found = read([1, 2], [], [3])
    assert found.tokens.tolist() == [1, 2, 4, 4, 4, 4, 3, 4, 4]
    assert found.places.tolist() == [0, 1, 6]
    assert found.sentence.tolist() == [0, 0, 2]
    assert len(found.tokens) == 3 + 3 * GAP


def test_a_new_slide_counts_anew_and_gives_a_sentence_its_place():
    found = read([1], [1], [1, 2], [2], slides=[7, 7, 9, 9])
    assert found.segment.tolist() == [0, 0, 1, 1]
    assert found.word_features[found.places][:, 6].tolist() == [1, 0, 1, 1, 0]
    assert found.sentences[:, 9].tolist() == [0, 0.5, 0, 0.5]
    assert found.sentences[:, 13].tolist() == [1, 0, 1, 0]
    assert found.sentences[:, 14].tolist() == [0, 1, 0, 1]


def test_hidden_slides_leave_no_trace():
    found = read([1], [1], [1, 2], [2])
    assert not found.has_slides
    assert not found.segment.any()
    assert not found.sentences[:, 8:].any()
    assert not found.word_features[:, 5:].any()


def test_a_lecture_without_a_word_is_read():
    found = read([], [], slides=[0, 1])
    assert found.sentences.shape[0] == 2
    assert np.isfinite(found.sentences).all()


def test_long_sentences_are_read_up_to_the_limit():
    assert Tokens.of([[1] * 100]).lengths.tolist() == [MAX_TOKENS]


def test_columns_are_measured_against_their_own_recording_and_gaps_are_neutral():
    found = standardised(np.array([[1.0, np.nan, 5], [2, np.nan, 5], [3, 8, 5], [100, np.nan, 5]]))
    assert found[:, 1].tolist() == [0, 0, 0, 0]
    assert found[:, 2].tolist() == [0, 0, 0, 0]
    assert found[0, 0] < 0 < found[2, 0]
    assert found[3, 0] == 3
    assert found.shape[1] <= len(EXTRAS)
