"""Places for captions: in the safe area, tall enough, clear of mouth and text while there is room."""

from dataclasses import replace

import numpy as np
import pytest

from core.boxes import Box, shared
from core.caption_places import LEAST_SCALE
from core.caption_zones import LETTERS, SAFE, TWO_LINES, caption_zones
from core.framing import plan_framing
from core.framing_plan import Format
from core.sights import Layout, LayoutSpan, Sighting

PICTURE, INSET = Box(0, 0, 1280, 720), Box(944, 524, 320, 180)


def zones(format: Format, layout: Layout, *, face: Box | None = None, text: tuple[Box, ...] = (), scale: float = 1.0):
    boxes = {"camera": (None, PICTURE), "slides": (PICTURE, None), "pip": (PICTURE, INSET)}[layout]
    seen = []
    if face:
        mouth = Box(face.x + face.w * 0.3, face.y + face.h * 0.75, face.w * 0.4, face.h * 0.1)
        seen = [Sighting(float(t), face, mouth) for t in np.arange(100, 110, 0.2)]
    plan = plan_framing(
        format, size=(1280, 720), start_s=100, end_s=110, layouts=[LayoutSpan(0, 200, layout, *boxes)], sightings=seen,
        text_boxes=lambda _: text, max_height=1080,
    )  # fmt: skip
    found = caption_zones(plan, seen, lambda _: text, start_s=100)
    top, bottom, side = SAFE[format]
    safe = Box(side * plan.width, top * plan.height, (1 - 2 * side) * plan.width, (bottom - top) * plan.height)
    assert found and all(safe.contains(zone.box, slack_px=0.01) for zone in found)
    assert all(zone.box.h >= scale * TWO_LINES * LETTERS[format] * plan.width - 0.01 for zone in found)
    return found


@pytest.mark.parametrize("format", ["vertical", "square", "source"])
def test_captions_stand_below_the_face_of_a_camera(format: Format) -> None:
    best = zones(format, "camera", face=Box(600, 150, 100, 130))[0]
    assert best.clear == "face and slide" and best.box.y > 280 / 720 * (1920 if format == "vertical" else 720) * 0.99


def test_captions_under_a_slide_alone_leave_its_text_readable() -> None:
    best = zones("vertical", "slides", text=(Box(100, 60, 900, 60), Box(100, 600, 900, 60)))[0]
    assert best.clear == "face and slide" and best.box.y >= 502 + 608


def test_in_a_pip_they_keep_off_the_text_above_and_the_face_below() -> None:
    best = zones("vertical", "pip", face=Box(1080, 560, 50, 65), text=(Box(100, 60, 900, 500),))[0]
    assert best.clear == "face and slide" and best.box.y > 800


def test_a_face_that_fills_the_picture_leaves_the_mouth_free() -> None:
    found = zones("source", "camera", face=Box(340, 10, 600, 700))
    assert found[0].clear == "mouth"
    assert not any(shared(zone.box, Box(520, 535, 240, 70)) for zone in found)


def test_text_everywhere_gives_the_usual_place_and_says_so() -> None:
    (best,) = zones("source", "slides", text=(Box(0, 0, 1280, 720),))
    assert best.clear == "mouth"


def test_a_slide_that_leaves_no_room_gives_the_room_between_its_lines() -> None:
    text = (Box(0, 100, 600, 40), Box(0, 400, 600, 40))
    best = zones("square", "pip", face=Box(1070, 560, 90, 130), text=text, scale=LEAST_SCALE)[0]
    assert best.clear in ("face and text", "mouth and slide") and not any(
        shared(best.box, line.scaled(27 / 32, 27 / 32)) for line in text
    )


def test_letters_get_smaller_before_the_slide_s_text_is_covered() -> None:
    text = (Box(0, 0, 1280, 400), Box(0, 500, 1280, 220))
    found = zones("source", "slides", text=text, scale=LEAST_SCALE)
    least = TWO_LINES * LETTERS["source"] * 1280
    assert found[0].clear == "mouth and slide" and found[0].box.h < least
    assert not any(shared(zone.box, line) for zone in found for line in text)


def test_letters_get_smaller_before_a_chin_rules_out_all_places() -> None:
    face = Box(340, 10, 600, 640)
    found = zones("source", "camera", face=face, scale=LEAST_SCALE)
    assert found[0].clear == "mouth and slide"
    eyes_to_mouth = Box(340, 10, 600, 0.85 * 640)
    assert not any(shared(zone.box, eyes_to_mouth) for zone in found)


def test_what_a_template_draws_is_kept_clear_of_while_it_is_there() -> None:
    third = Box(60, 540, 500, 140)
    plan = plan_framing(
        "source", size=(1280, 720), start_s=100, end_s=110, layouts=[LayoutSpan(0, 200, "camera", None, PICTURE)],
        sightings=(), text_boxes=lambda _: (), max_height=1080,
    )  # fmt: skip
    (scene,) = plan.scenes
    scenes = (replace(scene, end_s=6.0), replace(scene, start_s=6.0))
    found = caption_zones(replace(plan, scenes=scenes), (), lambda _: (), start_s=100, covered=[(1.0, 6.0, third)])
    during = [zone for zone in found if zone.start_s == 0.0]
    assert during and not any(shared(zone.box, third) for zone in during)
    assert shared(next(zone for zone in found if zone.start_s == 6.0).box, third)
