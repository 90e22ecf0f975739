"""Cuts stand in pauses, never inside words, and say how good they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edges import LEAD_S, SLACK_S, TAIL_S, Edge, Edges, find_edges, split_at_pauses
from core.records import Sentence, Word

FLOOR, VOICE = -65.0, -20.0


def sentence(*times: tuple[float, float], text: str | None = None) -> Sentence:
    words = tuple(Word(f"w{k}", start, end) for k, (start, end) in enumerate(times))
    return Sentence(times[0][0], times[-1][1], text or " ".join(word.text for word in words) + ".", words)


def envelope(duration_s: float, *sounds: tuple[float, float], floor: float = FLOOR) -> np.ndarray:
    """Level per 10 ms: VOICE inside the sounds, floor elsewhere."""
    times = (np.arange(round(duration_s * 100)) + 0.5) / 100
    heard = np.zeros(len(times), dtype=bool)
    for start, end in sounds:
        heard |= (start <= times) & (times < end)
    return np.where(heard, VOICE, floor)


@pytest.mark.parametrize("levels", [None, envelope(20, (2, 4), (8, 10))], ids=["without level", "with level"])
def test_a_wide_pause_leaves_a_lead_before_the_words_and_a_tail_after_them(levels):
    edges = find_edges([sentence((2, 4)), sentence((8, 10))], levels_dbfs=levels, duration_s=20)
    assert [edge.time_s for edge in edges.begins] == pytest.approx([2 - LEAD_S, 8 - LEAD_S], abs=0.02)
    assert [edge.time_s for edge in edges.ends] == pytest.approx([4 + TAIL_S, 10 + TAIL_S], abs=0.02)
    assert all(edge.clean for edge in (*edges.begins, *edges.ends))
    assert edges.ends[0].pause_s == edges.begins[1].pause_s == 4


def test_two_units_share_a_short_pause_half_and_half():
    edges = find_edges([sentence((0, 4)), sentence((4.5, 10))], levels_dbfs=None, duration_s=10)
    assert edges.ends[0].time_s == edges.begins[1].time_s == 4.25
    assert edges.ends[0].clean


def test_a_cut_between_touching_words_is_not_clean_when_no_level_is_known():
    edges = find_edges([sentence((0, 4)), sentence((4, 10))], levels_dbfs=None, duration_s=10)
    assert edges.ends[0].time_s == 4
    assert not edges.ends[0].clean
    assert not edges.begins[1].clean


def test_where_word_times_touch_the_cut_moves_to_the_pause_that_the_level_shows():
    levels = envelope(10, (0, 4.04), (4.16, 10))
    edges = find_edges([sentence((0, 3), (3.2, 4)), sentence((4, 5), (5, 10))], levels_dbfs=levels, duration_s=10)
    assert 4.06 <= edges.ends[0].time_s <= 4.14
    assert edges.ends[0] == edges.begins[1]
    assert edges.ends[0].clean
    assert edges.ends[0].pause_s >= 0.07


@pytest.mark.parametrize(
    "sounds",
    [
        pytest.param([(0, 10)], id="no pause at all"),
        pytest.param([(0, 4.0), (4.02, 10)], id="a stop consonant's 20 ms of quiet"),
    ],
)
def test_a_cut_through_steady_sound_is_not_clean(sounds):
    levels = np.concatenate([envelope(10, *sounds), envelope(5)])
    edges = find_edges([sentence((0, 3), (3.2, 4)), sentence((4, 5), (5, 10))], levels_dbfs=levels, duration_s=15)
    assert not edges.ends[0].clean
    assert abs(edges.ends[0].time_s - 4) <= SLACK_S


def test_a_gap_in_the_words_full_of_sound_is_not_clean():
    levels = np.concatenate([envelope(10, (0, 10)), envelope(5)])
    edges = find_edges([sentence((0, 4)), sentence((4.6, 10))], levels_dbfs=levels, duration_s=15)
    assert not edges.ends[0].clean
    assert not edges.begins[1].clean


def test_quiet_is_judged_against_the_room_of_that_time():
    noisy = np.random.default_rng(1).normal(-38, 0.5, 6000)
    levels = np.concatenate([envelope(60), noisy])
    for start, end in ((60, 90), (90.5, 115)):
        levels[round(start * 100) : round(end * 100)] = -15
    edges = find_edges([sentence((60, 90)), sentence((90.5, 115))], levels_dbfs=levels, duration_s=120)
    assert edges.ends[0].clean
    assert edges.begins[1].clean


def test_the_recording_s_ends_are_clean_cuts_and_bound_every_time():
    edges = find_edges([sentence((0.1, 4)), sentence((5, 9.9))], levels_dbfs=None, duration_s=10)
    assert (edges.begins[0].time_s, edges.ends[1].time_s) == (0, 10)
    assert edges.begins[0].clean
    assert edges.ends[1].clean


def test_shots_without_speech_are_cut_exactly_where_they_change():
    shots = [Sentence(0, 5.04, "", ()), Sentence(5.04, 9, "", ())]
    edges = find_edges(shots, levels_dbfs=envelope(9, (0, 4.9), (5, 9)), duration_s=9)
    assert edges.ends[0].time_s == edges.begins[1].time_s == 5.04
    assert edges.ends[0].clean


def test_no_units_have_no_edges_and_an_empty_envelope_counts_as_none():
    assert find_edges([], levels_dbfs=None, duration_s=1) == Edges((), ())
    units = [sentence((0, 4)), sentence((4.5, 10))]
    assert find_edges(units, levels_dbfs=[], duration_s=10) == find_edges(units, levels_dbfs=None, duration_s=10)


def test_edges_out_of_order_are_refused():
    with pytest.raises(ValueError, match="timeline order"):
        Edges((Edge(3, 1, None, True),), (Edge(2, 1, None, True),))


levels_of_any_kind = st.none() | st.lists(
    st.floats(-100, 0) | st.sampled_from([float("-inf"), float("nan")]), max_size=400
)
steps = st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(0.02, 2)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(units=st.lists(steps, min_size=1, max_size=6), levels=levels_of_any_kind, cut_off=st.floats(0.1, 2))
def test_whatever_the_times_cuts_stay_in_order_and_inside_the_recording(units, levels, cut_off):
    made, now = [], 0.0
    for unit in units:
        times = []
        for gap, length in unit:
            start = max(0.0, now + gap)
            times.append((start, start + length))
            now = start + length
        made.append(sentence(*times) if times[0][0] < times[-1][1] else Sentence(times[0][0], times[0][1], "x", ()))
    duration_s = now * cut_off
    edges = find_edges(made, levels_dbfs=levels, duration_s=duration_s)
    times = [edge.time_s for pair in zip(edges.begins, edges.ends, strict=True) for edge in pair]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= duration_s


@settings(max_examples=100, deadline=None)
@given(
    units=st.lists(st.lists(st.tuples(st.integers(0, 900), st.integers(50, 900)), min_size=1, max_size=4), min_size=1)
)
def test_without_level_no_cut_is_inside_a_word_and_lead_and_tail_hold(units):
    made, now = [], 0
    for unit in units:
        times = []
        for gap, length in unit:
            times.append(((now + gap) / 1000, (now + gap + length) / 1000))
            now += gap + length
        made.append(sentence(*times))
    edges = find_edges(made, levels_dbfs=None, duration_s=now / 1000 + 1)
    words = [word for unit in made for word in unit.words]
    for cut in (*edges.begins, *edges.ends):
        assert not [word for word in words if word.start_s + 0.001 < cut.time_s < word.end_s - 0.001]
    for unit, begin, end in zip(made, edges.begins, edges.ends, strict=True):
        assert -0.001 <= unit.start_s - begin.time_s <= LEAD_S + 0.001
        assert -0.001 <= end.time_s - unit.end_s <= TAIL_S + 0.001


def test_a_long_sentence_is_split_at_its_longest_inner_pause():
    long = sentence((0, 4), (4.1, 9), (10.5, 15), (15.1, 20), text="One two, three four.")
    words = tuple(Word(t, w.start_s, w.end_s) for t, w in zip(("One", "two", "three", "four"), long.words, strict=True))
    pieces = split_at_pauses(Sentence(0, 20, long.text, words), 12)
    assert [(p.start_s, p.end_s, p.text) for p in pieces] == [(0, 9, "One two,"), (10.5, 20, "three four.")]


@settings(max_examples=60, deadline=None)
@given(gaps=st.lists(st.integers(0, 2000), min_size=1, max_size=60), most_s=st.floats(1, 20))
def test_pieces_keep_every_word_and_are_no_longer_than_asked(gaps, most_s):
    times, now = [], 0
    for gap in gaps:
        times.append(((now + gap) / 1000, (now + gap + 400) / 1000))
        now += gap + 400
    unit = sentence(*times)
    pieces = split_at_pauses(unit, most_s)
    assert tuple(word for piece in pieces for word in piece.words) == unit.words
    assert " ".join(piece.text for piece in pieces) == unit.text
    assert all(piece.end_s - piece.start_s <= most_s or len(piece.words) == 1 for piece in pieces)


def test_a_unit_without_words_is_split_evenly():
    assert [(p.start_s, p.end_s) for p in split_at_pauses(Sentence(10, 40, "", ()), 10)] == [
        (10, 20),
        (20, 30),
        (30, 40),
    ]
