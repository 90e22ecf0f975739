"""Who speaks, of several faces: the one whose mouth moves with the speech. A heuristic, by pixels and loudness alone.

Mouth movement is what changes in the mouth's patch from one picture to the next beyond what changes in the brow's, so
that nodding, light and camera shake count little. Where it tells nothing, the larger, more central and longer visible
face is taken. The choice over time is the best sum of evidence less a price for each change inside a shot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box
from core.face_patches import BROW, MOUTH
from core.face_tracks import Track

WINDOW_S, HOP_S = 3.0, 0.5
PAIR_S = 0.3
"""Patches further apart than this are not compared."""
SHIFTS_PX = 2
"""Patches are shifted against each other by up to so many pixels first: landmarks tremble."""
BROW_SHARE = 0.8
"""How much of the brow's change is taken off the mouth's."""
CONTRAST_FLOOR = 8.0
NOISE = 0.015
"""Mouth movement, relative to the patch's contrast, that recordings of closed mouths show as well."""
STILL = 0.3
"""A face whose patches change by less than this, in grey levels of 255, is a picture of one."""
NEAR_S = 0.15
"""Lips move before a sound is heard and close after it."""
QUIET_DB = 15.0
"""Hops that are so much quieter than the loud ones (95th percentile) hold no speech."""
PRIOR = 0.25
"""What the largest, most central, always visible face is worth beside evidence, which is 0 to 1."""
CHANGE_PRICE = 2.0
"""Evidence that must be gained by a change of speaker inside a shot, summed over windows HOP_S apart."""
SIZE_WEIGHT, CENTRE_WEIGHT, VISIBLE_WEIGHT = 0.5, 0.2, 0.3
NEVER = -1e4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Mouthing:
    """Aligned patches of one face at close times. `patches`: uint8 [n, HEIGHT_PX, WIDTH_PX] of `core.face_patches`."""

    times_s: NDArray[np.floating]
    patches: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Loudness:
    """The level of the sound each `hop_s` from `start_s` on, in dBFS."""

    start_s: float
    hop_s: float
    dbfs: NDArray[np.floating]

    def is_loud(self, times_s: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether there may be speech at each time, or within NEAR_S of it."""
        loud = self.dbfs > float(np.percentile(self.dbfs, 95)) - QUIET_DB
        so_far = np.concatenate([[0], np.cumsum(loud)])
        first, last = (
            np.clip(np.round((times_s + by_s - self.start_s) / self.hop_s).astype(int), 0, len(loud))
            for by_s in (-NEAR_S, NEAR_S)
        )
        return so_far[last] > so_far[first]


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """How a face moved from each picture to the next, at the later one's time."""

    times_s: NDArray[np.floating]
    mouth: Floats
    """Mouth movement beyond the brow's, relative to the patch's contrast; 0 and more."""
    any_grey: Floats
    """What changed in mouth or brow at all, in grey levels."""


@dataclass(frozen=True, slots=True)
class Turn:
    """During [start_s, end_s) the face of `tracks[track]` is the speaker's."""

    start_s: float
    end_s: float
    track: int


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks when, and how strongly each track's mouth says so: its mean share of all evidence, 0 to 1."""

    turns: tuple[Turn, ...]
    scores: tuple[float, ...]


def movement(mouthing: Mouthing) -> Movement:
    """How mouth and brow moved. Faces of fewer than two pictures did not."""
    faces = mouthing.patches.astype(np.float32)
    close = np.flatnonzero(np.diff(mouthing.times_s) <= PAIR_S)
    mouth, brow = (_changes(faces[(slice(None), *part)], close) for part in (MOUTH, BROW))
    contrast = CONTRAST_FLOOR + (faces[close].std(axis=(1, 2)) if len(close) else np.zeros(0))
    beyond = np.maximum(0.0, mouth - BROW_SHARE * brow) / contrast
    return Movement(mouthing.times_s[close + 1], beyond, np.maximum(mouth, brow))


def _changes(patches: NDArray[np.float32], first: NDArray[np.intp]) -> Floats:
    """Mean absolute difference of patch i and i + 1 for each i of `first`, at the shift that makes it least."""
    one, other = patches[first], patches[first + 1]
    inner = slice(SHIFTS_PX, -SHIFTS_PX)
    least = np.full(len(first), np.inf)
    for down in range(-SHIFTS_PX, SHIFTS_PX + 1):
        for across in range(-SHIFTS_PX, SHIFTS_PX + 1):
            moved = np.roll(other, (down, across), axis=(1, 2))[:, inner, inner]
            difference = moved - one[:, inner, inner]
            difference -= difference.mean(axis=(1, 2), keepdims=True)
            least = np.minimum(least, np.abs(difference).mean(axis=(1, 2)))
    return least


def evidence(moved: Movement, loud: NDArray[np.bool_] | None, start_s: float, end_s: float) -> float:
    """How strongly the mouth moves with speech in a window: its movement while it is loud, less half of that while not.

    `loud` tells for each moment of `moved` whether there may be speech; None: everywhere. 0 where nothing was seen.
    """
    inside = (moved.times_s >= start_s) & (moved.times_s < end_s)
    speech = inside if loud is None else inside & loud
    if not speech.any():
        return 0.0
    rest = inside & ~speech
    idle = float(moved.mouth[rest].mean()) if rest.any() else 0.0
    return max(0.0, float(moved.mouth[speech].mean()) - 0.5 * idle - NOISE)


def find_speakers(
    tracks: Sequence[Track],
    moved: Sequence[Movement | None],
    picture: Sequence[tuple[float, Box]],
    *,
    loudness: Loudness | None = None,
    cuts_s: Sequence[float] = (),
) -> Speakers:
    """Who of `tracks` speaks, moment by moment.

    Args:
        moved: The movement of each track; None where it was not looked at, as no other face was near in time.
        picture: (time_s, part of the picture that the camera fills), sorted by time: what "central" refers to.
        cuts_s: Where a change of speaker costs nothing.
    """
    if not tracks:
        return Speakers((), ())
    start_s = min(track.start_s for track in tracks)
    end_s = max(track.end_s for track in tracks)
    begins = np.arange(start_s, max(end_s, start_s + 1e-6), HOP_S)
    there = np.array([[_there(track, t) for track in tracks] for t in begins])
    proof = np.array([_proof(m, loudness, begins) for m in moved]).T
    prior = np.array([_priors(tracks, row, picture, t) for row, t in zip(there, begins, strict=True)])
    share = proof / (proof.sum(axis=1, keepdims=True) + NOISE)
    still = np.array([m is not None and m.any_grey.size > 0 and float(np.median(m.any_grey)) < STILL for m in moved])
    reward = np.where(there, share + PRIOR * prior - still[None, :], NEVER)
    reward[~there.any(axis=1)] = 0.0
    free = np.array([any(t - HOP_S < cut_s <= t for cut_s in cuts_s) for t in begins])
    chosen = _best_path(reward, free)
    seen = np.where(there, share, 0.0).sum(axis=0) / np.maximum(1, there.sum(axis=0))
    return Speakers(_turns(begins, chosen, there), tuple(float(value) for value in seen))


def _there(track: Track, time_s: float) -> bool:
    return track.start_s < time_s + HOP_S and track.end_s >= time_s


def _proof(moved: Movement | None, loudness: Loudness | None, begins: Floats) -> Floats:
    """The evidence around each window."""
    if moved is None or not moved.times_s.size:
        return np.zeros(len(begins))
    loud = loudness.is_loud(moved.times_s) if loudness is not None and len(loudness.dbfs) else None
    first = begins + (HOP_S - WINDOW_S) / 2
    return np.array([evidence(moved, loud, t, t + WINDOW_S) for t in first])


def _priors(
    tracks: Sequence[Track], there: NDArray[np.bool_], picture: Sequence[tuple[float, Box]], time_s: float
) -> list[float]:
    """0 to 1 for each track: how large, central and long visible its face is beside the others in the window."""
    if not there.any():
        return [0.0] * len(tracks)
    shown = next((box for t, box in reversed(picture) if t <= time_s), picture[0][1])
    boxes = [track.nearest(time_s).face.box for track in tracks]
    largest = max(box.area for box, here in zip(boxes, there, strict=True) if here)
    longest = max(len(track.seen) for track in tracks)
    values = []
    for track, box in zip(tracks, boxes, strict=True):
        aside = min(1.0, abs(box.centre[0] - shown.centre[0]) / (shown.w / 2))
        size = min(1.0, (box.area / largest) ** 0.5)
        visible = len(track.seen) / longest
        values.append(SIZE_WEIGHT * size + CENTRE_WEIGHT * (1 - aside) + VISIBLE_WEIGHT * visible)
    return values


def _best_path(reward: Floats, free: NDArray[np.bool_]) -> list[int]:
    """The choice per window with the largest sum of rewards less CHANGE_PRICE for each change where it is not free."""
    total, back = reward[0].copy(), []
    for row, costs_nothing in zip(reward[1:], free[1:], strict=True):
        best = int(total.argmax())
        changed = total[best] - (0.0 if costs_nothing else CHANGE_PRICE)
        back.append(np.where(total >= changed, np.arange(len(total)), best))
        total = np.maximum(total, changed) + row
    chosen = [int(total.argmax())]
    for came in reversed(back):
        chosen.append(int(came[chosen[-1]]))
    return chosen[::-1]


def _turns(begins: Floats, chosen: list[int], there: NDArray[np.bool_]) -> tuple[Turn, ...]:
    """Runs of one choice, without windows in which that face is not there."""
    turns: list[Turn] = []
    for begin_s, track, here in zip(begins, chosen, there, strict=True):
        if not here[track]:
            continue
        if turns and turns[-1].track == track and abs(turns[-1].end_s - begin_s) < 1e-6:
            turns[-1] = Turn(turns[-1].start_s, float(begin_s + HOP_S), track)
        else:
            turns.append(Turn(float(begin_s), float(begin_s + HOP_S), track))
    return tuple(turns)
