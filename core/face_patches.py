"""Faces brought to one pose: small grey patches of the whole face, mouth, brow and eyes, cut out by its landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box, shared

HEIGHT_PX, WIDTH_PX = 56, 48
MODEL = np.array([(15, 19), (33, 19), (24, 30), (17, 40), (31, 40)], np.float64)
"""Where the five landmarks of an upright face lie in the aligned patch: eyes, nose, corners of the mouth, in pixels."""
MOUTH = (slice(33, 51), slice(12, 36))
BROW = (slice(6, 24), slice(12, 36))
"""Rows and columns of the mouth and of the forehead, brows and eyes, of one size so that they can be compared."""
EYES = ((slice(16, 24), slice(8, 22)), (slice(16, 24), slice(26, 40)))
"""Below the brows, which do not close."""
FINEST = 4
"""Each pixel of a patch is the mean of at most so many by so many points: large faces must not flicker."""
CROP_SIDE, CROP_PX = 1.6, 80
"""A crop is a square of this side, in larger sides of the face, and at most so many pixels wide."""

Landmarks = Sequence[tuple[float, float]]
Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """What a picture shows around a face, kept small until its landmarks at that time are known."""

    time_s: float
    box: Box
    """Which part of the picture it is, in the picture's pixels."""
    grey: Grey

    def aligned(self, landmarks: Landmarks) -> Floats:
        """The face in it; `landmarks` in the picture's pixels."""
        height, width = self.grey.shape
        across, down = width / self.box.w, height / self.box.h
        return aligned(self.grey, [((x - self.box.x) * across, (y - self.box.y) * down) for x, y in landmarks])


def crop(time_s: float, image: NDArray[np.uint8], face: Box) -> Crop | None:
    """The surroundings of a face in `image`, uint8 [h, w, 3] RGB; None if they lie outside."""
    import cv2

    side, (x, y) = CROP_SIDE * max(face.w, face.h), face.centre
    inside = shared(Box(x - side / 2, y - side / 2, side, side), Box(0, 0, image.shape[1], image.shape[0]))
    if inside is None:
        return None
    left, top, right, bottom = (round(edge) for edge in (inside.x, inside.y, inside.right, inside.bottom))
    if right <= left or bottom <= top:
        return None
    grey = cv2.cvtColor(np.ascontiguousarray(image[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, CROP_PX / max(grey.shape))
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return Crop(time_s, Box(left, top, right - left, bottom - top), np.asarray(small, np.uint8))


def aligned(grey: Grey, landmarks: Landmarks) -> Floats:
    """The face, [HEIGHT_PX, WIDTH_PX], turned upright and scaled so that its `landmarks` fit MODEL best.

    Args:
        grey: [h, w], in whose pixels the landmarks are. What lies outside is filled from the picture's edge.
    """
    a, b, c, d = _similarity(np.asarray(landmarks, np.float64))
    fine = min(FINEST, max(1, round(float(np.hypot(a, b)))))
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    x = (np.arange(WIDTH_PX)[:, None] + steps).ravel()
    y = (np.arange(HEIGHT_PX)[:, None] + steps).ravel()
    across, down = a * x[None, :] - b * y[:, None] + c, b * x[None, :] + a * y[:, None] + d
    points = _sampled(grey, across, down)
    return points.reshape(HEIGHT_PX, fine, WIDTH_PX, fine).mean(axis=(1, 3)).astype(np.float32)


def _similarity(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(a, b, c, d) of the map (x, y) -> (a x - b y + c, b x + a y + d) from MODEL to `points`, by least squares."""
    x, y = MODEL[:, 0], MODEL[:, 1]
    ones, zeros = np.ones_like(x), np.zeros_like(x)
    equations = np.vstack([np.stack([x, -y, ones, zeros], axis=1), np.stack([y, x, zeros, ones], axis=1)])
    found = np.linalg.lstsq(equations, np.concatenate([points[:, 0], points[:, 1]]), rcond=None)[0]
    return np.asarray(found, np.float64)


def _sampled(grey: Grey, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """`grey` at fractional places, each between its four neighbours."""
    height, width = grey.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.minimum(x.astype(np.intp), max(0, width - 2)), np.minimum(y.astype(np.intp), max(0, height - 2))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    over, under = x - left, y - top
    upper = grey[top, left] * (1 - over) + grey[top, right] * over
    lower = grey[below, left] * (1 - over) + grey[below, right] * over
    return upper * (1 - under) + lower * under
