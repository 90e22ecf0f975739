"""Lines put on a page by hand, and the order they are read in."""

from core.boxes import Box
from core.reading_order import reading_order
from core.sights import TextLine


def line(text: str, x: float, y: float, h: float = 30, w: float | None = None) -> TextLine:
    return TextLine(text, Box(x, y, w or 0.55 * h * len(text), h), 0.98)


def below(x: float, y: float, *texts: str, pitch: float = 32) -> list[TextLine]:
    """Lines of a paragraph, the detector's boxes touching."""
    return [line(text, x, y + pitch * i) for i, text in enumerate(texts)]


def read(*lines: TextLine) -> list[str]:
    return [found.text for found in reading_order(lines)]


def test_two_columns_are_read_one_after_the_other_below_the_title() -> None:
    left = [line(f"left {n}", 80, 200 + 60 * i) for i, n in enumerate(["one", "two", "three"])]
    right = [line(f"right {n}", 700, 203 + 60 * i) for i, n in enumerate(["one", "two", "three"])]
    mixed = [
        right[0],
        left[2],
        left[0],
        right[2],
        line("A title across both columns of it", 200, 60, 52),
        left[1],
        right[1],
    ]
    assert [found.text for found in reading_order(mixed)] == [
        "A title across both columns of it",
        "left one",
        "left two",
        "left three",
        "right one",
        "right two",
        "right three",
    ]


def test_pieces_on_one_line_are_joined_and_those_far_apart_are_not() -> None:
    pieces = [line("water", 230, 101, w=90), line("The Moon pulls", 80, 100, w=140), line("Fig. 2", 900, 102)]
    assert [found.text for found in reading_order(pieces)] == ["The Moon pulls water", "Fig. 2"]
    assert reading_order(pieces)[0].box == Box(80, 100, 240, 31)


def test_tilted_lines_whose_boxes_overlap_are_two_lines() -> None:
    tilted = [line("MESSAGES", 508, 170, h=78, w=128), line("Project Tasca", 457, 197, h=94, w=165)]
    assert read(*tilted) == ["MESSAGES", "Project Tasca"]


def test_words_that_stand_on_end_beside_each_other_stay_apart() -> None:
    words = [line("bottom right", 80 + 50 * i, 300, h=140, w=38) for i in range(3)]
    assert reading_order(words) == words


def test_no_lines_are_no_error() -> None:
    assert reading_order([]) == []


def test_captions_of_three_lines_are_read_one_after_the_other() -> None:
    captions = [below(x, 500, "4 x 4", name, "footprint") for x, name in ((80, "area"), (380, "force"), (680, "coil"))]
    mixed = [row[i] for i in range(3) for row in captions]
    assert read(line("Sensors", 60, 40, 50), *mixed) == ["Sensors", *(o.text for caption in captions for o in caption)]


def test_paragraphs_that_begin_at_different_heights_beside_each_other_stay_whole() -> None:
    left = below(40, 140, "You call a customer,", "and you feel your", "heart beat faster")
    right = below(480, 117, "When stressed, people", "are too occupied to", "look at their watch", "or at anything")
    mixed = sorted([*left, *right], key=lambda o: o.box.y)
    assert read(*mixed) == [o.text for o in (*left, *right)]


def test_the_cells_of_a_table_are_no_paragraphs() -> None:
    columns = ((40, 40), (112, 120), (264, 200), (496, 120))
    rows = [[f"P{i}", "Driver", "Garmin watch", "Lisbon"] for i in range(6)]
    cells = [
        line(text, x, 200 + 32 * i, w=w)
        for i, row in enumerate(rows)
        for text, (x, w) in zip(row, columns, strict=True)
    ]
    assert read(line("Participants", 40, 60, 50), *reversed(cells)) == ["Participants", *sum(rows, [])]
