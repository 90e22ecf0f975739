"""A recording of drawn slides, read by a reader that knows the slides by how many bars they show."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core import tools
from core.boxes import Box
from core.probe import probe
from core.records import MediaInfo, SlideSpan
from core.sights import LayoutSpan, Slide, TextLine
from core.slide_index import joined, read_slides, text_at, to_json

WIDTH, HEIGHT = 640, 360
FULL, INSET = Box(0, 0, WIDTH, HEIGHT), Box(480, 270, 160, 90)
SHOWN = [1, 2, 2, 0, 1]
"""How many bars the slide has in each second; 0 is the camera, and the inset covers the third second's corner."""
LAYOUTS = [
    LayoutSpan(0, 2, "slides", FULL),
    LayoutSpan(2, 3, "pip", FULL, INSET),
    LayoutSpan(3, 4, "camera", None, FULL),
    LayoutSpan(4, 5, "slides", FULL),
]
SPANS = [SlideSpan(i, i + 1, "slide") for i in range(5)]
SETTLED_S = [i + 0.5 for i in range(5)]
WORDS = ["Tides", "the Moon pulls water", "and the Sun"]


@dataclass
class BarReader:
    """Reads a bar as a line of text: a title at the top, WORDS below, INSET_TEXT where the inset shows through."""

    seen: list[tuple[int, int]] = field(default_factory=list)

    def read(self, image: np.ndarray) -> list[TextLine]:
        self.seen.append(image.shape[:2])
        height, width = image.shape[:2]
        dark = (image.mean(axis=2) < 100)[:, round(width * 0.2)]
        starts = np.flatnonzero(dark & ~np.roll(dark, 1))
        lines = [
            TextLine(WORDS[i], Box(width * 0.1, float(y), width * 0.5, height * (0.12 if i == 0 else 0.06)), 0.9)
            for i, y in enumerate(starts)
        ]
        if (abs(image[round(height * 0.9), round(width * 0.9)].astype(int) - [200, 30, 30]) < 60).all():
            lines.append(TextLine("seen behind the speaker", Box(500, 300, 50, 20), 0.9))
        return lines


def picture(bars: int, inset: bool) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), (250, 250, 246) if bars else (90, 120, 90))
    pen = ImageDraw.Draw(image)
    for i in range(bars):
        pen.rectangle((64, 30 + 90 * i, 384, 30 + 90 * i + (43 if i == 0 else 21)), fill=(20, 20, 30))
    if inset:
        pen.rectangle((480, 270, 640, 360), fill=(200, 30, 30))
    return image


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk")
    for i, bars in enumerate(SHOWN):
        picture(bars, inset=i == 2).save(folder / f"{i}.png")
    program = [tools.ffmpeg(), "-v", "error", "-framerate", "1", "-i", str(folder / "%d.png"), "-r", "10"]
    subprocess.run([*program, "-pix_fmt", "yuv420p", str(folder / "talk.mp4")], check=True, timeout=60)
    return folder / "talk.mp4"


def read(talk: Path, folder: Path, reader: BarReader, layouts: list[LayoutSpan] = LAYOUTS) -> list[Slide]:
    return read_slides(talk, probe(talk), SPANS, SETTLED_S, layouts, reader=reader, folder=folder, scratch=folder)


def test_each_span_gets_its_title_its_text_and_its_picture_and_one_that_returns_is_read_once(
    talk: Path, tmp_path: Path
) -> None:
    reader = BarReader()
    slides = read(talk, tmp_path, reader)
    assert [(s.start_s, s.end_s) for s in slides] == [(span.start_s, span.end_s) for span in SPANS]
    assert [s.title for s in slides] == ["Tides", "Tides", "Tides", None, "Tides"]
    assert [s.text for s in slides] == [WORDS[0], "\n".join(WORDS[:2]), "\n".join(WORDS[:2]), "", WORDS[0]]
    assert [s.image for s in slides] == [f"slides/000{i}.jpg" if i else None for i in (1, 2, 3, 0, 1)]
    assert [s.build for s in slides] == [False, True, False, False, False]
    assert len(reader.seen) == 3
    with Image.open(tmp_path / "slides/0001.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (WIDTH, HEIGHT))
    assert sorted(p.name for p in (tmp_path / "slides").iterdir()) == ["0001.jpg", "0002.jpg", "0003.jpg"]


def test_a_slide_beside_the_speaker_is_cut_out_and_its_lines_stand_where_they_are_in_the_recording(
    talk: Path, tmp_path: Path
) -> None:
    part = Box(32, 18, 480, 270)
    slides = read(talk, tmp_path, BarReader(), [LayoutSpan(0, 5, "side", part, Box(512, 18, 128, 270))])
    with Image.open(tmp_path / str(slides[0].image)) as image:
        assert image.size == (480, 270)
    line = slides[0].lines[0]
    assert (line.box.x, line.box.y) == pytest.approx((32 + 48, 30), abs=2)
    assert line.box.w == pytest.approx(240, abs=2)


@pytest.mark.parametrize("layouts", [[], [LayoutSpan(0, 5, "camera", None, FULL)], [LayoutSpan(0, 5, "board")]])
def test_where_no_slide_shows_nothing_is_read(talk: Path, tmp_path: Path, layouts: list[LayoutSpan]) -> None:
    reader = BarReader()
    slides = read(talk, tmp_path, reader, layouts)
    assert {(s.title, s.text, s.image, s.lines) for s in slides} == {(None, "", None, ())}
    assert reader.seen == []


def test_a_box_that_reaches_out_of_the_picture_is_no_error(talk: Path, tmp_path: Path) -> None:
    out = [LayoutSpan(0, 5, "slides", Box(-20, -10, 2000, 1000)), LayoutSpan(5, 6, "slides", Box(900, 500, 10, 10))]
    assert read(talk, tmp_path, BarReader(), out)[0].image == "slides/0001.jpg"


def test_sound_alone_without_slides_is_no_error(tmp_path: Path) -> None:
    info = MediaInfo("wav", 5.0, 5.0, None, None, None, False)
    assert (
        read_slides(tmp_path / "none.wav", info, [], [], [], reader=BarReader(), folder=tmp_path, scratch=tmp_path)
        == []
    )


def slide(start_s: float, image: str | None, text: str = "") -> Slide:
    return Slide(start_s, start_s + 1, text.partition("\n")[0] or None, text, False, image, ())


def test_neighbours_of_the_same_picture_are_one_entry_of_the_index() -> None:
    slides = [slide(0, "a.jpg", "A"), slide(1, "a.jpg", "A"), slide(2, None), slide(3, None), slide(4, "a.jpg", "A")]
    assert [(s.start_s, s.end_s, s.image) for s in joined(slides)] == [(0, 2, "a.jpg"), (2, 4, None), (4, 5, "a.jpg")]
    assert to_json(slides)[0] == {
        "start_s": 0,
        "end_s": 2,
        "title": "A",
        "text": "A",
        "image": "a.jpg",
        "build": False,
    }


def test_text_of_a_stretch_has_each_line_once() -> None:
    slides = [slide(0, "a.jpg", "Title\none"), slide(1, "b.jpg", "Title\none\ntwo"), slide(2, "c.jpg", "Other")]
    assert text_at(slides, 0.5, 2.0) == "Title\none\ntwo"
    assert text_at(slides, 2.0, 3.0) == "Other"
    assert text_at(slides, 7.0, 8.0) == ""
