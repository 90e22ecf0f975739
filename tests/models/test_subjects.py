"""Questions lose the words that only ask; what names a subject already is left alone."""

import pytest

from models.subjects import subject_of


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        pytest.param("What did the team say about the battery?", "battery", id="who said it is no part of it"),
        pytest.param("Why did they disagree on the price of the remote", "price of the remote", id="without its mark"),
        pytest.param("Summarize the discussion about noise reduction.", "noise reduction", id="a request"),
        pytest.param("how does   photosynthesis\nwork?", "photosynthesis work", id="space and case"),
        pytest.param("What is a tide?", "tide", id="a plain question"),
        pytest.param("What did she say about tides when talking about the Moon?", "tides, Moon", id="in view of what"),
    ],
)
def test_what_only_asks_is_taken_off(question: str, subject: str):
    assert subject_of(question) == subject


@pytest.mark.parametrize("subject", ["tides", "Bay of Fundy", "C++", "量子力学", "Gravitation und Gezeiten", "a"])
def test_a_subject_stays_as_it_is(subject: str):
    assert subject_of(subject) == subject


@pytest.mark.parametrize("text", ["?", "what?", "what is", "Describe", "the", " why ", "..."])
def test_nothing_but_a_question_word_is_not_taken_off(text: str):
    assert subject_of(text)


def test_nothing_is_about_nothing():
    assert subject_of("  ") == ""
