"""Contact sheets: which frames they show, in which shape, and what they say to broken input."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import media
from core.contact_sheet import EDGE_PX, GAP_PX, Shown, write_contact_sheet, write_overview
from core.errors import MediaError
from core.probe import probe
from core.records import Cue


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, Path]:
    """Six seconds each whose grey tells the time: 20 at the start, 20 more each second."""
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for name, size in (("source", (96, 54)), ("vertical", (54, 96)), ("square", (64, 64))):
        raw, made[name] = folder / f"{name}.gray", folder / f"{name}.mp4"
        raw.write_bytes(np.repeat(20 + np.arange(60) * 2, size[0] * size[1]).astype(np.uint8).tobytes())
        shown = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{size[0]}x{size[1]}", "-framerate", "10"]
        coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"]
        media.run_ffmpeg(
            [*shown, "-i", media.file_url(raw), *coded, media.file_url(made[name])], what="Filming", timeout_s=60
        )
    return made


def greys(sheet: Path, columns: int, rows: int, high: int, step: int) -> list[float]:
    """Mean grey of each picture on a sheet without a title."""
    image = np.asarray(Image.open(sheet).convert("L"), float)
    wide = (image.shape[1] - 2 * EDGE_PX - (columns - 1) * GAP_PX) // columns
    places = [(EDGE_PX + c * (wide + GAP_PX), EDGE_PX + r * step) for r in range(rows) for c in range(columns)]
    return [image[y : y + high, x : x + wide].mean() for x, y in places]


def test_a_sheet_shows_evenly_spaced_frames_in_order(tmp_path, clips):
    target = tmp_path / "sheet.jpg"
    write_contact_sheet(
        clips["source"], probe(clips["source"]), target, scratch=tmp_path, columns=3, rows=2, width_px=640
    )
    height = Image.open(target).height
    wide = (640 - 2 * EDGE_PX - 2 * GAP_PX) // 3
    high = round(wide * 54 / 96)
    step = (height - 2 * EDGE_PX + GAP_PX) // 2
    # Studio levels are stretched to full range as any player does.
    expected = [20 + 20 * time_s for time_s in (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)]
    assert greys(target, 3, 2, high, step) == pytest.approx(expected, abs=4)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.jpg"]


def test_an_upright_clip_stays_upright_and_gets_narrow_cells(tmp_path, clips):
    heights = {}
    for name, clip in clips.items():
        write_contact_sheet(clip, probe(clip), tmp_path / "a.jpg", scratch=tmp_path, width_px=800, title="A title")
        heights[name] = Image.open(tmp_path / "a.jpg").height
    assert heights["source"] < heights["vertical"] < heights["square"] < 800


def test_given_times_and_captions_make_as_many_rows_as_needed(tmp_path, clips):
    info = probe(clips["source"])
    sizes = []
    for times_s, captions in (([0.5], ()), ([5.0, 0.5, 3.0], ()), ([0.5], (Cue(0, 2, ("Said here",)),))):
        write_contact_sheet(
            clips["source"], info, tmp_path / "a.jpg", scratch=tmp_path, times_s=times_s, columns=2, captions=captions
        )
        sizes.append(Image.open(tmp_path / "a.jpg").size)
    assert [width for width, _ in sizes] == [1280] * 3
    assert sizes[0][1] < sizes[2][1] < sizes[1][1]


def test_a_sheet_without_room_or_frames_is_refused(tmp_path, clips):
    info = probe(clips["source"])
    for options in ({"times_s": []}, {"columns": 40, "rows": 1}, {"rows": 100}):
        with pytest.raises(ValueError, match="contact sheet shows"):
            write_contact_sheet(clips["source"], info, tmp_path / "a.jpg", scratch=tmp_path, **options)


def test_an_overview_has_a_row_a_clip_with_its_formats_side_by_side(tmp_path):
    pictures = []
    for name, size, grey in (("source", (640, 360), 90), ("vertical", (360, 640), 150), ("square", (400, 400), 210)):
        Image.new("L", size, grey).save(tmp_path / f"{name}.png")
        pictures.append((name, tmp_path / f"{name}.png"))
    title = "A title that is far longer than the room which is left for it beside three pictures " * 4
    clips = [Shown(title, "0:10 to 0:40", tuple(pictures)), Shown("", "", tuple(pictures[:1])), Shown("No", "", ())]
    write_overview(clips, tmp_path / "all.jpg", title="Highlights")
    image = np.asarray(Image.open(tmp_path / "all.jpg").convert("L"), float)
    assert image.shape[1] == 1280
    band = image[120]  # through the first row's pictures
    for grey, wide in ((90, 320), (150, 101), (210, 180)):
        assert (np.abs(band - grey) < 4).sum() == pytest.approx(wide, abs=4)
    assert (np.abs(image - 150) < 3).sum() < 1.1 * 101 * 180
    text = image[60:240, 24 + 320 + 101 + 180 + 3 * GAP_PX : 1280 - EDGE_PX]
    assert text.max() > 200
    assert (image[:, -EDGE_PX:] < 60).all()


def test_broken_and_missing_pictures_are_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for name in ("broken.jpg", "missing.jpg"):
        with pytest.raises(MediaError, match=name):
            write_overview([Shown("A", "", (("source", tmp_path / name),))], tmp_path / "all.jpg")
    with pytest.raises(ValueError, match="overview needs"):
        write_overview([], tmp_path / "all.jpg")
