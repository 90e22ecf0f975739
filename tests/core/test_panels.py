import numpy as np
import pytest
from PIL import Image, ImageDraw

from core import panels
from core.boxes import Box, overlap

WIDTH, HEIGHT = 640, 360
NOISE = np.random.default_rng(5)


def slide(words: str = "Mass, force and charge", ground: int = 245) -> np.ndarray:
    image = Image.new("L", (WIDTH, HEIGHT), ground)
    for row in range(6):
        ImageDraw.Draw(image).text((40, 30 + 50 * row), words, fill=255 - ground)
    return np.asarray(image)


def shown(box: Box, ground: np.ndarray, frames: int = 5) -> np.ndarray:
    """Frames in which a camera's noisy picture stands in `box` of `ground`."""
    result = np.stack([ground] * frames)
    for frame in result:
        noise = NOISE.integers(96, 104, (int(box.h), int(box.w)))
        frame[int(box.y) : int(box.bottom), int(box.x) : int(box.right)] = noise
    return result


@pytest.mark.parametrize(
    "box",
    [Box(471, 262, 160, 90), Box(12, 14, 120, 90), Box(0, 130, 100, 110), Box(480, 0, 160, 90), Box(540, 200, 80, 140)],
    ids=["bottom right", "top left", "at the left border", "in the top right corner", "upright"],
)
def test_an_inset_is_found_around_what_moves_in_it(box: Box) -> None:
    mover = box.grown(-box.w / 4, -box.h / 4)
    found = panels.find_panel(panels.find_edges(shown(box, slide())), Box(0, 0, WIDTH, HEIGHT), mover)
    assert found is not None
    assert overlap(found.box, box) > 0.95


def test_no_panel_is_found_where_the_whole_picture_is_a_cameras() -> None:
    picture = shown(Box(0, 0, WIDTH, HEIGHT), slide())
    picture[:, :, 200:203] = 20  # a door post behind the speaker, over the whole height but for his head
    picture[:, 60:160, 200:203] = 90
    found = panels.find_panel(panels.find_edges(picture), Box(0, 0, WIDTH, HEIGHT), Box(280, 60, 80, 100))
    assert found is None


def test_a_side_of_an_inset_is_refined_to_the_pixel_over_different_slides() -> None:
    box = Box(901, 503, 333, 181)
    frames = []
    for ground in (250, 12, 180):
        frame = np.full((720, 1280), ground, np.uint8)
        frame[495:520, 880:905] = 255 - ground  # something on one slide that begins near the corner
        frame[503:684, 901:1234] = NOISE.integers(90, 110, (181, 333))
        frames.append(frame)
    assert panels.refine(frames, Box(898, 506, 340, 176), 6) == box


def test_even_black_borders_are_cut_off() -> None:
    picture = np.full((HEIGHT, WIDTH), 16, np.uint8)
    picture[:, 80:560] = 200
    assert panels.without_borders(picture) == Box(80, 0, 480, HEIGHT)


def test_a_title_on_a_black_slide_does_not_make_borders_of_the_rest() -> None:
    picture = np.full((HEIGHT, WIDTH), 10, np.uint8)
    for x in range(200, 440, 12):
        picture[150:210, x : x + 4] = 240
    assert panels.without_borders(picture) == Box(0, 0, WIDTH, HEIGHT)


def test_uneven_dark_sides_belong_to_the_picture() -> None:
    picture = np.full((HEIGHT, WIDTH), 16, np.uint8)
    picture[:, 300:600] = 200
    assert panels.without_borders(picture) == Box(0, 0, WIDTH, HEIGHT)


def test_a_black_picture_is_kept_whole() -> None:
    assert panels.lit_box(np.zeros((HEIGHT, WIDTH), np.uint8)) == Box(0, 0, WIDTH, HEIGHT)
