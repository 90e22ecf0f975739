import subprocess
from pathlib import Path

import pytest
from PIL import Image

from core import tools
from core.probe import probe
from core.records import SlideSpan
from core.thumbnails import write_thumbnails

COLOURS = ["red", "lime", "blue"]
SEEN = [(254, 0, 0), (0, 255, 0), (0, 0, 254)]


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 25 for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds each of red, lime and blue; pixels twice as wide as they are high."""
    path = tmp_path_factory.mktemp("colours") / "colours.mp4"
    inputs = [part for c in COLOURS for part in ("-f", "lavfi", "-i", f"color={c}:s=160x180:r=10:d=2")]
    graph = "[0:v][1:v][2:v]concat=n=3,setsar=2"
    program = [tools.ffmpeg(), "-v", "error", *inputs, "-filter_complex", graph, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(program, check=True, timeout=60)
    return path


SPANS = [SlideSpan(0, 2, "start"), SlideSpan(2, 4, "slide"), SlideSpan(4, 6, "shot")]


def test_each_span_gets_a_picture_of_itself_in_the_shape_of_the_screen(colours: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    named = write_thumbnails(colours, probe(colours), SPANS, [1.5, 3.9, 5.0], folder, scratch=tmp_path)
    assert [span.thumbnail for span in named] == ["slide-0001.jpg", "slide-0002.jpg", "slide-0003.jpg"]
    assert sorted(p.name for p in folder.iterdir()) == [span.thumbnail for span in named]
    for span, colour in zip(named, SEEN, strict=True):
        with Image.open(folder / str(span.thumbnail)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (320, 180))
            seen = picture.convert("RGB").getpixel((160, 90))
            assert isinstance(seen, tuple) and near(seen, colour)


def test_the_longest_spans_come_first_where_there_are_too_many(colours: Path, tmp_path: Path) -> None:
    spans = [SlideSpan(0, 1, "start"), SlideSpan(1, 4, "slide"), SlideSpan(4, 6, "slide")]
    folder = tmp_path / "out"
    folder.mkdir()
    named = write_thumbnails(colours, probe(colours), spans, [0.5, 3.0, 5.0], folder, scratch=tmp_path, most=2)
    assert [span.thumbnail for span in named] == [None, "slide-0002.jpg", "slide-0003.jpg"]
    assert len(list(folder.iterdir())) == 2


def test_spans_that_share_a_frame_both_get_it(colours: Path, tmp_path: Path) -> None:
    named = write_thumbnails(colours, probe(colours), SPANS[:2], [1.0, 1.0], tmp_path, scratch=tmp_path)
    assert (tmp_path / str(named[0].thumbnail)).read_bytes() == (tmp_path / str(named[1].thumbnail)).read_bytes()


def test_no_spans_need_no_decoder(colours: Path, tmp_path: Path) -> None:
    assert write_thumbnails(colours, probe(colours), [], [], tmp_path, scratch=tmp_path) == []
