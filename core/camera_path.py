"""The path of a camera that follows a face: still while it can be, gentle where it must move, the face always inside.

Each axis is solved on its own, exactly, by dynamic programming over places and speeds on a grid: of all paths that
change their speed by a few steps at most between two instants, the one that costs least. A face outside the view
costs far more than anything else; then a face beyond the comfortable middle, moving at all, moving fast, turning.
The figures of these costs are heuristics, weighed by eye.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box, around
from core.framing_plan import Station
from core.sights import Sighting

TICK_S = 0.2
STEPS_IN_VIEW = 72
"""The grid of places: so many steps are as long as the view."""
MOST_PLACES = 720
"""Of the grid: where the picture is more than ten views long, its steps are longer."""
TOP_SPEED = 15
"""In steps a tick: about one view a second."""
TURNS = (0, -1, 1, -2, 2, -5, 5)
"""By how many steps the speed may change from tick to tick; of two that cost the same, the first."""
COMFORT = 0.1
"""The face may stray from its place by so much of the view before the camera minds."""
FACE_MARGIN = 0.1
"""Room kept around the face, in parts of its size."""
OUTSIDE, STRAYED, OFF_CENTRE = 5_000.0, 100.0, 2.0
"""Costs a tick: of a view's length outside, and of the square of a view's length beyond comfort, and off its place."""
MOVING, SPEED, CHANGE = 1.0, 0.05, 0.5
"""Costs of a tick: of not standing still, and of the squares of the speed and of its change."""
EASE = np.array([1, 2, 3, 2, 1]) / 9
"""Weights over fifths of 0.4 s that round the corners of the path."""
BLINK_S = 0.6
"""A face seen elsewhere for less than this is a mistake of the detector."""
JUMP, JUMP_PER_S, JUMP_SIZE = 1.5, 8.0, 1.7
"""Between two sightings a face moves this many of its widths at once, and more a second, and grows by this factor at
most: beyond, the recording has cut to another shot."""
CUT_JUMP, CUT_SIZE = 0.5, 1.25
"""The same where a cut is known to lie between."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shot:
    """Sightings between two jumps of the picture."""

    start_s: float
    """Where it begins: at the jump, or at its first sighting."""
    sightings: tuple[Sighting, ...]


def split_shots(sightings: Sequence[Sighting], cuts_s: Sequence[float] = ()) -> list[Shot]:
    """`sightings`, in order of time, parted where the face jumps; those of a moment elsewhere are left out.

    Args:
        cuts_s: Where the recording is known to cut to another shot, in order. A jump is laid on a cut near it.
    """
    runs: list[list[Sighting]] = []
    for seen in sightings:
        if not runs or _jumps(runs[-1][-1], seen, cuts_s):
            runs.append([])
        runs[-1].append(seen)
    lasting = [run for run in runs if run[-1].time_s - run[0].time_s >= BLINK_S]
    joined: list[list[Sighting]] = []
    for run in lasting or runs[:1]:
        if joined and not _jumps(joined[-1][-1], run[0], cuts_s):
            joined[-1].extend(run)
        else:
            joined.append(list(run))
    starts_s = [joined[0][0].time_s] if joined else []
    starts_s += [_cut_between(a[-1].time_s, b[0].time_s, cuts_s) for a, b in zip(joined, joined[1:], strict=False)]
    return [Shot(start_s, tuple(run)) for start_s, run in zip(starts_s, joined, strict=True)]


def follow(
    sightings: Sequence[Sighting],
    *,
    size: tuple[float, float],
    within: Box,
    start_s: float,
    end_s: float,
    face_height: float = 0.4,
) -> tuple[Station, ...]:
    """Where a view of `size` looks from `start_s` to `end_s` so as to keep the face inside.

    Args:
        sightings: Of one shot, in order of time, on the timeline of `start_s`; none: the middle, unmoved.
        size: Width and height of the view, no larger than `within`, which it never leaves.
        face_height: How far down in the view the middle of the face should lie, 0..1.
    """
    ticks = 1 + max(1, int(np.ceil((end_s - start_s) / TICK_S)))
    times_s = np.linspace(start_s, end_s, ticks)
    faces = _faces_at(sightings, times_s)
    x = _eased(_axis([f and (f.x, f.w) for f in faces], within.x, within.w - size[0], size[0], 0.5))
    y = _eased(_axis([f and (f.y, f.h) for f in faces], within.y, within.h - size[1], size[1], face_height))
    fine_s = np.linspace(start_s, end_s, len(x))
    kept = _corners(np.stack([x, y], axis=1))
    return tuple(Station(round(float(fine_s[i]), 4), Box(float(x[i]), float(y[i]), *size)) for i in kept)


def box_at(path: Sequence[Station], time_s: float) -> Box:
    """Where a path looks at a moment, as a plan means it: even movement between stations, none outside."""
    times_s = [station.time_s for station in path]
    x = float(np.interp(time_s, times_s, [station.box.x for station in path]))
    y = float(np.interp(time_s, times_s, [station.box.y for station in path]))
    return Box(x, y, path[0].box.w, path[0].box.h)


def _jumps(before: Sighting, after: Sighting, cuts_s: Sequence[float]) -> bool:
    width = (before.box.w + after.box.w) / 2
    (x, y), (later_x, later_y) = before.box.centre, after.box.centre
    moved = float(np.hypot(later_x - x, later_y - y)) / width
    grown = max(before.box.h, after.box.h) / min(before.box.h, after.box.h)
    if any(before.time_s < cut_s <= after.time_s for cut_s in cuts_s):
        return moved > CUT_JUMP or grown > CUT_SIZE
    return moved > JUMP + JUMP_PER_S * (after.time_s - before.time_s) or grown > JUMP_SIZE


def _cut_between(before_s: float, after_s: float, cuts_s: Sequence[float]) -> float:
    known = [cut_s for cut_s in cuts_s if before_s < cut_s <= after_s]
    return known[-1] if known else (before_s + after_s) / 2


def _faces_at(sightings: Sequence[Sighting], times_s: Floats) -> list[Box | None]:
    """For each tick the room that the face takes up around it; None where it was not seen."""
    seen_s = np.array([seen.time_s for seen in sightings])
    found: list[Box | None] = []
    for time_s in times_s:
        first, last = np.searchsorted(seen_s, [time_s - 0.55 * TICK_S, time_s + 0.55 * TICK_S])
        boxes = [seen.box for seen in sightings[first:last]]
        if boxes:
            face = around(boxes)
            found.append(face.grown(FACE_MARGIN * face.w, FACE_MARGIN * face.h))
        else:
            found.append(None)
    return found


def _axis(faces: list[tuple[float, float] | None], origin: float, room: float, view: float, share: float) -> Floats:
    """Where the view begins on one axis at each tick; `faces` are (begin, length), the view may begin in `room`."""
    count = 1 + min(MOST_PLACES, round(max(room, 0.0) / view * STEPS_IN_VIEW))
    places = np.linspace(0.0, max(room, 0.0), count)
    costs = np.zeros((len(faces), count))
    for tick, face in enumerate(faces):
        if face is None:
            if all(other is None for other in faces):
                costs[tick] = ((places - room / 2) / view) ** 2
            continue
        begin, length = face[0] - origin, face[1]
        goal = begin + length / 2 - share * view
        # Where the face is larger than the view, or at the edge of the picture, the nearest thing must do.
        low, high = sorted((begin + length - view, begin)) if length <= view else (goal, goal)
        low, high = np.clip([low, high], 0.0, max(room, 0.0))
        off = np.abs(places - np.clip(goal, 0.0, max(room, 0.0))) / view
        outside = np.maximum(np.maximum(low - places, places - high), 0.0) / view
        costs[tick] = OUTSIDE * outside + STRAYED * np.maximum(off - COMFORT, 0.0) ** 2 + OFF_CENTRE * off**2
    return origin + places[_cheapest(costs)]


def _cheapest(costs: Floats) -> NDArray[np.int64]:
    """The place at each tick of the cheapest path; `costs` are [ticks, places]. It starts at rest."""
    ticks, count = costs.shape
    if count == 1:
        return np.zeros(ticks, np.int64)
    speeds = np.arange(-TOP_SPEED, TOP_SPEED + 1)
    came_from = np.arange(count)[:, None] - speeds
    possible = (came_from >= 0) & (came_from < count)
    came_from = np.clip(came_from, 0, count - 1)
    moving = MOVING * (speeds != 0) + SPEED * speeds**2
    total = np.where(speeds == 0, costs[0][:, None], np.inf)
    turns = np.zeros((ticks, count, len(speeds)), np.int8)
    options = np.full((len(TURNS), count, len(speeds)), np.inf)
    for tick in range(1, ticks):
        for option, turn in zip(options, TURNS, strict=True):
            to, of = slice(max(0, -turn), len(speeds) - max(0, turn)), slice(max(0, turn), len(speeds) + min(0, turn))
            option[:, to] = total[:, of] + CHANGE * turn**2
        turns[tick] = options.argmin(axis=0)
        best = np.take_along_axis(options.min(axis=0), came_from, axis=0)
        total = np.where(possible, best, np.inf) + moving + costs[tick][:, None]
    place, speed = np.unravel_index(int(total.argmin()), total.shape)
    path = np.zeros(ticks, np.int64)
    for tick in range(ticks - 1, 0, -1):
        path[tick] = place
        place = place - speeds[speed]
        speed = speed + TURNS[turns[tick, place, speed]]
    path[0] = place
    return path


def _eased(path: Floats) -> Floats:
    """The path at twice as many instants, its corners rounded, to the thousandth of a pixel."""
    count = 2 * len(path) - 1
    fine = np.interp(np.arange(count) / 2, np.arange(len(path)), path)
    return np.round(np.convolve(np.pad(fine, len(EASE) // 2, mode="edge"), EASE, mode="valid"), 3)


def _corners(places: Floats) -> list[int]:
    """Which of the instants are needed to draw the same lines."""
    bends = np.abs(places[2:] - 2 * places[1:-1] + places[:-2]).max(axis=1) > 0.002
    inner = (np.flatnonzero(bends) + 1).tolist()
    still = not inner and bool((places == places[0]).all())
    return [0] if still else [0, *inner, len(places) - 1]
