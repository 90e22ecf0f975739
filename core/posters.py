"""Which frame of a clip stands for it: sharp, not black, at rest, and where there is a face, eyes open and on us.

All of it is heuristic: the clip's frames are compared with each other, no network judges them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.face_patches import EYES, aligned
from core.sights import Face

BLACK, WHITE = 40, 215
"""A frame is black when 98 of 100 of its pixels are darker than this of 255, blank when they are all brighter."""
UNUSABLE = 10.0
"""What a black or blank frame loses: more than all the rest can be worth."""
FACE_WIDTH_SHARE = 0.05
"""Faces narrower than this share of the picture's width say nothing about how good it is,"""
EYES_PX = 10.0
"""nor do eyes that are closer together than this."""
FACE, SHARPNESS, OPEN, FACING, REST = 1.0, 1.0, 1.5, 0.7, 1.0
"""What each quality, 0 to 1, is worth."""
RESTLESS = 6.0
"""Changes of so many grey levels in half of the picture within a tenth of a second belong to a transition."""
OPENNESS_SPREAD = 0.02
"""Differences in openness below this are noise."""

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A frame that may become the poster."""

    time_s: float
    grey: Grey
    """[h, w]; all candidates have one size."""
    faces: tuple[Face, ...]
    """In pixels of `grey`, biggest first."""
    after: Grey | None = None
    """The picture about a tenth of a second later, where there is one: it tells a transition."""


def best_frame(candidates: Sequence[Candidate]) -> int:
    """The index of the candidate that stands for the clip best, the earliest of equals. Raises ValueError for none."""
    if not candidates:
        raise ValueError("best_frame() needs at least one candidate")
    marks = SHARPNESS * _ranks([sharpness(c.grey) for c in candidates])
    openness = [None if (face := _judged(c)) is None else eye_openness(c.grey, face) for c in candidates]
    marks += OPEN * _openness_marks(openness)
    for i, candidate in enumerate(candidates):
        face = _judged(candidate)
        marks[i] += FACE + FACING * facing(face) if face else 0.0
        marks[i] += REST * rest(candidate)
        marks[i] -= UNUSABLE if _is_blank(candidate.grey) else 0.0
    return int(marks.argmax())


def sharpness(grey: Grey) -> float:
    """The variance of the Laplacian, the usual sign of focus."""
    g = grey.astype(np.float32)
    edges = 4 * g[1:-1, 1:-1] - g[:-2, 1:-1] - g[2:, 1:-1] - g[1:-1, :-2] - g[1:-1, 2:]
    return float(edges.var()) if edges.size else 0.0


def rest(candidate: Candidate) -> float:
    """1 where the picture stands still but for what moves in it, 0 in a fade, a dissolve or a pan."""
    if candidate.after is None:
        return 1.0
    change = np.abs(candidate.after.astype(np.int16) - candidate.grey)
    blocks = change[: change.shape[0] // 8 * 8, : change.shape[1] // 8 * 8]
    means = blocks.reshape(blocks.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3)) if blocks.size else change
    return float(1 - min(1.0, np.median(means) / RESTLESS))


def facing(face: Face) -> float:
    """1 where the nose is midway between the eyes, 0 in profile: how much the face is turned to the camera."""
    (left, _), (right, _), (nose, _) = face.landmarks[:3]
    apart = right - left
    return float(max(0.0, 1 - 2 * abs((nose - left) / apart - 0.5))) if apart > 0 else 0.0


def eye_openness(grey: Grey, face: Face) -> float:
    """How much is seen of the dark of iris and pupil with white beside it; only the same face can be compared in it.

    For each eye, how much darker the darkest tenth of its patch is than the patch's middle tone, plus how strongly
    brightness changes along rows (from white to iris; a closed lid changes down columns only), relative to the
    brightness of the face.
    """
    patch = aligned(grey, face.landmarks)
    light = max(1.0, float(np.median(patch)))
    values = []
    for rows, columns in EYES:
        eye = patch[rows, columns]
        dark = float(np.median(eye) - np.percentile(eye, 10))
        across = float(np.abs(np.diff(eye, axis=1)).mean())
        values.append((0.5 * dark + 2 * across) / light)
    return float(np.mean(values))


def _judged(candidate: Candidate) -> Face | None:
    """The largest face, if it is large enough for its eyes to be seen."""
    if not candidate.faces:
        return None
    face = candidate.faces[0]
    (left, top), (right, bottom) = face.landmarks[:2]
    large = face.box.w >= FACE_WIDTH_SHARE * candidate.grey.shape[1]
    return face if large and np.hypot(right - left, bottom - top) >= EYES_PX else None


def _openness_marks(values: Sequence[float | None]) -> NDArray[np.float64]:
    """0 to 1: how open the eyes are beside those of the other frames; a blink is an outlier. 0 without a face."""
    known = np.array([value for value in values if value is not None])
    if not known.size:
        return np.zeros(len(values))
    usual = float(np.median(known))
    spread = max(OPENNESS_SPREAD, float(np.median(np.abs(known - usual))) * 3)
    return np.array([0.0 if v is None else float(np.clip(0.75 + (v - usual) / spread / 2, 0, 1)) for v in values])


def _is_blank(grey: Grey) -> bool:
    return float(np.percentile(grey, 98)) < BLACK or float(np.percentile(grey, 2)) > WHITE


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """0 to 1: each value's place between none and the ninth decile, on a scale that grows more slowly than it."""
    known = np.sqrt(np.asarray(values, np.float64))
    top = float(np.percentile(known, 90))
    return np.minimum(1.0, known / top) if top > 0 else np.zeros(len(known))
