"""Rectangles in a picture: black borders, and the panel or inset that a camera fills, found by its straight edges.

Pure functions on gray images, uint8 [height, width], and boxes in their pixels. All thresholds are heuristics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box

Gray = NDArray[np.uint8]
Lines = NDArray[np.bool_]

BLACK_LEVEL = 28
"""Of 255: what is darker in every frame may be a border."""
LIT_SHARE = 0.01
"""A row or column is black if no more of its pixels are brighter."""
CRISP_SHARE = 0.6
"""So much of the line beside a black border is bright: a dark slide fades into black, a border ends at once."""
KEPT_SHARE = 0.5
"""Borders leave at least so much of the width and of the height."""
EVEN_SHARE = 0.03
"""Borders of a whole picture are as wide on one side as on the other, within this share of its size."""
STEP_LEVELS, SOFT_LEVELS = 10, 15
"""Neighbouring pixels that differ by more stand at an edge, and those with one between them."""
STEADY_SHARE = 0.7
"""An edge of a panel is there in this share of the frames at least."""
MOST_LINES = 7
"""So many lines on each side of what moves are tried as the panel's edge."""
ANCHOR_SUPPORT, SIDE_SUPPORT = 0.5, 0.6
"""How much of a line must be edge: along what moves, and along the whole side of a panel."""
LONE_SUPPORT = 0.85
"""The same where only one side of the panel lies inside the picture: one straight edge alone may be a door's."""
OVERSHOOT_PX, OVERSHOOT_COST = 10, 0.5
"""A panel's edges end at its corners; how far beyond them to look, and what an edge that goes on costs."""
TIE = 0.02
"""Of panels whose scores differ by less the largest is taken: a camera's picture may have lines of its own."""
EMPTY_SHARE, EMPTY_COST = 0.95, 0.3
"""A side along which the panel is black, but for so little, and what it costs: the panel begins further inside."""
MIN_SIDE_SHARE, MAX_AREA_SHARE = 0.07, 0.55
"""The least width and height of a panel and its largest area, as shares of the picture's."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Where steady straight edges stand in a picture of some frames."""

    upright: Lines
    """[h, w + 1]: an edge between columns x - 1 and x."""
    level: Lines
    """[h + 1, w]: an edge between rows y - 1 and y."""
    dark: Lines
    """[h, w]: black in every frame."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle with straight edges, and how sure that is: 0..1."""

    box: Box
    score: float


def find_edges(grays: NDArray[np.uint8]) -> Edges:
    """Edges that stay in the frames `grays` [n, h, w], which may be soft: a step over two pixels counts as well."""
    turned = np.ascontiguousarray(grays.transpose(0, 2, 1))
    return Edges(_steady(grays), _steady(turned).T, grays.max(0) <= BLACK_LEVEL)


def _steady(grays: NDArray[np.uint8]) -> Lines:
    """[n, h, w] -> [h, w + 1]: steps from left to right, in most of the frames; none at the outer borders."""
    import cv2

    n, height, width = grays.shape
    steps = np.zeros((height, width + 1), np.uint16)
    for gray in grays:
        near = cv2.absdiff(gray[:, 1:], gray[:, :-1]) > STEP_LEVELS
        wide = cv2.absdiff(gray[:, 2:], gray[:, :-2]) > SOFT_LEVELS
        near[:, 1:] |= wide
        near[:, :-1] |= wide
        steps[:, 1:-1] += near
    return steps >= STEADY_SHARE * n


def lit_box(brightest: Gray) -> Box:
    """What is left of a picture without its black rows and columns; all of it if nothing is bright.

    `brightest`: for each pixel the highest level in any frame.
    """
    lit = brightest > BLACK_LEVEL
    rows = np.flatnonzero(lit.mean(1) > LIT_SHARE)
    columns = np.flatnonzero(lit.mean(0) > LIT_SHARE)
    if not len(rows) or not len(columns):
        return Box(0, 0, brightest.shape[1], brightest.shape[0])
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1))


def without_borders(brightest: Gray, area: Box | None = None, *, even: bool = True) -> Box:
    """`area` of a picture (all of it for None) without black borders that end in a line, as those of another aspect do.

    With `even`, left and right borders must be equally wide, and top and bottom ones: others belong to the picture.
    """
    area = area or Box(0, 0, brightest.shape[1], brightest.shape[0])
    x, y = int(area.x), int(area.y)
    part = brightest[y : int(area.bottom), x : int(area.right)]
    lit = lit_box(part)
    bright = part > BLACK_LEVEL
    # Twice, since how long a line should be depends on the borders of the other direction.
    rows, columns = slice(0, part.shape[0]), slice(int(lit.x), int(lit.right))
    for _ in range(2):
        rows = slice(*_pair(int(lit.y), int(lit.bottom), part.shape[0], bright[:, columns].T, even))
        columns = slice(*_pair(int(lit.x), int(lit.right), part.shape[1], bright[rows], even))
    return Box(
        float(x + columns.start),
        float(y + rows.start),
        float(columns.stop - columns.start),
        float(rows.stop - rows.start),
    )


def _pair(begin: int, end: int, size: int, bright: Lines, even: bool) -> tuple[int, int]:
    """The two borders of one direction, `bright` [other direction, this one], or none of a doubtful one."""
    uneven = abs(begin - (size - end)) > EVEN_SHARE * size
    if (even and uneven) or end - begin < KEPT_SHARE * size:
        return 0, size
    inner = max(1, round(0.004 * size))
    begins = bright[:, begin : begin + inner + 1].any(1).mean() >= CRISP_SHARE
    ends = bright[:, max(end - inner - 1, 0) : end].any(1).mean() >= CRISP_SHARE
    if even:
        return (begin, end) if begins and ends else (0, size)
    return begin if begins else 0, end if ends else size


def find_panel(edges: Edges, within: Box, anchor: Box) -> Panel | None:
    """The rectangle with edges on all sides that contains `anchor`; sides on the border of `within` need none.

    None if there is none, or if it takes up most of `within`.
    """
    left, top, right, bottom = _whole(within)
    a_left, a_top, a_right, a_bottom = _whole(anchor)
    a_left, a_right = max(a_left, left), min(a_right, right)
    a_top, a_bottom = max(a_top, top), min(a_bottom, bottom)
    if a_left >= a_right or a_top >= a_bottom:
        return None
    columns = edges.upright[a_top:a_bottom].mean(0)
    rows = edges.level[:, a_left:a_right].mean(1)
    lefts, rights = (
        _lines(columns, range(a_left, left - 1, -1), left),
        _lines(columns, range(a_right, right + 1), right),
    )
    tops, bottoms = _lines(rows, range(a_top, top - 1, -1), top), _lines(rows, range(a_bottom, bottom + 1), bottom)
    scorer = _Scorer(edges, within)
    found: list[Panel] = []
    for y, y_end in product(tops, bottoms):
        seen_lefts = [x for x in lefts if scorer.seen(x, y, y_end)]
        seen_rights = [x for x in rights if scorer.seen(x, y, y_end)]
        for x, x_end in product(seen_lefts, seen_rights):
            box = Box(x, y, x_end - x, y_end - y)
            if score := scorer.score(box):
                found.append(Panel(box, score))
    enough = max((panel.score for panel in found), default=0.0) - TIE
    return max((p for p in found if p.score >= enough), key=lambda p: (p.box.area, p.score), default=None)


def panel_score(edges: Edges, within: Box, box: Box, least: float = SIDE_SUPPORT) -> float:
    """How well `box` is a panel here, 0..1; 0 where less than the share `least` of a side is edge."""
    return _Scorer(edges, within).score(box, least, least)


def _lines(share: NDArray[np.float64], outward: range, border: int) -> list[int]:
    """The picture's border and the strongest of the lines `outward`, of equals the nearest; no two side by side."""
    chosen = [border]
    for line in sorted(outward, key=lambda at: -round(share[at], 1)):
        if share[line] < ANCHOR_SUPPORT or len(chosen) > MOST_LINES:
            break
        if all(abs(line - other) > 1 for other in chosen):
            chosen.append(line)
    return chosen


class _Scorer:
    """Looks up how much of a line is edge."""

    def __init__(self, edges: Edges, within: Box) -> None:
        self.within = _whole(within)
        self.columns = _summed(edges.upright)
        self.rows = _summed(edges.level.T)
        self.dark = np.pad(edges.dark, ((1, 0), (1, 0))).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)

    def seen(self, x: int, y: int, bottom: int) -> bool:
        """Whether an upright line is edge, or needs to be none."""
        at_border = min(abs(x - self.within[0]), abs(x - self.within[2])) <= 1
        return at_border or _share(self.columns, x, y, bottom) >= SIDE_SUPPORT

    def score(self, box: Box, least: float = SIDE_SUPPORT, alone: float = LONE_SUPPORT) -> float:
        x, y, right, bottom = _whole(box)
        left_most, top_most, right_most, bottom_most = self.within
        wide, high = right_most - left_most, bottom_most - top_most
        if right - x < MIN_SIDE_SHARE * wide or bottom - y < MIN_SIDE_SHARE * high:
            return 0.0
        if (right - x) * (bottom - y) > MAX_AREA_SHARE * wide * high:
            return 0.0
        sides = [
            (self.columns, x, y, bottom, abs(x - left_most) <= 1, top_most, bottom_most),
            (self.columns, right, y, bottom, abs(right - right_most) <= 1, top_most, bottom_most),
            (self.rows, y, x, right, abs(y - top_most) <= 1, left_most, right_most),
            (self.rows, bottom, x, right, abs(bottom - bottom_most) <= 1, left_most, right_most),
        ]
        inside = [side for side in sides if not side[4]]
        supports = [_share(total, line, begin, end) for total, line, begin, end, _, _, _ in inside]
        if not supports or min(supports) < (alone if len(supports) == 1 else least):
            return 0.0
        beyond = [
            _share(total, line, max(begin - OVERSHOOT_PX, lowest), max(begin - 2, lowest))
            + _share(total, line, min(end + 2, highest), min(end + OVERSHOOT_PX, highest))
            for total, line, begin, end, _, lowest, highest in inside
        ]
        cost = OVERSHOOT_COST * float(np.mean(beyond)) / 2 + EMPTY_COST * self._empty_sides(x, y, right, bottom)
        return max(0.0, float(np.mean(supports)) - cost)

    def _empty_sides(self, x: int, y: int, right: int, bottom: int) -> int:
        """How many of the four strips just inside of a panel are black."""
        strips = [(x + 1, y, x + 4, bottom), (right - 4, y, right - 1, bottom)]
        strips += [(x, y + 1, right, y + 4), (x, bottom - 4, right, bottom - 1)]
        return sum(self._dark_share(*strip) > EMPTY_SHARE for strip in strips)

    def _dark_share(self, x: int, y: int, right: int, bottom: int) -> float:
        sums = self.dark
        dark = sums[bottom, right] - sums[y, right] - sums[bottom, x] + sums[y, x]
        return float(dark) / ((right - x) * (bottom - y))


def _summed(lines: Lines) -> NDArray[np.int32]:
    """Running sums down each column, where an edge one pixel beside counts as well."""
    near = lines.copy()
    near[:, 1:] |= lines[:, :-1]
    near[:, :-1] |= lines[:, 1:]
    return np.concatenate([np.zeros((1, lines.shape[1]), np.int32), np.cumsum(near, axis=0, dtype=np.int32)])


def _share(total: NDArray[np.int32], line: int, begin: int, end: int) -> float:
    return float(total[end, line] - total[begin, line]) / (end - begin) if end > begin else 0.0


def _whole(box: Box) -> tuple[int, int, int, int]:
    """Left, top, right and bottom on whole pixels."""
    return round(box.x), round(box.y), round(box.right), round(box.bottom)


def refine(grays: Sequence[Gray], coarse: Box, reach_px: int) -> Box:
    """`coarse` with each side moved by at most `reach_px` to where most of the frames `grays` have their sharpest step.

    Frames that show different slides around the same panel tell its border from what stands beside it.
    """
    height, width = grays[0].shape
    levels = [gray.astype(np.int16) for gray in grays]
    turned = [level.T for level in levels]
    x, y, right, bottom = _whole(coarse)
    rows, columns = (max(y, 0), min(bottom, height)), (max(x, 0), min(right, width))
    x, right = _side(levels, x, rows, reach_px), _side(levels, right, rows, reach_px)
    y, bottom = _side(turned, y, columns, reach_px), _side(turned, bottom, columns, reach_px)
    return Box(float(x), float(y), float(max(right - x, 1)), float(max(bottom - y, 1)))


def _side(levels: Sequence[NDArray[np.int16]], at: int, along: tuple[int, int], reach_px: int) -> int:
    """The line near `at` with the strongest step; the picture's border where `at` is so near that none is between."""
    size = levels[0].shape[1]
    if at <= 1 or at >= size - 1:
        return 0 if at <= 1 else size
    begin, end = max(at - reach_px, 1), min(at + reach_px, size - 1)
    # A step counts by its presence, not its height, so that a dark slide counts as much as a bright one.
    strength = np.zeros(end - begin + 1)
    for level in levels:
        part = level[slice(*along), begin - 1 : end + 1]
        strength += np.minimum(np.abs(np.diff(part, axis=1)), 3 * STEP_LEVELS).mean(0)
    return begin + int(np.argmax(strength))
