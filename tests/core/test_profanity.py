"""Coarse words are masked or left out whole; words that contain them are not touched."""

import pytest

from core.profanity import mask_text, mask_words
from core.records import Word


@pytest.mark.parametrize(
    ("text", "masked", "removed"),
    [
        pytest.param("what the fuck is it", "what the f*** is it", "what the is it", id="inside"),
        pytest.param("Fucking hell!", "F****** hell!", "hell!", id="with a capital"),
        pytest.param("oh, shit.", "oh, s***.", "oh.", id="before a mark"),
        pytest.param("a bullshit-free zone", "a b*******-free zone", "a -free zone", id="in a compound"),
        pytest.param("from Scunthorpe to Penistone", None, None, id="places"),
        pytest.param("assess the classic cocktail", None, None, id="words that contain others"),
        pytest.param("the shitake and the dickens", None, None, id="words that begin like others"),
        pytest.param("", None, None, id="nothing"),
    ],
)
def test_lines_are_masked_by_whole_words(text: str, masked: str | None, removed: str | None) -> None:
    assert mask_text(text, "keep") == text
    assert mask_text(text, "mask") == (text if masked is None else masked)
    assert mask_text(text, "remove") == (text if removed is None else removed)


def spoken(text: str) -> list[Word]:
    return [Word(token, i * 0.5, i * 0.5 + 0.4) for i, token in enumerate(text.split())]


def test_words_keep_their_times_and_the_sentence_its_end() -> None:
    words = spoken("It is all shit. Go on.")
    masked, told = mask_words(words, "mask")
    removed, gone = mask_words(words, "remove")

    assert [word.text for word in masked] == ["It", "is", "all", "s***.", "Go", "on."]
    assert [(word.start_s, word.end_s) for word in masked] == [(word.start_s, word.end_s) for word in words]
    assert [word.text for word in removed] == ["It", "is", "all.", "Go", "on."]
    assert (
        [(note.start_s, note.text) for note in told] == [(note.start_s, note.text) for note in gone] == [(1.5, "shit.")]
    )
    assert mask_words(words, "keep") == (words, [])
