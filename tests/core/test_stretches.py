"""Layouts cut to a clip: completed, without gaps, and without flashes that a neighbour could have shown."""

import pytest

from core.boxes import Box
from core.sights import LayoutSpan
from core.stretches import clip_stretches

SIZE = (1280, 720)
PICTURE, INSET = Box(0, 0, 1280, 720), Box(944, 524, 320, 180)


def spans(*parts: tuple[str, float]) -> list[LayoutSpan]:
    boxes = {"slides": (PICTURE, None), "camera": (None, PICTURE), "pip": (PICTURE, INSET)}
    found, at = [], 0.0
    for layout, end in parts:
        found.append(LayoutSpan(at, end, layout, *boxes[layout]))  # type: ignore[arg-type]
        at = end
    return found


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([("slides", 5), ("camera", 5.5), ("slides", 10)], [("slides", 10)], id="a flash of camera"),
        pytest.param([("slides", 5), ("pip", 5.4), ("camera", 10)], [("slides", 5.4), ("camera", 10)], id="to a slide"),
        pytest.param([("camera", 9.6), ("slides", 10)], [("camera", 9), ("slides", 10)], id="slide takes from camera"),
        pytest.param([("slides", 0.3), ("camera", 10)], [("slides", 1), ("camera", 10)], id="slide takes at the start"),
        pytest.param([("slides", 0.3), ("camera", 0.7)], [("slides", 0.7)], id="a short clip"),
        pytest.param(
            [("pip", 5), ("camera", 5.5), ("pip", 10)], [("pip", 5), ("camera", 5.5), ("pip", 10)], id="nothing fits"
        ),
        pytest.param([("pip", 5), ("pip", 10)], [("pip", 10)], id="the same twice"),
    ],
)
def test_short_stretches_go_to_who_can_show_them(parts, expected) -> None:
    found = clip_stretches(spans(*parts), size=SIZE, start_s=0, end_s=parts[-1][1])
    assert [(part.layout, part.end_s) for part in found] == expected
    assert found[0].start_s == 0 and all(a.end_s == b.start_s for a, b in zip(found, found[1:], strict=False))


def test_times_count_from_the_clip_and_gaps_are_other() -> None:
    found = clip_stretches([LayoutSpan(10, 20, "camera", None, PICTURE)], size=SIZE, start_s=8, end_s=25)
    assert [(p.layout, p.start_s, p.end_s) for p in found] == [("other", 0, 2), ("camera", 2, 12), ("other", 12, 17)]


@pytest.mark.parametrize(
    ("span", "layout", "slide", "face"),
    [
        (LayoutSpan(0, 9, "pip", None, None), "slides", PICTURE, None),
        (LayoutSpan(0, 9, "side", None, INSET), "other", None, INSET),
        (LayoutSpan(0, 9, "camera", None, Box(1200, 0, 500, 720)), "camera", None, Box(1200, 0, 80, 720)),
        (LayoutSpan(0, 9, "slides", Box(5000, 0, 10, 10), None), "slides", PICTURE, None),
        (LayoutSpan(0, 9, "pip", PICTURE, Box(0, 0, 1280, 3)), "slides", PICTURE, None),
    ],
)
def test_boxes_that_are_missing_or_outside_are_made_good(span, layout, slide, face) -> None:
    (found,) = clip_stretches([span], size=SIZE, start_s=0, end_s=9)
    assert (found.layout, found.slide_box, found.face_box) == (layout, slide, face)
