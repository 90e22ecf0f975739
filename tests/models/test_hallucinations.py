"""What nobody said goes, what was said stays, and words lie on their sound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import Span, Word
from models.hallucinations import (
    Heard,
    clean,
    cut_loops,
    drop_unspoken,
    find_loop,
    in_order,
    is_looped,
    is_made_up,
    settle_edges,
)

HOP_S = 0.01


def words(text: str, start_s: float = 0.0, step_s: float = 0.4, probability: float = 0.9) -> list[Word]:
    """`text` spoken without pauses."""
    return [
        Word(part, round(start_s + i * step_s, 3), round(start_s + (i + 1) * step_s, 3), probability)
        for i, part in enumerate(text.split())
    ]


def heard(text: str, logprob: float = -0.2, no_speech: float = 0.05) -> Heard:
    return Heard(Span(0.0, 29.0), tuple(words(text, step_s=0.1)), logprob, no_speech)


def text_of(found: list[Word]) -> str:
    return " ".join(word.text for word in found)


def levels(duration_s: float, loud: list[tuple[float, float]]) -> np.ndarray:
    times = np.arange(round(duration_s / HOP_S)) * HOP_S
    found = np.full(len(times), -60.0, np.float32)
    for start_s, end_s in loud:
        found[(times >= start_s - 1e-6) & (times < end_s - 1e-6)] = -20.0
    return found


@pytest.mark.parametrize(
    ("text", "once"),
    [
        pytest.param("and so " + "thank you very much " * 9, "and so thank you very much", id="a phrase to the end"),
        pytest.param("the the the the the the the the the the", "the", id="one word"),
        pytest.param("it is, It is. it is it is IT IS and then we left", "it is, and then we left", id="any case"),
    ],
)
def test_a_loop_is_cut_down_to_its_first_time_round(text, once):
    kept, notes = cut_loops(words(text))
    assert text_of(kept) == once
    assert len(notes) == 1 and "repetition loop" in notes[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("no no no no that is not what I meant", id="emphasis"),
        pytest.param(
            "we go up and up and up and up and then we come down again as all things do", id="a figure of speech"
        ),
        pytest.param("row row row your boat gently down the stream", id="a song"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_people_repeat_stays(text):
    kept, notes = cut_loops(words(text))
    assert text_of(kept) == text and not notes


def test_a_loop_is_found_where_it_begins():
    assert find_loop(list("abxyzxyzxyzxyzc")) == (2, 3, 4)


def test_text_that_compresses_well_is_looped_although_no_unit_repeats_exactly():
    text = " ".join(f"the quick brown fox jumps over the lazy dog and then {word}" for word in "abcdefgh")
    assert is_looped(heard(text))


def test_a_speakers_text_is_not_looped():
    assert not is_looped(heard("The near side runs ahead, the far side is left behind and the ocean is drawn out."))


@pytest.mark.parametrize(
    "made_up",
    [
        pytest.param(heard("I'm going to do that.", logprob=-1.67, no_speech=0.89), id="noise"),
        pytest.param(heard("The", logprob=-3.63, no_speech=0.47), id="a tone"),
        pytest.param(heard("Thank you.", logprob=-0.75, no_speech=0.95), id="a stock phrase over silence"),
    ],
)
def test_text_over_noise_is_made_up(made_up):
    assert is_made_up(made_up)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(heard("My name is Griffin.", logprob=-0.4, no_speech=0.54), id="a faint voice"),
        pytest.param(heard("Thank you.", logprob=-0.3, no_speech=0.1), id="thanks"),
        pytest.param(heard("That is a mumbled sentence.", logprob=-1.1, no_speech=0.2), id="a mumble"),
    ],
)
def test_speech_is_not_made_up(said):
    assert not is_made_up(said)


def test_an_improbable_phrase_where_nobody_speaks_is_dropped_with_a_note():
    said = [*words("we begin here"), *words("thanks for watching", 20.0, probability=0.4), *words("and go on", 40.0)]
    kept, notes = drop_unspoken(said, [Span(0.0, 1.4), Span(39.8, 41.5)])
    assert text_of(kept) == "we begin here and go on"
    assert notes == ['At 20.0 s: "thanks for watching" was heard where nobody seems to speak.']


def test_probable_words_outside_the_detected_speech_stay():
    said = [*words("we begin here"), *words("a soft remark", 20.0, probability=0.9)]
    assert drop_unspoken(said, [Span(0.0, 1.4)]) == (said, [])


def test_real_thanks_at_the_end_stay():
    said = [*words("that was all"), *words("Thank you.", 6.0, probability=0.95)]
    assert drop_unspoken(said, [Span(0.0, 1.4), Span(5.8, 7.0)]) == (said, [])


def test_a_word_stretched_over_a_pause_is_cut_back_to_its_sound():
    said = [Word("and", 0.2, 0.5), Word("then", 0.5, 5.6), Word("we", 5.6, 5.9)]
    settled = settle_edges(said, [(0.9, 5.5)])
    assert [(w.start_s, w.end_s) for w in settled] == [(0.2, 0.5), (0.5, 0.9), (5.5, 5.9)]


def test_a_word_that_begins_in_the_pause_before_it_is_moved_to_its_sound():
    settled = settle_edges([Word("So", 1.0, 2.4)], [(0.0, 2.1)])
    assert (settled[0].start_s, settled[0].end_s) == (2.1, 2.4)


def test_a_word_that_ends_too_early_reaches_to_where_the_sound_ends():
    settled = settle_edges([Word("end.", 1.0, 1.3)], [(1.45, 3.0)])
    assert settled[0].end_s == 1.45


def test_a_word_is_not_drawn_into_its_neighbour():
    said = [Word("one", 1.0, 1.3), Word("two", 1.35, 1.6)]
    assert settle_edges(said, [(1.45, 1.58)])[0].end_s == 1.3


@pytest.mark.parametrize(
    ("after_s", "expected"),
    [pytest.param(9.0, (1.0, 2.5), id="after the word before"), pytest.param(6.1, (4.5, 6.0), id="before the next")],
)
def test_a_word_of_impossible_length_is_cut_on_the_side_of_its_nearer_neighbour(after_s, expected):
    before = Word("was", 0.3, 0.9) if after_s == 9.0 else Word("was", 0.1, 0.5)
    said = [before, Word("why", 1.0, 6.0), Word("not", after_s, after_s + 0.3)]
    settled = settle_edges(said, [])[1]
    assert (settled.start_s, settled.end_s) == pytest.approx(expected)


def test_clean_puts_a_chunk_on_its_sound_and_says_what_it_dropped():
    span = Span(100.0, 160.0)
    real = Heard(Span(101.0, 104.0), tuple(words("it was cold", 100.8, step_s=0.7)), -0.2, 0.02)
    noise = Heard(Span(130.0, 133.0), tuple(words("you", 131.0)), -1.8, 0.9)
    loud = levels(60.0, [(1.0, 1.3), (1.3, 1.9), (2.0, 2.6)])
    found, notes = clean([real, noise], [Span(100.8, 102.8), Span(130.0, 133.0)], loud, HOP_S, span)
    assert text_of(found) == "it was cold"
    assert found[0].start_s == pytest.approx(101.0) and found[-1].end_s == pytest.approx(102.6)
    assert len(notes) == 1 and "At 131.0 s" in notes[0] and '"you"' in notes[0]


drawn = st.lists(st.tuples(st.floats(0, 60), st.floats(0.01, 8), st.floats(0, 1)), max_size=40)
runs = st.lists(st.tuples(st.floats(0, 59), st.floats(0.05, 6)), max_size=10)


@settings(max_examples=200, deadline=None)
@given(drawn, runs)
def test_words_come_out_in_order_apart_and_inside(drawn, runs):
    span = Span(10.0, 40.0)
    said = tuple(Word(f"w{i}", start_s, start_s + length_s, p) for i, (start_s, length_s, p) in enumerate(drawn))
    speech = sorted((Span(10 + a / 2, min(40.0, 10 + a / 2 + b)) for a, b in runs), key=lambda s: s.start_s)
    sound = levels(30.0, [(s.start_s - 10, s.end_s - 10) for s in speech])
    found, _ = clean([Heard(span, said, -0.1, 0.1)] if said else [], speech, sound, HOP_S, span)
    assert all(span.start_s <= w.start_s < w.end_s <= span.end_s for w in found)
    assert all(a.end_s <= b.start_s for a, b in zip(found, found[1:], strict=False))
    assert {w.text for w in found} <= {w.text for w in said}


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400), st.floats(0.5, 20))
def test_many_words_at_one_time_still_get_times_of_their_own(count, length_s):
    span = Span(5.0, 5.0 + length_s)
    found = in_order([Word("x", 6.0, 6.5)] * count, span)
    assert len(found) == count
    assert all(a.start_s < a.end_s <= b.start_s for a, b in zip(found, found[1:], strict=False))
    assert found[-1].end_s <= span.end_s + 0.001
