"""Captions stand in free zones and do not move without need."""

import pytest

from core.boxes import Box, shared
from core.caption_places import Block, Zone, free_zones, place, safe_area, standing_over
from core.records import Cue

W, H = 1280, 720
BLOCK = Block(700, 100, 10)


def cues(*edges: tuple[float, float]) -> list[Cue]:
    return [Cue(a, b, ("x",)) for a, b in edges]


def placed(shown: list[Cue], zones: list[Zone], block: Block = BLOCK) -> list[Box]:
    places = place(shown, zones, [block] * len(shown), width_px=W, height_px=H)
    return [spot.box_of(block) for spot in places]


BOTTOM = Box(128, 540, 1024, 130)
TOP = Box(128, 50, 1024, 130)


def test_without_zones_captions_stand_at_the_bottom_of_the_safe_area() -> None:
    (box,) = placed(cues((0, 2)), [])

    assert box.bottom == pytest.approx(safe_area(W, H).bottom, abs=1)
    assert box.centre[0] == W / 2


def test_the_best_zone_is_taken_and_the_caption_lies_in_it() -> None:
    for zones, taken in (([BOTTOM, TOP], BOTTOM), ([TOP, BOTTOM], TOP)):
        (box,) = placed(cues((0, 2)), [Zone(0, 9, zone) for zone in zones])
        assert taken.contains(box, slack_px=1)


def test_a_caption_over_two_scenes_stands_where_both_have_room() -> None:
    zones = [Zone(0, 5, BOTTOM), Zone(0, 5, TOP), Zone(5, 9, TOP)]

    assert all(TOP.contains(box, slack_px=1) for box in placed(cues((4, 6)), zones))


def test_captions_stay_where_they_are_through_a_scene_that_would_like_another_place() -> None:
    zones = [Zone(0, 5, BOTTOM), Zone(5, 7, TOP), Zone(5, 7, BOTTOM), Zone(7, 20, BOTTOM)]
    boxes = placed(cues((1, 4), (5, 6.9), (8, 10)), zones)

    assert len(set(boxes)) == 1


def test_captions_move_when_their_place_is_taken() -> None:
    first, second = placed(cues((1, 4), (6, 8)), [Zone(0, 5, BOTTOM), Zone(5, 9, TOP)])

    assert BOTTOM.contains(first, slack_px=1)
    assert TOP.contains(second, slack_px=1)


def test_letters_shrink_to_fit_a_zone_but_not_below_what_can_be_read() -> None:
    block = Block(900, 100, 10)
    (spot,) = place(cues((0, 2)), [Zone(0, 2, Box(200, 560, 800, 110))], [block], width_px=W, height_px=H)
    assert 0.85 < spot.scale < 0.9
    assert Box(200, 560, 800, 110).contains(spot.box_of(block), slack_px=1)

    (spot,) = place(cues((0, 2)), [Zone(0, 2, Box(200, 560, 300, 110))], [block], width_px=W, height_px=H)
    assert spot.scale >= 0.72


@pytest.mark.parametrize(
    ("texts", "mouths", "where"),
    [
        pytest.param([], [], "bottom", id="an empty picture"),
        pytest.param([Box(200, 600, 900, 40)], [], "top", id="text at the bottom"),
        pytest.param([Box(200, 60, 900, 40)], [], "bottom", id="a title at the top"),
        pytest.param([Box(200, 60, 900, 40), Box(200, 600, 900, 40)], [], "between", id="text at both"),
        pytest.param([], [Box(1050, 620, 60, 30)], "bottom left", id="a mouth in the corner"),
    ],
)
def test_the_free_strip_comes_first(texts: list[Box], mouths: list[Box], where: str) -> None:
    told = [[(0.0, 9.0, box) for box in boxes] for boxes in (mouths, texts)]
    zone = free_zones((W, H), told[0], told[1], 0, 9)[0]

    assert not [box for box in [*texts, *mouths] if shared(zone.box, box)]
    assert ("bottom" in where) == (zone.box.y > 500)
    assert ("top" in where) == (zone.box.bottom < 220)
    assert ("left" in where) == (zone.box.right < 1100)


def test_where_nothing_is_free_the_text_is_covered_rather_than_the_mouth_and_that_is_told() -> None:
    text = (0.0, 9.0, Box(100, 300, 1080, 400))
    mouths = [(0.0, 9.0, Box(600, y, 90, 60)) for y in range(40, 300, 50)]
    zones = free_zones((W, H), mouths, [text], 0, 9)
    shown = cues((1, 3), (10, 12))
    places = place(shown, zones, [BLOCK] * 2, width_px=W, height_px=H)

    assert len(zones) == 1
    assert standing_over(shown, places, [BLOCK] * 2, [text]) == [1]
    assert standing_over(shown, places, [BLOCK] * 2, mouths) == []


def test_things_of_another_time_do_not_matter() -> None:
    (zone, *_) = free_zones((W, H), [], [(20.0, 30.0, Box(0, 400, W, 320))], 0, 9)

    assert zone.box.y > 500
