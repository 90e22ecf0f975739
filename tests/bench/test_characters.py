"""Texts read in another order, twice, badly or not at all."""

import pytest

from bench.characters import match, nearest, pieces, words, wrong_in_order, wrong_letters


def wrong(wanted: str, read: str) -> tuple[int, int]:
    """Wrong letters in order and in any order."""
    parts = pieces(wanted.splitlines()), pieces(read.splitlines())
    return wrong_in_order(*parts), wrong_letters(*parts)


def test_case_spaces_and_punctuation_do_not_count_and_times_is_an_x() -> None:
    assert wrong("Tides, and the MOON\n4 x 4 pads", "tidesand the Moon!\n4×4 pads") == (0, 0)
    assert words("P1: 3.5 mm") == ["p1", "3", "5", "mm"]


def test_a_table_wanted_by_columns_and_read_by_rows_is_right_in_any_order() -> None:
    wanted = "Device Garmin Huawei Honor Watch Honor Watch\nPlace Paris London Berlin Xian"
    read = "Device\nPlace\nGarmin\nParis\nHuawei London\nHonor Watch\nBerlin\nHonor Watch\nXian"
    in_order, any_order = wrong(wanted, read)
    assert in_order > 15
    assert any_order == 0


def test_what_is_read_once_is_right_once() -> None:
    assert wrong("Pressure\nPressure\nInductance", "Inductance\nPressure") == (0, len("Pressure"))


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("A studv of stress trackimg", 2),
        ("A study of stress", len("tracking")),
        ("study of stress tracking", 1),
        ("A study of the stress tracking", 3),
        ("dust kcart fo yssert ginac", len("astudyofstresstracking")),
        ("", len("astudyofstresstracking")),
    ],
    ids=["two letters", "a word left out", "the first letter", "a word too much", "the same letters", "nothing"],
)
def test_errors_are_counted_by_the_letter(read: str, expected: int) -> None:
    assert wrong("A study of stress tracking", read)[1] == expected


def test_a_line_that_was_not_read_is_hardly_put_together_from_scraps_of_others() -> None:
    assert wrong("Detected: Smartphone", "de\nteas\ntart\nsmoke\nhone\nphoto\nd\ns")[1] >= len("detectedsmartphone") / 2
    assert wrong("Smartphone", "a\nm\nt\np\nho\none")[1] == len("smartphone")


def test_a_short_word_matches_only_a_word() -> None:
    assert wrong("ID\nAge", "idea\nAge")[1] == 2
    assert wrong("ID\nAge", "D ID Age")[1] == 0


def test_what_nobody_wanted_costs_nothing() -> None:
    assert wrong("Results", "ACME\nResults\n17") == (0, 0)


def test_nothing_wanted_and_nothing_read_are_no_error() -> None:
    assert wrong("", "") == (0, 0)
    assert wrong("\n ...\n", "Results") == (0, 0)
    assert match([], pieces(["Results"])) == ([], [])


def test_the_nearest_stretch_is_told_with_its_place() -> None:
    assert nearest("moon", "tidesandthemonthen") == (11, 14, 1)
    assert nearest("moon", "zzzzz") is None
