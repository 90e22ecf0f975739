"""The paired bootstrap: it finds what is there, finds nothing where there is nothing, and counts lectures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RefusedInput
from training import metrics
from training.comparison import Comparison, compare, fewest_lectures, judge

FOUND = Comparison(40.0, 42.0, 2.0, 0.5, 3.5, 0.99, lectures=50, clips=200, confidence=0.95, resamples=1000, seed=0)


def made_up(seed, *, lectures=40, gain=0.0, clips=5):
    """Clips whose hits are drawn for each lecture from a rate of its own; the challenger's is higher by `gain`."""
    coin = np.random.default_rng(seed)
    lecture = np.repeat(np.arange(lectures), clips).astype(str)
    positives = coin.integers(1, 5, len(lecture))
    rate = np.repeat(coin.uniform(0.3, 0.6, lectures), clips)
    most = np.minimum(positives, 3)
    return lecture, positives, coin.binomial(most, rate), coin.binomial(most, rate + gain)


def test_figures_are_those_of_the_metrics():
    lecture, positives, champion, challenger = made_up(1)
    found = compare(lecture, positives, champion, challenger, confidence=0.95, resamples=200)
    assert found.champion_f1 == pytest.approx(100 * metrics.top_k(champion, positives, 3).f1)
    assert found.challenger_f1 == pytest.approx(100 * metrics.top_k(challenger, positives, 3).f1)
    assert found.difference == pytest.approx(found.challenger_f1 - found.champion_f1)
    assert (found.lectures, found.clips) == (40, 200)


def test_a_clear_gain_is_found_and_a_clear_loss_is_its_mirror():
    lecture, positives, champion, challenger = made_up(2, gain=0.3)
    found = compare(lecture, positives, champion, challenger, confidence=0.95)
    assert found.low > 5
    assert found.better_share > 0.999
    turned = compare(lecture, positives, challenger, champion, confidence=0.95)
    assert (turned.difference, turned.low, turned.high) == pytest.approx((-found.difference, -found.high, -found.low))


def test_where_there_is_no_difference_the_interval_misses_zero_about_as_rarely_as_it_says():
    missed = 0
    for seed in range(200):
        found = compare(*made_up(seed, lectures=30, clips=3), confidence=0.9, resamples=400)
        missed += not found.low <= 0 <= found.high
    assert 5 <= missed <= 40  # 10 % of 200 are 20


def test_the_same_model_twice_differs_by_nothing():
    lecture, positives, champion, _ = made_up(3)
    found = compare(lecture, positives, champion, champion, confidence=0.95, resamples=300)
    assert (found.difference, found.low, found.high, found.better_share) == (0, 0, 0, 0)
    assert not judge(found, 0).better


def test_clips_that_repeat_inside_a_lecture_make_nothing_surer():
    lecture, positives, champion, challenger = made_up(4, lectures=12, clips=2, gain=0.1)
    once = compare(lecture, positives, champion, challenger, confidence=0.95, resamples=2000)
    tenfold = (np.tile(values, 10) for values in (lecture, positives, champion, challenger))
    often = compare(*tenfold, confidence=0.95, resamples=2000)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    alone = compare(np.arange(240).astype(str), *(np.tile(v, 10) for v in (positives, champion, challenger)),
                    confidence=0.95, resamples=2000)  # fmt: skip
    assert alone.high - alone.low < 0.6 * (once.high - once.low)


def test_the_interval_is_the_same_each_time_and_moves_with_the_seed():
    data = made_up(5, gain=0.1)
    first, again = (compare(*data, confidence=0.95, resamples=700) for _ in range(2))
    assert first == again
    other = compare(*data, confidence=0.95, resamples=700, seed=1)
    assert other.low != first.low
    assert other.low == pytest.approx(first.low, abs=1.0)


def test_clips_without_a_positive_and_lectures_that_have_only_such_are_left_out():
    lecture, positives, champion, challenger = made_up(6)
    more = (np.append(lecture, ["empty", lecture[0]]), np.append(positives, [0, 0]),
            np.append(champion, [0, 0]), np.append(challenger, [0, 0]))  # fmt: skip
    assert compare(*more, confidence=0.95, resamples=100) == compare(
        lecture, positives, champion, challenger, confidence=0.95, resamples=100
    )
    with pytest.raises(RefusedInput, match="no clip"):
        compare(["a"], np.array([0]), np.array([0]), np.array([0]), confidence=0.95)
    with pytest.raises(ValueError, match="equally long"):
        compare(["a"], np.array([1, 1]), np.array([0]), np.array([0]), confidence=0.95)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), lectures=st.integers(1, 12), gain=st.sampled_from([0.0, 0.2, 0.39]))
def test_every_comparison_is_in_order(seed, lectures, gain):
    found = compare(*made_up(seed, lectures=lectures, gain=gain), confidence=0.8, resamples=60)
    assert -100 <= found.low <= found.high <= 100
    assert 0 <= found.better_share <= 1
    verdict = judge(found, 1.0)
    assert verdict.better == (
        found.difference >= 1 and found.low > 0 and found.lectures >= fewest_lectures(found.confidence)
    )


@pytest.mark.parametrize(
    ("change", "margin", "better", "says"),
    [
        pytest.param({}, 0.3, True, "better by 2.00 points, and the 95 % interval is +0.50 to +3.50", id="clear"),
        pytest.param({}, 2.0, True, "better by 2.00", id="exactly the margin"),
        pytest.param({}, 2.5, False, "less than the margin of 2.50", id="under the margin"),
        pytest.param({"low": -0.1}, 0.3, False, "may be chance", id="the interval holds 0"),
        pytest.param({"low": 0.0}, 0.0, False, "may be chance", id="the interval begins at 0"),
        pytest.param({"difference": -1.0, "low": -2.0, "high": -0.1}, 0.0, False, "worse by 1.00", id="worse"),
        pytest.param({"difference": 0.0, "low": -2.0}, 0.0, False, "exactly as good", id="equal"),
        pytest.param({"lectures": 5}, 0.3, False, "on 5 lectures; to tell takes 6", id="too few lectures"),
    ],
)  # fmt: skip
def test_the_rule_of_promotion(change, margin, better, says):
    verdict = judge(replace(FOUND, **change), margin)
    assert verdict.better == better
    assert says in verdict.why


@pytest.mark.parametrize(("confidence", "fewest"), [(0.9, 5), (0.95, 6), (0.99, 8)])
def test_surer_takes_more_lectures(confidence, fewest):
    assert fewest_lectures(confidence) == fewest
    assert 2.0**-fewest <= (1 - confidence) / 2 < 2.0 ** -(fewest - 1)
