"""Decides how slide and speaker share the picture: looks at moments in, layouts over time out. No pictures are read.

Every threshold here is a heuristic, chosen on lectures of several makes; none comes from a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core import panels
from core.boxes import Box, around, overlap, shared
from core.layout_looks import BLOCK_PX, Look, movers
from core.sights import Layout, LayoutSpan

SAME_PANEL = 0.75
"""Panels that overlap more are one panel, found twice."""
SURE_SCORE = 0.85
"""A panel seen beside one slide only needs edges as clear as this."""
VOTERS = 8
"""So many moments decide where exactly a panel is."""
MOST_PANELS = 12
"""Films on slides are panels too, until a face is sought in them: the weightiest are looked at."""
INSIDE_SHARE = 0.8
"""So much of what moves lies in the panel, else the whole picture moves."""
HELD_LEVELS = 6.0
"""What surrounds a panel is the same as before if it differs by less, on the mean of its blocks."""
KNOWN_SUPPORT = 0.35
"""Edges of a panel that is known from other moments may be seen this badly."""
LASTING_S = 60.0
"""A panel without a face is a camera's if it stays for so long, or beside different slides: else a film on a slide."""
STILL_SHARE = 0.004
"""If no more of the picture moves, and no face, it is a slide."""
SLIDE_SHARE = 0.3
"""Something moves on a slide: at most so much of it."""
BOARD_FACE = 0.12
"""A face lower than this share of the picture belongs to somebody at a board or on a stage."""
SAME_COLOURS = 0.6
"""Histograms that share so much show the same scene."""
SHORT_S = 2.5
"""An uncertain moment no longer than this takes the layout of its neighbours, if they agree."""
SAME_BOX = 0.9
FRINGE_SHARE = 0.15
"""A dark lower third may hide where a camera's picture ends: so much beside the panel is not counted to the strip."""
STRIP_LIT = 0.02
"""Above and below a panel that stands beside the slide it is black, but for so many of the blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraPanel:
    """A part of the picture that a camera fills at some moments: an inset, or a panel beside the slide."""

    box: Box
    members: tuple[int, ...]
    """The looks that show it, by number."""
    beside: bool
    """It stands beside the slide and not on it."""
    proven: bool
    """A face moves in it, or it stays: else it may as well be a film on a slide."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The layout of a look."""

    layout: Layout
    panel: int | None = None
    sure: bool = True


def find_panels(looks: Sequence[Look]) -> list[CameraPanel]:
    """The panels in which something moves as in a camera's, each voted for by all moments at which it can be seen."""
    own: list[tuple[int, panels.Panel]] = []
    for i, seen in enumerate(looks):
        found = [found for mover in movers(seen) if (found := panels.find_panel(seen.edges, seen.lit, mover))]
        kept: list[panels.Panel] = []
        for panel in sorted(found, key=lambda p: (-p.score, -p.box.area)):
            if _holds(seen, panel.box) and all(overlap(panel.box, other.box) < SAME_PANEL for other in kept):
                kept.append(panel)
        own += [(i, panel) for panel in kept]
    groups: list[list[tuple[int, panels.Panel]]] = []
    for i, panel in sorted(own, key=lambda each: (-each[1].score, each[0])):
        group = next((g for g in groups if overlap(g[0][1].box, panel.box) >= SAME_PANEL), None)
        if group is None:
            groups.append([(i, panel)])
        else:
            group.append((i, panel))
    sound = [group for group in groups if _is_sound(looks, group)]
    sound.sort(key=lambda g: -sum(looks[i].length_s ** 0.5 * panel.score for i, panel in g))
    return _voted(looks, [_agreed(looks, group) for group in sound[:MOST_PANELS]])


def _is_sound(looks: Sequence[Look], group: Sequence[tuple[int, panels.Panel]]) -> bool:
    """Whether edges seen by chance, as of a door behind the speaker, can be ruled out."""
    first, box = group[0][0], group[0][1].box
    return group[0][1].score >= SURE_SCORE or any(
        _apart(looks[first], looks[i], box) > 2 * HELD_LEVELS for i, _ in group[1:]
    )


def _agreed(looks: Sequence[Look], group: Sequence[tuple[int, panels.Panel]]) -> Box:
    """Of the boxes in `group` the one whose edges are seen best at all its moments."""
    seen = [(looks[i].edges, looks[i].lit) for i, _ in group[:VOTERS]]
    boxes = list(dict.fromkeys(panel.box for _, panel in group))[:VOTERS]
    return max(boxes, key=lambda box: sum(panels.panel_score(edges, lit, box, 0.0) for edges, lit in seen))


def _voted(looks: Sequence[Look], boxes: Sequence[Box]) -> list[CameraPanel]:
    """Give each look the first of `boxes` that suits it."""
    members: dict[int, list[int]] = {}
    for i, seen in enumerate(looks):
        edges = seen.edges
        suited = (
            n
            for n, box in enumerate(boxes)
            if _holds(seen, box) and panels.panel_score(edges, seen.lit, box, KNOWN_SUPPORT) > 0
        )
        if (n := next(suited, None)) is not None:
            members.setdefault(n, []).append(i)
    _hold_on(looks, boxes, members)
    return [
        CameraPanel(boxes[n], tuple(sorted(seen)), _is_beside(looks, boxes[n], seen), _is_camera(looks, boxes[n], seen))
        for n, seen in sorted(members.items())
    ]


def _hold_on(looks: Sequence[Look], boxes: Sequence[Box], members: dict[int, list[int]]) -> None:
    """Add moments whose neighbour shows a panel and differs from them only inside it, as when somebody walks past."""
    panel_of = {i: n for n, seen in members.items() for i in seen}
    for step in (1, -1):
        order = range(len(looks)) if step > 0 else range(len(looks) - 1, -1, -1)
        for i in order:
            n = panel_of.get(i - step)
            if i in panel_of or n is None:
                continue
            if _moves_only_in(looks[i], boxes[n]) and _apart(looks[i], looks[i - step], boxes[n]) < HELD_LEVELS:
                panel_of[i] = n
                members[n].append(i)


def _holds(seen: Look, box: Box) -> bool:
    """Whether something moves in `box`, and not much elsewhere."""
    return bool(seen.moving[seen.part(box)].any()) and _moves_only_in(seen, box)


def _moves_only_in(seen: Look, box: Box) -> bool:
    total = int(seen.moving.sum())
    return int(seen.moving[seen.part(box)].sum()) >= INSIDE_SHARE * total


def _apart(one: Look, other: Look, box: Box) -> float:
    """By how many levels two moments differ outside of `box`."""
    if one.colours.shape != other.colours.shape:
        return 255.0
    levels = np.abs(one.colours.astype(np.int16) - other.colours).mean(2)
    outside = np.ones(levels.shape, bool)
    outside[one.part(box)] = False
    return float(levels[outside].mean()) if outside.any() else 0.0


def _is_camera(looks: Sequence[Look], box: Box, seen: Sequence[int]) -> bool:
    """Whether what moves in `box` is a camera's picture and not a film on a slide."""
    if any(box.contains(Box(*face.centre, 1, 1)) for i in seen for face in looks[i].speakers):
        return True
    if sum(looks[i].length_s for i in seen) >= LASTING_S:
        return True
    return any(_apart(looks[seen[0]], looks[i], box) > 2 * HELD_LEVELS for i in seen[1:])


def _is_beside(looks: Sequence[Look], box: Box, seen: Sequence[int]) -> bool:
    """Whether nothing but black is above and below `box` (or, where it spans the width, beside it), at any moment."""
    bright = np.max([looks[i].bright for i in seen], axis=0)
    lit = around([looks[i].lit for i in seen])
    # Blocks that lie half outside are left out of the strip's width.
    fringe_x, fringe_y = FRINGE_SHARE * box.w, FRINGE_SHARE * box.h
    if box.w >= lit.w - 2:
        rows, columns = looks[seen[0]].part(box.grown(fringe_x, -min(BLOCK_PX, box.h / 3)))
        strip = np.delete(bright[rows], np.arange(bright.shape[1])[columns], axis=1)
    else:
        rows, columns = looks[seen[0]].part(box.grown(-min(BLOCK_PX, box.w / 3), fringe_y))
        strip = np.delete(bright[:, columns], np.arange(bright.shape[0])[rows], axis=0)
    at_edge = min(box.x - lit.x, lit.right - box.right) <= 2 or min(box.y - lit.y, lit.bottom - box.bottom) <= 2
    return at_edge and (strip.size == 0 or float((strip > panels.BLACK_LEVEL).mean()) <= STRIP_LIT)


def judge(looks: Sequence[Look], cameras: Sequence[CameraPanel]) -> list[Judged]:
    """The layout of each look."""
    panel_of = {i: n for n, camera in enumerate(cameras) for i in camera.members}
    first: list[Judged | None] = [
        Judged("side" if cameras[panel_of[i]].beside else "pip", panel_of[i]) if i in panel_of else _whole(seen)
        for i, seen in enumerate(looks)
    ]
    known = [_histogram(looks[i].colours[looks[i].part(c.box)]) for c in cameras for i in c.members]
    known += [_histogram(looks[i].colours) for i, j in enumerate(first) if j and j.layout in ("camera", "board")]
    talk = any(j and j.layout in ("slides", "pip", "side") for j in first)
    judged = [j or _faceless(seen, known, talk) for j, seen in zip(first, looks, strict=True)]
    return settled(judged, [seen.length_s for seen in looks])


def _whole(seen: Look) -> Judged | None:
    """The layout of a picture without panels, if a face or stillness tells it."""
    if seen.speakers:
        highest = max(face.h for face in seen.speakers)
        return Judged("board" if highest < BOARD_FACE * seen.picture.h else "camera")
    return Judged("slides") if seen.moving_share <= STILL_SHARE else None


def _faceless(seen: Look, known: Sequence[NDArray[np.float64]], talk: bool) -> Judged:
    """The layout of a picture that moves and shows no face: one of the `known` camera scenes, or a slide, or a film.

    `talk`: slides are shown at other moments.
    """
    own = _histogram(seen.colours)
    if any(np.minimum(own, other).sum() >= SAME_COLOURS for other in known):
        return Judged("camera", sure=False)
    return Judged("slides" if talk and seen.moving_share <= SLIDE_SHARE else "other", sure=False)


def _histogram(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shares of 64 colours in pixels [..., 3]."""
    numbers = (colours >> 6).reshape(-1, 3).astype(np.int64) @ np.array([16, 4, 1])
    return np.bincount(numbers, minlength=64) / max(len(numbers), 1)


def settled(judged: Sequence[Judged], lengths_s: Sequence[float]) -> list[Judged]:
    """`judged`, where short and uncertain moments take the layout of both neighbours if these agree."""
    result = list(judged)
    for i in range(1, len(result) - 1):
        before, after = result[i - 1], judged[i + 1]
        agree = before.layout == after.layout and before.panel == after.panel and before.panel is None
        if not result[i].sure and lengths_s[i] <= SHORT_S and agree:
            result[i] = replace(before, sure=False)
    return result


def joined(spans: Sequence[LayoutSpan]) -> list[LayoutSpan]:
    """`spans` where neighbours of one layout with nearly the same boxes are one, with the boxes of the longer."""
    result: list[LayoutSpan] = []
    for span in spans:
        last = result[-1] if result else None
        if last and last.layout == span.layout and _alike(last, span):
            longer = max(last, span, key=lambda s: s.end_s - s.start_s)
            result[-1] = replace(longer, start_s=last.start_s, end_s=span.end_s)
        else:
            result.append(span)
    assert all(a.end_s == b.start_s for a, b in pairwise(result))
    return result


def _alike(one: LayoutSpan, other: LayoutSpan) -> bool:
    pairs = ((one.slide_box, other.slide_box), (one.face_box, other.face_box))
    return all(a == b or (a is not None and b is not None and overlap(a, b) >= SAME_BOX) for a, b in pairs)


def slide_beside(brightest: NDArray[np.uint8], camera: Box) -> Box:
    """The slide's panel beside the camera's: the side of the picture where most is seen, without black borders.

    `brightest`: for each pixel the highest level at any moment that shows both. Where a dark slide hides its own
    borders, they are taken to be the camera's.
    """
    height, width = brightest.shape
    row, column = Box(0, camera.y, width, camera.h), Box(camera.x, 0, camera.w, height)
    sides = [
        ((0, 0, camera.x, height), row),
        ((camera.right, 0, width, height), row),
        ((0, 0, width, camera.y), column),
        ((0, camera.bottom, width, height), column),
    ]
    areas = [
        (Box(x, y, right - x, bottom - y), like) for (x, y, right, bottom), like in sides if right > x and bottom > y
    ]
    area, band = max(areas, key=lambda each: _lit_pixels(brightest, each[0]))
    like = shared(area, band)
    x, y = round(area.x), round(area.y)
    lit = panels.lit_box(brightest[y : round(area.bottom), x : round(area.right)]).moved(x, y)
    found = panels.without_borders(brightest, area, even=False)
    if like and found.area > like.area and like.contains(lit, slack_px=0.01 * height):
        return like
    return found


def _lit_pixels(brightest: NDArray[np.uint8], area: Box) -> int:
    part = brightest[round(area.y) : round(area.bottom), round(area.x) : round(area.right)]
    return int((part > panels.BLACK_LEVEL).sum())
