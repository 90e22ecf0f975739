"""One pass makes all formats and sizes: all of one length, in step, with captions, intro and outro in each."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import loudness, media, tools
from core.brand import load_template
from core.caption_ass import to_ass
from core.cutting import Cut, plan_cut
from core.encoders import choose_encoder
from core.encoding import SOUND, TIGHT, body_span_s, encode_call, made_files, total_cut_frames
from core.framing import plan_framing
from core.framing_plan import Format
from core.ladder import Rendition
from core.loudness import Levelling
from core.picture import shown_size
from core.probe import probe
from core.production import Look, MadeFile, Production
from core.records import Cue, MediaInfo
from core.settings import RenderSettings
from core.sights import LayoutSpan
from core.tighten_graph import tighten_wav
from core.tightening import Removal, Tightening
from tests.core.films import HD, asked, beeps_s, flashes_s, pictures, plain_production, record

SETTINGS = RenderSettings(encoder_preset="ultrafast")
START_S, END_S, RATE = 1.52, 5.52, 25
"""At borders of frames."""
LADDER = (Rendition(name="hd"), Rendition(name="low", height_px=90, crf=30))
CUE = Cue(0.4, 1.2, ("Some words",))
ENDS = "intro: {file: card.png, seconds: 0.4}\noutro: {file: card.png, seconds: 0.6}\n"
INTRO, OUTRO, KEPT = 10, 15, 80
BOTTOM = "crop=iw:2*trunc(ih/6):0:ih-2*trunc(ih/6)"


@dataclass(frozen=True)
class Encoded:
    production: Production
    cut: Cut
    folder: Path
    warnings: tuple[str, ...]


def encode(source: Path, folder: Path, production: Production, *, title: str = "", settings=SETTINGS) -> Encoded:
    work = folder / "work"
    work.mkdir(parents=True)
    cut, levelling = plan_cut(source, probe(source), START_S, END_S), None
    if cut.info.audio:
        loudness.extract_sound(cut, work / SOUND)
        if production.tightening:
            tighten_wav(work / SOUND, work / TIGHT, production.tightening)
        levelling = Levelling(0.0, None)
    call, warnings = encode_call(
        production, cut, levelling, settings=settings, encoder=choose_encoder("x264"), title=title, folder=folder,
        work=work, threads=1,
    )  # fmt: skip
    media.run([tools.ffmpeg(), *media.QUIET, "-y", *call], what="Encoding", timeout_s=120, cwd=work)
    return Encoded(production, cut, folder, warnings)


def look(format: Format, info: MediaInfo, size: tuple[int, int], *, max_height: int = 1_080) -> Look:
    """A camera's picture in that format, with a caption."""
    layouts = [LayoutSpan(0.0, info.duration_s, "camera", None, None)]
    plan = plan_framing(
        format, size=size, start_s=START_S, end_s=END_S, layouts=layouts, sightings=(), text_boxes=lambda _: (),
        max_height=max_height,
    )  # fmt: skip
    return Look(plan, to_ass([CUE], width_px=plan.width, height_px=plan.height))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    """Three formats in two sizes each, tightened, with captions, intro and outro."""
    folder = tmp_path_factory.mktemp("encoding")
    source = record(folder / "talk.mp4", 6, size=(192, 108))
    Image.new("RGB", (64, 36), "#0000ff").save(folder / "card.png")
    (folder / "mine.yaml").write_text(ENDS)
    info = probe(source)
    formats: tuple[Format, ...] = ("source", "vertical", "square")
    production = Production(
        looks=tuple(look(format, info, (192, 108)) for format in formats),
        ladder=LADDER,
        cues=(CUE,),
        tightening=Tightening(4.0, "25/1", (Removal(0.4, 1.2, "pause"),)),
        template=load_template(str(folder / "mine.yaml")),
    )
    return encode(source, folder / "made", production, title="All of it")


def test_every_format_is_made_in_every_size_that_is_smaller(everything):
    files = made_files(everything.production)
    assert files == (
        MadeFile("source", "hd", "clip.mp4", 192, 108),
        MadeFile("source", "low", "clip-low.mp4", 160, 90),
        MadeFile("vertical", "hd", "vertical.mp4", 162, 288),
        MadeFile("vertical", "low", "vertical-low.mp4", 90, 160),
        MadeFile("square", "hd", "square.mp4", 162, 162),
        MadeFile("square", "low", "square-low.mp4", 90, 90),
    )
    assert {path.name for path in everything.folder.glob("*.mp4")} == {file.name for file in files}
    for file in files:
        video, audio = asked(everything.folder / file.name)["streams"]
        assert (video["width"], video["height"], audio["codec_name"]) == (file.width, file.height, "aac")


def test_all_files_have_the_frames_that_stay_and_those_of_intro_and_outro(everything):
    assert total_cut_frames(everything.production, everything.cut) == INTRO + KEPT + OUTRO
    assert body_span_s(everything.production, everything.cut) == (INTRO / RATE, (INTRO + KEPT) / RATE)
    for file in made_files(everything.production):
        clip = everything.folder / file.name
        light = pictures(clip, (8, 8), "scale=8:8").reshape(-1, 64).mean(axis=1)
        assert len(light) == INTRO + KEPT + OUTRO, file.name
        blue = light < 45
        assert blue[:INTRO].all() and blue[-OUTRO:].all() and not blue[INTRO:-OUTRO].any(), file.name
        assert probe(clip).duration_s == pytest.approx((INTRO + KEPT + OUTRO) / RATE, abs=0.03)


def test_flash_and_beep_fall_together_in_all_of_them_behind_the_intro(everything):
    tightening = everything.production.tightening
    expected = [INTRO / RATE + tightening.shown_s(t - START_S) for t in (3.0, 5.0)]
    for file in made_files(everything.production):
        clip = everything.folder / file.name
        assert flashes_s(clip, RATE) == pytest.approx(expected, abs=0.02), file.name
        assert beeps_s(clip) == pytest.approx(expected, abs=0.02), file.name


def test_captions_are_drawn_into_each_while_they_last_as_the_body_plays(everything):
    for file in made_files(everything.production):
        high = 2 * (file.height // 6)
        contrast = pictures(everything.folder / file.name, (file.width, high), BOTTOM).std(axis=(1, 2))
        shown = np.flatnonzero(contrast > 8)
        assert (shown[0], shown[-1]) == (INTRO + 10, INTRO + 29), file.name


def test_a_single_format_and_size_needs_no_tightening_and_no_template(everything, tmp_path):
    source = everything.cut.source
    made = encode(source, tmp_path / "made", plain_production(source, START_S, END_S))
    assert [path.name for path in (tmp_path / "made").glob("*.mp4")] == ["clip.mp4"]
    assert total_cut_frames(made.production, made.cut) == 100
    assert body_span_s(made.production, made.cut) == (0.0, 4.0)
    assert flashes_s(tmp_path / "made" / "clip.mp4", RATE) == pytest.approx([1.48, 3.48], abs=0.02)
    assert made.warnings == ()


def test_a_recording_without_sound_has_none_in_any_format(everything, tmp_path):
    source = record(tmp_path / "mute.mp4", 6, sound=False)
    production = replace(everything.production, ladder=HD)
    production = replace(production, looks=tuple(look(f, probe(source), (64, 36)) for f in ("source", "square")))
    encode(source, tmp_path / "made", production)
    for name in ("clip.mp4", "square.mp4"):
        assert [stream["codec_type"] for stream in asked(tmp_path / "made" / name)["streams"]] == ["video"]


def test_sound_alone_gets_its_picture_in_every_format(tmp_path):
    source = record(tmp_path / "a.m4a", 6, picture=False)
    info = probe(source)
    size = shown_size(info.video)
    assert size == (1280, 720)
    looks = tuple(look(format, info, size, max_height=180) for format in ("source", "square"))
    encode(source, tmp_path / "made", Production(looks, HD), title="Title")
    for name, size in (("clip.mp4", (320, 180)), ("square.mp4", (180, 180))):
        seen = pictures(tmp_path / "made" / name, size)
        assert len(seen) == 100 and seen[50].max() > 120, name
        assert beeps_s(tmp_path / "made" / name) == pytest.approx([1.48, 3.48], abs=0.02)


def keyframes(clip: Path) -> list[int]:
    entries = ["-select_streams", "v", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]
    said, _ = media.run([tools.ffprobe(), "-v", "error", *entries, media.file_url(clip)], what="Asking", timeout_s=60)
    return sorted(round(float(line.split(",")[0]) * RATE) for line in said.splitlines() if ",K" in line)


def test_the_body_and_the_outro_begin_with_keyframes_so_that_a_reel_can_cut_there(everything):
    for file in made_files(everything.production):
        assert {0, INTRO, INTRO + KEPT} <= set(keyframes(everything.folder / file.name)), file.name


def test_streaming_puts_keyframes_at_the_same_frames_in_all_sizes(everything, tmp_path):
    production = replace(everything.production, looks=everything.production.looks[:1])
    streamed = SETTINGS.model_copy(update={"hls": True})
    encode(everything.cut.source, tmp_path / "made", production, settings=streamed)
    expected = [0, INTRO, INTRO + 50, INTRO + KEPT]
    assert [keyframes(tmp_path / "made" / name) for name in ("clip.mp4", "clip-low.mp4")] == [expected, expected]
