"""Where captions stand in the picture: inside the safe area, beside mouths and slide text, and without needless moves.

What is free is told as zones, best first. Which zone each caption takes is chosen by dynamic programming: a zone that
holds it first, then few moves, then the better zone. All boxes are in pixels of the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from core.boxes import Box, shared
from core.intervals import check_interval
from core.records import Cue

SIDE_SHARE, TOP_SHARE, BOTTOM_SHARE = 0.1, 0.06, 0.06
"""Shares of width and height that captions keep clear of: within the 90 % title-safe area of EBU R 95 at the sides."""
UPRIGHT_SIDE, UPRIGHT_TOP, UPRIGHT_BOTTOM = 0.11, 0.14, 0.22
"""The same in upright pictures, where apps for short video lay buttons and texts over the picture: about what the
guides of several of them have in common; they differ, and change."""
UPRIGHT = 1.2
"""Taller than this times its width, a picture is upright."""
STRIP_SHARE = 0.17
"""Height of a caption of two lines as a share of the picture's, in 16:9."""
LEAST_WIDTH = 0.56
"""A free place narrower than this share of the safe area is none: lines would have to be too short or too small."""
LEAST_SCALE = 0.72
"""Letters may shrink to this to fit a zone."""
MOUTH_WEIGHT = 20.0
"""Covering a mouth is so much worse than covering text of the same size."""
OUTSIDE, MOVE, RANK, SHRINK, APART_S = 100.0, 4.0, 1.0, 6.0, 2.0
"""What it costs to stand outside of all zones, to move, to take the next-best zone, and to be smaller; a move
between captions further apart than APART_S costs half. Chosen by eye."""
Timed = tuple[float, float, Box]
"""(start_s, end_s, box): something that is there for a while."""


class Room(Protocol):
    """A part of the picture that is free during [start_s, end_s)."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def box(self) -> Box: ...


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the picture, in output pixels, in which captions may stand during [start_s, end_s)."""

    start_s: float
    end_s: float
    box: Box

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Block:
    """The size of a caption as it is drawn, the box around it included."""

    w_px: float
    h_px: float
    pad_px: float
    """How far it reaches beyond its letters."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caption stands."""

    x_px: float
    y_px: float
    anchor: int
    """What of the text is at (x, y), as on a numeric keypad: 2 the middle of its bottom, 8 that of its top."""
    scale: float = 1.0
    """Of the letters."""

    def box_of(self, block: Block) -> Box:
        """What a caption covers here."""
        w, h, pad = block.w_px * self.scale, block.h_px * self.scale, block.pad_px * self.scale
        top = self.y_px - pad if self.anchor == 8 else self.y_px + pad - h
        return Box(self.x_px - w / 2, top, w, h)


def safe_area(width_px: int, height_px: int) -> Box:
    """The part of a picture in which captions are not cut off or covered by what players draw over it."""
    upright = height_px > UPRIGHT * width_px
    side = width_px * (UPRIGHT_SIDE if upright else SIDE_SHARE)
    top = height_px * (UPRIGHT_TOP if upright else TOP_SHARE)
    bottom = height_px * (UPRIGHT_BOTTOM if upright else BOTTOM_SHARE)
    return Box(side, top, width_px - 2 * side, height_px - top - bottom)


def free_zones(
    size: tuple[int, int],
    mouths: Sequence[Timed],
    texts: Sequence[Timed],
    start_s: float,
    end_s: float,
    safe: Box | None = None,
) -> list[Zone]:
    """Zones for [start_s, end_s), best first: free strips at the bottom, at the top, in between; never none.

    A strip is free as far as no mouth and no text is in it at any time of the stretch; what is left of it counts
    where it is wide enough. Where nothing is free, there is one zone: the strip that covers least, mouths above all.
    """
    safe = safe or safe_area(*size)
    mouth_boxes = [box for from_s, to_s, box in mouths if from_s < end_s and to_s > start_s]
    text_boxes = [box for from_s, to_s, box in texts if from_s < end_s and to_s > start_s]
    height = min(safe.h, max(STRIP_SHARE * size[1], STRIP_SHARE * min(size)))
    steps = max(1, round(2 * (safe.h - height) / height))
    rows = [safe.bottom - height - k * (safe.h - height) / steps for k in range(steps + 1)]
    strips = [Box(safe.x, y, safe.w, height) for y in [rows[0], rows[-1], *rows[1:-1]]]
    free = [box for strip in strips if (box := _widest_free(strip, [*mouth_boxes, *text_boxes]))]
    if not free:
        # Ties go to the first: the bottom, then the top.
        free = [min(strips, key=lambda s: MOUTH_WEIGHT * covered_px(s, mouth_boxes) + covered_px(s, text_boxes))]
    return [Zone(start_s, end_s, box) for box in free]


def _widest_free(strip: Box, obstacles: Sequence[Box]) -> Box | None:
    """The widest part of `strip` without obstacles; None if it is too narrow for captions."""
    blocked = sorted((part.x, part.right) for box in obstacles if (part := shared(strip, box)))
    at, widest = strip.x, (0.0, strip.x)
    for left, right in [*blocked, (strip.right, strip.right)]:
        widest = max(widest, (left - at, at), key=lambda each: each[0])
        at = max(at, right)
    width, x = widest
    return Box(x, strip.y, width, strip.h) if width >= LEAST_WIDTH * strip.w else None


def covered_px(box: Box, others: Sequence[Box]) -> float:
    """How many square pixels of `others` lie in `box`; where they overlap each other they count twice."""
    return sum(part.area for other in others if (part := shared(box, other)))


def standing_over(
    cues: Sequence[Cue],
    places: Sequence[Place],
    blocks: Sequence[Block],
    things: Sequence[Timed],
    *,
    share: float = 0.05,
) -> list[float]:
    """When captions begin that cover more than `share` of one of `things` while both are there."""
    found: list[float] = []
    for cue, place, block in zip(cues, places, blocks, strict=True):
        box = place.box_of(block)
        near = [thing for from_s, to_s, thing in things if from_s < cue.end_s and to_s > cue.start_s]
        if any(covered_px(box, [thing]) > share * thing.area for thing in near):
            found.append(cue.start_s)
    return found


def place(
    cues: Sequence[Cue],
    zones: Sequence[Room],
    blocks: Sequence[Block],
    *,
    width_px: int,
    height_px: int,
    at_top: bool = False,
) -> list[Place]:
    """A place for each caption: inside a zone all the while it is shown where one holds it.

    Args:
        zones: Of all scenes; those of one time in order, the best first. Without any, captions stand in the middle
            of the safe area's bottom, or of its top.
        blocks: The size of each caption.
        at_top: Where captions stand that no zone tells of.
    """
    if not cues:
        return []
    safe = safe_area(width_px, height_px)
    pad_px = max(block.pad_px for block in blocks)
    usual = _anchored(Box(safe.x, safe.y if at_top else safe.y + safe.h / 2, safe.w, safe.h / 2), safe, pad_px, 1.0)
    found = [_anchored(zone.box, safe, pad_px, _scale(zone, cues, blocks)) for zone in zones]
    places = list(dict.fromkeys([*found, usual]))
    costs = [
        [_cost(cue, spot.box_of(block), spot, zones) for spot in places]
        for cue, block in zip(cues, blocks, strict=True)
    ]
    moves = [[_move_cost(a, b, height_px) for a in places] for b in places]
    total, back = costs[0], []
    for (before, after), own in zip(pairwise(cues), costs[1:], strict=True):
        ease = 0.5 if after.start_s - before.end_s > APART_S else 1.0
        best = [min(range(len(places)), key=lambda a, b=b: total[a] + ease * moves[b][a]) for b in range(len(places))]
        total = [own[b] + total[a] + ease * moves[b][a] for b, a in enumerate(best)]
        back.append(best)
    choice = min(range(len(places)), key=total.__getitem__)
    chosen = [choice]
    for best in reversed(back):
        choice = best[choice]
        chosen.append(choice)
    return [places[k] for k in reversed(chosen)]


def _scale(zone: Room, cues: Sequence[Cue], blocks: Sequence[Block]) -> float:
    """How large letters can be so that all captions of a zone's time fit it, as far as letters may shrink."""
    scale = 1.0
    for cue, block in zip(cues, blocks, strict=True):
        if cue.start_s < zone.end_s and cue.end_s > zone.start_s:
            scale = min(scale, zone.box.w / block.w_px, zone.box.h / block.h_px)
    return max(LEAST_SCALE, round(scale - 0.005, 2)) if scale < 1 else 1.0


def _anchored(box: Box, safe: Box, pad_px: float, scale: float) -> Place:
    """The place in a zone: on its bottom in the lower half of the safe area, else under its top."""
    pad_px *= scale
    x = round(box.centre[0], 1)
    if box.centre[1] >= safe.centre[1]:
        return Place(x, round(box.bottom - pad_px, 1), 2, scale)
    return Place(x, round(box.y + pad_px, 1), 8, scale)


def _cost(cue: Cue, box: Box, spot: Place, zones: Sequence[Room]) -> float:
    """What it costs that a caption covers `box`, over the time it is shown."""
    edges = sorted(
        {cue.start_s, cue.end_s, *(t for z in zones for t in (z.start_s, z.end_s) if cue.start_s < t < cue.end_s)}
    )
    cost = SHRINK * (1 - spot.scale) if zones else 0.0
    for from_s, to_s in pairwise(edges):
        now = [zone for zone in zones if zone.start_s <= from_s and to_s <= zone.end_s]
        rank = next((k for k, zone in enumerate(now) if zone.box.contains(box, slack_px=1.0)), None)
        share = (to_s - from_s) / (cue.end_s - cue.start_s)
        cost += share * (OUTSIDE * _outside(box, now) if rank is None else RANK * rank)
    return cost


def _outside(box: Box, zones: Sequence[Room]) -> float:
    """1..2: less where more of `box` lies in a zone."""
    return 2 - max((part.area / box.area for zone in zones if (part := shared(box, zone.box))), default=0.0)


def _move_cost(one: Place, other: Place, height_px: int) -> float:
    if one == other:
        return 0.0
    return MOVE + (abs(one.x_px - other.x_px) + abs(one.y_px - other.y_px)) / height_px
