"""Candidate windows keep the band exactly; each term of their value says what it is named for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edges import Edge, Edges, find_edges
from core.records import Word
from core.windows import (
    QUANTUM,
    WEIGHTS,
    ScoredUnit,
    Windows,
    candidate_windows,
    gather_evidence,
    split_long_units,
    window_parts,
    window_values,
)

PLAIN = "Plain words are spoken here."


def talk(
    *texts: str, scores: list[float] | None = None, pause_s: float = 0.5, length_s: float = 10.0
) -> list[ScoredUnit]:
    step = length_s + pause_s
    return [
        ScoredUnit(k * step, k * step + length_s, text, scores[k] if scores else 0.5, slide=0)
        for k, text in enumerate(texts)
    ]


def parts_of(units: list[ScoredUnit], first: int, last: int, language: str | None = "en") -> dict[str, float]:
    edges = find_edges(units, levels_dbfs=None, duration_s=units[-1].end_s + 1)
    one = Windows(
        np.array([first], dtype=np.int32),
        np.array([last], dtype=np.int32),
        np.array([edges.begins[first].time_s]),
        np.array([edges.ends[last].time_s]),
    )
    evidence = gather_evidence(units, edges, language=language)
    parts = {name: float(part[0]) for name, part in window_parts(evidence, one, min_s=5, max_s=500).items()}
    return parts | {"value": float(window_values(evidence, one, min_s=5, max_s=500)[0])}


def opening(text: str, language: str | None = "en") -> float:
    return parts_of(talk(PLAIN, text, PLAIN), 1, 2, language)["opening"]


def ending(text: str, language: str | None = "en") -> float:
    return parts_of(talk(PLAIN, text, PLAIN, PLAIN), 0, 1, language)["ending"]


@settings(max_examples=100, deadline=None)
@given(
    times=st.lists(st.integers(0, 60_000), min_size=2, max_size=24),
    band=st.tuples(st.integers(1, 30_000), st.integers(1, 30_000)),
)
def test_candidates_are_all_windows_of_the_band_and_no_others(times, band):
    times_s = [time / 1000 for time in sorted(times[: len(times) // 2 * 2])]
    cuts = [Edge(time, 1.0, None, True) for time in times_s]
    edges = Edges(tuple(cuts[::2]), tuple(cuts[1::2]))
    min_s, max_s = min(band) / 1000, max(band) / 1000
    found = candidate_windows(edges, min_s=min_s, max_s=max_s)
    count = len(edges.begins)
    lengths = {(i, j): edges.ends[j].time_s - edges.begins[i].time_s for i in range(count) for j in range(i, count)}
    expected = [pair for pair, length in lengths.items() if min_s <= length <= max_s]
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == expected
    assert all(min_s <= length <= max_s for length in (found.end_s - found.start_s))


def test_no_units_have_no_candidates():
    assert len(candidate_windows(Edges((), ()), min_s=1, max_s=2)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "And the liver is next.",
        "But that is not all.",
        "So this is why it fails.",
        "This shows the result.",
        "They came later.",
        "As we saw before, the cell divides.",
        "Although it's specific, cells divide.",
        "Um, and then cells divide.",
        "Because of the clock, cells divide.",
        "Is sufficient to block the enzyme.",
        "of the enzyme in the liver.",
    ],
)
def test_a_beginning_that_refers_back_is_worth_less(text):
    assert opening(text) < opening("The liver keeps its own clock.")


@pytest.mark.parametrize("text", ["Is the liver a clock?", "What is a clock?", "Thousands of clocks tick.", "Andes."])
def test_questions_and_words_that_only_look_alike_may_open_a_clip(text):
    assert opening(text) == 1.0


def test_english_heuristics_leave_other_languages_alone():
    assert opening("So ist es.", "de") == 1.0
    assert opening("So ist es.", None) < 1.0
    assert ending("Das ist das.", "de") == 1.0
    assert parts_of(talk("Thank you.", "Thank you."), 0, 1, "fr")["matter"] == 1.0


def test_what_follows_a_broken_sentence_is_no_beginning_and_the_broken_one_no_end():
    broken = talk("It binds to the.", "Promoter of the clock.", PLAIN)
    assert parts_of(broken, 1, 2)["opening"] < 0.4
    assert parts_of(broken, 0, 0)["ending"] < 0.4


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param("The clock ticks.", 1.0, 1.0, id="a full stop completes"),
        pytest.param("“The clock ticks.”", 1.0, 1.0, id="a quoted stop completes"),
        pytest.param("時計が進む。", 1.0, 1.0, id="an ideographic stop completes"),
        pytest.param("Why does the clock tick?", 0.4, 0.7, id="a question hangs"),
        pytest.param("The clock ticks,", 0.0, 0.3, id="a comma leaves it open"),
    ],
)
def test_how_a_window_ends(text, least, most):
    assert least <= ending(text) <= most


def test_a_transcript_without_stops_is_not_blamed_for_it():
    assert parts_of(talk("the clock ticks", "the liver sleeps", "the cell divides"), 0, 1)["ending"] == 1.0


def test_an_end_is_worth_less_when_the_next_sentence_goes_on_with_it():
    assert parts_of(talk(PLAIN, PLAIN, "Which is why."), 0, 1)["ending"] < ending(PLAIN)


def test_a_topic_starts_after_a_long_pause_or_on_a_new_slide():
    close = parts_of(talk(PLAIN, PLAIN, PLAIN, pause_s=0.2), 1, 2)
    apart = parts_of(talk(PLAIN, PLAIN, PLAIN, pause_s=2.0), 1, 2)
    turned = talk(PLAIN, PLAIN, PLAIN, pause_s=0.2)
    turned[1:] = [replace(unit, slide=1) for unit in turned[1:]]
    assert close["topic_start"] == 0.0
    assert apart["topic_start"] == 1.0
    assert parts_of(turned, 1, 2)["topic_start"] == 1.0
    assert parts_of(turned, 0, 0)["topic_end"] == 1.0


def test_a_model_s_boundaries_are_used_where_it_gives_them():
    units = [
        replace(unit, boundary=b) for unit, b in zip(talk(*[PLAIN] * 4, pause_s=0.2), (0.9, 0, 0.9, 0), strict=True)
    ]
    inside, across = parts_of(units, 1, 2), parts_of(units, 0, 1)
    assert inside["topic_start"] == pytest.approx(0.63)
    assert inside["topic_end"] == pytest.approx(0.63)
    assert inside["one_topic"] == 1.0
    assert across["one_topic"] < 0.85
    assert inside["value"] > across["value"]


def test_unclean_cuts_are_a_last_resort():
    touching, apart = parts_of(talk(*[PLAIN] * 4, pause_s=0.0), 1, 2), parts_of(talk(*[PLAIN] * 4, pause_s=0.2), 1, 2)
    assert touching["cuts"] == 0.25
    assert touching["value"] < 0.3 * apart["value"]


def test_dead_air_and_sparse_speech_lower_the_value():
    tight, loose = parts_of(talk(*[PLAIN] * 4), 1, 2), parts_of(talk(*[PLAIN] * 4, pause_s=9), 1, 2)
    assert tight["flow"] == 1.0
    assert loose["flow"] < 0.6
    sparse = talk(*[PLAIN * 9] * 6, "Hm.", PLAIN * 9)
    assert parts_of(sparse, 6, 6)["pace"] < 0.5
    assert parts_of(sparse, 5, 5)["pace"] > 0.99


def test_greetings_and_housekeeping_lower_the_value():
    units = talk(PLAIN, "Can everyone hear me?", "Thank you so much for coming.", PLAIN, PLAIN)
    assert parts_of(units, 1, 2)["matter"] == pytest.approx(0.4)
    assert parts_of(units, 3, 4)["matter"] == 1.0


def test_a_better_score_is_worth_more_and_the_peak_is_the_mean_of_the_best_third():
    scores = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    units = talk(*[PLAIN] * 6, scores=scores)
    assert parts_of(units, 3, 5)["value"] > parts_of(units, 0, 2)["value"]
    assert parts_of(units, 0, 5)["peak"] == pytest.approx(0.9)
    assert parts_of(units, 0, 5)["strength"] == pytest.approx(0.5)


def test_scores_close_together_are_told_apart_as_well_as_scores_wide_apart():
    near = [0.5 + 0.2 * k / 5 for k in range(6)]
    wide = [k / 5 for k in range(6)]
    a, b = (parts_of(talk(*[PLAIN] * 6, scores=scores), 3, 5) for scores in (near, wide))
    assert a == pytest.approx(b)


@settings(max_examples=50, deadline=None)
@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    texts=st.lists(st.text(max_size=30), min_size=12, max_size=12),
    language=st.sampled_from([None, "en", "de", "ja"]),
)
def test_every_value_is_a_positive_multiple_of_the_quantum_up_to_one(scores, texts, language):
    units = talk(*texts[: len(scores)], scores=scores)
    edges = find_edges(units, levels_dbfs=None, duration_s=500)
    windows = candidate_windows(edges, min_s=5, max_s=60)
    evidence = gather_evidence(units, edges, language=language)
    values = window_values(evidence, windows, min_s=5, max_s=60)
    assert ((values > 0) & (values <= 1.0)).all()
    assert (values / QUANTUM == np.round(values / QUANTUM)).all()
    for part in window_parts(evidence, windows, min_s=5, max_s=60).values():
        assert ((part >= 0) & (part <= 1)).all()


def test_recordings_without_speech_are_valued_by_what_there_is():
    shots = [ScoredUnit(k * 10.0, k * 10.0 + 10, "", k / 5, slide=k) for k in range(6)]
    parts = parts_of(shots, 4, 5)
    assert parts["opening"] == parts["ending"] == parts["pace"] == parts["cuts"] == parts["topic_start"] == 1.0
    assert parts["value"] > parts_of(shots, 1, 2)["value"]


def test_the_weights_sum_to_one():
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)


def test_units_too_long_for_a_clip_are_split_and_remember_their_row():
    words = tuple(Word(f"w{k}", k * 1.0, k + 0.5) for k in range(100))
    long = ScoredUnit(0, 99.5, " ".join(w.text for w in words), 0.7, words, boundary=0.9)
    short = ScoredUnit(101, 104, "Short.", 0.2)
    pieces = split_long_units([long, short, replace(short, row=9)], 40)
    assert len(pieces) > 6
    assert all(piece.end_s - piece.start_s <= 10 for piece in pieces[:-2])
    assert {piece.row for piece in pieces[:-2]} == {0}
    assert [piece.boundary for piece in pieces[:-2]] == [0.0] * (len(pieces) - 3) + [0.9]
    assert {piece.score for piece in pieces[:-2]} == {0.7}
    assert (pieces[-2].row, pieces[-1].row) == (1, 9)
    assert split_long_units([short], 40)[0] == replace(short, row=0)
