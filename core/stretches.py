"""The layouts of a clip, as a framing plan needs them: whole boxes, no gaps, nothing so short that it would flash."""

from collections.abc import Sequence
from dataclasses import replace

from core.boxes import Box, overlap, shared
from core.sights import Layout, LayoutSpan

LEAST_S = 1.0
"""Shorter than this, a stretch is a flash to the eye. A heuristic."""
LEAST_SHARE = 0.05
"""A box must be at least so much of the picture's width, and of its height, to be one."""
SAME_BOX = 0.97
"""Boxes that overlap by more than this are one box, measured twice."""


def clip_stretches(
    layouts: Sequence[LayoutSpan], *, size: tuple[int, int], start_s: float, end_s: float
) -> list[LayoutSpan]:
    """What [start_s, end_s) shows, in times that count from `start_s`, without gaps; boxes lie inside the picture.

    Every stretch has the boxes that its layout needs. One shorter than LEAST_S is given to a neighbour that shows all
    that it shows, or takes from a neighbour that it can show; where neither can be it stays short.
    """
    picture = Box(0, 0, *size)
    parts: list[LayoutSpan] = []
    at_s = 0.0
    for span in sorted(layouts, key=lambda span: span.start_s):
        begin_s, stop_s = max(span.start_s - start_s, at_s), min(span.end_s, end_s) - start_s
        if stop_s <= begin_s:
            continue
        if begin_s > at_s:
            parts.append(LayoutSpan(at_s, begin_s, "other", face_box=picture))
        parts.append(_completed(replace(span, start_s=begin_s, end_s=stop_s), picture))
        at_s = stop_s
    if at_s < end_s - start_s:
        parts.append(LayoutSpan(at_s, end_s - start_s, "other", face_box=picture))
    return _settled(parts)


def _completed(span: LayoutSpan, picture: Box) -> LayoutSpan:
    """With the boxes that its layout means, and no other."""
    slide, face = _within(span.slide_box, picture), _within(span.face_box, picture)
    layout: Layout = span.layout
    if layout in ("pip", "side") and not (slide and face):
        layout = "slides" if slide or layout == "pip" else "other"
    if layout == "slides":
        slide, face = slide or picture, None
    elif layout in ("camera", "board", "other"):
        slide, face = None, face or slide or picture
    return replace(span, layout=layout, slide_box=slide, face_box=face)


def _within(box: Box | None, picture: Box) -> Box | None:
    """The part of `box` that the picture holds; None for a sliver, which nothing can be shown in."""
    seen = box and shared(box, picture)
    large = seen and seen.w >= LEAST_SHARE * picture.w and seen.h >= LEAST_SHARE * picture.h
    return seen if large else None


def _settled(parts: list[LayoutSpan]) -> list[LayoutSpan]:
    parts = _joined(parts)
    at = 0
    while at < len(parts):
        changed = parts[at].end_s - parts[at].start_s < LEAST_S and len(parts) > 1 and _lengthen(parts, at)
        if changed:
            parts, at = _joined(parts), 0
        else:
            at += 1
    return parts


def _lengthen(parts: list[LayoutSpan], at: int) -> bool:
    """Give the short stretch `at` to a neighbour, or some of a neighbour to it; whether that could be."""
    short = parts[at]
    near = [i for i in (at - 1, at + 1) if 0 <= i < len(parts)]
    for i in near:
        if _shows(parts[i], short):
            _take(parts, i, at, short.end_s - short.start_s)
            return True
    for i in near:
        if _shows(short, parts[i]):
            _take(parts, at, i, LEAST_S - (short.end_s - short.start_s))
            return True
    return False


def _shows(one: LayoutSpan, other: LayoutSpan) -> bool:
    """Whether the composition of `one` shows all that matters in `other`: only a whole slide, fitted, can."""
    boxes = [box for box in (other.slide_box, other.face_box) if box]
    shown = one.slide_box
    return one.layout == "slides" and shown is not None and all(shown.contains(box, slack_px=2.0) for box in boxes)


def _take(parts: list[LayoutSpan], taker: int, giver: int, length_s: float) -> None:
    given = parts[giver]
    if given.end_s - given.start_s <= length_s + 1e-6:
        edge_s, left = (given.end_s if taker < giver else given.start_s), None
    elif taker < giver:
        edge_s = given.start_s + length_s
        left = replace(given, start_s=edge_s)
    else:
        edge_s = given.end_s - length_s
        left = replace(given, end_s=edge_s)
    taken = parts[taker]
    parts[taker] = replace(taken, end_s=edge_s) if taker < giver else replace(taken, start_s=edge_s)
    parts[giver : giver + 1] = [left] if left else []


def _joined(parts: Sequence[LayoutSpan]) -> list[LayoutSpan]:
    """Neighbours that show the same in the same place made one."""
    kept: list[LayoutSpan] = []
    for part in parts:
        if kept and _alike(kept[-1], part):
            kept[-1] = replace(kept[-1], end_s=part.end_s)
        else:
            kept.append(part)
    return kept


def _alike(one: LayoutSpan, other: LayoutSpan) -> bool:
    return one.layout == other.layout and all(
        (a is None and b is None) or (a is not None and b is not None and overlap(a, b) >= SAME_BOX)
        for a, b in ((one.slide_box, other.slide_box), (one.face_box, other.face_box))
    )
