"""A clip in which more of what is said stands on the slide is worth a little more."""

import numpy as np
import pytest

from core.slide_talk import MOST, agreement, share_shown
from core.windows import ScoredUnit, Windows


def unit(start_s: float, shown: float | None) -> ScoredUnit:
    return ScoredUnit(start_s, start_s + 10, "said", 0.5, shown=shown)


def each(count: int) -> Windows:
    rows = np.arange(count, dtype=np.int32)
    return Windows(rows, rows, rows * 10.0, rows * 10.0 + 10)


def test_the_share_of_words_on_the_slide_counts_other_forms_and_passes_over_small_words():
    assert share_shown("The basins resonate with these tides.", "Tide and basin") == pytest.approx(2 / 3)
    assert share_shown("And this is what it is.", "Tide and basin") is None
    assert share_shown("Basins resonate.", "") is None


def test_a_window_that_speaks_to_its_slide_is_raised_and_another_lowered_by_little():
    factors = agreement([unit(0, 0.6), unit(10, 0.1), unit(20, 0.2)], each(3))
    assert factors is not None
    assert factors[0] > 1 > factors[1]
    assert np.abs(factors - 1).max() <= MOST


def test_a_window_without_a_slide_keeps_its_value():
    factors = agreement([unit(0, 0.6), unit(10, None), unit(20, 0.2)], each(3))
    assert factors is not None and factors[1] == 1.0


def test_a_recording_without_slides_is_chosen_from_as_it_is():
    assert agreement([unit(0, None), unit(10, None)], each(2)) is None
