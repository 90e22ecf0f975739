"""Where the speaker's face is through a stretch of a recording.

The recording is decoded once. Faces are looked for at each step; while several of a like size are there, what is around
each is also kept from a frame between two steps, so that their mouths can be compared once it is known where they were.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box
from core.face_patches import Crop, crop
from core.face_tracks import GAP_S, Look, Track, link
from core.frames import Frame, Raster, frames_in
from core.media import Progress
from core.picture import shown_size
from core.records import MediaInfo
from core.sights import Face, Sighting
from core.speaking import Loudness, Mouthing, Movement, find_speakers, movement
from models.face_search import FaceSearch, placed
from models.faces import FaceDetector

Region = Callable[[float], Box | None]

USUAL_WIDTH_PX, WIDTH_STEP_PX, WIDEST_PX = 640, 320, 1920
REGION_WIDTH_PX = 480
"""Frames are read so large that the camera's part of the picture is at least so wide, if the recording is."""
RIVAL_SIZE = 0.4
"""A face narrower than this share of another beside it does not compete with it."""
DENSE_STEP_S = 0.1
"""Mouths are watched at about so short a step."""
DENSEST_S, BLOCK_S = 300.0, 5.0
"""They are watched for at most so long in all, in blocks of this length spread evenly."""
CENTRED = 0.2
"""A crop shows a face if its nose is at most so far from the middle, in sides of the crop."""
MOUTH_WIDTH, MOUTH_HEIGHT = 1.6, 0.3
"""Size of the box around a mouth: in distances of its corners, and in heights of the face;"""
MOUTH_LEAST = 0.4
"""at least so many widths of the face, as the corners fall together in profile."""


@dataclass(frozen=True, slots=True)
class _View:
    """How a recording is read: its size as shown, which part of the picture matters when, and at what size that is."""

    path: Path
    info: MediaInfo
    width: int
    height: int
    region: Region | None
    scratch: Path

    def part(self, time_s: float) -> Box | None:
        return self.region(time_s) if self.region else Box(0, 0, self.width, self.height)

    def raster(self, part: Box) -> Raster:
        wanted = max(USUAL_WIDTH_PX, int(self.width * REGION_WIDTH_PX / part.w))
        width = min(-(-wanted // WIDTH_STEP_PX) * WIDTH_STEP_PX, WIDEST_PX, self.width)
        return Raster(width, max(2, round(width * self.height / self.width)))

    def frames(self, raster: Raster, spans: Sequence[tuple[float, float]], step_s: float) -> Iterator[Frame]:
        return frames_in(self.path, self.info, spans, raster, step_s=step_s, scratch=self.scratch)

    def scale(self, raster: Raster) -> tuple[float, float]:
        """How much larger the recording is than its frames."""
        return self.width / raster.width_px, self.height / raster.height_px


def follow_speaker(
    path: Path,
    info: MediaInfo,
    start_s: float,
    end_s: float,
    *,
    level_dbfs: NDArray[np.floating] | None,
    hop_s: float,
    region: Region | None,
    detector: FaceDetector,
    scratch: Path,
    step_s: float = 0.2,
    on_progress: Progress | None = None,
) -> tuple[Sighting, ...]:
    """The speaker's face through [start_s, end_s) of the recording, each `step_s`, where there is one.

    Args:
        level_dbfs: The sound's level over the whole recording, one value each `hop_s` from 0 on; None without sound.
        region: The part of the picture that the camera fills at a time, in pixels of the upright recording; where it
            says None no camera is shown and nothing is looked for. Without it the whole picture is searched.
        on_progress: Told how many seconds are done.

    Returns sightings in order of time, on the recording's timeline. Empty where the recording has no picture. With
    several faces, who speaks is found by `core.speaking`, a heuristic. Raises as `core.frames.frames_in` does.
    """
    if info.video is None:
        return ()
    view = _View(path, info, *shown_size(info.video), region, scratch)
    found = _look_through(view, start_s, end_s, step_s, detector, on_progress)
    tracks = link(found.looks, cuts_s=found.cuts_s, gap_s=max(GAP_S, 3 * step_s))
    moved = [_movement(track, found.crops) for track in tracks]
    loudness = _loudness(level_dbfs, hop_s, start_s, end_s)
    speakers = find_speakers(tracks, moved, _parts(view, found.looks), loudness=loudness, cuts_s=found.cuts_s)
    seen = [
        (max(start_s, moment.time_s), moment.face)
        for turn in speakers.turns
        for moment in tracks[turn.track].seen
        if turn.start_s <= moment.time_s < turn.end_s and moment.time_s < end_s
    ]
    return tuple(Sighting(time_s, face.box, mouth_of(face)) for time_s, face in sorted(seen, key=lambda s: s[0]))


@dataclass(frozen=True, slots=True)
class _Found:
    """What was seen, each in order of time; boxes in pixels of the recording."""

    looks: list[Look]
    cuts_s: list[float]
    crops: list[Crop]


def _look_through(
    view: _View, start_s: float, end_s: float, step_s: float, detector: FaceDetector, on_progress: Progress | None
) -> _Found:
    looks: dict[float, Look] = {}
    cuts_s: list[float] = []
    crops: list[Crop] = []
    every_s = BLOCK_S * max(1.0, (end_s - start_s) / DENSEST_S)
    done_s = 0.0
    for raster, spans in _stretches(view, start_s, end_s, step_s).items():
        for look, cut, rivals in _watch(view, raster, spans, step_s, detector):
            crops += [rival for rival in rivals if (rival.time_s - start_s) % every_s < BLOCK_S]
            if look is None:
                continue
            looks[look.time_s] = look
            cuts_s += [look.time_s] if cut else []
            done_s = max(done_s, min(look.time_s, end_s) - start_s)
            if on_progress:
                on_progress(done_s)
    crops.sort(key=lambda kept: kept.time_s)
    return _Found([looks[time_s] for time_s in sorted(looks)], sorted(cuts_s), crops)


def mouth_of(face: Face) -> Box:
    """The part of the face that nothing should cover while it speaks."""
    (left, top), (right, bottom) = face.landmarks[3], face.landmarks[4]
    width = max(MOUTH_WIDTH * hypot(right - left, bottom - top), MOUTH_LEAST * face.box.w)
    height = MOUTH_HEIGHT * face.box.h
    return Box((left + right - width) / 2, (top + bottom - height) / 2, width, height)


def _stretches(view: _View, start_s: float, end_s: float, step_s: float) -> dict[Raster, list[tuple[float, float]]]:
    """Where a camera is shown, by the size at which the frames there are to be read."""
    spans: dict[Raster, list[tuple[float, float]]] = {}
    before: Raster | None = None
    for time_s in np.arange(start_s, end_s, step_s):
        part = view.part(float(time_s))
        raster = view.raster(part) if part else None
        if raster:
            last = spans.setdefault(raster, [])
            until_s = min(float(time_s) + step_s, end_s)
            if raster == before:
                last[-1] = (last[-1][0], until_s)
            else:
                last.append((float(time_s), until_s))
        before = raster
    return spans


def _watch(
    view: _View, raster: Raster, spans: Sequence[tuple[float, float]], step_s: float, detector: FaceDetector
) -> Iterator[tuple[Look | None, bool, list[Crop]]]:
    """For each frame (faces, if it is looked for them; whether a shot begins; what is around each of several faces).

    All boxes are in pixels of the recording.
    """
    search = FaceSearch(detector)
    across, down = view.scale(raster)
    dense_s = min(DENSE_STEP_S, step_s)
    due_s = -np.inf
    for frame in view.frames(raster, spans, dense_s):
        part = view.part(max(frame.time_s, spans[0][0]))
        if not part or view.raster(part) != raster:
            continue
        look, cut = None, False
        if frame.time_s >= due_s - dense_s / 2:
            due_s = (due_s if due_s + step_s > frame.time_s else frame.time_s) + step_s
            faces, cut = search.look(frame.time_s, frame.image, part.scaled(1 / across, 1 / down))
            look = Look(frame.time_s, tuple(placed(face, across, down) for face in faces))
        yield look, cut, [replace(c, box=c.box.scaled(across, down)) for c in _rivals(frame, search.known)]


def _rivals(frame: Frame, faces: Sequence[Face]) -> list[Crop]:
    """What is around each face of a like size as the largest; nothing where that one has no rival."""
    alike = [face for face in faces if face.box.w >= RIVAL_SIZE * faces[0].box.w]
    crops = [crop(frame.time_s, frame.image, face.box) for face in alike] if len(alike) > 1 else []
    return [kept for kept in crops if kept]


def _movement(track: Track, crops: Sequence[Crop]) -> Movement | None:
    """How the face moved as far as `crops`, which are in order of time, show it; None where they do not."""
    times_s: list[float] = []
    patches: list[NDArray[np.uint8]] = []
    for kept in crops:
        if not track.start_s <= kept.time_s <= track.end_s or (times_s and kept.time_s == times_s[-1]):
            continue
        landmarks = track.landmarks_at(kept.time_s)
        nose, (x, y) = landmarks[2], kept.box.centre
        if max(abs(nose[0] - x), abs(nose[1] - y)) < CENTRED * max(kept.box.w, kept.box.h):
            times_s.append(kept.time_s)
            patches.append(kept.aligned(landmarks).round().astype(np.uint8))
    if len(times_s) < 2:
        return None
    return movement(Mouthing(np.asarray(times_s), np.stack(patches)))


def _parts(view: _View, looks: Sequence[Look]) -> list[tuple[float, Box]]:
    """The camera's part of the picture at each look."""
    parts = [(look.time_s, view.part(look.time_s)) for look in looks]
    return [(time_s, part) for time_s, part in parts if part]


def _loudness(level_dbfs: NDArray[np.floating] | None, hop_s: float, start_s: float, end_s: float) -> Loudness | None:
    """The level through the stretch, as far as there is sound."""
    if level_dbfs is None:
        return None
    first = max(0, int(start_s / hop_s))
    part = level_dbfs[first : int(end_s / hop_s) + 1]
    return Loudness(first * hop_s, hop_s, part) if len(part) else None
