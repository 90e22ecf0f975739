"""Quiet places: told from speech by the clip's own floor, never where nothing is known."""

import numpy as np
import pytest

from core.quiet import find_hush, without
from core.records import Word

WORDS = [Word("one", 0.5, 1.0), Word("two", 2.0, 2.5)]


def level(floor: float, loud: float) -> np.ndarray:
    found = np.full(300, floor)
    found[50:100] = found[200:250] = loud
    return found


@pytest.mark.parametrize(("floor", "loud"), [(-60, -20), (-45, -30), (-95, -60), (-np.inf, -10)])
def test_quiet_is_relative_to_the_clip(floor, loud):
    hush = find_hush(WORDS, level(floor, loud), 0.01, ())
    assert hush.within(0.5, 2.5) == [(1.0, 2.0)]
    assert hush.holds(np.array([0.9, 1.0, 1.01, 1.5, 1.99, 2.1]), 0.01).tolist() == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_no_quiet_is_found_where_floor_and_speech_lie_close():
    assert find_hush(WORDS, level(-30, -20), 0.01, ()).spans == ()
    assert find_hush([], level(-60, -20), 0.01, ()).spans == ()
    assert find_hush(WORDS, np.zeros(0), 0.01, ()).spans == ()
    assert find_hush(WORDS, None, 0.01, ()).spans == ()


def test_a_click_does_not_end_a_pause_but_a_cough_does():
    sound = level(-60, -20)
    sound[150:154] = -40
    assert find_hush(WORDS, sound, 0.01, ()).within(1.0, 2.0) == [(1.0, 2.0)]
    sound[150:160] = -40
    assert find_hush(WORDS, sound, 0.01, ()).within(1.0, 2.0) == [(1.0, 1.5), (1.6, 2.0)]


def test_the_level_at_a_place_is_the_highest_near_it():
    sound = level(-60, -20)
    near = find_hush(WORDS, sound, 0.01, ()).near_dbfs(np.array([1.5, 1.02, 1.96, 99.0]))
    assert near.tolist() == [-60, -20, -60, 0]


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(1, 5)]),
        ([(2, 3)], [(1, 2), (3, 5)]),
        ([(0, 2), (4, 9)], [(2, 4)]),
        ([(0, 9)], []),
        ([(0, 1), (5, 6)], [(1, 5)]),
        ([(2, 4), (3, 4.5)], [(1, 2), (4.5, 5)]),
    ],
)
def test_what_is_taken_is_left_out(taken, left):
    assert without((1, 5), taken) == left
