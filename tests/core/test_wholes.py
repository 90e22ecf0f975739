"""What stays on one line: numbers with units, titles with names, names whole."""

import pytest

from core.reading import CaptionRules, Layout, units_of
from core.records import Word
from core.wholes import kept_after


def held(text: str) -> list[str]:
    """The pairs of words that are held together."""
    words = text.split()
    return [f"{a} {b}" for a, b, keep in zip(words, words[1:], kept_after(words), strict=False) if keep]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("about 3.5 million people", ["3.5 million"], id="a magnitude"),
        pytest.param("only 10 % of them", ["10 %"], id="a percent sign"),
        pytest.param("it is 25 km away", ["25 km"], id="a unit"),
        pytest.param("at 6:30 p.m. sharp", ["6:30 p.m."], id="a time of day"),
        pytest.param(
            "two hundred and fifty of us", ["two hundred", "hundred and", "and fifty"], id="a number in words"
        ),
        pytest.param("see Figure 3 here", ["Figure 3"], id="a figure's number"),
        pytest.param("on May 5 we met", ["May 5"], id="a date"),
        pytest.param("in 1995 the wall fell", [], id="a year stands alone"),
        pytest.param("this is New York today", ["New York"], id="a name of two words"),
        pytest.param("then Dr. Smith came", ["Dr. Smith"], id="a title"),
        pytest.param("by J. R. Jones again", ["J. R.", "R. Jones"], id="initials"),
        pytest.param("hear Ludwig van Beethoven now", ["Ludwig van", "van Beethoven"], id="a particle"),
        pytest.param("we left. The dog barked", [], id="a sentence's capital"),
        pytest.param("And Yesterday Obama spoke", [], id="a word that often begins a sentence"),
        pytest.param("in Paris, London and Rome", [], id="a list of names"),
        pytest.param("may 5 of them go", [], id="a verb that is written like a month"),
    ],
)
def test_words_are_held_together_where_they_are_one_thing(text: str, pairs: list[str]) -> None:
    assert held(text) == pairs


@pytest.mark.parametrize("whole", ["3.5 million", "Dr. Smith", "New York", "25 km"])
def test_no_line_and_no_caption_ends_inside_a_whole(whole: str) -> None:
    for n in range(1, 16):
        text = " ".join(["something"] * n) + f" {whole} " + " ".join(["afterwards"] * 6)
        words = [Word(word, i * 0.4, i * 0.4 + 0.4) for i, word in enumerate(text.split())]
        layout = Layout(units_of(words, 60.0, CaptionRules()), 60.0, CaptionRules())
        lines = [line for i, j in layout.captions() for line in layout.lines(i, j)]
        assert any(whole in line for line in lines), lines
