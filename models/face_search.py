"""Faces from frame to frame at low cost: small looks where faces were, a search of everything once in a while."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box, overlap, shared
from core.sights import Face
from models.faces import FaceDetector

SEARCH_S, CALM_S = 1.0, 2.0
"""The whole part of the picture that matters is searched so often while no face is known, and while all known are,"""
SOONEST_S = 0.6
"""and after so long already when one was lost."""
LEAST_WIDTH_PX, LARGEST_WIDTH_PX, MOST_ENLARGED = 512, 640, 3.0
"""A search is made at a width in this band, yet never of pixels enlarged by more than that."""
FOLLOWED = 4
"""Only so many faces, the largest, are followed."""
LOOK_PX, LOOK_SIDE = 128, 2.2
"""A look is at a square of this side, in larger sides of the face, scaled to so many pixels."""
SURE, FAIRLY_SURE = 0.9, 0.6
"""Least score of a face found in a search, and of one found where one was."""
SAME = 0.3
"""Boxes that overlap by more (intersection over union) show the same face."""
CUT_GREY, THUMB = 24.0, (18, 32)
"""A shot changes where the rows by columns of a thumbnail do by so many grey levels of 255 on average. A heuristic."""


@dataclass(slots=True)
class FaceSearch:
    """What was seen so far in a sequence of frames of one size."""

    detector: FaceDetector
    searched_s: float = -np.inf
    known: list[Face] = field(default_factory=list)
    lost: bool = False
    thumb: NDArray[np.float32] | None = None
    part: Box | None = None

    def look(self, time_s: float, image: NDArray[np.uint8], part: Box) -> tuple[list[Face], bool]:
        """The largest faces in `part` of the frame, in its pixels, biggest first; and whether a new shot began.

        New faces are found after a cut or within two seconds. Frames must come in order of time.
        """
        cut = self._is_cut(image, part)
        waited_s = time_s - self.searched_s
        found = self._follow(image)
        self.lost |= len(found) < len(self.known)
        patience_s = SOONEST_S if self.lost else CALM_S if found else SEARCH_S
        if cut or waited_s >= patience_s:
            for face in self._search(image, part):
                if all(overlap(face.box, other.box) < SAME for other in found):
                    found.append(face)
            self.searched_s, self.lost = time_s, False
        centre_inside = [face for face in found if part.contains(_point(face))]
        self.known = sorted(centre_inside, key=lambda face: (-face.box.area, face.box.x))[:FOLLOWED]
        return self.known, cut

    def _is_cut(self, image: NDArray[np.uint8], part: Box) -> bool:
        """Whether `part` shows something else than it did in the frame before, or is another part."""
        rows = np.linspace(part.y, part.bottom - 1, THUMB[0]).astype(int).clip(0, image.shape[0] - 1)
        columns = np.linspace(part.x, part.right - 1, THUMB[1]).astype(int).clip(0, image.shape[1] - 1)
        thumb = image[rows][:, columns].mean(axis=2, dtype=np.float32)
        before, self.thumb = self.thumb, thumb
        moved, self.part = self.part != part, part
        if before is None or moved:
            self.known = []
            return True
        return float(np.abs(thumb - before).mean()) > CUT_GREY

    def _search(self, image: NDArray[np.uint8], part: Box) -> list[Face]:
        scale = min(LARGEST_WIDTH_PX / part.w, max(1.0, min(LEAST_WIDTH_PX / part.w, MOST_ENLARGED)))
        return _find(self.detector, image, part, scale, SURE)

    def _follow(self, image: NDArray[np.uint8]) -> list[Face]:
        """The known faces that are still near where they were, each once."""
        found: list[Face] = []
        for face in self.known:
            side = LOOK_SIDE * max(face.box.w, face.box.h)
            x, y = face.box.centre
            around = Box(x - side / 2, y - side / 2, side, side)
            faces = _find(self.detector, image, around, LOOK_PX / side, FAIRLY_SURE)
            best = max(faces, key=lambda other: overlap(other.box, face.box), default=None)
            if best and all(overlap(best.box, other.box) < SAME for other in found):
                found.append(best)
        return found


def _point(face: Face) -> Box:
    x, y = face.box.centre
    return Box(x, y, 1e-3, 1e-3)


def _find(detector: FaceDetector, image: NDArray[np.uint8], part: Box, scale: float, min_score: float) -> list[Face]:
    """The faces in `part` of the image, looked at `scale` times as large; in pixels of the image."""
    import cv2

    height, width = image.shape[:2]
    inside = shared(part, Box(0, 0, width, height))
    if inside is None:
        return []
    x, y, right, bottom = round(inside.x), round(inside.y), round(inside.right), round(inside.bottom)
    piece = image[y:bottom, x:right]
    if not piece.size:
        return []
    size = max(1, round(piece.shape[1] * scale)), max(1, round(piece.shape[0] * scale))
    if size != (piece.shape[1], piece.shape[0]):
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        piece = np.asarray(cv2.resize(np.ascontiguousarray(piece), size, interpolation=smooth), np.uint8)
    across, down = (right - x) / size[0], (bottom - y) / size[1]
    return [placed(face, across, down, x, y) for face in detector.find(piece, min_score=min_score)]


def placed(face: Face, across: float, down: float, by_x: float = 0.0, by_y: float = 0.0) -> Face:
    """The same face in a picture that is larger by these factors and begins so much to the left and further up."""
    landmarks = tuple((x * across + by_x, y * down + by_y) for x, y in face.landmarks)
    return Face(face.box.scaled(across, down).moved(by_x, by_y), face.score, landmarks)
