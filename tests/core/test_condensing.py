"""What captions leave out of fast speech, and what they never leave out."""

import pytest

from core.captions import build_captions, violations
from core.condensing import omissions, without
from core.records import Word

FRAME = "and this is what we have to say about it"
"""Function words enough to be taken for English, none of which is left out."""


def spoken(text: str, chars_per_s: float = 14.0) -> list[Word]:
    words: list[Word] = []
    at_s = 0.0
    for token in text.split():
        words.append(Word(token, at_s, at_s + (len(token) + 1) / chars_per_s))
        at_s = words[-1].end_s
    return words


def offered(text: str) -> list[tuple[str, str]]:
    words = spoken(f"{text} {FRAME}")
    last = len(text.split())
    return [(" ".join(w.text for w in words[o.first : o.last]), o.reason) for o in omissions(words) if o.first < last]


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        pytest.param("it was um hard", [("um", "hesitation")], id="a hesitation"),
        pytest.param("we saw the the cat", [("the", "said twice")], id="a word said twice"),
        pytest.param("we saw the uh the cat", [("the uh", "said twice"), ("uh", "hesitation")], id="twice around uh"),
        pytest.param("then I saw I saw it", [("I saw", "said twice")], id="words said twice"),
        pytest.param("we re- repeat it", [("re-", "false start")], id="a false start"),
        pytest.param("it was, you know, hard", [("you know,", "filler")], id="a filler between commas"),
        pytest.param("we think that they came", [("that", "joining word")], id="a joining that"),
        pytest.param("then it is cold", [("it is", "contracted")], id="it is"),
        pytest.param("it came in order to stay", [("in order to", "wordy")], id="in order to"),
        pytest.param("it was kind of hard", [("kind of", "wordy")], id="a hedge"),
        pytest.param("he left. So they stayed", [("So", "opening word")], id="an opening word"),
        pytest.param("it was very hard", [("very", "stress")], id="a word that stresses"),
        pytest.param("it never was very hard", [], id="a negated stress"),
        pytest.param("I don't really like it", [], id="stress near a contraction with not"),
        pytest.param("no no it was hard", [], id="a negation said twice"),
        pytest.param("it was 5 5 7", [], id="a number said twice"),
        pytest.param("a very very long way", [("very", "stress")] * 2, id="very very is stress, not a slip"),
        pytest.param("do you know this man", [], id="you know as a verb"),
        pytest.param("it is a kind of bird", [("it is", "contracted")], id="a kind"),
        pytest.param("yes, it is. We went", [], id="it is at the end"),
        pytest.param("but they stayed", [], id="but"),
        pytest.param("just one of them", [], id="just one"),
    ],
)
def test_only_what_carries_no_meaning_is_offered(text: str, offers: list[tuple[str, str]]) -> None:
    assert sorted(offered(text)) == sorted(offers)


def test_other_languages_are_left_alone() -> None:
    text = "Er kam um um vier Uhr und er er sagte nichts, weil er er müde war und um um Hilfe bat"

    assert omissions(spoken(text)) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("it was, um, hard.", "it was hard.", id="its commas go with it"),
        pytest.param("it was hard, um.", "it was hard.", id="the sentence keeps its end"),
        pytest.param("So they stayed.", "They stayed.", id="the sentence keeps its capital"),
        pytest.param("We are here.", "We're here.", id="a contraction keeps the capital"),
        pytest.param("it is 10 percent, we think", "it's 10%, we think", id="percent as a sign"),
    ],
)
def test_what_is_left_reads_well(text: str, left: str) -> None:
    words = spoken(f"{text} {FRAME}")
    count = len(text.split())
    offers = [o for o in omissions(words) if o.last <= count]
    disjoint = [o for k, o in enumerate(offers) if all(o.first >= p.last for p in offers[:k])]
    kept, origin = without(words, disjoint)

    assert " ".join(word.text for word in kept).removesuffix(f" {FRAME}") == left
    assert [words[i].start_s for i in origin] == [word.start_s for word in kept]


def test_speech_that_can_be_read_is_left_whole() -> None:
    text = "So um it was, you know, very hard to to say what they have really found in that house."
    captions = build_captions(spoken(text), end_s=20.0)

    assert captions.left_out == ()
    assert " ".join(line for cue in captions.cues for line in cue.lines) == text


def test_fast_speech_loses_as_little_as_makes_it_readable_and_tells_what() -> None:
    text = (
        "So um we have the the results of it, and um they are, you know, very good, and we think that they will be "
        "what you wanted. And uh in order to get there it is not enough to have 25 people, you need um an idea."
    )
    words = spoken(text, chars_per_s=20.0)
    verbatim = build_captions(words, end_s=words[-1].end_s, condense="no")
    captions = build_captions(words, end_s=words[-1].end_s)
    shown = " ".join(line for cue in captions.cues for line in cue.lines)

    assert violations(verbatim.cues)
    assert violations(captions.cues) == []
    assert {"not", "25", "people,", "results", "good,"} <= set(shown.split())
    assert captions.left_out
    assert all(left.text in text for left in captions.left_out)
    assert captions == build_captions(words, end_s=words[-1].end_s)
