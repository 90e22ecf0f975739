"""One try at a clip is looked over: every file of it, not only the first."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.boxes import Box
from core.cutting import plan_cut
from core.encoders import choose_encoder
from core.errors import MediaError
from core.framing_plan import FramingPlan, Panel, Scene, Station
from core.probe import probe
from core.production import Look
from core.rendering import render_clip
from core.settings import RenderSettings
from core.takes import Order, examine
from tests.core.films import plain_production, record

SETTINGS = RenderSettings(encoder_preset="ultrafast")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Order:
    """A clip in two formats, as it was ordered; its files lie in the order's folder."""
    folder = tmp_path_factory.mktemp("takes")
    source = record(folder / "a.mp4", 4, size=(96, 54), sound=False)
    plain = plain_production(source, 1.0, 3.0)
    middle = Panel(Box(0, 0, 54, 54), (Station(0.0, Box(20, 0, 54, 54)),))
    square = Look(FramingPlan("square", 54, 54, (Scene(0.0, 2.0, (middle,)),)))
    production = replace(plain, looks=(*plain.looks, square))
    target = folder / "clip"
    target.mkdir()
    order = Order(
        source, probe(source), 1.0, 3.0, SETTINGS, choose_encoder("x264"), "", production, target, 1, None, None
    )
    done = render_clip(
        source, order.info, 1.0, 3.0, settings=SETTINGS, encoder=order.encoder, title="", production=production,
        folder=target, threads=1,
    )  # fmt: skip
    assert done.rejected is None
    return order


def problems(order: Order, folder: Path, spoil: str, by: Path) -> tuple[str, ...]:
    """What is found when one file of the clip is another."""
    shutil.copytree(order.folder, folder / "clip")
    shutil.copyfile(by, folder / "clip" / spoil)
    own = replace(order, folder=folder / "clip")
    cut = plan_cut(order.source, order.info, order.start_s, order.end_s)
    return examine(own, cut, None, None, ("noted",), folder).verdict.cut


def test_a_format_that_is_wrong_is_named_and_the_clip_itself_is_not(made, tmp_path):
    found = problems(made, tmp_path, "square.mp4", made.folder / "clip.mp4")
    assert found == ("square.mp4: The width of the clip's picture is 96 instead of 54.",)


def test_the_clip_itself_needs_no_name(made, tmp_path):
    found = problems(made, tmp_path, "clip.mp4", made.folder / "square.mp4")
    assert "The width of the clip's picture is 54 instead of 96." in found


def test_what_cannot_be_opened_is_an_error_that_says_so(made, tmp_path):
    (tmp_path / "broken").write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"Rendering a clip of a\.mp4: what came out is not playable"):
        problems(made, tmp_path, "square.mp4", tmp_path / "broken")
