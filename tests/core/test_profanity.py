"""Coarse words are masked or left out whole; words that contain them are not touched."""

import pytest

from core.profanity import mask_text, mask_transcript, mask_words
from core.records import Sentence, Transcript, Word


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


def test_of_a_transcript_only_what_is_coarse_changes():
    def sentence(start_s, *texts):
        words = tuple(Word(text, start_s + i, start_s + i + 1, 1.0) for i, text in enumerate(texts))
        return Sentence(start_s, start_s + len(texts), " ".join(texts), words)

    said = Transcript((sentence(0, "Good", "shit", "here."), sentence(3, "Fuck!"), sentence(4, "Tides.")), "en", "x")
    masked, removed = (mask_transcript(said, mode) for mode in ("mask", "remove"))
    assert [s.text for s in masked.sentences] == ["Good s*** here.", "F***!", "Tides."]
    assert [s.text for s in removed.sentences] == ["Good here.", "Tides."]
    assert [[w.text for w in s.words] for s in removed.sentences] == [["Good", "here."], ["Tides."]]
    assert removed.sentences[1] is said.sentences[2]
    assert mask_transcript(said, "keep") is said
