"""Pages put together by hand: what is the title, what stands on every slide."""

import pytest

from core.boxes import Box
from core.sights import TextLine
from core.slide_text import Page, adds_lines, corrected, furniture, plain, title_of

SLIDE = Box(0, 0, 1280, 720)


def line(text: str, x: float, y: float, h: float = 30, w: float | None = None, confidence: float = 0.98) -> TextLine:
    return TextLine(text, Box(x, y, w or 0.55 * h * len(text), h), confidence)


def page(*lines: TextLine) -> Page:
    return Page(SLIDE, lines)


def numbered(number: int, title: str) -> Page:
    """A slide of a deck: logo, title, two points, footer, page number."""
    return page(
        line("ACME", 1150, 20, 40),
        line(title, 80, 60, 52),
        line(f"Point about {title.lower()}", 100, 200),
        line("University of Somewhere", 80, 680, 18),
        line(str(number), 1220, 680, 18),
    )


DECK = [numbered(i + 1, title) for i, title in enumerate(["Stacks", "Queues", "Heaps", "Binary trees", "Sorting"])]


def test_a_large_line_above_is_the_title() -> None:
    assert title_of(page(line("Tides and the Moon", 80, 60, 52), line("The Moon pulls water", 100, 200))) == (
        "Tides and the Moon"
    )


def test_a_title_of_two_lines_is_joined_and_the_text_below_is_not() -> None:
    lines = [
        line("Regulation of rhythms", 80, 60, 50),
        line("and metabolism", 80, 118, 50),
        line("Hormones have rhythms", 100, 240),
        line("Sleep matters", 100, 290),
    ]
    assert title_of(page(*lines)) == "Regulation of rhythms and metabolism"


def test_a_title_no_larger_than_the_text_is_the_first_line() -> None:
    lines = [
        line("Circadian Rhythms", 400, 124),
        *(line("Many hormones have rhythms", 200, 190 + 60 * i) for i in range(5)),
    ]
    assert title_of(page(*lines)) == "Circadian Rhythms"


def test_the_largest_line_in_the_middle_of_a_page_of_few_lines_is_its_title() -> None:
    assert title_of(page(line("Project Tides", 300, 320, 80), line("Jane Doe", 500, 450))) == "Project Tides"


@pytest.mark.parametrize(
    "text",
    ["17", "Page 3 of 20", "3 / 20", "2024-05-06", "www.example.org/slides", "jane@example.org", "%%% $$", "12:45"],
)
def test_a_number_a_date_or_an_address_is_no_title(text: str) -> None:
    assert title_of(page(line(text, 80, 40, 40, w=300))) is None


def test_a_page_without_lines_has_no_title() -> None:
    assert title_of(page()) is None


def test_a_line_read_badly_is_no_title() -> None:
    assert title_of(page(line("Stuclks und Qu", 80, 60, 52, confidence=0.4))) is None


def test_what_stands_on_most_slides_is_furniture_and_titles_are_not() -> None:
    common = furniture(DECK)
    assert {found.text for found in common[0]} == {"ACME", "University of Somewhere", "1"}
    assert [title_of(p, c) for p, c in zip(DECK, common, strict=True)] == [
        "Stacks",
        "Queues",
        "Heaps",
        "Binary trees",
        "Sorting",
    ]


def test_the_title_of_a_slide_that_grows_is_no_furniture() -> None:
    points = [line(f"Point number {'abcdefgh'[i] * 5}", 100, 200 + 60 * i) for i in range(8)]
    growing = [page(line("Stacks", 80, 60, 52), *points[: i + 1]) for i in range(8)]
    assert all(line.text != "Stacks" for common in furniture(growing) for line in common)


def test_of_few_slides_nothing_is_furniture() -> None:
    assert furniture(DECK[:3]) == [frozenset()] * 3


def test_words_that_stand_alone_elsewhere_are_parted() -> None:
    pages = [
        page(line("MetabolicSyndrome", 80, 60)),
        page(line("a metabolic cause", 80, 60), line("Syndrome X", 80, 100)),
    ]
    assert corrected(pages)[0].lines[0].text == "Metabolic Syndrome"


@pytest.mark.parametrize("text", ["JavaScript", "PowerPoint and GitHub", "mRNA", "HDAC3", "a,b", "x;y"])
def test_a_name_that_is_one_word_stays_one(text: str) -> None:
    assert corrected([page(line(text, 80, 60))])[0].lines[0].text == text


def test_a_comma_gets_its_space() -> None:
    assert corrected([page(line("acids,oxysterols", 80, 60))])[0].lines[0].text == "acids, oxysterols"


def test_wide_forms_become_ascii_but_in_chinese() -> None:
    assert plain("Results（n＝3）：  good\x00") == "Results(n=3): good"
    assert plain("结果：好") == "结果：好"


def test_a_slide_that_gains_a_line_is_a_build_and_the_reverse_is_none() -> None:
    first = page(line("Stacks", 80, 60, 52), line("Last in, first out", 100, 200))
    second = page(*first.lines, line("Constant time", 100, 260))
    assert adds_lines(first, second)
    assert not adds_lines(second, first)
    assert not adds_lines(first, first)


def test_a_misread_letter_and_another_layout_hide_no_build() -> None:
    first = page(line("Stacks and queues", 80, 60, 52), line("Last in, first out", 100, 200))
    half = [TextLine(o.text, o.box.scaled(0.5, 0.5).moved(0, 180), 0.9) for o in first.lines]
    half[0] = TextLine("Stacks and queucs", half[0].box, 0.9)
    second = Page(Box(0, 180, 640, 360), (*half, TextLine("Constant time", Box(50, 310, 200, 15), 0.9)))
    assert adds_lines(first, second)


def test_another_slide_of_the_same_title_is_no_build() -> None:
    first = page(line("Results", 80, 60, 52), line("Accuracy was high", 100, 200))
    second = page(line("Results", 80, 60, 52), line("Speed was low", 100, 200), line("Cost was fair", 100, 260))
    assert not adds_lines(first, second)
