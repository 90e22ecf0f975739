"""Detections of faces, linked over time to tracks: one face each, as long as it stays in the shot."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, log

from core.boxes import Box, overlap
from core.sights import Face

GAP_S = 1.5
"""A face may be missed for so long (turned away, covered) and still be the same track."""
MIN_SEEN = 3
"""A face found less often in a row of pictures is taken for a mistake of the detector."""
REACH = 0.6
"""How far a face moves at most between two sightings at once, in widths of the face;"""
REACH_PER_S = 1.5
"""and how much further for each second between them."""
MOST_REACH = 2.0
SIZE_RATIO = 1.6
"""A face changes its size by at most this factor between two sightings."""


@dataclass(frozen=True, slots=True)
class Look:
    """The faces that were found in one picture."""

    time_s: float
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A face at a moment."""

    time_s: float
    face: Face


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time, in order of time; never empty."""

    seen: tuple[Seen, ...]

    @property
    def start_s(self) -> float:
        return self.seen[0].time_s

    @property
    def end_s(self) -> float:
        return self.seen[-1].time_s

    def nearest(self, time_s: float) -> Seen:
        """The sighting nearest in time."""
        after = bisect_right(self.seen, time_s, key=lambda seen: seen.time_s)
        around = self.seen[max(0, after - 1) : after + 1]
        return min(around, key=lambda seen: abs(seen.time_s - time_s))

    def landmarks_at(self, time_s: float) -> tuple[tuple[float, float], ...]:
        """The landmarks, moved evenly from one sighting to the next."""
        after = bisect_right(self.seen, time_s, key=lambda seen: seen.time_s)
        if after in (0, len(self.seen)):
            return self.seen[min(after, len(self.seen) - 1)].face.landmarks
        one, other = self.seen[after - 1], self.seen[after]
        part = (time_s - one.time_s) / (other.time_s - one.time_s)
        pairs = zip(one.face.landmarks, other.face.landmarks, strict=True)
        return tuple((a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])) for a, b in pairs)


def link(
    looks: Sequence[Look], *, cuts_s: Sequence[float] = (), gap_s: float = GAP_S, min_seen: int = MIN_SEEN
) -> tuple[Track, ...]:
    """The tracks in `looks`, which are in order of time, by their start and then from left to right.

    Args:
        cuts_s: Where the shot changes, sorted: no track goes on from before a cut to it or after it.
        gap_s: A track ends when its face was not found for longer.
        min_seen: Tracks with fewer sightings are dropped, yet where there are fewer looks, so many are enough.

    A face goes on with the track whose last place and size are nearest (a heuristic; people who cross while neither
    is found may be swapped).
    """
    open_: list[list[Seen]] = []
    done: list[list[Seen]] = []
    for look in looks:
        cut_s = cuts_s[place - 1] if (place := bisect_right(cuts_s, look.time_s)) else -1.0
        ended = [t for t in open_ if look.time_s - t[-1].time_s > gap_s or t[-1].time_s < cut_s]
        done += ended
        open_ = [track for track in open_ if not any(track is other for other in ended)]
        _extend(open_, look)
    enough = min(min_seen, len(looks))
    tracks = [Track(tuple(seen)) for seen in done + open_ if len(seen) >= enough]
    return tuple(sorted(tracks, key=lambda track: (track.start_s, track.seen[0].face.box.x)))


def _extend(tracks: list[list[Seen]], look: Look) -> None:
    """Give each face of `look` to the track that fits best, the best pair first; the others begin tracks."""
    pairs = []
    for t, track in enumerate(tracks):
        for f, face in enumerate(look.faces):
            far = _distance(track[-1].face.box, face.box, look.time_s - track[-1].time_s)
            if far is not None:
                pairs.append((far, t, f))
    free_tracks, free_faces = set(range(len(tracks))), set(range(len(look.faces)))
    for _, t, f in sorted(pairs):
        if t in free_tracks and f in free_faces:
            tracks[t].append(Seen(look.time_s, look.faces[f]))
            free_tracks.remove(t)
            free_faces.remove(f)
    tracks += [[Seen(look.time_s, look.faces[f])] for f in sorted(free_faces)]


def _distance(one: Box, other: Box, seconds: float) -> float | None:
    """How little two places look like those of one face; None where they cannot be."""
    width = max(one.w, other.w)
    ratio = (other.area / one.area) ** 0.5
    moved = hypot(one.centre[0] - other.centre[0], one.centre[1] - other.centre[1]) / width
    if moved > min(REACH + REACH_PER_S * seconds, MOST_REACH) or not 1 / SIZE_RATIO <= ratio <= SIZE_RATIO:
        return None
    return moved + abs(log(ratio)) + 1 - overlap(one, other)
