"""What counts as a filler, by the words alone."""

import pytest

from core.fillers import find_fillers
from core.records import Word


def found(text: str) -> list[str]:
    words = [Word(part, i * 0.5, i * 0.5 + 0.4) for i, part in enumerate(text.split())]
    return [" ".join(word.text for word in words[first:end]) for first, end in find_fillers(words)]


@pytest.mark.parametrize(
    ("text", "fillers"),
    [
        ("", []),
        ("um", ["um"]),
        ("Uh, um, the er cat", ["Uh, um,", "er"]),
        ("It is, you know, I mean, hard", ["you know, I mean,"]),
        ("You know, it works. Kind of, yes", ["You know,", "Kind of,"]),
        ("We went — uh — home", ["uh"]),
        ('He said: "Um, no."', ['"Um,']),
    ],
)
def test_sounds_and_phrases_that_are_set_off_are_fillers(text, fillers):
    assert found(text) == fillers


@pytest.mark.parametrize(
    "text",
    [
        "I know you know that, and what I mean, too",
        "a kind of magic, the sort of, well, thing",
        "It is hard, you know. It is hard, you know?",
        "You, know, it works",
        "The ER is open. Uh-huh. Hm? umbrella",
    ],
)
def test_the_same_words_with_a_meaning_are_none(text):
    assert found(text) == []
