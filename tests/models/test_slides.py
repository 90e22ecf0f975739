"""Slides drawn with a free font and read by the real networks."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import models.slides
from core.boxes import Box
from core.errors import WeightsError
from core.picture import FONTS
from core.slide_text import Page, title_of
from models.slides import SlideReader, load_ocr

TITLE = "Tides and the Moon"
LEFT = ["Water follows gravity", "Twice a day", "Spring tides in March"]
RIGHT = ["Height: 4.2 m", "Delay of 50 minutes", "Newton in 1687"]


def slide(width_px: int = 1280) -> np.ndarray:
    image = Image.new("RGB", (1280, 720), (24, 30, 48))
    pen = ImageDraw.Draw(image)
    pen.text((80, 60), TITLE, font=ImageFont.truetype(FONTS / "DejaVuSans-Bold.ttf", 56), fill=(240, 240, 240))
    font = ImageFont.truetype(FONTS / "DejaVuSans.ttf", 34)
    for row, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        pen.text((100, 220 + 110 * row), left, font=font, fill=(240, 240, 200))
        pen.text((740, 220 + 110 * row), right, font=font, fill=(200, 240, 240))
    return np.asarray(image.resize((width_px, width_px * 9 // 16), Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def reader() -> SlideReader:
    return load_ocr(1)


def test_a_slide_is_read_word_for_word_one_column_after_the_other_without_a_word_in_the_log(
    reader: SlideReader, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = reader.read(slide())
    assert [line.text for line in lines] == [TITLE, *LEFT, *RIGHT]
    assert title_of(Page(Box(0, 0, 1280, 720), tuple(lines))) == TITLE
    assert lines[0].box.contains(Box(90, 75, 580, 35)) and Box(50, 40, 700, 100).contains(lines[0].box)
    assert all(line.confidence > 0.8 for line in lines)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("RapidOCR").level == logging.CRITICAL


def test_a_small_picture_is_read_and_its_boxes_are_in_its_own_pixels(reader: SlideReader) -> None:
    lines = reader.read(slide(568))
    assert lines[0].text == TITLE
    assert Box(20, 15, 320, 50).contains(lines[0].box)


def test_letters_of_six_pixels_are_read_in_a_small_picture(reader: SlideReader) -> None:
    image = Image.new("RGB", (1280, 360), (230, 234, 238))
    font = ImageFont.truetype(FONTS / "DejaVuSans.ttf", 24)
    said = ["Increased levels of hormones in rotating shift workers", "associated with a misaligned clock and risk"]
    for row, text in enumerate(said):
        ImageDraw.Draw(image).text((200, 100 + 30 * row), text, font=font, fill=(60, 66, 72))
    small = np.asarray(image.resize((426, 120), Image.Resampling.LANCZOS))
    lines = reader.read(small)
    assert [line.text.replace(" ", "") for line in lines] == [text.replace(" ", "") for text in said]
    assert Box(60, 26, 290, 22).contains(lines[0].box) and lines[0].box.h < 14


@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270], ids=["upwards", "downwards"])
def test_lines_on_end_are_read_each_for_itself(reader: SlideReader, turn: Image.Transpose) -> None:
    image = Image.new("RGB", (960, 320), (250, 250, 250))
    font = ImageFont.truetype(FONTS / "DejaVuSans.ttf", 32)
    for row, text in enumerate(["bottom right", "Success rate"]):
        ImageDraw.Draw(image).text((300, 100 + 60 * row), text, font=font, fill=(30, 30, 30))
    lines = reader.read(np.asarray(image.transpose(turn)))
    assert sorted(line.text for line in lines) == ["Success rate", "bottom right"]
    assert all(line.box.h > 3 * line.box.w for line in lines)


@pytest.mark.parametrize("shape", [(720, 1280), (3, 3), (1, 2000)], ids=["empty", "tiny", "a single row"])
def test_a_picture_without_text_has_no_lines(reader: SlideReader, shape: tuple[int, int]) -> None:
    assert reader.read(np.full((*shape, 3), 200, np.uint8)) == []


def test_the_networks_are_those_that_are_pinned() -> None:
    status, ref = models.slides.check(), models.slides.resolve()
    assert (status.present, status.hash_ok, status.advice) == (True, True, "")
    assert ref.name == status.name and ref.version == ref.sha256[:12]


def test_other_bytes_are_refused_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = models.slides.RECOGNISER
    monkeypatch.setattr(models.slides, "RECOGNISER", (name, "0" * 64))
    with pytest.raises(WeightsError, match="not 0000"):
        load_ocr(1)
    status = models.slides.check()
    assert status.present and not status.hash_ok and name in status.advice


def test_networks_that_are_not_here_are_an_error_that_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(models.slides, "FOLDER", str(tmp_path))
    with pytest.raises(WeightsError, match="make setup"):
        load_ocr(1)
    assert not models.slides.check().present
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(models.slides, "PACKAGE", "no_such_package")
    with pytest.raises(WeightsError, match="not installed"):
        models.slides.resolve()
