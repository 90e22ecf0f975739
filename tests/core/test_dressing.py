"""How a moment becomes clips: formats, what is left out, whose framing counts, what is written when."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from core.dressing import Dressed, dress, shifted
from core.errors import BadSetting
from core.kit import load_kit
from core.records import Cue
from core.settings import Settings
from core.sights import LayoutSpan
from tests.core.lessons import PICTURE, lesson, pick, settings, slide


def dressed(chosen: Settings | None = None, *, number: int = 1, seen=None, **groups) -> Dressed:
    chosen = chosen or settings(**groups)
    return dress(number, pick(), [], seen=seen or lesson(), kit=load_kit(chosen), settings=chosen)


def test_a_moment_is_its_recording_s_picture_with_all_its_words_unless_more_is_asked_for():
    made = dressed()
    (look,) = made.production.looks
    assert (made.span.start_s, made.span.end_s) == (10.0, 22.0)
    assert look.untouched and look.captions is None and look.size == (1280, 720)
    assert made.production.tightening is None and made.removals == () and made.production.subtitles is None
    assert made.words[0].start_s == pytest.approx(0.2) and len(made.words) == 22
    assert made.cues and made.cues[-1].end_s <= 12.0 and made.production.cues == made.cues
    assert made.report and made.report.cues == len(made.cues) and made.report.over_text == ()


def test_formats_are_the_template_s_where_none_are_chosen(tmp_path):
    (tmp_path / "mine.yaml").write_text("aspect: [square, vertical]")
    template = str(tmp_path / "mine.yaml")
    assert [look.plan.format for look in dressed(look={"template": template}).production.looks] == [
        "square",
        "vertical",
    ]
    chosen = dressed(look={"template": template, "formats": ["source"]})
    assert [look.plan.format for look in chosen.production.looks] == ["source"]


def test_a_preview_tells_what_would_go_and_leaves_everything_in():
    shown, applied = (dressed(look={"tighten": mode}) for mode in ("preview", "all"))
    assert shown.removals == applied.removals and len(shown.removals) >= 2
    assert shown.production.tightening is None and len(shown.words) == 22
    pause = next(row for row in shown.removals if row["kind"] == "pause")
    assert 14.2 <= float(pause["start_s"]) < float(pause["end_s"]) <= 17.0, "on the recording's timeline"


def test_tightening_takes_pauses_or_fillers_too_and_everything_else_moves_with_it():
    pauses, everything = (dressed(look={"tighten": mode}) for mode in ("pauses", "all"))
    assert [row["kind"] for row in pauses.removals] == ["pause"]
    assert {row["kind"] for row in everything.removals} == {"pause", "filler"}
    assert len(pauses.words) == 22 and [word.text for word in everything.words].count("um,") == 0
    for made in (pauses, everything):
        tightening = made.production.tightening
        assert tightening and tightening.frames == 300
        assert tightening.shown_duration_s == pytest.approx(12.0 - sum(float(row["saved_s"]) for row in made.removals))
        assert all(b.start_s - a.end_s < 1.0 for a, b in pairwise(made.words)), "the pause of 2.8 s is gone"
        assert made.cues[-1].end_s <= tightening.shown_duration_s
        assert (made.span.start_s, made.span.end_s) == (10.0, 22.0)


def test_what_is_too_silent_or_too_busy_to_tighten_is_left_whole():
    made = dressed(look={"tighten": "all"}, seen=lesson(said=False))
    assert made.cues == made.words == () and made.report is None and made.production.cues == ()
    changes = tuple(slide(at, at + 1.0) for at in range(10, 22))
    assert dressed(look={"tighten": "pauses"}, seen=lesson(slides=changes)).production.tightening is None


def test_slides_are_told_as_the_body_plays():
    slides = (slide(0, 12.0, title="One"), slide(12.0, 60, title="Two"))
    whole, tight = (dressed(look={"tighten": mode}, seen=lesson(slides=slides)) for mode in ("no", "pauses"))
    assert [(s.start_s, s.end_s) for s in whole.slides] == [(0.0, 2.0), (2.0, 12.0)]
    assert tight.production.tightening
    assert [s.end_s for s in tight.slides] == [2.0, pytest.approx(tight.production.tightening.shown_duration_s)]


def test_one_s_own_framing_counts_for_its_clip_by_number_or_by_time(tmp_path: Path):
    framing = tmp_path / "framing.json"
    crop = {"crop": [300, 0, 405, 720]}
    framing.write_text(
        json.dumps([{"clip": 2, "vertical": crop}, {"at_s": 15.0, "square": {"crop": [0, 0, 720, 720]}}])
    )
    chosen = settings(look={"framing": str(framing), "formats": ["source", "vertical", "square"]})
    for number, free in ((1, [False, False, True]), (2, [False, True, True])):
        looks = dressed(chosen, number=number).production.looks
        assert [look.free for look in looks] == free
    (scene,) = looks[1].plan.scenes
    assert (scene.panels[-1].path[0].box.x, scene.end_s) == (300, 12.0)
    framing.write_text(json.dumps([{"clip": 1, "vertical": {"crop": [5_000, 0, 405, 720]}}]))
    with pytest.raises(BadSetting, match="outside the picture of 1280x720"):
        dressed(settings(look={"framing": str(framing), "formats": ["vertical"]}))


def test_subtitles_for_streaming_wait_for_the_intro_and_the_body_s_captions_do_not(tmp_path):
    Image.new("RGB", (64, 36), "#0000ff").save(tmp_path / "card.png")
    (tmp_path / "mine.yaml").write_text("intro: {file: card.png, seconds: 2}")
    look, streaming = {"template": str(tmp_path / "mine.yaml")}, {"hls": True}
    plain, behind = dressed(rendering=streaming), dressed(look=look, rendering=streaming)
    assert plain.cues == behind.cues and plain.production.subtitles and behind.production.subtitles
    first = plain.cues[0].start_s
    assert f"00:00:{first:06.3f} -->" in plain.production.subtitles
    assert f"00:00:{first + 2:06.3f} -->" in behind.production.subtitles
    assert dressed(look=look).production.subtitles is None, "nothing is streamed"
    assert shifted([Cue(1.0, 2.5, ("a",))], 0.12) == [Cue(1.12, 2.62, ("a",))]


def test_swear_words_are_masked_in_captions_and_told():
    kept, masked = dressed(), dressed(writing={"profanity": "mask"})
    assert any("shit" in line for cue in kept.cues for line in cue.lines)
    assert not any("shit" in line for cue in masked.cues for line in cue.lines)
    assert masked.report and [each.text for each in masked.report.masked] == ["shit,"]


def test_captions_are_drawn_into_every_format_in_its_own_size():
    layouts = (LayoutSpan(0.0, 60.0, "camera", None, PICTURE),)
    look = {"formats": ["source", "vertical", "square"]}
    made = dressed(look=look, rendering={"burn_captions": True}, seen=lesson(layouts=layouts))
    for each in made.production.looks:
        width, height = each.size
        assert each.captions and f"PlayResX: {width}\nPlayResY: {height}" in each.captions
        assert each.captions.count("Dialogue:") >= 2
    silent = dressed(look=look, rendering={"burn_captions": True}, seen=lesson(said=False))
    assert [each.captions for each in silent.production.looks] == [None, None, None]
