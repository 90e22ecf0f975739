"""Plans of every layout in every format: what is shown whole, what is followed, how large, and when it changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.boxes import Box, overlap
from core.camera_path import box_at
from core.framing import output_size, plan_framing
from core.framing_plan import Format, FramingPlan, Scene
from core.sights import LayoutSpan, Sighting

SIZE = (1280, 720)
PICTURE = Box(0, 0, 1280, 720)
INSET, LEFT, RIGHT = Box(944, 524, 320, 180), Box(0, 120, 852, 480), Box(852, 120, 428, 480)
PIP = LayoutSpan(0, 60, "pip", PICTURE, INSET)
SIDE = LayoutSpan(0, 60, "side", LEFT, RIGHT)
CAMERA = LayoutSpan(0, 60, "camera", None, PICTURE)
SLIDES = LayoutSpan(0, 60, "slides", PICTURE)


def sights(x: float, y: float, w: float, seconds: float = 60.0) -> list[Sighting]:
    times_s = np.arange(0, seconds, 0.2).tolist()
    return [Sighting(t, Box(x - w / 2, y - w * 0.65, w, w * 1.3), Box(x - 9, y + 0.4 * w, 18, 9)) for t in times_s]


def planned(
    format: Format, *spans: LayoutSpan, seen=(), size=SIZE, text=(), start_s=10.0, end_s=30.0, max_height=1080
) -> FramingPlan:
    plan = plan_framing(
        format, size=size, start_s=start_s, end_s=end_s, layouts=spans, sightings=seen, text_boxes=lambda _: text,
        max_height=max_height,
    )  # fmt: skip
    assert plan.scenes[-1].end_s == pytest.approx(end_s - start_s)
    for scene in plan.scenes:
        for panel in scene.panels:
            target = panel.target
            assert Box(0, 0, plan.width, plan.height).contains(target)
            assert all(value % 2 == 0 for value in (target.x, target.y, target.w, target.h))
            shape = target.w / target.h / (panel.path[0].box.w / panel.path[0].box.h)
            assert shape == pytest.approx(1, rel=0.02, abs=2 / min(target.w, target.h))
            assert all(Box(0, 0, *size).contains(station.box, slack_px=0.1) for station in panel.path)
    return plan


def only(plan: FramingPlan) -> Scene:
    (scene,) = plan.scenes
    return scene


@pytest.mark.parametrize(
    ("format", "size", "max_height", "expected"),
    [
        ("vertical", (1920, 1080), 1080, (1080, 1920)),
        ("vertical", (1280, 720), 1080, (1080, 1920)),
        ("vertical", (854, 480), 1080, (720, 1280)),
        ("vertical", (1920, 1080), 720, (720, 1280)),
        ("vertical", (160, 90), 1080, (134, 238)),
        ("vertical", (720, 1280), 1080, (720, 1280)),
        ("vertical", (2160, 3840), 1080, (1080, 1920)),
        ("square", (1920, 1080), 1080, (1080, 1080)),
        ("square", (320, 240), 1080, (360, 360)),
        ("source", (1920, 1080), 720, (1280, 720)),
        ("source", (854, 480), 1080, (854, 480)),
    ],
)
def test_sizes_follow_the_limit_and_the_recording(format: Format, size, max_height, expected) -> None:
    assert output_size(format, size, max_height) == expected


@pytest.mark.parametrize("format", ["vertical", "square"])
@pytest.mark.parametrize(
    ("span", "slide", "camera", "x"), [(PIP, PICTURE, INSET, 1104), (SIDE, LEFT, RIGHT, 1100)], ids=["pip", "side"]
)
def test_a_slide_stands_whole_above_its_speaker(format: Format, span, slide, camera, x) -> None:
    seen = sights(x, camera.y + camera.h * 0.4, camera.h / 3.5)
    above, below = only(planned(format, span, seen=seen)).panels
    assert above.path[0].box == slide and len(above.path) == 1
    assert above.target.bottom == below.target.y
    view = below.path[0].box
    assert camera.contains(view, slack_px=0.1) and view.contains(seen[0].box)
    assert below.target.w / view.w <= 4.6


@pytest.mark.parametrize("format", ["vertical", "square"])
def test_a_slide_alone_is_fitted_whole_over_a_blurred_ground(format: Format) -> None:
    scene = only(planned(format, SLIDES))
    (panel,) = scene.panels
    assert scene.ground == "blur" and panel.path[0].box == PICTURE and panel.target.w == 1080


@pytest.mark.parametrize("format", ["vertical", "square"])
def test_the_camera_fills_the_picture_with_the_speaker_s_face_in_the_upper_part(format: Format) -> None:
    scene = only(planned(format, CAMERA, seen=sights(900, 230, 90)))
    (panel,) = scene.panels
    view = panel.path[0].box
    assert scene.ground == "plain" and view.contains(Box(855, 170, 90, 117))
    assert (230 - view.y) / view.h < 0.4 and abs(view.centre[0] - 900) < 10


def test_a_small_face_on_a_large_picture_is_brought_nearer_but_not_too_near() -> None:
    size = (3840, 2160)
    far = sights(2000, 900, 100)
    camera = LayoutSpan(0, 60, "camera", None, Box(0, 0, *size))
    view = only(planned("vertical", camera, seen=far, size=size)).panels[0].path[0].box
    assert 130 / view.h <= 1 / 3 and 1920 / view.h <= 2.6 and view.h < 1500
    board = LayoutSpan(0, 60, "board", None, Box(0, 0, *size))
    assert only(planned("vertical", board, seen=far, size=size)).panels[0].path[0].box.h == pytest.approx(2160)


def test_a_face_too_wide_for_an_upright_view_is_fitted_not_cut() -> None:
    scene = only(planned("vertical", CAMERA, seen=sights(640, 380, 480)))
    view = scene.panels[0].path[0].box
    assert view.contains(Box(400, 68, 480, 624)) and scene.ground == "blur"


def test_without_a_face_the_camera_stands_in_the_middle() -> None:
    for span in (CAMERA, LayoutSpan(0, 60, "other", None, None)):
        (panel,) = only(planned("vertical", span)).panels
        assert len(panel.path) == 1 and panel.path[0].box.centre == pytest.approx((640, 360), abs=4)


def test_other_with_text_is_fitted_whole() -> None:
    scene = only(planned("vertical", LayoutSpan(0, 60, "other"), text=[Box(100, 100, 900, 40)]))
    assert scene.panels[0].path[0].box == PICTURE and scene.ground == "blur"


@pytest.mark.parametrize("layout", [CAMERA, PIP, SLIDES], ids=lambda span: span.layout)
def test_source_shows_the_whole_picture_whatever_its_layout(layout) -> None:
    scene = only(planned("source", layout))
    assert scene.panels[0].path[0].box == PICTURE and scene.panels[0].target == PICTURE


def test_an_upright_recording_is_left_alone_and_a_narrower_one_is_not_distorted() -> None:
    size = (720, 1280)
    scene = only(planned("vertical", LayoutSpan(0, 60, "camera", None, Box(0, 0, *size)), size=size))
    assert scene.panels[0].path[0].box == Box(0, 0, 720, 1280) == scene.panels[0].target
    narrow = (400, 1200)
    planned("vertical", LayoutSpan(0, 60, "camera", None, Box(0, 0, *narrow)), size=narrow, seen=sights(200, 300, 80))


def test_faces_on_the_slide_are_not_the_speaker() -> None:
    seen = sorted([*sights(1104, 590, 50), *sights(300, 300, 200)], key=lambda s: s.time_s)
    below = only(planned("vertical", PIP, seen=seen)).panels[1]
    assert len(below.path) == 1 and below.path[0].box.contains(Box(1079, 558, 50, 65))


def test_layout_changes_become_scenes_at_their_times() -> None:
    plan = planned("vertical", LayoutSpan(0, 15.5, "camera", None, PICTURE), LayoutSpan(15.5, 60, "slides", PICTURE))
    assert [scene.start_s for scene in plan.scenes] == [0.0, 5.5]


def test_a_cut_between_cameras_becomes_a_scene_with_a_view_of_its_own() -> None:
    seen = [s for s in sights(300, 200, 60) if s.time_s < 18] + [s for s in sights(900, 300, 130) if s.time_s >= 18]
    plan = plan_framing(
        "vertical", size=SIZE, start_s=10, end_s=30, layouts=[CAMERA], sightings=seen, text_boxes=lambda _: (),
        max_height=1080, cuts_s=[17.96],
    )  # fmt: skip
    assert [scene.start_s for scene in plan.scenes] == pytest.approx([0.0, 7.96])
    views = [box_at(scene.panels[0].path, scene.start_s) for scene in plan.scenes]
    assert overlap(*views) < 0.5 and all(len(scene.panels[0].path) == 1 for scene in plan.scenes)


def test_no_layouts_at_all_still_make_a_plan() -> None:
    assert len(planned("square").scenes) == 1


def test_an_empty_clip_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="start_s < end_s"):
        planned("vertical", CAMERA, start_s=3, end_s=3)


boxes = st.builds(Box, st.floats(-50, 900), st.floats(-50, 900), st.floats(1, 900), st.floats(1, 900)) | st.none()
layouts = st.lists(
    st.tuples(st.sampled_from(["slides", "camera", "pip", "side", "board", "other"]), st.floats(0.1, 6), boxes, boxes),
    max_size=6,
)


@given(
    layouts, st.tuples(st.integers(1, 900), st.integers(1, 900)), st.sampled_from(["vertical", "square"]),
    st.lists(st.tuples(st.floats(0, 9), boxes.filter(bool)), max_size=12),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_whatever_was_found_the_plan_can_be_rendered(parts, half_size, format: Format, faces) -> None:
    spans, at = [], 0.0
    for layout, length_s, slide, face in parts:
        spans.append(LayoutSpan(at, at + length_s, layout, slide, face))
        at += length_s
    seen = [Sighting(t, box, box) for t, box in sorted(faces, key=lambda face: face[0])]
    size = (2 * half_size[0], 2 * half_size[1])
    plan = plan_framing(
        format,
        size=size,
        start_s=1.0,
        end_s=9.0,
        layouts=spans,
        sightings=seen,
        text_boxes=lambda _: (),
        max_height=720,
    )
    assert plan.scenes[-1].end_s == 8
    for panel in (panel for scene in plan.scenes for panel in scene.panels):
        assert Box(0, 0, plan.width, plan.height).contains(panel.target)
        assert all(v % 2 == 0 for v in (panel.target.x, panel.target.y, panel.target.w, panel.target.h))
        assert all(Box(0, 0, *size).contains(station.box, slack_px=0.1) for station in panel.path)
