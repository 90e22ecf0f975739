"""What counts as a change of the picture: decided on small gray images and their blocks, by rules and not by a model.

Each image is cut into 16 x 9 blocks. A block has changed between two images when its pixels differ by some gray levels
on the mean, after the overall brightness was evened out. Blocks that keep moving before and after (a speaker in an
inset, a video on a slide) do not count. The numbers below are heuristics: chosen so that camera noise, compression and
a mouse pointer stay below them and a few new words on a slide stay above. A line of a few words changes too little of
the picture for that: it is sought on finer cells, as a row of them that changes at once between two still pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import ChangeKind, SlideSpan

WIDTH_PX, HEIGHT_PX = 160, 90
"""Size of a signature, whatever the shape of the picture."""
ROWS, COLUMNS = 9, 16
CHANGED_LEVELS = 4.0
"""Mean absolute difference, in levels of 0-255, from which a block has changed."""
MOVED_LEVELS = 2.5
"""The same for movement, which may be slight."""
MIN_BLOCKS = 6
"""Of 144: fewer are a pointer or a word."""
CELL_PX = 5
CELL_LEVELS = 8.0
MIN_ROW = 4
"""So many cells side by side, an eighth of the picture's width, are a line of text: a pointer covers two."""
MOVING_SHARE = 0.25
"""A picture of which more is moving is a camera's, else a slide, perhaps with an inset."""
CUT_LEVELS, CUT_RATIO = 8.0, 2.0
"""A cut between moving pictures changes the blocks' means by so many levels, and so many times what any frame within
0.3 s does: on a film trailer cuts came to 3-28 times that, the fastest movement to 1.6 times."""
FADE_LEVELS = 20.0
"""A cross-fade between moving pictures does so within a second, by the same ratio to the seconds around it."""
GAIN_BAND = (0.7, 1.4)
"""How much darker or brighter the same picture may get."""
MOVEMENT_LAG_S, FADE_LAG_S = 0.5, 1.0
AROUND_S = 4.0
"""How far to look on both sides of a change for what moves anyway."""
STAYS_S, KNOWN_S = 0.4, 2.0
OFTEN = 0.2
"""A block that moves in more than this share of the time moves anyway."""

MIN_SPAN_S = 0.9
"""A second, less the accuracy of the times."""

Images = NDArray[np.uint8]
"""Signatures [n, 90, 160]."""
Blocks = NDArray[np.bool_]
"""[n, 9, 16]"""
Cells = NDArray[np.bool_]
"""[n, 18, 32]: each block is cut into 2 x 2."""


@dataclass(frozen=True, slots=True)
class Change:
    """The picture is another from `time_s` on."""

    time_s: float
    kind: ChangeKind
    blocks: int
    """How many of the 144 changed, not counting what moves anyway."""


def signature(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The gray image (BT.601 luma) of an RGB one: uint8 [h, w, 3] -> [h, w]."""
    return (image @ np.array([77, 150, 29], np.uint16) >> 8).astype(np.uint8)


def _gridded(images: Images, side_px: int = HEIGHT_PX // ROWS) -> NDArray[np.float32]:
    rows, columns = HEIGHT_PX // side_px, WIDTH_PX // side_px
    return images.astype(np.float32).reshape(-1, rows, side_px, columns, side_px)


def changed(before: Images, after: Images, levels: float) -> Blocks:
    """Which blocks differ by at least `levels` between images that stand at the same place in both arrays."""
    return _apart(before, after, HEIGHT_PX // ROWS) >= levels


def changed_cells(before: Images, after: Images) -> Cells:
    """Which cells differ by at least CELL_LEVELS, otherwise as `changed`."""
    return _apart(before, after, CELL_PX) >= CELL_LEVELS


def _apart(before: Images, after: Images, side_px: int) -> NDArray[np.float32]:
    """By how many levels squares of the images differ."""
    first, second = _gridded(before), _gridded(after)
    # The median block tells how the light changed: text, or a whole inset, does not move it.
    ratio = (second.mean((2, 4)) + 8) / (first.mean((2, 4)) + 8)
    gain = np.clip(np.median(ratio.reshape(len(ratio), -1), axis=1), *GAIN_BAND).reshape(-1, 1, 1, 1, 1)
    return np.abs(_gridded(after, side_px) - np.minimum(_gridded(before, side_px) * gain, 255.0)).mean((2, 4))


def distance(before: Images, after: Images) -> NDArray[np.float32]:
    """By how many levels the blocks' means differ, on the mean: [n]. Small movements hardly count."""
    return np.abs(_gridded(after).mean((2, 4)) - _gridded(before).mean((2, 4))).mean((1, 2))


def suspicious(pairs: Blocks, cells: Cells) -> NDArray[np.int64]:
    """How many blocks changed between consecutive samples, not counting an inset: 0 where there is no change to seek.

    `pairs` and `cells`: the changed blocks and cells of each pair of samples, seconds apart. A block belongs to an
    inset if it changed in most of the three pairs before and in most of the three after. Where hardly a block changed
    but a line of text may have come or gone, the count is 1.
    """
    count = np.concatenate([np.zeros((1, ROWS, COLUMNS), np.int64), np.cumsum(pairs, axis=0)])
    at = np.arange(len(pairs))
    before = count[at] - count[np.maximum(at - 3, 0)]
    after = count[np.minimum(at + 4, len(pairs))] - count[at + 1]
    inset = np.stack([_grown(blocks) for blocks in (before >= 2) & (after >= 2)]) if len(pairs) else pairs
    # Where so much keeps changing, slides may follow fast: everything is looked at.
    inset = inset & (inset.mean((1, 2)) <= 0.4)[:, None, None]
    blocks = (pairs & ~inset).sum((1, 2))
    return np.where(blocks >= MIN_BLOCKS, blocks, _have_row(cells & ~_celled(inset | _live(cells))).astype(np.int64))


def _live(cells: Cells) -> Blocks:
    """Blocks near the speaker's cells: changed in three of the six pairs around, some before and some after."""
    count = np.concatenate([np.zeros((1, *cells.shape[1:]), np.int64), np.cumsum(cells, axis=0)])
    at = np.arange(len(cells))
    before = count[at] - count[np.maximum(at - 3, 0)]
    after = count[np.minimum(at + 4, len(cells))] - count[at + 1]
    live = (before >= 1) & (after >= 1) & (before + after >= 3)
    return np.array([_grown(_blocked(both)) for both in live], bool).reshape(-1, ROWS, COLUMNS)


def _blocked(cells: Cells) -> Blocks:
    """The blocks that hold any of `cells` [18, 32]."""
    return cells.reshape(ROWS, HEIGHT_PX // ROWS // CELL_PX, COLUMNS, WIDTH_PX // COLUMNS // CELL_PX).max((1, 3))


def _celled(blocks: Blocks) -> Cells:
    """`blocks` as the cells that they consist of."""
    return blocks.repeat(HEIGHT_PX // ROWS // CELL_PX, axis=-2).repeat(WIDTH_PX // COLUMNS // CELL_PX, axis=-1)


def _have_row(cells: Cells) -> NDArray[np.bool_]:
    """For each [18, 32] in `cells` whether MIN_ROW of it stand side by side."""
    shifted = [cells[:, :, i : cells.shape[2] - MIN_ROW + 1 + i] for i in range(MIN_ROW)]
    return np.array([row.any() for row in np.logical_and.reduce(shifted)], bool)


def _grown(blocks: Blocks) -> Blocks:
    """`blocks` [9, 16] with their neighbours, also those at the corners."""
    padded = np.pad(blocks, 1)
    return np.any([padded[y : y + ROWS, x : x + COLUMNS] for y in range(3) for x in range(3)], axis=0)


def find_changes_within(times_s: NDArray[np.float64], images: Images) -> list[Change]:
    """All changes in a stretch sampled at about ten images a second, in order of time.

    A hard one is dated to the first image that shows it, a gradual one to its middle.
    """
    if len(times_s) < 2:
        return []
    scene = _Scene(times_s, images)
    hard = [change for i in range(1, len(times_s)) if (change := scene.hard(i))]
    found = _strongest(hard, apart_s=0.3)
    for change in scene.gradual():
        if all(abs(change.time_s - other.time_s) > FADE_LAG_S for other in found):
            found.append(change)
    return sorted(found, key=lambda change: change.time_s)


class _Scene:
    """A densely sampled stretch with what its blocks do at several time scales."""

    def __init__(self, times_s: NDArray[np.float64], images: Images) -> None:
        self.times_s, self.images = times_s, images
        previous = images[[0, *range(len(images) - 1)]]
        self.at_once = changed(previous, images, CHANGED_LEVELS)
        self.cells_at_once = changed_cells(previous, images)
        self.lines_at_once = _have_row(self.cells_at_once)
        self.at_once_levels = distance(previous, images)
        moved = changed(self._shown(times_s - MOVEMENT_LAG_S), images, MOVED_LEVELS)
        self.moved = np.concatenate([np.zeros((1, ROWS, COLUMNS), np.int64), np.cumsum(moved, axis=0)])

    def _index(self, times_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """The image shown at each of `times_s`, the first or last where there is none."""
        found = np.searchsorted(self.times_s, times_s + 1e-6, side="right") - 1
        return np.clip(found, 0, len(self.times_s) - 1)

    def _shown(self, times_s: NDArray[np.float64] | list[float]) -> Images:
        return self.images[self._index(np.asarray(times_s))]

    def _often(self, begin_s: float, end_s: float) -> Blocks:
        """Blocks that move anyway between two times: none where there are too few images to tell."""
        begin, end = self._index(np.array([begin_s, end_s])) + (0, 1)
        if end - begin < 4:
            return np.zeros((ROWS, COLUMNS), bool)
        return (self.moved[end] - self.moved[begin]) / (end - begin) > OFTEN

    def _around(self, begin_s: float, end_s: float) -> tuple[Blocks, Blocks]:
        """Blocks that move anyway (before, after) a change that goes on from `begin_s` to `end_s`."""
        before = self._often(begin_s - AROUND_S, begin_s - 0.1)
        after = self._often(end_s + MOVEMENT_LAG_S + 0.1, end_s + AROUND_S)
        return before, after

    def hard(self, i: int) -> Change | None:
        """The change from image i-1 to image i, if it is one."""
        blocks = self.at_once[i]
        if blocks.sum() < MIN_BLOCKS:
            return self._line(i) if self.lines_at_once[i] else None
        time_s = float(self.times_s[i])
        away_s = np.abs(self.times_s - time_s)
        before, after = self._around(time_s, time_s)
        if max(before.mean(), after.mean()) > MOVING_SHARE:
            near = (away_s <= 0.3) & (away_s > 0)
            usual = self.at_once_levels[near].max(initial=0.0)
            cut = self.at_once_levels[i] >= max(CUT_LEVELS, CUT_RATIO * usual)
            return Change(time_s, "shot", int(blocks.sum())) if cut else None
        # A flash is undone soon: what stays is other than what was there for a while.
        ends = [time_s - STAYS_S, time_s + STAYS_S]
        stays = changed(self.images[[i, i - 1]], self._shown(ends), CHANGED_LEVELS).all(axis=0)
        count = int((blocks & stays & ~_grown(before & after)).sum())
        around = self.at_once[(away_s > 0.15) & (away_s < 2.0)].sum((1, 2))
        usual = float(np.percentile(around, 90)) if len(around) else 0.0
        if count >= max(MIN_BLOCKS, CUT_RATIO * usual):
            return Change(time_s, "slide", count)
        return self._line(i) if self.lines_at_once[i] else None

    def _line(self, i: int) -> Change | None:
        """The coming or going of a line of text from image i-1 to image i: those cells are still before and after."""
        time_s = float(self.times_s[i])
        before, after = self._around(time_s, time_s)
        away_s = np.abs(self.times_s - time_s)
        # So soon after another picture came, or before, too little was seen to know what moves in it.
        anew = self.at_once[(away_s > 0.04) & (away_s < KNOWN_S)].mean((1, 2)).max(initial=0.0) > MOVING_SHARE
        if anew or max(before.mean(), after.mean()) > MOVING_SHARE:
            return None
        ends = self._shown([time_s - STAYS_S, time_s + STAYS_S])
        # Its own change and one of the whole slide are no movement.
        live = _blocked(self.cells_at_once[away_s < AROUND_S].sum(axis=0) > 2)
        moving = changed_cells(self.images[[i - 1, i]], ends).any(axis=0) | _celled(_grown(before | after | live))
        return Change(time_s, "slide", 1) if _have_row((self.cells_at_once[i] & ~moving)[None])[0] else None

    def gradual(self) -> list[Change]:
        """Changes that take a while: images a second apart differ all the time, and so do those at the two ends."""
        half_s = FADE_LAG_S / 2
        first, second = self._shown(self.times_s - half_s), self._shown(self.times_s + half_s)
        apart, levels = changed(first, second, CHANGED_LEVELS), distance(first, second)
        marked = np.zeros(len(self.times_s) + 2, bool)
        for i in np.flatnonzero(apart.sum((1, 2)) >= MIN_BLOCKS):
            marked[i + 1] = self._is_fading(int(i), apart[i], levels)
        edges = np.flatnonzero(marked[1:] != marked[:-1])
        found = []
        for begin, end in zip(edges[::2], edges[1::2] - 1, strict=True):
            # A little further out than what was compared, which may have been a flash.
            begin_s = float(self.times_s[begin]) - half_s - STAYS_S / 2
            end_s = float(self.times_s[end]) + half_s + STAYS_S / 2
            before, after = self._around(begin_s, end_s)
            moving = max(before.mean(), after.mean()) > MOVING_SHARE
            blocks = changed(self._shown([begin_s]), self._shown([end_s]), CHANGED_LEVELS)[0]
            count = int(blocks.sum() if moving else (blocks & ~_grown(before | after)).sum())
            if count >= MIN_BLOCKS:
                found.append(Change((begin_s + end_s) / 2, "shot" if moving else "slide", count))
        return found

    def _is_fading(self, i: int, apart: Blocks, levels: NDArray[np.float32]) -> bool:
        """Whether image i stands in a gradual change; `apart` and `levels` tell how the images around it differ."""
        time_s = float(self.times_s[i])
        before, after = self._around(time_s - FADE_LAG_S / 2, time_s + FADE_LAG_S / 2)
        if max(before.mean(), after.mean()) <= MOVING_SHARE:
            return int((apart & ~_grown(before | after)).sum()) >= MIN_BLOCKS
        away_s = np.abs(self.times_s - time_s)
        others = levels[(away_s > 1.5 * FADE_LAG_S) & (away_s < AROUND_S)]
        return len(others) > 0 and levels[i] >= max(FADE_LEVELS, CUT_RATIO * others.max())


def _strongest(changes: Sequence[Change], apart_s: float) -> list[Change]:
    """Of changes closer than `apart_s` to each other only the one with the most blocks, the first of equals."""
    kept: list[Change] = []
    for change in changes:
        if kept and change.time_s - kept[-1].time_s < apart_s:
            if change.blocks > kept[-1].blocks:
                kept[-1] = change
        else:
            kept.append(change)
    return kept


def tile(changes: Sequence[Change], duration_s: float, min_s: float = MIN_SPAN_S) -> list[SlideSpan]:
    """Spans from change to change that cover [0, duration_s) without gaps, none shorter than `min_s`.

    Of changes closer together the strongest counts; those within `min_s` of either end are left out.
    """
    inside = [c for c in sorted(changes, key=lambda c: c.time_s) if min_s <= c.time_s <= duration_s - min_s]
    kept = _strongest(inside, min_s)
    starts = [0.0, *(round(c.time_s, 3) for c in kept)]
    kinds: list[ChangeKind] = ["start", *(c.kind for c in kept)]
    ends = [*starts[1:], duration_s]
    return [SlideSpan(start, end, kind) for start, end, kind in zip(starts, ends, kinds, strict=True)]
