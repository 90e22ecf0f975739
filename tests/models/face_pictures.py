"""A face that is free to use: Grace Hopper, photographed by the US Navy (public domain), as matplotlib carries it."""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

HEAD = (120, 60, 410, 400)
"""Left, top, right and bottom of her head in the picture."""


@cache
def portrait() -> NDArray[np.uint8]:
    """The whole picture, uint8 [600, 512, 3]. Skips the test where matplotlib is not installed."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        pytest.skip("matplotlib, which carries the picture, is not installed")
    path = Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    return np.asarray(Image.open(path).convert("RGB"))


@cache
def head(width_px: int) -> NDArray[np.uint8]:
    """Her head alone, so wide."""
    left, top, right, bottom = HEAD
    small = Image.fromarray(portrait()[top:bottom, left:right])
    return np.asarray(small.resize((width_px, round(width_px * (bottom - top) / (right - left))), Image.Resampling.BOX))


def put(ground: NDArray[np.uint8], picture: NDArray[np.uint8], x: int, y: int) -> None:
    ground[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
