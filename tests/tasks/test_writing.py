"""Titles of clips: each its own; what a writer may draw on."""

from dataclasses import replace

import pytest

from core.records import Highlight
from core.sights import Slide
from core.wording import Wording
from tasks.writing import distinct, text_of


def pick(number: int, title: str) -> Highlight:
    return Highlight(number + 1, 10.0 * number, 10.0 * number + 10, 0.5, number, number, title, "", {})


def slide(number: int, title: str | None, text: str) -> Slide:
    return Slide(10.0 * number, 10.0 * number + 10, title, text, False, None, ())


@pytest.mark.parametrize(
    ("own", "written", "kept"),
    [
        pytest.param("abc", "xyz", "xyz", id="all different"),
        pytest.param("abc", "xxy", "xby", id="one title twice"),
        pytest.param("abc", "bbc", "abc", id="the title that a later clip has already"),
        pytest.param("abc", "xaX", "xbc", id="of an earlier clip, and in capitals"),
        pytest.param("abc", "abc", "abc", id="nobody wrote anything"),
    ],
)
def test_no_two_clips_share_a_title(own, written, kept):
    picks = tuple(pick(number, title) for number, title in enumerate(own))
    found = distinct([Wording(title, "", (), "model") for title in written], picks)
    assert [wording.title for wording in found] == list(kept)


def test_a_writer_is_told_what_is_said_and_shown_in_the_clip_alone():
    texts, scores = ["One.", "Two.", "Three."], [0.1, 0.9, 0.3]
    slides = [slide(0, "Before", "b"), slide(1, "Here", "h"), slide(1, "Here", "h more"), slide(1, None, ""),
              slide(2, "After", "a")]  # fmt: skip
    told = text_of(replace(pick(1, "own"), last_sentence=2), texts, scores, slides, "en")
    assert (told.title, told.sentences, told.scores) == ("own", ("Two.", "Three."), (0.9, 0.3))
    assert (told.slide_titles, told.slide_texts) == (("Here",), ("h", "h more"))
