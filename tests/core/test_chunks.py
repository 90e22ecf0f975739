"""Pieces tile the recording and are cut in pauses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chunks import chunk_spans, pack_windows
from core.records import Span

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
    pauses_s = [(170.0, 171.0), (210.0, 211.5), (390.0, 391.0), (530.0, 531.0), (700.0, 701.0)]
    spans = chunk_spans(talk(800, pauses_s), HOP_S, 800.0)
    cuts_s = [s.end_s for s in spans[:-1]]
    assert cuts_s
    assert all(any(a + 0.2 < cut_s < b - 0.2 for a, b in pauses_s) for cut_s in cuts_s)


def test_the_pause_nearer_to_the_target_is_taken_of_two_alike():
    spans = chunk_spans(talk(400, [(130.0, 131.0), (190.0, 191.0)]), HOP_S, 400.0)
    assert 190 < spans[0].end_s < 191


def test_a_noisy_recording_is_cut_at_its_quietest():
    levels = talk(400, [], speech_dbfs=-30)
    levels[16_500:16_600] -= 12
    spans = chunk_spans(levels, HOP_S, 400.0)
    assert len(spans) == 2
    assert 165.2 < spans[0].end_s < 165.8


@pytest.mark.parametrize("levels", [[], np.full(60_000, np.nan), talk(50, [])], ids=["none", "unknown", "too short"])
def test_cuts_stand_at_the_target_where_the_level_is_not_known(levels):
    spans = chunk_spans(levels, HOP_S, 400.0)
    assert [s.end_s for s in spans] == [180.0, 400.0]


def test_ten_hours_are_cut_into_pieces_of_minutes():
    spans = chunk_spans(np.full(3_600_000, -20, np.float32), HOP_S, 36_000.0)
    assert 150 < len(spans) < 220
    assert max(s.length_s for s in spans) <= 260


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


def test_speech_is_packed_into_windows_with_its_short_pauses():
    speech = [Span(0, 5), Span(6, 12), Span(20, 25), Span(26, 48), Span(48, 60)]
    windows = pack_windows(speech, 29.0, 4.0)
    assert [(w.start_s, w.end_s) for w in windows] == [(0, 12), (20, 48), (48, 60)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 29)), max_size=50))
def test_each_stretch_of_speech_is_in_one_window(drawn):
    speech, at_s = [], 0.0
    for gap_s, length_s in drawn:
        speech.append(Span(at_s + gap_s, min(at_s + gap_s + length_s, at_s + gap_s + 29)))
        at_s = speech[-1].end_s
    windows = pack_windows(speech, 29.0, 4.0)
    assert all(sum(w.start_s <= s.start_s and s.end_s <= w.end_s for w in windows) == 1 for s in speech)
    assert all(w.length_s <= 29.0 + 1e-6 for w in windows)
