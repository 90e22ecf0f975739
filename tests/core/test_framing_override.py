"""A person's own framing: both forms, both names of a clip, and a clear word for every mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.boxes import Box
from core.codec import plain
from core.errors import BadSetting
from core.framing import plan_framing
from core.framing_override import load_overrides, overridden, overrides_for
from core.framing_plan import FramingPlan
from core.sights import LayoutSpan

SIZE = (1280, 720)
SPANS = [LayoutSpan(0, 15, "camera", None, Box(0, 0, 1280, 720)), LayoutSpan(15, 90, "slides", Box(0, 0, 1280, 720))]
PLAN = plan_framing(
    "vertical", size=SIZE, start_s=10, end_s=20, layouts=SPANS, sightings=[], text_boxes=lambda _: (), max_height=1080
)
SCENES = plain(PLAN, FramingPlan)["scenes"]


def written(folder: Path, value: Any) -> Path:
    path = folder / "framing.json"
    path.write_text(json.dumps(value))
    return path


def applied(folder: Path, vertical: dict[str, Any]) -> FramingPlan:
    overrides = load_overrides(written(folder, [{"clip": 1, "vertical": vertical}]))
    return overridden(overrides_for(overrides, clip=1, start_s=0, end_s=9)["vertical"], PLAN, size=SIZE)


def test_a_published_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    assert applied(tmp_path, plain(PLAN, FramingPlan)) == PLAN


def test_boxes_may_be_written_short_and_the_last_scene_lasts_to_the_end(tmp_path: Path) -> None:
    panel = {"target": [0, 0, 1080, 1920], "path": [{"time_s": 0, "box": [437, 0, 405, 720]}]}
    plan = applied(tmp_path, {"scenes": [{"start_s": 0, "end_s": 4, "panels": [panel]}]})
    assert plan.scenes[0].end_s == 10 and plan.scenes[0].panels[0].path[0].box == Box(437, 0, 405, 720)


def test_a_crop_of_the_right_shape_fills_and_another_is_fitted(tmp_path: Path) -> None:
    filled = applied(tmp_path, {"crop": [420, 0, 405, 720]}).scenes
    assert len(filled) == 1 and filled[0].ground == "plain" and filled[0].panels[0].target == Box(0, 0, 1080, 1920)
    (fitted,) = applied(tmp_path, {"crop": [0, 0, 1280, 720]}).scenes
    assert fitted.ground == "blur" and fitted.panels[0].path[0].box == Box(0, 0, 1280, 720)


def test_clips_are_named_by_number_or_by_a_time_inside_and_the_last_word_counts(tmp_path: Path) -> None:
    still = {"crop": [0, 0, 405, 720]}
    path = written(
        tmp_path,
        [{"clip": 2, "vertical": still}, {"at_s": 70, "vertical": {"crop": [9, 0, 405, 720]}, "square": still}],
    )
    overrides = load_overrides(path)
    assert overrides_for(overrides, clip=1, start_s=0, end_s=60) == {}
    assert overrides_for(overrides, clip=1, start_s=60, end_s=80).keys() == {"vertical", "square"}
    crop = overrides_for(overrides, clip=2, start_s=60, end_s=80)["vertical"].crop
    assert crop and crop.x == 9


def bent(**change: Any) -> list[Any]:
    return [{"clip": 1, "vertical": {"scenes": [SCENES[0] | change]}}]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"clip": 1}, "must be a list"),
        ([1], "entry 1: it must be an object"),
        ([{"vertical": {"crop": [0, 0, 9, 9]}}], "either clip or at_s"),
        ([{"clip": 0, "vertical": {"crop": [0, 0, 9, 9]}}], "whole number from 1"),
        ([{"at_s": "1:20", "vertical": {"crop": [0, 0, 9, 9]}}], "time in seconds"),
        ([{"clip": 1, "upright": {}}], "'upright' is unknown"),
        ([{"clip": 1}], "no framing"),
        ([{"clip": 1, "vertical": {}}], "either crop or scenes"),
        ([{"clip": 1, "vertical": {"crop": [0, 0, 0, 9]}}], "vertical, crop"),
        ([{"clip": 1, "vertical": {"crop": "left"}}], "x, y, width, height"),
        ([{"clip": 1, "vertical": {"scenes": []}}], "begins at 0"),
        (bent(start_s=1.0), "begins at 0"),
        (bent(end_s=0.0), "start_s < end_s"),
        (bent(panels=[{"target": [0, 0, 9, 9], "path": []}]), "scenes.0.panels.0"),
        (bent(ground="pink"), "scenes.0.ground"),
        ([{"clip": 1, "vertical": {"scenes": SCENES, "width": 7, "height": 8}}], "even size"),
        ([{"clip": 1, "vertical": {"scenes": SCENES, "width": 8}}], "width and height must both"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, value: Any, says: str) -> None:
    with pytest.raises(BadSetting, match=says):
        load_overrides(written(tmp_path, value))


@pytest.mark.parametrize("text", ["", "[", "\x00", "[" * 100_000])
def test_what_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "framing.json").write_text(text)
    with pytest.raises(BadSetting, match="framing.json"):
        load_overrides(tmp_path / "framing.json")
    with pytest.raises(BadSetting, match="missing.json"):
        load_overrides(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("vertical", "says"),
    [
        ({"crop": [2000, 0, 405, 720]}, "outside the picture of 1280x720"),
        ({"scenes": [SCENES[0] | {"end_s": 50}, SCENES[1] | {"start_s": 50, "end_s": 60}]}, "only 10 s long"),
        ({"scenes": SCENES, "width": 540, "height": 960}, "reaches outside the clip's 540x960"),
        (
            {
                "scenes": [
                    SCENES[0] | {"panels": [{"target": [0, 1, 8, 8], "path": [{"time_s": 0, "box": [0, 0, 8, 8]}]}]}
                ]
            },
            "even pixels",
        ),
        (
            {
                "scenes": [
                    SCENES[0] | {"panels": [{"target": [0, 0, 8, 8], "path": [{"time_s": 0, "box": [-9, 0, 8, 8]}]}]}
                ]
            },
            "outside the recording",
        ),
    ],
)
def test_what_does_not_fit_the_clip_is_named(tmp_path: Path, vertical: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting, match=says):
        applied(tmp_path, vertical)
