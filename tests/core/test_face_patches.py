import numpy as np
import pytest

from core.boxes import Box
from core.face_patches import HEIGHT_PX, MODEL, MOUTH, WIDTH_PX, aligned, crop


def drawn(turn_deg: float, scale: float) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """A grey picture that is bright around the mouth alone, and the landmarks, turned about its middle."""
    angle = np.radians(turn_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (MODEL - MODEL.mean(axis=0)) @ turn.T + 150
    y, x = np.mgrid[0:300, 0:300]
    mouth = points[3:].mean(axis=0)
    bright = np.hypot(x - mouth[0], y - mouth[1]) < 5 * scale
    return np.where(bright, 220, 40).astype(np.uint8), [(float(a), float(b)) for a, b in points]


@pytest.mark.parametrize("turn_deg", [0, 25, -40], ids=["upright", "to the right", "to the left"])
@pytest.mark.parametrize("scale", [1.0, 3.5], ids=["small", "large"])
def test_the_mouth_comes_to_the_same_place_however_the_head_is_held(turn_deg: float, scale: float) -> None:
    patch = aligned(*drawn(turn_deg, scale))
    assert patch.shape == (HEIGHT_PX, WIDTH_PX)
    bright = np.argwhere(patch > 130)
    assert bright.mean(axis=0) == pytest.approx((40, 24), abs=1)
    assert (patch > 130).sum() == (patch[MOUTH] > 130).sum() > 50


def test_a_crop_shows_the_same_as_the_picture_it_was_cut_from() -> None:
    grey, landmarks = drawn(10, 3.0)
    image = np.repeat(grey[..., None], 3, axis=2)
    kept = crop(1.5, image, Box(75, 70, 150, 160))
    assert kept is not None and kept.time_s == 1.5
    assert max(kept.grey.shape) == 80
    assert np.abs(kept.aligned(landmarks) - aligned(grey, landmarks)).mean() < 3


def test_a_face_at_the_edge_is_cropped_and_one_outside_is_not() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    kept = crop(0, image, Box(-20, 80, 40, 40))
    assert kept is not None and kept.box.x == 0 and kept.box.bottom == 100
    assert crop(0, image, Box(300, 300, 40, 40)) is None
