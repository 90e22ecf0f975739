"""One short recording with everything switched on, through the flow: what is published, and what a second run does."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core import media
from core.boxes import Box
from core.manifest import Manifest
from core.probe import probe
from core.publishing import named_files
from core.settings import EncodingSettings, WritingSettings
from flows.outcomes import Outcome

ROOT = Path(__file__).parents[2]
FROM_S, LENGTH_S = 37.7, 12.0
"""A part of the sample: a slide with the speaker's inset, a long pause, then a slide beside the speaker at 5.78 s."""
SIDE_FROM_S = 43.48 - FROM_S
SAID = (
    (0.28, 4.38, "So the explanation we all carry leaves out half of the tides."),
    (6.28, 7.71, "Here is the missing half."),
    (8.31, 11.44, "Gravy tea fades with distance, and the Earth is fucking big."),
)
INTRO_S = 0.4
FORMATS = {"source": (640, 360), "vertical": (540, 960), "square": (540, 540)}
SIDES_PX = {"hd": None, "sd": 240, "mobile": 144}
LADDER = "- name: hd\n- {name: sd, height_px: 240, max_kbps: 400}\n- {name: mobile, height_px: 144, max_kbps: 150}\n"
TEMPLATE = f"""
logo: {{file: logo.png, corner: top-left}}
intro: {{file: intro.png, seconds: {INTRO_S}}}
lower_third: {{start_s: 0.5, seconds: 2}}
"""
CROP = (0, 0, 320, 320)


@dataclass(frozen=True)
class Made:
    """A recording that was run through the flow once, and how to run it again in the same home."""

    outcome: Outcome
    home: Path
    run: Any

    @property
    def folder(self) -> Path:
        assert self.outcome.manifest, self.outcome.reason
        return Path(self.outcome.manifest).parent

    @property
    def manifest(self) -> Manifest:
        return manifest_of(self.outcome)

    @property
    def clip(self) -> Any:
        (clip,) = self.manifest.clips
        return clip


def manifest_of(outcome: Outcome) -> Manifest:
    assert outcome.manifest, outcome.reason
    return Manifest.model_validate_json(Path(outcome.manifest).read_bytes())


def stamp(time_s: float) -> str:
    return f"00:{time_s:06.3f}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short recording and all that a person may hand over with it."""
    folder = tmp_path_factory.mktemp("desk")
    cut = ["-ss", str(FROM_S), "-i", media.file_url(ROOT / "data/samples/tides.mp4"), "-t", str(LENGTH_S)]
    smaller = ["-vf", "scale=640:360,fps=12.5", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    media.run_ffmpeg([*cut, *smaller, media.file_url(folder / "talk.mp4")], what="Cutting", timeout_s=60)
    cues = (f"{stamp(a)} --> {stamp(b)}\n{text}\n" for a, b, text in SAID)
    (folder / "talk.vtt").write_text("WEBVTT\n\n" + "\n".join(cues))
    Image.new("RGBA", (64, 32), (200, 40, 40, 255)).save(folder / "logo.png")
    Image.new("RGB", (320, 180), (20, 90, 60)).save(folder / "intro.png")
    (folder / "ours.yaml").write_text(TEMPLATE)
    (folder / "ladder.yaml").write_text(LADDER)
    (folder / "terms.txt").write_text("Gravity = gravy tea\n")
    (folder / "framing.json").write_text(json.dumps([{"at_s": 8.0, "square": {"crop": CROP}}]))
    return folder


@pytest.fixture(scope="module")
def made(desk: Path, prefect_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    from flows.highlight import highlight

    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("out")

    def run(**more: Any) -> Outcome:
        given: dict[str, Any] = {
            "writing": WritingSettings(glossary=str(desk / "terms.txt"), profanity="mask", speaker="Ada"),
            **more,
        }
        (outcome,) = highlight(
            [str(desk / "talk.mp4")], out=str(out),
            clips=1, min_s=10, max_s=12, formats=tuple(FORMATS), burn_captions=True, caption_style="highlight",
            template=str(desk / "ours.yaml"), tighten="all", renditions=tuple(SIDES_PX), hls=True,
            framing=str(desk / "framing.json"), reel=False,
            encoding=EncodingSettings(ladder=str(desk / "ladder.yaml"), encoder_preset="ultrafast"), **given,
        )  # fmt: skip
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_HOME", str(home))
        yield Made(run(), home, run)


def test_the_manifest_names_the_files_that_are_there_and_no_others(made):
    there = {str(p.relative_to(made.folder)) for p in made.folder.rglob("*") if p.is_file()}
    assert there == named_files(made.manifest) | {"manifest.json"}
    assert all((made.folder / name).stat().st_size for name in there)


def test_every_format_is_made_in_every_size_and_equally_long(made):
    files = made.clip.files
    assert {format: set(sizes) for format, sizes in files.formats.items()} == {f: set(SIDES_PX) for f in FORMATS}
    assert files.formats["source"]["hd"] == files.video
    kept_s = made.clip.end_s - made.clip.start_s - sum(row.saved_s for row in made.clip.tightening)
    for format, sizes in files.formats.items():
        width, height = FORMATS[format]
        for name, file in sizes.items():
            found = probe(made.folder / file)
            assert found.video is not None
            assert found.audio is not None
            scale = (SIDES_PX[name] or min(width, height)) / min(width, height)
            assert found.video.width == pytest.approx(width * scale, abs=2)
            assert found.video.height == pytest.approx(height * scale, abs=2)
            assert found.duration_s == pytest.approx(kept_s + made.clip.intro_s, abs=0.1)


def test_each_format_has_a_poster_of_its_shape(made):
    files = made.clip.files
    posters = {"source": files.poster, **files.posters}
    for format, (width, height) in FORMATS.items():
        shown = Image.open(made.folder / posters[format])
        assert shown.width / shown.height == pytest.approx(width / height, abs=0.02)
    for picture in (files.sheet, made.manifest.files.overview):
        Image.open(made.folder / picture).verify()


def test_streams_list_three_renditions_whose_parts_are_there(made):
    assert set(made.clip.files.hls) == set(FORMATS)
    for master in made.clip.files.hls.values():
        path = made.folder / master
        text = path.read_text()
        assert text.count("#EXT-X-STREAM-INF") == 3
        lists = [line for line in text.splitlines() if line and not line.startswith("#")]
        lists += re.findall(r'URI="([^"]+\.m3u8)"', text)
        assert len(lists) == 4, "three sizes, and the captions"
        for name in lists:
            listed = path.parent / name
            said = listed.read_text()
            parts = [line for line in said.splitlines() if line and not line.startswith("#")]
            assert parts
            assert all((listed.parent / part).is_file() for part in [*parts, *re.findall(r'URI="([^"]+)"', said)])


def test_a_pause_is_cut_out_and_words_and_captions_come_as_much_sooner(made):
    clip = made.clip
    assert clip.intro_s == pytest.approx(INTRO_S, abs=0.04)
    pauses = [row for row in clip.tightening if row.start_s >= 4.0 and row.end_s <= 6.4]
    assert pauses
    assert all(row.removed for row in clip.tightening)
    here = next(word for word in clip.words if word.text == "Here")
    saved_s = sum(row.saved_s for row in clip.tightening if row.end_s < 6.4)
    assert here.start_s == pytest.approx(SAID[1][0] - clip.start_s - saved_s + clip.intro_s, abs=0.35)
    cue = re.search(r"(\d\d):(\d\d),(\d{3}) --> .*\nHere is", (made.folder / clip.files.srt).read_text())
    assert cue
    assert int(cue[2]) + int(cue[3]) / 1000 == pytest.approx(here.start_s, abs=0.1)


def test_the_glossary_and_the_list_of_swear_words_are_heeded_everywhere(made):
    clip, whole = made.clip, made.manifest
    assert [told for told in whole.corrections if told.endswith("→ Gravity")]
    assert "Gravity" in [word.text for word in clip.words]
    names = [name for files in (clip.files, whole.files) for name in (files.srt, files.vtt, files.text)]
    texts = [(made.folder / name).read_text() for name in [*names, "manifest.json"]]
    assert all("Gravity" in text for text in texts)
    own = whole.model_copy(update={"clips": [clip.model_copy(update={"captions": None})]}).model_dump_json()
    assert "fucking" not in "".join([own, *texts[:-1]]), "it stands in the note of what was masked alone"
    assert [note.instead for note in clip.captions.masked] == ["f******"]


def test_a_framing_of_ones_own_is_taken_for_its_format_alone(made):
    plans = {plan.format: plan for plan in made.clip.framing}
    assert {format: (plan.width, plan.height) for format, plan in plans.items()} == FORMATS
    (scene,) = plans["square"].scenes
    (panel,) = scene.panels
    assert [station.box for station in panel.path] == [Box(*CROP)]
    edges = [scene.start_s for scene in plans["vertical"].scenes]
    assert [t for t in edges if abs(t + made.clip.start_s - SIDE_FROM_S) < 0.1], "the layout changes there"
    assert all(plan.scenes[-1].end_s == pytest.approx(made.clip.end_s - made.clip.start_s, abs=0.01) for plan in
               plans.values())  # fmt: skip


def test_layout_json_tells_how_slide_and_speaker_share_the_picture(made):
    spans = json.loads((made.folder / made.manifest.files.layout).read_text())
    assert all(set(span) == {"start_s", "end_s", "layout", "slide_box", "face_box"} for span in spans)
    assert [span["layout"] for span in spans] == ["pip", "side"]
    assert spans[0]["start_s"] == 0
    assert spans[0]["end_s"] == spans[1]["start_s"] == pytest.approx(SIDE_FROM_S, abs=0.1)
    assert spans[1]["end_s"] == pytest.approx(LENGTH_S, abs=0.1)
    assert spans[0]["slide_box"] == pytest.approx([0, 0, 640, 360], abs=8)
    assert spans[0]["face_box"] == pytest.approx([472, 262, 160, 90], abs=8)
    assert all(type(side) is int for side in [*spans[1]["slide_box"], *spans[1]["face_box"]])


def test_slides_json_tells_what_stands_on_them_with_their_pictures(made):
    files = made.manifest.files
    slides = json.loads((made.folder / files.slides).read_text())
    assert all(set(slide) == {"start_s", "end_s", "title", "text", "image", "build"} for slide in slides)
    assert [slide["title"] for slide in slides] == ["What we learned at school", "The missing half"]
    assert "The Moon pulls on the sea" in slides[0]["text"]
    assert slides[0]["end_s"] == slides[1]["start_s"] == pytest.approx(SIDE_FROM_S, abs=0.1)
    assert {slide["image"] for slide in slides} <= set(files.slide_images)


def test_captions_beside_the_recording_are_used(made):
    transcript = made.manifest.transcript
    assert transcript.source == "captions"
    assert "speech" not in made.manifest.models
    assert transcript.words == sum(len(text.split()) for _, _, text in SAID) - 1, "gravy tea is one word less"


def test_the_manifest_says_what_saw_and_what_dressed(made):
    whole = made.manifest
    assert {"faces", "ocr", "highlight", "text"} <= set(whole.models)
    assert whole.files.reel is None
    assert whole.template == "ours"
    assert whole.settings.look.formats == tuple(FORMATS)
    assert {"layout", "slides", "follow", "write", "render"} <= {stage.name for stage in whole.stages}
    assert made.clip.writing.writer == "offline"
    assert made.clip.writing.description
    assert made.clip.checks.measures["encoder"] == "x264"


def test_a_second_run_asks_only_a_writer_that_failed_and_never_keeps_its_words(made, monkeypatch):
    monkeypatch.setenv("WINNOW_WRITER_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("WINNOW_WRITER_MODEL", "nobody")
    writing = made.manifest.settings.writing.model_copy(update={"titles": "endpoint"})
    before = {path: path.stat().st_mtime_ns for path in made.folder.rglob("*.mp4")}
    kept = set((made.home / "analysis").glob("*/write/*"))
    again = manifest_of(made.run(writing=writing))
    assert {stage.name for stage in again.stages if not stage.cached} == {"admit", "write", "publish"}
    assert {path: path.stat().st_mtime_ns for path in made.folder.rglob("*.mp4")} == before
    (clip,) = again.clips
    assert clip.title == made.clip.title
    assert clip.writing.writer == "offline"
    assert "nobody" in (clip.writing.note or "")
    assert {p for p in (made.home / "analysis").glob("*/write/*") if any(p.iterdir())} == kept
    assert math.isclose(clip.score, made.clip.score)
