"""Captions drawn into a format: at the times at which the body plays, and clear of whatever else is to be seen."""

import re
from pathlib import Path

import pytest

from core.boxes import Box
from core.brand_assets import prepare_assets
from core.captions import retime
from core.drawn_captions import Body, draw_captions
from core.kit import Kit, load_kit
from core.records import Span
from core.seen import Seen
from core.settings import Settings
from core.sights import LayoutSpan
from core.tightening import Removal, Tightening
from tests.core.films import whole_picture
from tests.core.lessons import PICTURE, lesson, settings, sightings, slide, spoken

SPAN = Span(10.0, 22.0)
TITLE = "What pulls the water up on the far side of the earth, and how often a day"
CAMERA = LayoutSpan(0.0, 60.0, "camera", None, PICTURE)
SLIDES = LayoutSpan(0.0, 60.0, "slides", PICTURE, None)
STANDS = re.compile(r"Dialogue: 0,0:00:([\d.]+),0:00:([\d.]+),Caption,.*?\\an(\d)\\pos\(([\d.]+),([\d.]+)\)")


def drawn(seen: Seen, *, face: Box | None = None, chosen: Settings | None = None, kit: Kit | None = None,
          applied: Tightening | None = None):  # fmt: skip
    """(captions, when they stand over text, and over a mouth), in the source format."""
    chosen = chosen or settings()
    words = retime(list(spoken()), SPAN.start_s, SPAN.end_s)
    body = Body(
        TITLE,
        SPAN,
        applied.retime(words) if applied else words,
        applied.shown_duration_s if applied else SPAN.length_s,
        sightings(face) if face else [],
        seen,
        applied,
    )
    plan = whole_picture(seen.info, SPAN.start_s, SPAN.end_s)
    return draw_captions(plan, body, kit or load_kit(chosen), chosen)


def stands(ass: str) -> list[tuple[float, float, int, float]]:
    """(start_s, end_s, anchor, y) of each caption."""
    found = [(float(a), float(b), int(anchor), float(y)) for a, b, anchor, _, y in STANDS.findall(ass)]
    assert len(found) == ass.count("Dialogue:") >= 2
    return found


def test_captions_stand_at_the_bottom_where_nothing_is_in_the_way():
    ass, over = drawn(lesson(layouts=(CAMERA,)))
    assert all(anchor == 2 and y > 500 for *_, anchor, y in stands(ass))
    assert over == ([], [])


def test_captions_keep_clear_of_a_face_and_its_mouth():
    ass, (_, mouths) = drawn(lesson(layouts=(CAMERA,)), face=Box(540, 480, 160, 200))
    assert mouths == []
    assert all(y < 480 for *_, y in stands(ass))


def test_captions_keep_clear_of_a_slide_s_text_while_it_is_shown():
    slides = (slide(0.0, 16.0), slide(16.0, 60.0, Box(100, 520, 1000, 60), Box(100, 620, 1000, 60)))
    ass, (texts, _) = drawn(lesson(layouts=(SLIDES,), slides=slides))
    assert texts == []
    before = [y for _, end_s, _, y in stands(ass) if end_s <= 6.0]
    after = [y for start_s, *_, y in stands(ass) if start_s >= 6.0]
    assert min(before) > 540 and max(after) < 520


def test_text_everywhere_is_covered_and_told():
    full = slide(0.0, 60.0, PICTURE)
    ass, (texts, mouths) = drawn(lesson(layouts=(SLIDES,), slides=(full,)))
    assert texts == [pytest.approx(start_s, abs=0.011) for start_s, *_ in stands(ass)] and mouths == []


def test_captions_keep_clear_of_the_lower_third_while_it_is_shown(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text("lower_third: {start_s: 0, seconds: 6, speaker: Ada Lovelace}")
    chosen = settings(look={"template": str(tmp_path / "mine.yaml")})
    kit = load_kit(chosen)
    assert kit.template
    shown = prepare_assets(kit.template, tmp_path, size=(1280, 720), duration_s=12.0, title=TITLE)
    ((start_s, end_s, panel),) = shown.occupied
    bare, _ = drawn(lesson(layouts=(CAMERA,)))
    ass, _ = drawn(lesson(layouts=(CAMERA,)), chosen=chosen, kit=kit)
    during = [(anchor, y) for a, b, anchor, y in stands(ass) if a < end_s and b > start_s]
    assert during and all(y <= panel.y if anchor == 2 else y >= panel.bottom for anchor, y in during)
    assert any(y > panel.y for a, b, _, y in stands(bare) if a < end_s), "without it, they would stand there"
    later = [y for a, *_, y in stands(ass) if a >= end_s]
    assert later and min(later) > panel.y


def test_captions_and_what_they_keep_clear_of_move_with_what_is_left_out():
    cut_out = Tightening(12.0, "25/1", (Removal(4.4, 6.4, "pause"),))
    slides = (slide(0.0, 16.6), slide(16.6, 60.0, Box(100, 520, 1000, 160)))
    ass, (texts, _) = drawn(lesson(layouts=(SLIDES,), slides=slides), applied=cut_out)
    found = stands(ass)
    assert texts == [] and found[-1][1] <= cut_out.shown_duration_s
    assert all((y > 540) == (start_s < 4.6) for start_s, *_, y in found)


def test_words_light_up_where_the_style_says_so():
    plain, _ = drawn(lesson(layouts=(CAMERA,)))
    karaoke, _ = drawn(lesson(layouts=(CAMERA,)), chosen=settings(look={"caption_style": "karaoke"}))
    assert "\\k" not in plain and "\\k" in karaoke
