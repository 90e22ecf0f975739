from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core import layouts
from core.boxes import Box, overlap
from core.layout_looks import Look, look
from core.sights import Face, LayoutSpan

WIDTH, HEIGHT = 640, 360
WHOLE, INSET, BESIDE = Box(0, 0, WIDTH, HEIGHT), Box(472, 262, 160, 90), Box(426, 60, 214, 240)
NOISE = np.random.default_rng(3)


def slide(seed: int) -> np.ndarray:
    """A bright slide of its own colour with a few lines of text."""
    colour = tuple(int(v) for v in np.random.default_rng(seed).integers(150, 250, 3))
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    for row in range(7):
        ImageDraw.Draw(image).text((30 + 9 * seed, 25 + 45 * row), "momentum is kept " * 3, fill=(20, 20, 60))
    return np.asarray(image)


def camera(box: Box, ground: np.ndarray, tint: tuple[int, int, int] = (120, 80, 60)) -> list[np.ndarray]:
    """Frames in which `box` shows a speaker who moves before a wall of `tint`."""
    frames = []
    for n in range(4):
        frame = ground.copy()
        h, w = int(box.h), int(box.w)
        part = np.clip(np.array(tint) + NOISE.integers(-6, 6, (h, w, 1)), 0, 255).astype(np.uint8)
        body = part[h // 4 :, w // 3 + n * w // 40 : 2 * w // 3 + n * w // 40]
        body[:] = np.array((200, 160, 140)) + NOISE.integers(-20, 20, (*body.shape[:2], 1))
        frame[int(box.y) : int(box.bottom), int(box.x) : int(box.right)] = part
        frames.append(frame)
    return frames


def seen(frames: Sequence[np.ndarray], start_s: float, end_s: float, *faces: Box) -> Look:
    found = [Face(box, 0.99, ()) for box in faces]
    return look(start_s, end_s, start_s + 0.5, frames, lambda _: found)


def face_in(box: Box, height: float = 0.3) -> Box:
    side = box.h * height
    return Box(box.x + box.w / 2 - side / 2, box.y + box.h / 4, side, side)


def judged(looks: Sequence[Look]) -> list[str]:
    return [each.layout for each in layouts.judge(looks, layouts.find_panels(looks))]


def side_ground() -> np.ndarray:
    ground = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    ground[60:300, :426] = slide(4)[60:300, :426]
    return ground


@pytest.mark.parametrize(
    ("frames", "faces", "layout"),
    [
        ([slide(1)] * 4, [], "slides"),
        ([slide(1)] * 4, [Box(300, 100, 60, 80)], "slides"),
        (camera(WHOLE, slide(1)), [face_in(WHOLE)], "camera"),
        (camera(WHOLE, slide(1)), [face_in(WHOLE, 0.08)], "board"),
        (camera(INSET, slide(1)), [face_in(INSET)], "pip"),
        (camera(BESIDE, side_ground()), [face_in(BESIDE)], "side"),
        (camera(WHOLE, slide(1)), [], "other"),
        ([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 2, [], "slides"),
    ],
    ids=[
        "a still slide",
        "a still photograph of a person on a slide",
        "a speaker fills the picture",
        "a speaker far away",
        "an inset on a slide",
        "a panel beside a slide",
        "a film without a face or a slide",
        "a black picture",
    ],
)
def test_one_moment(frames: list[np.ndarray], faces: list[Box], layout: str) -> None:
    assert judged([seen(frames, 0, 30, *faces)]) == [layout]


def test_an_inset_without_a_face_is_proven_by_different_slides_around_it() -> None:
    looks = [seen(camera(INSET, slide(n)), 10 * n, 10 * n + 10) for n in range(3)]
    (found,) = layouts.find_panels(looks)
    assert found.proven
    assert found.members == (0, 1, 2)
    assert overlap(found.box, INSET) > 0.95


def test_a_film_on_a_single_slide_is_not_proven() -> None:
    looks = [seen(camera(INSET, slide(1)), 0, 10), seen([slide(2)] * 3, 10, 20)]
    assert [each.proven for each in layouts.find_panels(looks)] == [False]


def test_a_camera_shot_of_five_seconds_between_slides_survives() -> None:
    looks = [
        seen([slide(1)] * 3, 0, 60),
        seen(camera(WHOLE, slide(1)), 60, 65, face_in(WHOLE)),
        seen([slide(2)] * 3, 65, 120),
    ]
    assert judged(looks) == ["slides", "camera", "slides"]


def test_a_speaker_who_turns_away_stays_on_camera() -> None:
    shot = camera(WHOLE, slide(1))
    assert judged([seen(shot, 0, 20, face_in(WHOLE)), seen(shot, 20, 40)]) == ["camera", "camera"]


def test_neighbours_with_nearly_the_same_boxes_become_one() -> None:
    one, other = Box(944, 524, 320, 180), Box(944, 524, 320, 181)
    spans = [
        LayoutSpan(0, 5, "pip", Box(0, 0, 1280, 720), one),
        LayoutSpan(5, 50, "pip", Box(0, 0, 1280, 720), other),
        LayoutSpan(50, 60, "pip", Box(0, 0, 1280, 720), Box(16, 16, 320, 180)),
    ]
    assert [(s.start_s, s.end_s, s.face_box) for s in layouts.joined(spans)] == [
        (0, 50, other),
        (50, 60, Box(16, 16, 320, 180)),
    ]


@pytest.mark.parametrize("camera_x", [0, 854], ids=["camera left", "camera right"])
def test_a_dark_slide_beside_the_camera_reaches_as_high_as_that(camera_x: int) -> None:
    brightest = np.zeros((720, 1280), np.uint8)
    brightest[300:340, 500:800] = 220  # its title, on black
    box = Box(camera_x, 120, 426, 480)
    assert layouts.slide_beside(brightest, box) == Box(426 if camera_x == 0 else 0, 120, 854, 480)
