"""How a slide looks, small and gray: whether two pictures show the same slide, or one only adds to the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box

WIDTH_PX, HEIGHT_PX = 320, 180
BLOCK_PX = 10
SAME_LEVELS = 3.5
"""Of 255: blocks of pictures of the same slide differ by less on the mean. A heuristic, as the numbers below are."""
DRAWN_LEVELS = 24
"""A pixel that differs by more was drawn anew, or taken away."""
GROUND_LEVELS = 24
"""A pixel nearer to the middle of its surroundings was ground, on which something may be added."""
AROUND_PX = 20
LEAST_ADDED = 0.0005
"""Share of the pixels that has to change at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture of a slide; `visible` is false where something else covers it. Arrays [180, 320]."""

    grey: NDArray[np.uint8]
    visible: NDArray[np.bool_]


def look_of(picture: NDArray[np.uint8], hidden: Box | None = None) -> Look:
    """The look of `picture`, uint8 RGB [h, w, 3], of which `hidden`, in its pixels, is covered."""
    from PIL import Image

    size = (WIDTH_PX, HEIGHT_PX)
    grey = np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BOX), np.uint8)
    visible = np.ones((HEIGHT_PX, WIDTH_PX), bool)
    if hidden:
        # A little more than the box: its border is mixed with what lies beside it.
        box = hidden.scaled(WIDTH_PX / picture.shape[1], HEIGHT_PX / picture.shape[0]).grown(2, 2)
        visible[max(0, int(box.y)) : max(0, round(box.bottom)), max(0, int(box.x)) : max(0, round(box.right))] = False
    return Look(grey, visible)


def same(one: Look, other: Look) -> bool:
    """Whether both show the same slide, as far as it is visible on both."""
    both = one.visible & other.visible
    apart = np.abs(one.grey.astype(np.float32) - other.grey) * both
    blocks = apart.reshape(HEIGHT_PX // BLOCK_PX, BLOCK_PX, WIDTH_PX // BLOCK_PX, BLOCK_PX).mean((1, 3))
    return bool(both.any()) and float(blocks.max()) < SAME_LEVELS


def additions(before: Look, after: Look) -> tuple[float, bool]:
    """Of what `before` shows drawn, the share that `after` still shows; and whether `after` draws on its ground.

    A pixel is drawn where it differs from the median of its surroundings. The share is 1.0 where nothing is drawn.
    """
    both = before.visible & after.visible
    first, second = before.grey.astype(np.int16), after.grey.astype(np.int16)
    drawn = both & (np.abs(first - _ground(before.grey)) > GROUND_LEVELS)
    changed = both & (np.abs(second - first) > DRAWN_LEVELS)
    share = 1.0 - float((drawn & changed).sum() / max(1, drawn.sum()))
    added = float((changed & ~drawn).sum()) >= LEAST_ADDED * changed.size
    return share, added


def _ground(grey: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The colour on which things are drawn: in each part of the picture the most common one."""
    ground = np.zeros(grey.shape, np.int16)
    for y in range(0, HEIGHT_PX, AROUND_PX):
        for x in range(0, WIDTH_PX, AROUND_PX):
            around = grey[max(0, y - AROUND_PX) : y + 2 * AROUND_PX, max(0, x - AROUND_PX) : x + 2 * AROUND_PX]
            ground[y : y + AROUND_PX, x : x + AROUND_PX] = 16 * int(np.bincount(around.ravel() // 16).argmax()) + 8
    return ground
