"""What a clip is made into: which pictures are left as they are, how long files are, what they are called."""

from fractions import Fraction
from pathlib import Path

from PIL import Image

from core.boxes import Box
from core.brand import load_template
from core.framing_plan import Format, FramingPlan, Panel, Scene, Station
from core.production import Look, Production, look_stem
from core.tightening import Removal, Tightening
from tests.core.films import HD


def look(format: Format, *, free: bool = False) -> Look:
    whole = Panel(Box(0, 0, 64, 36), (Station(0.0, Box(0, 0, 64, 36)),))
    return Look(FramingPlan(format, 64, 36, (Scene(0.0, 4.0, (whole,)),)), free=free)


def test_only_the_source_format_as_planned_leaves_the_picture_as_it_is():
    assert look("source").untouched
    assert not look("source", free=True).untouched, "somebody's own plan may show a part of it"
    assert not look("square").untouched


def test_the_first_format_is_the_clip_and_the_others_are_named_by_what_they_are():
    formats: tuple[Format, ...] = ("vertical", "source", "square")
    assert [look_stem(n, look(format)) for n, format in enumerate(formats)] == ["clip", "source", "square"]


def test_frames_are_those_that_stay_with_intro_and_outro_beside_them(tmp_path: Path):
    Image.new("RGB", (64, 36), "#0000ff").save(tmp_path / "card.png")
    said = "intro: {file: card.png, seconds: 1.01}\noutro: {file: card.png, seconds: 2}\n"
    (tmp_path / "mine.yaml").write_text(said)
    template = load_template(str(tmp_path / "mine.yaml"))
    tightening = Tightening(4.0, "25/1", (Removal(1.0, 1.4, "pause"),))
    made = Production((look("source"),), HD, tightening=tightening, template=template)
    assert made.body_frames(100) == 90
    assert made.ends(Fraction(25)) == (25, 50)
    bare = Production((look("source"),), HD)
    assert (bare.body_frames(100), bare.ends(Fraction(25))) == (100, (0, 0))
