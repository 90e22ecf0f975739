"""What an inset in the lower right corner of a 1280 x 720 slide hides."""

from bench.characters import pieces
from bench.insets import hidden_letters, parted, places
from core.boxes import Box
from core.sights import TextLine

INSET = Box(960, 540, 320, 180)


def line(text: str, x: float, y: float, w: float, h: float = 30) -> TextLine:
    return TextLine(text, Box(x, y, w, h), 0.98)


def sorted_out(wanted: list[str], clean: list[TextLine]) -> tuple[list[str], list[str]]:
    parts = pieces(wanted)
    seen, under = parted(parts, hidden_letters(parts, clean, INSET))
    return [p.letters for p in seen], [p.letters for p in under]


def test_letters_under_the_inset_are_hidden_and_those_beside_it_are_not() -> None:
    clean = [line("Tides", 80, 60, 200), line("Smartphone", 860, 600, 200), line("Footer", 1000, 680, 120)]
    assert sorted_out(["Tides", "Smartphone", "Footer"], clean) == (["tides", "smart"], ["phone", "footer"])


def test_a_word_that_stands_elsewhere_too_is_not_hidden() -> None:
    clean = [line("Pressure", 1000, 600, 120), line("Pressure", 100, 600, 120)]
    assert sorted_out(["Pressure"], clean) == (["pressure"], [])
    assert sorted_out(["Pressure", "Pressure"], clean) == (["pressure"], ["pressure"])


def test_what_was_not_read_on_the_clean_picture_counts() -> None:
    assert sorted_out(["Smartphone"], [line("Phantom", 1000, 600, 120)]) == (["smartphone"], [])
    assert sorted_out(["Smartphone"], []) == (["smartphone"], [])


def test_letters_have_their_places_also_on_end() -> None:
    assert places(line("a, b", 100, 50, 40)) == [(105, 65), (135, 65)]
    assert places(line("ab", 100, 50, 20, 60)) == [(110, 95), (110, 65)]
