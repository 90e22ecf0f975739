"""Every measure against values worked out by hand; the working stands in the comments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import metrics

CLIP = np.array([0, 0, 0, 0, 1, 1])
SCORE = np.array([0.9, 0.1, 0.5, 0.5, 0.2, 0.3])
LABEL = np.array([0, 1, 1, 0, 1, 0])


def flags(text: str) -> np.ndarray:
    return np.array([letter == "x" for letter in text])


# Clip 0 ranks its sentences 0, 2, 3, 1 (2 before 3: equal scores, the earlier first); clip 1 ranks 5, 4.
@pytest.mark.parametrize(("k", "hits"), [(1, [0, 0]), (2, [1, 1]), (3, [1, 1]), (4, [2, 1]), (9, [2, 1])])
def test_hits_are_counted_inside_each_clip_with_ties_to_the_earlier(k, hits):
    assert metrics.top_k_hits(SCORE, LABEL, CLIP, k).tolist() == hits


def test_hits_do_not_depend_on_the_order_of_clips():
    order = np.array([4, 0, 5, 1, 2, 3])
    assert metrics.top_k_hits(SCORE[order], LABEL[order], CLIP[order], 2).tolist() == [1, 1]


def test_precision_divides_by_k_and_f1_is_that_of_the_means():
    # precision (1/3 + 1/3) / 2 = 1/3; recall (1/2 + 1/1) / 2 = 3/4; F1 = 2 · 1/3 · 3/4 / (1/3 + 3/4) = 6/13
    found = metrics.top_k(np.array([1, 1]), np.array([2, 1]), 3)
    assert (found.precision, found.recall, found.f1) == pytest.approx((1 / 3, 3 / 4, 6 / 13))


def test_f1_of_published_means_is_the_published_f1():
    assert 100 * metrics.f1(0.3786, 0.6904) == pytest.approx(48.90, abs=0.005)


def test_a_clip_without_a_positive_is_left_out():
    found = metrics.top_k(np.array([0, 2]), np.array([0, 2]), 3)
    assert (found.precision, found.recall, found.clips) == pytest.approx((2 / 3, 1, 1))


def test_nothing_found_has_an_f1_of_zero_and_nothing_judged_has_none():
    assert metrics.top_k(np.array([0]), np.array([1]), 3).f1 == 0
    assert np.isnan(metrics.top_k(np.zeros(1, int), np.zeros(1, int), 3).f1)


# Windows of k = 2 in 6 sentences, boundaries inside (0,2), (1,3), (2,4), (3,5):
@pytest.mark.parametrize(
    ("true", "found", "pk", "windowdiff"),
    [
        ("..x..x", "..x..x", 0, 0),
        ("..x..x", ".x...x", 2 / 4, 2 / 4),  # true 0 1 1 0, found 1 1 0 0
        (".x...x", "xx...x", 0, 1 / 4),  # true 1 1 0 0, found 2 1 0 0
        ("..x..x", "......", 2 / 4, 2 / 4),  # true 0 1 1 0, found none
        ("..x..x", "..x...", 0, 0),  # whether the lecture ends is not asked
    ],
    ids=["perfect", "one too early", "one too many", "none found", "the end not found"],
)
def test_pk_and_windowdiff_by_hand(true, found, pk, windowdiff):
    assert metrics.window_size(flags(true)) == 2
    assert metrics.pk(flags(true), flags(found)) == pytest.approx(pk)
    assert metrics.windowdiff(flags(true), flags(found)) == pytest.approx(windowdiff)


def test_windows_that_touch_a_left_out_sentence_do_not_count():
    # The last sentence is out, and with it the window (3, 5); left are true 0 1 1, found 1 1 0.
    kept = flags("xxxxx.")
    assert metrics.pk(flags("..x..x"), flags(".x...x"), kept) == pytest.approx(2 / 3)


def test_a_lecture_shorter_than_its_window_has_no_pk():
    assert np.isnan(metrics.pk(flags("x"), flags("x")))
    assert np.isnan(metrics.windowdiff(flags(""), flags("")))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=3, max_size=60))
def test_windowdiff_is_never_less_than_pk_and_both_are_zero_for_the_truth(rows):
    true, found = np.array(rows).T
    assert 0 <= metrics.pk(true, found) <= metrics.windowdiff(true, found) <= 1
    assert metrics.pk(true, true) == metrics.windowdiff(true, true) == 0


def test_segmentation_accuracy_asks_every_sentence():
    assert metrics.segmentation_accuracy(flags("..x..x"), flags("......")) == pytest.approx(4 / 6)


def test_calibration_error_by_hand():
    # Of 15 bins: 0 | 0.1 0.1 | 0.9 | 1. Sums of probability less label: 0, 0.2 - 1, 0.9 - 1, 1 - 1; in all 0.9 of 5.
    probability, label = np.array([0.1, 0.1, 0.9, 1.0, 0.0]), np.array([0, 1, 1, 1, 0])
    assert metrics.expected_calibration_error(probability, label) == pytest.approx(0.9 / 5)


def test_calibrated_probabilities_have_no_error():
    probability = np.repeat([0.25, 0.75], 4)
    assert metrics.expected_calibration_error(probability, np.array([0, 0, 0, 1, 1, 1, 1, 0])) == pytest.approx(0)
