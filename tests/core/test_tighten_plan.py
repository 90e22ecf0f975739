"""Which pauses and fillers go: never into a word, never off the grid of frames, nothing where nothing is gained."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadSetting
from core.records import Word
from core.tighten_plan import LEAST_SAVED_S, plan_tightening
from core.tightening import Tightening

HOP_S = 0.01
RATES = [Fraction(25), Fraction(30_000, 1_001), Fraction(24_000, 1_001), Fraction(60)]


def say(*said: str | float) -> list[Word]:
    """Words of 0.4 s one after the other; a number is a pause of so many seconds."""
    words, at_s = [], 0.3
    for each in said:
        if isinstance(each, str):
            words.append(Word(each, round(at_s, 3), round(at_s + 0.4, 3)))
            at_s += 0.4
        else:
            at_s += each
    return words


def length_s(words: list[Word], rate: Fraction = RATES[0]) -> float:
    last_s = words[-1].end_s if words else 3.0
    return float(round((last_s + 0.5) * rate) / rate)


def heard(words: list[Word], duration_s: float, *, floor: float = -60.0, loud: float = -20.0) -> np.ndarray:
    """The level of a clip in which only the words sound; each value looks 20 ms ahead."""
    starts_s = np.arange(round(duration_s / HOP_S)) * HOP_S
    level = np.full(len(starts_s), floor)
    for word in words:
        level[(starts_s + 2 * HOP_S > word.start_s) & (starts_s < word.end_s)] = loud
    return level


def plan(words: list[Word], rate: Fraction = RATES[0], **options) -> Tightening:
    duration_s = length_s(words, rate)
    known = {"level_dbfs": heard(words, duration_s), "duration_s": duration_s, "min_piece_s": 0.0} | options
    return plan_tightening(words, frame_rate=rate, hop_s=HOP_S, **known)


def gone(tightening: Tightening) -> list[tuple[str, str, float]]:
    return [(removal.kind, removal.text, round(removal.saved_s, 2)) for removal in tightening.removed]


spoken = st.lists(
    st.tuples(
        st.sampled_from(["word", "word,", "word.", "word?", "um", "Um,", "uh,", "you know,"]),
        st.floats(0.06, 0.7),
        st.one_of(st.just(0.0), st.floats(0.0, 0.6), st.floats(0.6, 3.0)),
    ),
    max_size=25,
)


@settings(max_examples=50, deadline=None)
@given(spoken, st.sampled_from(RATES), st.booleans(), st.booleans(), st.lists(st.floats(0, 20), max_size=3))
def test_a_plan_holds_its_promises_for_any_speech(said, rate, pauses, fillers, busy_from):
    words, at_s = [], 0.2
    for text, long_s, gap_s in said:
        for part in text.split():
            words.append(Word(part, at_s, at_s + long_s))
            at_s += long_s
        at_s += gap_s
    busy = [(start_s, start_s + 0.5) for start_s in busy_from]
    made = plan(words, rate, pauses=pauses, fillers=fillers, busy=busy, cuts_per_minute=1_000)
    fillers_gone = {text for removal in made.removed for text in removal.text.split()}
    assert fillers_gone <= {"um", "Um,", "uh,", "you", "know,"}
    for removal in made.removed:
        assert removal.saved_s >= LEAST_SAVED_S - 1e-6
        for edge_s in (removal.start_s, removal.end_s):
            assert edge_s * rate == pytest.approx(round(edge_s * rate), abs=1e-6)
            assert not any(word.start_s + 1e-9 < edge_s < word.end_s - 1e-9 for word in words)
        assert not any(start_s < removal.end_s and end_s > removal.start_s for start_s, end_s in busy)
        inside = [w.text for w in words if removal.start_s < (w.start_s + w.end_s) / 2 < removal.end_s]
        assert " ".join(inside) == removal.text
    assert made.kept_frames / rate + sum(removal.saved_s for removal in made.removed) == pytest.approx(made.duration_s)
    after = made.retime(words)
    again = plan_tightening(
        after, duration_s=made.shown_duration_s, frame_rate=rate, hop_s=HOP_S, pauses=pauses, fillers=fillers,
        level_dbfs=heard(after, made.shown_duration_s), busy=made.retime_spans(busy), min_piece_s=0.0,
        cuts_per_minute=1_000,
    )  # fmt: skip
    assert again.removed == ()


def test_of_a_pause_the_usual_rest_stays_and_more_after_a_sentence_or_a_question():
    assert gone(plan(say("so", 1.5, "then"))) == [("pause", "", 1.2)]
    after_sentence, after_question = (plan(say(text, 1.5, "then")).saved_s for text in ("so.", "so?"))
    assert 0.85 <= after_question <= after_sentence <= 1.04
    assert plan(say("so", 0.69, "then")).removed == ()


def test_both_sides_of_a_shortened_pause_keep_room_for_the_words():
    words = say("so", 2.0, "then")
    (removal,) = plan(words).removed
    assert removal.start_s - words[0].end_s >= 0.1
    assert words[1].start_s - removal.end_s >= 0.1


def test_pauses_before_the_first_word_and_after_the_last_stay():
    words = [Word("alone", 3.0, 3.4)]
    assert plan(words, duration_s=8.0, level_dbfs=heard(words, 8.0)).removed == ()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["the", 0.2, "um", 0.2, "cat"], "um"),
        (["the", 0.2, "um,", 0.1, "uh,", 0.2, "cat"], "um, uh,"),
        (["it,", 0.2, "you", "know,", 0.2, "works"], "you know,"),
        (["works.", 0.3, "I", "mean,", 0.2, "mostly"], "I mean,"),
        (["is,", 0.2, "sort", "of,", 0.2, "red"], "sort of,"),
        (["red", 0.3, "kind", "of,", 0.2, "warm"], "kind of,"),
    ],
)
def test_a_filler_that_is_set_off_goes(said, text):
    assert [(removal.kind, removal.text) for removal in plan(say(*said)).removed] == [("filler", text)]


@pytest.mark.parametrize(
    "said",
    [
        ["that", 0.3, "kind", "of,", 0.2, "thing"],
        ["a", 0.2, "sort", "of", 0.2, "tree"],
        ["do", 0.2, "you", "know,", 0.2, "Ann?"],
        ["works,", 0.2, "you", "know.", 0.2, "Then"],
        ["what", 0.2, "I", "mean", 0.2, "is"],
        ["the", 0.2, "ER", 0.2, "nurse"],
        ["really?", 0.2, "Hm?", 0.2, "Yes"],
        ["works,", 0.2, "you", "know,"],
    ],
)
def test_words_that_mean_something_stay(said):
    assert plan(say(*said)).removed == ()


def test_a_filler_without_a_quiet_place_beside_it_stays():
    assert plan(say("the", "um", "cat", "sat", 0.4, "down")).removed == ()


def test_other_languages_have_words_like_these():
    german = say("komm", 0.3, "um", 0.3, "acht")
    assert plan(german, language="de").removed == plan(german, language=None).removed == ()
    assert len(plan(german, language="en").removed) == 1


def test_sound_without_words_is_no_pause():
    words = say("so", 2.0, "then")
    level = heard(words, length_s(words))
    level[110:220] = -25  # laughter
    assert plan(words, level_dbfs=level).removed == ()
    level[:] = -20  # music all through
    assert plan(words, level_dbfs=level).removed == ()


def test_a_cut_avoids_the_breath_in_a_pause():
    words = say("so", 1.0, "then")
    level = heard(words, length_s(words))
    level[80:87] = -52  # at 0.8 s: quiet still, but not as quiet as the rest
    (removal,) = plan(words, level_dbfs=level).removed
    assert removal.start_s >= 0.88


def test_silences_serve_where_no_level_is_known_and_nothing_is_cut_without_either():
    words = say("so", 2.0, "then")
    assert plan(words, level_dbfs=None).removed == ()
    assert len(plan(words, level_dbfs=None, silences=[(0.8, 2.6)]).removed) == 1


def test_of_cuts_too_near_each_other_the_one_that_saves_more_is_made():
    words = say("one", "two", "three", 0.9, "four", 1.8, "five", "six", "seven")
    assert gone(plan(words, min_piece_s=1.0)) == [("pause", "", 1.48)]
    assert len(plan(words).removed) == 2


def test_no_minute_has_more_cuts_than_allowed():
    words = say(*["one", "two", "three", 1.0] * 60, "end")
    few = plan(words, cuts_per_minute=5)
    joins_s = np.array(few.joins_s)
    assert len(joins_s) > 5
    assert (joins_s[5:] - joins_s[:-5] >= 60).all()
    assert plan(words, cuts_per_minute=0).removed == ()


def test_nothing_is_planned_for_a_clip_without_words():
    assert plan([]).removed == ()
    assert plan([], level_dbfs=np.zeros(0)).removed == ()


def test_a_level_that_is_no_number_counts_as_loud():
    words = say("so", 2.0, "then")
    assert plan(words, level_dbfs=np.full(300, np.nan)).removed == ()


def test_a_rest_as_long_as_the_pause_is_refused():
    with pytest.raises(BadSetting, match="told to keep 0.8 s"):
        plan(say("so", 2.0, "then"), keep_pause_s=0.8)
