from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core import media
from core.boxes import Box, overlap
from core.errors import MediaError
from core.layout_scan import find_layouts
from core.probe import probe
from core.records import SlideSpan
from core.sights import Face

INSET = Box(280, 150, 96, 54)
CUTS_S = (0.0, 4.0, 8.0, 12.0)


def speaker(image: np.ndarray) -> list[Face]:
    """Finds the whole of what is as green as the moving test picture's frame, in place of a network."""
    rows, columns = np.nonzero((image[..., 1] > 120) & (image[..., 0] < 90) & (image[..., 2] < 90))
    if len(rows) < 30:
        return []
    x, y = float(columns.min()), float(rows.min())
    return [Face(Box(x, y, columns.max() - x + 1, rows.max() - y + 1), 0.99, ())]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three layouts of 4 s each: a slide, another with an inset, and a shot that fills the picture."""
    target = tmp_path_factory.mktemp("layouts") / "talk.mp4"
    moving = "color=0x604030:r=12,noise=alls=20:allf=t"
    graph = (
        "color=0xf0f0e0:s=400x225:r=12:d=4,drawbox=30:40:200:12:navy:fill,drawbox=30:80:150:12:navy:fill[one];"
        "color=0xc0d8f0:s=400x225:r=12:d=4,drawbox=60:30:120:14:maroon:fill,drawbox=40:70:180:12:maroon:fill[two];"
        f"{moving.replace('color=', 'color=s=96x54:d=4:c=')},drawbox=30:10:30:34:0x20c020:fill[small];"
        "color=0x20c020:s=12x12:r=12:d=4[dot];[small][dot]overlay=60+10*sin(6*t):20[inset];"
        f"[two][inset]overlay={INSET.x:.0f}:{INSET.y:.0f}[pip];"
        f"{moving.replace('color=', 'color=s=400x225:d=4:c=')},drawbox=150:40:70:90:0x20c020:fill[large];"
        "color=0x20c020:s=50x50:r=12:d=4[spot];[large][spot]overlay=220+30*sin(6*t):60[shot];"
        "[one][pip][shot]concat=n=3,format=yuv420p"
    )
    media.run_ffmpeg(
        ["-filter_complex", graph, "-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-f", "mp4", str(target)],
        what="Making a talk",
        timeout_s=60,
    )
    return target


def spans() -> list[SlideSpan]:
    return [SlideSpan(a, b, "slide" if a else "start") for a, b in pairwise(CUTS_S)]


def test_layouts_follow_each_other_with_their_boxes(talk: Path, tmp_path: Path) -> None:
    told: list[float] = []
    found = find_layouts(
        talk, probe(talk), spans(), [2.0, 6.0, 10.0], find_faces=speaker, scratch=tmp_path, on_progress=told.append
    )
    assert [(s.start_s, s.end_s, s.layout) for s in found] == [
        (0.0, 4.0, "slides"),
        (4.0, 8.0, "pip"),
        (8.0, probe(talk).duration_s, "camera"),
    ]
    whole = Box(0, 0, 400, 224)
    assert (found[0].slide_box, found[0].face_box) == (whole, None)
    assert found[1].slide_box == whole
    assert found[1].face_box is not None
    assert overlap(found[1].face_box, INSET) > 0.95
    assert (found[2].slide_box, found[2].face_box) == (None, whole)
    assert told == sorted(told)
    assert told[-1] == probe(talk).duration_s


def test_a_recording_without_a_picture_is_refused(talk: Path, tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    media.run_ffmpeg(["-f", "lavfi", "-i", "sine=d=2", "-f", "wav", str(sound)], what="Making a sound", timeout_s=60)
    with pytest.raises(MediaError, match="no picture"):
        find_layouts(sound, probe(sound), [SlideSpan(0, 2, "start")], [1.0], find_faces=speaker, scratch=tmp_path)
