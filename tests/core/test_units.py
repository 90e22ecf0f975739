"""Units without speech tile the recording, last 4–12 s, and begin where the picture changes or the sound rests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import Sentence, SlideSpan
from core.units import units_without_speech


def shots(*starts_s: float, end_s: float) -> list[SlideSpan]:
    edges = [0.0, *starts_s, end_s]
    kinds = ["start", *["shot"] * len(starts_s)]
    return [SlideSpan(a, b, kind) for a, b, kind in zip(edges, edges[1:], kinds, strict=False)]  # type: ignore[arg-type]


def borders(units: list[Sentence]) -> list[float]:
    return [unit.start_s for unit in units[1:]]


def test_borders_fall_on_changes_of_the_picture():
    units = units_without_speech(shots(7.3, 14.1, 23.6, end_s=30), None, 30)
    assert borders(units) == pytest.approx([7.3, 14.1, 23.6])


def test_borders_fall_on_quiet_points_where_the_picture_stands_still():
    level = np.full(3_000, -20, np.float32)
    for at_s in (6.7, 13.3, 21.9):
        level[round(at_s * 100) - 15 : round(at_s * 100) + 15] = -70
    assert borders(units_without_speech(shots(end_s=30), level, 30)) == pytest.approx([6.7, 13.3, 21.9], abs=0.1)


def test_changes_too_close_together_give_no_short_unit():
    flicker = [10 + i / 10 for i in range(20)]
    units = units_without_speech(shots(*flicker, end_s=30), None, 30)
    assert any(border in flicker for border in borders(units))
    assert all(4 <= unit.end_s - unit.start_s <= 12 for unit in units)


@pytest.mark.parametrize("duration_s", [0.04, 1.0, 3.999])
def test_a_very_short_recording_is_one_unit(duration_s: float):
    assert units_without_speech(None, None, duration_s) == [Sentence(0, duration_s, "", ())]


def test_without_picture_and_sound_units_are_about_eight_seconds():
    lengths = [unit.end_s - unit.start_s for unit in units_without_speech(None, None, 600)]
    assert lengths == pytest.approx([8] * 75, abs=1)


@settings(max_examples=60, deadline=None)
@given(
    duration_s=st.floats(0.02, 150, allow_nan=False),
    cuts=st.lists(st.floats(0, 1), max_size=30),
    level=st.lists(st.sampled_from([-20.0, -60.0, -np.inf, np.nan, 0.0]), max_size=40),
)
def test_units_always_tile_the_recording(duration_s: float, cuts: list[float], level: list[float]):
    starts = sorted({cut * duration_s for cut in cuts if 0 < cut * duration_s < duration_s})
    units = units_without_speech(shots(*starts, end_s=duration_s), np.repeat(level, 200), duration_s)
    assert units[0].start_s == 0
    assert units[-1].end_s == duration_s
    assert all(a.end_s == b.start_s for a, b in zip(units, units[1:], strict=False))
    if duration_s >= 4:
        assert all(4 - 1e-9 <= unit.end_s - unit.start_s <= 12 + 1e-9 for unit in units)


@pytest.mark.parametrize("duration_s", [0.0, -2.0, float("nan"), float("inf")])
def test_a_duration_that_is_none_is_refused(duration_s: float):
    with pytest.raises(ValueError, match="duration_s"):
        units_without_speech(None, None, duration_s)
