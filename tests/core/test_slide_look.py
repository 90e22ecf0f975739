"""Slides drawn small: which look the same, and which only add to another."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.boxes import Box
from core.picture import FONTS
from core.slide_look import additions, look_of, same


def slide(*lines: str, dark: bool = False, picture: int | None = None) -> np.ndarray:
    image = Image.new("RGB", (1280, 720), (24, 30, 48) if dark else (250, 250, 246))
    pen = ImageDraw.Draw(image)
    font = ImageFont.truetype(FONTS / "DejaVuSans.ttf", 40)
    for row, text in enumerate(lines):
        pen.text((90, 60 + 90 * row), text, font=font, fill=(235, 235, 235) if dark else (30, 30, 40))
    if picture is not None:
        noise = np.random.default_rng(picture).integers(0, 255, (8, 8, 3), np.uint8)
        image.paste(Image.fromarray(noise).resize((400, 300), Image.Resampling.NEAREST), (800, 300))
    return np.asarray(image)


@pytest.mark.parametrize("dark", [False, True], ids=["on white", "on dark blue"])
def test_a_line_more_is_another_look_that_only_adds(dark: bool) -> None:
    before, after = look_of(slide("Stacks", dark=dark)), look_of(slide("Stacks", "Last in", dark=dark))
    assert not same(before, after)
    assert additions(before, after) == (1.0, True)
    assert additions(after, before)[0] < 0.6


def test_a_picture_that_is_added_adds_and_one_exchanged_takes_away() -> None:
    none, one, other = (look_of(slide("Results", picture=p)) for p in (None, 1, 2))
    assert additions(none, one) == (1.0, True)
    assert additions(one, other)[0] < 0.6


def test_nothing_added_is_no_addition() -> None:
    look = look_of(slide("Results"))
    assert additions(look, look) == (1.0, False)


def test_what_is_hidden_makes_no_difference() -> None:
    corner = Box(900, 500, 380, 220)
    with_face, without = slide("Results").copy(), slide("Results")
    with_face[500:, 900:] = 90
    assert not same(look_of(with_face), look_of(without))
    assert same(look_of(with_face, corner), look_of(without, corner))


def test_slides_of_which_nothing_is_seen_are_not_the_same() -> None:
    all_hidden = look_of(slide("Results"), Box(-10, -10, 2000, 2000))
    assert not same(all_hidden, all_hidden)
