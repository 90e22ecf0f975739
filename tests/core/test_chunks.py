"""Pieces tile the recording and are cut in pauses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chunks import chunk_spans

HOP_S = 0.01


def talk(duration_s: float, pauses_s: list[tuple[float, float]], speech_dbfs: float = -20.0) -> np.ndarray:
    """Levels of speech with pauses at -60 dBFS, with a ripple so that no two places are alike."""
    times = np.arange(round(duration_s / HOP_S)) * HOP_S
    levels = speech_dbfs + 3 * np.sin(times * 7)
    for start_s, end_s in pauses_s:
        levels[(times >= start_s) & (times < end_s)] = -60
    return levels


def test_a_short_recording_is_one_piece():
    spans = chunk_spans(talk(100, []), HOP_S, 100.0)
    assert [(s.start_s, s.end_s) for s in spans] == [(0.0, 100.0)]


def test_cuts_stand_in_pauses():
    pauses_s = [(280.0, 281.0), (330.0, 331.5), (600.0, 601.0), (905.0, 906.0)]
    spans = chunk_spans(talk(1_200, pauses_s), HOP_S, 1_200.0)
    cuts_s = [s.end_s for s in spans[:-1]]
    assert cuts_s
    assert all(any(a + 0.2 < cut_s < b - 0.2 for a, b in pauses_s) for cut_s in cuts_s)


def test_the_pause_nearer_to_the_target_is_taken_of_two_alike():
    spans = chunk_spans(talk(600, [(200.0, 201.0), (310.0, 311.0)]), HOP_S, 600.0)
    assert 310 < spans[0].end_s < 311


def test_a_noisy_recording_is_cut_at_its_quietest():
    spans = chunk_spans(talk(600, [], speech_dbfs=-30) + 10 * (talk(600, [(290, 291)]) < -50) - 15, HOP_S, 600.0)
    assert len(spans) == 2


@pytest.mark.parametrize("levels", [[], np.full(60_000, np.nan), talk(50, [])], ids=["none", "unknown", "too short"])
def test_cuts_stand_at_the_target_where_the_level_is_not_known(levels):
    spans = chunk_spans(levels, HOP_S, 600.0)
    assert [s.end_s for s in spans] == [300.0, 600.0]


def test_ten_hours_are_cut_into_pieces_of_minutes():
    spans = chunk_spans(np.full(3_600_000, -20, np.float32), HOP_S, 36_000.0)
    assert 100 < len(spans) < 140
    assert max(s.length_s for s in spans) <= 420


def test_nothing_is_cut_into_nothing():
    assert chunk_spans([], HOP_S, 0.0) == []


@settings(max_examples=100, deadline=None)
@given(
    st.floats(0.05, 3_000),
    st.lists(st.floats(-120, 0), max_size=300),
    st.floats(5, 400),
    st.floats(1, 3),
    st.sampled_from([0.01, 0.02, 1.0]),
)
def test_pieces_tile_the_recording_and_are_never_too_long(duration_s, levels, target_s, slack, hop_s):
    spans = chunk_spans(levels, hop_s, duration_s, target_s, target_s * slack)
    assert spans[0].start_s == 0.0
    assert spans[-1].end_s == duration_s
    assert all(a.end_s == b.start_s for a, b in zip(spans, spans[1:], strict=False))
    assert all(s.length_s <= target_s * slack + 0.001 for s in spans)
