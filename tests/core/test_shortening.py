"""The last resort: the words that tell least go, and what must stay stays."""

import pytest

from core.caption_report import breaches
from core.captions import build_captions
from core.records import Word
from core.shortening import least_telling

FAST = (
    "the people who work in the night shift do not sleep in the way that Anna Keller measured in 2019 and their "
    "livers make 30 percent more of the fat that is in the blood because the clock of the liver is not in step"
)


def said(text: str, seconds_each: float) -> list[Word]:
    return [Word(w, i * seconds_each, (i + 0.95) * seconds_each) for i, w in enumerate(text.split())]


def test_articles_go_first_and_uncommon_words_last():
    offers = {o.first: o.grade for o in least_telling(said("the people of the ribosome", 0.3))}
    assert offers[0] < offers[2] < offers[1] < offers[4]


@pytest.mark.parametrize("word", ["not", "didn't", "2019", "Keller", "mRNA"])
def test_negations_numbers_and_names_stay(word):
    words = said(f"it is the case that {word} was in the way of it", 0.3)
    assert 5 not in {omission.first for omission in least_telling(words)}


def test_another_language_is_left_as_it_is():
    assert least_telling(said("der Mond zieht das Meer an und die Erde auch", 0.3)) == []


def test_speech_that_is_far_too_fast_can_be_read_and_keeps_what_matters():
    words = said(FAST, 0.2)
    end_s = words[-1].end_s + 0.5
    assert [b.rule for b in breaches(build_captions(words, end_s=end_s).cues)].count("speed")
    made = build_captions(words, end_s=end_s, condense="all")
    assert breaches(made.cues) == []
    text = " ".join(line for cue in made.cues for line in cue.lines)
    assert all(kept in text for kept in ("don't", "isn't", "Anna Keller", "2019", "30"))
    assert {each.reason for each in made.left_out} >= {"reading speed"}
