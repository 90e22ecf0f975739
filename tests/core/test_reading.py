"""How words join and where lines break."""

import pytest

from core.reading import CaptionRules, Layout, Unit, break_cost, clean, join_words, text_width, units_of
from core.records import Word

RULES = CaptionRules()


def spoken(text: str, word_s: float = 0.3) -> list[Word]:
    return [Word(word, i * word_s, (i + 1) * word_s) for i, word in enumerate(text.split())]


def lines_of(text: str) -> tuple[str, ...]:
    units = units_of(spoken(text), 60.0, RULES)
    return Layout(units, 60.0, RULES).lines(0, len(units))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["Hello", "there"], "Hello there", id="words are spaced"),
        pytest.param(["Hello", ",", "you", "(", "there", ")", "!"], "Hello, you (there)!", id="punctuation joins"),
        pytest.param([".NET", "and", "'tis"], ".NET and 'tis", id="a word may begin with a dot"),
        pytest.param(["use", ".NET"], "use .NET", id="a leading dot does not join"),
        pytest.param(["今日", "は", "、", "晴れ", "。"], "今日は、晴れ。", id="Japanese is not spaced"),
        pytest.param(["안녕", "하세요"], "안녕 하세요", id="Korean is spaced"),
        pytest.param(["用", "Python", "写"], "用 Python 写", id="Latin in Chinese is spaced"),
        pytest.param([], "", id="nothing is nothing"),
    ],
)
def test_words_join_as_their_script_is_written(words: list[str], text: str) -> None:
    assert join_words(words) == text


@pytest.mark.parametrize(
    ("text", "width"),
    [
        pytest.param("abc", 3, id="Latin"),
        pytest.param("今日", 4, id="full width counts twice"),
        pytest.param("é", 1, id="accents"),
        pytest.param("😀", 2, id="emoji"),
    ],
)
def test_width_counts_columns(text: str, width: int) -> None:
    assert text_width(text) == width


def test_clean_leaves_one_line_without_control_characters() -> None:
    assert clean(" a\r\nb\x00c\u2028d\t ") == "a b c d"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(("done.", "Then"), ("done,", "then"), id="a sentence's end before a comma"),
        pytest.param(("done,", "then"), ("done", "because"), id="a comma before a conjunction"),
        pytest.param(("done", "because"), ("done", "things"), id="a conjunction before nothing at all"),
        pytest.param(("done", "things"), ("the", "things"), id="anywhere before after an article"),
        pytest.param(("the", "things"), ("Barack", "Obama"), id="after an article before inside a name"),
        pytest.param(("the", "things"), ("25", "milligrams"), id="after an article before inside a quantity"),
        pytest.param(("done.", "Then"), ("Dr.", "Lazar"), id="a sentence's end before an abbreviation's dot"),
    ],
)
def test_breaks_are_ranked_as_an_editor_would(better: tuple[str, str], worse: tuple[str, str]) -> None:
    def cost(pair: tuple[str, str]) -> float:
        left, right = (Unit(text, len(text), 0.0, 1.0, 1) for text in pair)
        return break_cost(left, right)

    assert cost(better) < cost(worse)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("It goes on one line.", ("It goes on one line.",), id="short text is one line"),
        pytest.param(
            "We measured it twice, and then the whole group went home.",
            ("We measured it twice,", "and then the whole group went home."),
            id="after a comma, the bottom line longer",
        ),
        pytest.param(
            "The committee sent the long report to the president of the college",
            ("The committee sent the long report", "to the president of the college"),
            id="before a preposition, about even",
        ),
    ],
)
def test_lines_break_where_they_read_well(text: str, lines: tuple[str, ...]) -> None:
    assert lines_of(text) == lines


def test_no_line_holds_one_short_word_alone() -> None:
    for line in lines_of("Everything that we have learned about the matter is so"):
        assert len(line) > 6


def test_a_word_longer_than_a_line_is_cut_into_pieces_that_join_without_space() -> None:
    address = "https://example.org/" + "a" * 60
    units = units_of([Word("see", 0.0, 0.2), Word(address, 0.2, 1.2)], 2.0, RULES)

    assert "".join(unit.text for unit in units[1:]) == address
    assert all(unit.width <= 42 for unit in units)
    assert [unit.space for unit in units] == [0, 1, 0]
    assert units[-1].end_s == pytest.approx(1.2)


def test_words_without_text_are_not_shown() -> None:
    assert units_of([Word(" ", 0.0, 1.0), Word("\n", 1.0, 2.0)], 3.0, RULES) == []


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({"max_lines": 3}, id="three lines"),
        pytest.param({"max_line_chars": 1}, id="one character"),
        pytest.param({"min_cue_s": 8.0}, id="least above most"),
        pytest.param({"max_chars_per_s": 0.0}, id="no speed"),
        pytest.param({"min_gap_s": -0.1}, id="negative gap"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(rules: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="CaptionRules"):
        CaptionRules(**rules)  # pyright: ignore[reportArgumentType]
