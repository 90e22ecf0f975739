"""The best frame of a finished clip for its poster: what `core.posters` judges, with the faces found in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.ffmpeg_frames import NEAR_S
from core.frames import Frame, Raster, frames_in
from core.picture import shown_size
from core.posters import Candidate, best_frame
from core.records import MediaInfo
from models.faces import FaceDetector

CANDIDATES = 24
EDGE_S = 0.3
"""Nothing is taken from so close to the clip's ends, where it fades."""
LATER_S = 0.12
"""So much later is looked whether the picture stands still."""
MOST_LATER = 4
LONG_SIDE_PX = 640


def pick_poster(
    clip_path: Path,
    info: MediaInfo,
    detector: FaceDetector,
    scratch: Path,
    *,
    within_s: tuple[float, float] | None = None,
) -> float:
    """The time in seconds of the frame that stands best for a finished clip: always that of a frame it has.

    Args:
        within_s: Only this part of the clip is looked at, as where an intro and an outro stand around it.

    Raises MediaError if the clip has no picture, or none that can be decoded.
    """
    begin_s, end_s = within_s or (0.0, info.duration_s)
    edge_s = min(EDGE_S, (end_s - begin_s) / 4)
    times_s = np.linspace(begin_s + edge_s, end_s - edge_s, CANDIDATES)
    spans = [(float(time_s), float(time_s) + LATER_S) for time_s in times_s]
    width, height = shown_size(info.video)
    scale = min(1.0, LONG_SIDE_PX / max(width, height))
    raster = Raster(max(2, round(width * scale)), max(2, round(height * scale)))
    frames = list(frames_in(clip_path, info, spans, raster, step_s=LATER_S / 2, scratch=scratch))
    shown = sorted({max((i for i, f in enumerate(frames) if f.time_s <= t + NEAR_S), default=0) for t in times_s})
    candidates = [_candidate(frames[i], frames[i + 1 :], detector) for i in shown]
    return candidates[best_frame(candidates)].time_s


def _candidate(frame: Frame, later: Sequence[Frame], detector: FaceDetector) -> Candidate:
    """What is judged of `frame`. `later`: those that follow, of which the last within twice LATER_S is taken."""
    near = [f for f in later[:MOST_LATER] if f.time_s <= frame.time_s + 2 * LATER_S]
    faces = tuple(detector.find(frame.image))
    return Candidate(frame.time_s, _grey(frame.image), faces, _grey(near[-1].image) if near else None)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)
