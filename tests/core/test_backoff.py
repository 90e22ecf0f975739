import random

import pytest

from core.backoff import Backoff, delays_s, retry


class Passing(Exception): ...


def failing(times: int):
    """A call that fails so often, then answers with the number of calls."""
    calls = []

    def call() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise Passing
        return len(calls)

    return call


def test_waits_are_drawn_below_a_bound_that_doubles_up_to_the_cap():
    backoff = Backoff(attempts=8, base_s=1, cap_s=10)
    many = [list(delays_s(backoff, random.Random(seed))) for seed in range(300)]
    for turn, bound in enumerate([1, 2, 4, 8, 10, 10, 10]):
        drawn = [waits[turn] for waits in many]
        assert 0 <= min(drawn) < 0.1 * bound
        assert 0.9 * bound < max(drawn) <= bound


def test_the_same_seed_gives_the_same_waits_and_another_gives_others():
    first, again, other = (list(delays_s(Backoff(), random.Random(seed))) for seed in (1, 1, 2))
    assert first == again != other


def test_a_single_attempt_has_no_wait():
    assert list(delays_s(Backoff(attempts=1), random.Random(1))) == []


def test_trouble_that_passes_is_waited_out():
    slept: list[float] = []
    backoff = Backoff(attempts=4, base_s=1)
    answer = retry(failing(3), lambda _: True, backoff=backoff, draw=random.Random(5), sleep=slept.append)
    assert answer == 4
    assert slept == list(delays_s(backoff, random.Random(5)))


def test_trouble_that_stays_is_raised_after_the_last_attempt():
    slept: list[float] = []
    with pytest.raises(Passing):
        retry(failing(9), lambda _: True, backoff=Backoff(attempts=3), sleep=slept.append)
    assert len(slept) == 2


def test_trouble_that_does_not_pass_is_raised_at_once():
    slept: list[float] = []
    with pytest.raises(Passing):
        retry(failing(1), lambda _: False, backoff=Backoff(), sleep=slept.append)
    assert not slept


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"base_s": -1}, {"cap_s": -1}])
def test_a_schedule_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="attempt"):
        Backoff(**wrong)
