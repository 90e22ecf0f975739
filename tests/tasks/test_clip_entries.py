"""What a clip's files are called when they are published, and what is said of its captions."""

from dataclasses import replace

import pytest

from core.boxes import Box
from core.caption_report import CaptionReport
from core.dressing import Dressed
from core.framing_plan import Format, FramingPlan, Panel, Scene, Station
from core.home import store
from core.ladder import DEFAULT_LADDER, plan_renditions
from core.production import Look, MadeFile, Production, look_stem
from core.records import CheckResult, Cue, Highlight, Span, StageRef, Word
from core.rendering import RenderedClip
from core.renditions import rendition_name
from core.wording import Wording
from tasks.clip_entries import Finished, Parcel, caption_warnings, clip_entry

SIZES: dict[Format, tuple[int, int]] = {"source": (1280, 720), "vertical": (720, 1280), "square": (720, 720)}
REPORT = CaptionReport(4, 12.0, 15.0, {}, (), 1.0, (), (), (), (), ())


def look(format: Format) -> Look:
    size = SIZES[format]
    panel = Panel(Box(0, 0, *size), (Station(0.0, Box(0, 0, 160, 90)),))
    return Look(FramingPlan(format, *size, (Scene(0.0, 10.0, (panel,)),)))


def finished(formats: tuple[Format, ...], *, hls: bool, spoken: bool = True) -> Finished:
    """A clip as the stage `render` leaves it, with an intro of 2 s; its files hold their own names."""
    production = Production(tuple(look(format) for format in formats), DEFAULT_LADDER)
    files: list[MadeFile] = []
    for number, each in enumerate(production.looks):
        stem = look_stem(number, each)
        for place, one in enumerate(plan_renditions(each.size, DEFAULT_LADDER)):
            name = f"{stem}.mp4" if place == 0 else rendition_name(one, stem)
            files.append(MadeFile(each.plan.format, one.name, name, one.width, one.height))
    ref = StageRef("a" * 64, "render", "key")
    names = [file.name for file in files] + ["poster.jpg", "sheet.jpg", *(f"{format}.jpg" for format in formats[1:])]
    if hls:
        names += [f"hls/{format}/{name}" for format in formats for name in ("master.m3u8", "hd.m3u8", "hd.mp4")]
    with store().writing(ref) as folder:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
    words = (Word("Tides", 0.5, 1.0),) if spoken else ()
    cues = (Cue(0.5, 1.0, ("Tides",)),) if spoken else ()
    checks = CheckResult((), (), {})
    clip = RenderedClip(12.0, 1280, 720, "25/1", None, None, checks, (), None, 30.0, 40.0, tuple(files), 2.0)
    pick = Highlight(1, 30.0, 40.0, 0.5, 0, 0, "Why Two Tides?", "Tides", {})
    dressed = Dressed(Span(30.0, 40.0), production, words, cues, (), REPORT if spoken else None, ())
    return Finished(pick, Wording("", "", (), "offline"), dressed, ref, clip)


def entry_of(made: Finished):
    parcel = Parcel()
    return clip_entry(3, made, parcel, transcript=None, slides=(), speaker="", tightened=False), parcel


def test_files_are_named_by_clip_format_and_size(winnow_home):
    entry, parcel = entry_of(finished(("source", "vertical", "square"), hls=True))
    files = entry.files
    assert files.video == "clips/03-why-two-tides.mp4"
    assert files.formats == {
        "source": {"hd": files.video, "sd": "clips/03-why-two-tides-sd.mp4",
                   "mobile": "clips/03-why-two-tides-mobile.mp4"},
        "vertical": {"hd": "clips/03-why-two-tides-vertical.mp4", "sd": "clips/03-why-two-tides-vertical-sd.mp4",
                     "mobile": "clips/03-why-two-tides-vertical-mobile.mp4"},
        "square": {"hd": "clips/03-why-two-tides-square.mp4", "sd": "clips/03-why-two-tides-square-sd.mp4",
                   "mobile": "clips/03-why-two-tides-square-mobile.mp4"},
    }  # fmt: skip
    assert files.posters == {
        "vertical": "clips/03-why-two-tides-vertical.jpg",
        "square": "clips/03-why-two-tides-square.jpg",
    }
    assert files.hls == {format: f"clips/03-why-two-tides.hls/{format}/master.m3u8" for format in SIZES}
    assert len(files.parts) == 6
    assert files.all == parcel.copies.keys() | parcel.texts.keys()


@pytest.mark.parametrize("formats", [("source", "square"), ("vertical",), ("square", "source")], ids="+".join)
def test_each_name_gets_the_file_of_its_format_and_size(winnow_home, formats):
    made = finished(formats, hls=True)
    entry, parcel = entry_of(made)
    stored = {(file.format, file.rendition): file.name for file in made.clip.files}
    assert set(entry.files.formats) == set(formats)
    for format, sizes in entry.files.formats.items():
        for name, file in sizes.items():
            assert parcel.copies[file].read_text() == stored[format, name]
        assert f"/{format}/" in parcel.copies[entry.files.hls[format]].read_text()
    assert entry.files.formats[formats[0]]["hd"] == entry.files.video == "clips/03-why-two-tides.mp4"
    assert {format: parcel.copies[file].read_text() for format, file in entry.files.posters.items()} == {
        format: f"{format}.jpg" for format in formats[1:]
    }


def test_captions_and_words_come_after_the_intro(winnow_home):
    entry, parcel = entry_of(finished(("source",), hls=False))
    assert [(word.start_s, word.end_s) for word in entry.words] == [(2.5, 3.0)]
    assert "00:00:02,500 --> 00:00:03,000" in parcel.texts[entry.files.srt or ""]
    assert (entry.files.hls, entry.files.parts, entry.intro_s) == ({}, [], 2.0)


def test_a_clip_in_which_nobody_speaks_has_no_caption_files(winnow_home):
    entry, parcel = entry_of(finished(("source",), hls=False, spoken=False))
    assert (entry.files.srt, entry.files.vtt, entry.files.text, entry.captions) == (None, None, None, None)
    assert not parcel.texts


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({}, [], id="all is well"),
        pytest.param({"told": ("One.",)}, ["In 4 captions a rule is broken 1 time."], id="one breach"),
        pytest.param({"told": ("One.",) * 3}, ["In 4 captions a rule is broken 3 times."], id="more are counted"),
        pytest.param(
            {"over_mouth": (1.0,), "over_text": (2.04, 3.0)},
            [
                "1 of 4 captions stand over the speaker's mouth, for want of room.",
                "2 of 4 captions stand over text on the slide, for want of room.",
            ],
            id="over a mouth and over text",
        ),
    ],
)
def test_what_is_wrong_with_captions_is_told_in_few_lines(change, says):
    assert caption_warnings(replace(REPORT, **change)) == says


def test_without_captions_nothing_is_said_of_them():
    assert caption_warnings(None) == []
