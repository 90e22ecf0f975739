"""What is seen in a short recording, by the tasks: found once, and then read from the store."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from core import media
from core.admission import identify
from core.boxes import Box
from core.probe import probe
from core.records import SlideSpan, Span
from core.settings import AdmissionSettings
from core.sights import LayoutSpan, Sighting, Slide
from models.faces import resolve_faces
from models.slides import resolve
from tasks.entries import read_value
from tasks.picture import find_layout, follow_speaker, read_slide_text, scan_picture
from tasks.stage import kept
from tests.models.face_pictures import head

SIZE = (640, 360)
FACE_AT = (240, 60)
FACE_PX, SWAY_PX = 170, 20
SECONDS = 3
FONT = Path(__file__).parents[2] / "core/assets/fonts/SourceSansPro-Bold.ttf"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide for some seconds, then a face for as many."""
    folder = tmp_path_factory.mktemp("film")
    slide = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(slide)
    for text, top, size in (
        ("Tides and moons", 40, 44),
        ("The near side runs ahead", 150, 30),
        ("Twice a day", 220, 30),
    ):
        draw.text((50, top), text, fill="black", font=ImageFont.truetype(str(FONT), size))
    slide.save(folder / "slide.png")
    Image.fromarray(head(FACE_PX)).save(folder / "face.png")
    stills = [["-loop", "1", "-framerate", "12", "-t", str(SECONDS), "-i", str(folder / f"{name}.png")]
              for name in ("slide", "face")]  # fmt: skip
    graph = (
        f"color=c=0x46505f:s={SIZE[0]}x{SIZE[1]}:r=12:d={SECONDS},noise=alls=16:allf=t[room];"
        f"[room][1]overlay=x='{FACE_AT[0]}+{SWAY_PX}*sin(5*t)':y={FACE_AT[1]}[camera];[0][camera]concat,format=yuv420p"
    )
    call = [*stills[0], *stills[1], "-filter_complex", graph, "-c:v", "libx264", "-preset", "ultrafast"]
    media.run_ffmpeg([*call, str(folder / "film.mp4")], what="Making a film", timeout_s=60)
    return folder / "film.mp4"


@pytest.fixture(scope="module")
def seen(film, prefect_here, tmp_path_factory):
    """All that the tasks find, twice: (value, state's name) of both times, by the task's name."""
    recording, info = identify(film, AdmissionSettings()), probe(film)
    found: dict[str, list[tuple[Any, str]]] = {}

    def run(task, kind, *inputs):
        state = kept(task)(recording, info, *inputs, return_state=True)
        ref = state.result()
        found.setdefault(task.name, []).append((read_value(ref, kind), state.name))
        return ref

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_HOME", str(tmp_path_factory.mktemp("home")))
        for _ in range(2):
            picture = run(scan_picture, list[SlideSpan])
            layout = run(find_layout, list[LayoutSpan], picture, resolve_faces())
            run(read_slide_text, list[Slide], picture, layout, resolve())
            spoken = Span(SECONDS + 0.5, SECONDS + 2.0)
            run(follow_speaker, list[Sighting], spoken, layout, None, resolve_faces())
    return found


@pytest.mark.parametrize("stage", ["frames", "layout", "slides", "follow"])
def test_what_was_found_once_is_not_looked_for_again(seen, stage):
    (first, how), (again, how_again) = seen[stage]
    assert (how, how_again) == ("Completed", "Cached")
    assert first == again


def test_layouts_tell_the_slide_from_the_speaker(seen):
    spans, _ = seen["layout"][0]
    assert [span.layout for span in spans] == ["slides", "camera"]
    assert spans[0].start_s == 0
    assert spans[0].end_s == spans[1].start_s == pytest.approx(SECONDS, abs=0.1)
    assert (spans[0].face_box, spans[1].slide_box) == (None, None)


def test_the_slide_is_read_and_the_face_is_not(seen):
    (slide, other), _ = seen["slides"][0]
    assert slide.title == "Tides and moons"
    assert slide.text.splitlines()[1:] == ["The near side runs ahead", "Twice a day"]
    assert slide.image
    assert other.text == ""


def test_the_speaker_is_seen_where_the_face_is(seen):
    sightings, _ = seen["follow"][0]
    assert sightings
    inside = Box(FACE_AT[0] - SWAY_PX, FACE_AT[1], FACE_PX + 2 * SWAY_PX, FACE_PX * 1.2)
    assert all(SECONDS + 0.5 <= one.time_s < SECONDS + 2.0 for one in sightings)
    assert all(inside.contains(one.mouth) for one in sightings)
    assert all(one.mouth.y > one.box.y + one.box.h / 2 for one in sightings)
