"""Rectangles in pictures: x to the right, y downward, in pixels of the upright picture with square pixels."""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Box:
    """The rectangle [x, x + w) × [y, y + h), in pixels. May reach outside the picture; never empty."""

    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        if not (all(map(isfinite, (self.x, self.y, self.w, self.h))) and self.w > 0 and self.h > 0):
            raise ValueError(f"A Box must be finite and not empty, got {self}")

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def area(self) -> float:
        return self.w * self.h

    def scaled(self, factor_x: float, factor_y: float) -> "Box":
        """The same place in a picture that is larger by these factors."""
        return Box(self.x * factor_x, self.y * factor_y, self.w * factor_x, self.h * factor_y)

    def moved(self, by_x: float, by_y: float) -> "Box":
        return Box(self.x + by_x, self.y + by_y, self.w, self.h)

    def grown(self, by_x: float, by_y: float) -> "Box":
        """Larger on each side by so many pixels; smaller where negative. Raises ValueError if nothing is left."""
        return Box(self.x - by_x, self.y - by_y, self.w + 2 * by_x, self.h + 2 * by_y)

    def contains(self, other: "Box", slack_px: float = 0.0) -> bool:
        """Whether `other` lies inside, or at most `slack_px` outside."""
        return (
            other.x >= self.x - slack_px
            and other.y >= self.y - slack_px
            and other.right <= self.right + slack_px
            and other.bottom <= self.bottom + slack_px
        )


def shared(one: Box, other: Box) -> Box | None:
    """The part that lies in both; None where they only touch or lie apart."""
    x, y = max(one.x, other.x), max(one.y, other.y)
    right, bottom = min(one.right, other.right), min(one.bottom, other.bottom)
    return Box(x, y, right - x, bottom - y) if right > x and bottom > y else None


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    both = shared(one, other)
    return both.area / (one.area + other.area - both.area) if both else 0.0


def around(boxes: list[Box]) -> Box:
    """The smallest box that contains all. Raises ValueError for none."""
    if not boxes:
        raise ValueError("around() needs at least one box")
    x, y = min(b.x for b in boxes), min(b.y for b in boxes)
    return Box(x, y, max(b.right for b in boxes) - x, max(b.bottom for b in boxes) - y)
