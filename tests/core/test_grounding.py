"""Invented names, numbers and subjects are found; other forms of the same words are not."""

import pytest

from core.grounding import ungrounded

SAID = ["The Bay of Fundy has tides of 16 metres because its basin resonates.", "We measured it in 2019, at UNB."]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Why the Bay of Fundy resonates", id="words that were said"),
        pytest.param("Measurement of the tides in 2019", id="another form of a word that was said"),
        pytest.param("How the Bay Of Fundy Gets Its Tides", id="a headline in capitals"),
        pytest.param("Tides of 16 metres, measured at UNB", id="numbers and acronyms that were said"),
    ],
)
def test_what_was_said_in_other_words_is_grounded(text):
    assert ungrounded(text, SAID) == []


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        pytest.param("Tides of 18 metres", "18", id="another number"),
        pytest.param("The tides, as Kelvin knew, resonate", "Kelvin", id="a name nobody said"),
        pytest.param("Tides of the Bay, by NASA", "NASA", id="an acronym nobody said"),
        pytest.param("Quantum gravity discovered at last", "gravity", id="another subject"),
    ],
)
def test_what_nobody_said_is_named(text, invented):
    assert invented in ungrounded(text, SAID)
