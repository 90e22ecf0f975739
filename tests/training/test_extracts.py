"""A summary's passages find the sentences that they were taken from."""

import pytest

from training.extracts import label_extracts

SAID = [
    "Okay.",
    "So the price is twenty five Euro.",
    "Mm-hmm.",
    "And we want a trendy design, I think.",
    "Okay.",
    "What about the buttons?",
]


@pytest.mark.parametrize(
    ("passages", "label"),
    [
        (["so the price is twenty five euro ."], [0, 1, 0, 0, 0, 0]),
        (["So the price is twenty five Euro . And we want a trendy design , I think ."], [0, 1, 0, 1, 0, 0]),
        (["what about the buttons ?", "Okay ."], [0, 0, 0, 0, 1, 1]),
        (["a trendy design"], [0, 0, 0, 0, 0, 0]),
        (["we want a trendy design"], [0, 0, 0, 1, 0, 0]),
        ([], [0, 0, 0, 0, 0, 0]),
    ],
    ids=[
        "case and marks do not count",
        "a passage over another speaker's turn",
        "a short passage is taken near the one before",
        "less than half of a sentence",
        "more than half of a sentence",
        "no passage",
    ],
)
def test_sentences_of_the_summary_are_labelled(passages, label):
    found, share = label_extracts(SAID, passages)
    assert found.tolist() == label
    assert share == 1


def test_words_that_nobody_said_lower_the_share_found():
    found, share = label_extracts(SAID, ["what about the buttons", "never heard of that"])
    assert found.tolist() == [0, 0, 0, 0, 0, 1]
    assert share == 4 / 8


def test_a_short_passage_far_from_the_others_is_not_guessed():
    far = [f"Filler number {number} goes here." for number in range(60)]
    assert not label_extracts([*far, "Okay."], ["Okay ."])[0].any()


def test_a_sentence_without_words_is_in_no_summary():
    assert label_extracts(["…", "One two three."], ["one two three"])[0].tolist() == [0, 1]
