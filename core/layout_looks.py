"""A look: what some frames of one moment tell about the layout, reduced so that hundreds of them fit into memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import panels
from core.boxes import Box, around
from core.panels import Edges
from core.sights import Face

WIDTH_PX = 640
"""The longer side of the frames looked at."""
BLOCK_PX = 8
MOVING_LEVELS = 3.0
"""A block moves whose pixels range over so many gray levels on the mean. What a codec repeats stays below 1."""
MIN_BLOCKS = 4
"""Fewer moving blocks side by side are a mouse pointer or a blinking cursor."""
FACE_LEVELS = 2.5
"""The same for a face: one that moves less is a picture of a face."""

Image = NDArray[np.uint8]
FindFaces = Callable[[Image], list[Face]]
"""Finds faces in an RGB image, uint8 [h, w, 3], in its pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is seen during [start_s, end_s), judged by the frames around `time_s`. Boxes in pixels of those frames."""

    start_s: float
    end_s: float
    time_s: float
    width: int
    height: int
    packed: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
    """Bits of `edges`."""
    bright: Image
    """The brightest level in each block [rows, columns], of all frames."""
    colours: Image
    """The last frame, a pixel a block: [rows, columns, 3]."""
    moving: NDArray[np.bool_]
    """Blocks that move: [rows, columns]."""
    lit: Box
    picture: Box
    """All of it but for black borders."""
    speakers: tuple[Box, ...]
    """Faces that move."""

    @property
    def edges(self) -> Edges:
        upright, level, dark = (np.unpackbits(bits).astype(bool) for bits in self.packed)
        columns, rows = self.width + 1, self.height + 1
        return Edges(
            upright[: self.height * columns].reshape(self.height, columns),
            level[: rows * self.width].reshape(rows, self.width),
            dark[: self.height * self.width].reshape(self.height, self.width),
        )

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def moving_share(self) -> float:
        """Of the lit part of the picture."""
        return float(self.moving.sum()) * BLOCK_PX**2 / self.lit.area

    def part(self, box: Box) -> tuple[slice, slice]:
        """The blocks that `box` touches."""
        rows = slice(max(int(box.y) // BLOCK_PX, 0), max(-(-round(box.bottom) // BLOCK_PX), 1))
        return rows, slice(max(int(box.x) // BLOCK_PX, 0), max(-(-round(box.right) // BLOCK_PX), 1))


def look(start_s: float, end_s: float, time_s: float, images: Sequence[Image], find_faces: FindFaces) -> Look:
    """Reduce `images`, uint8 RGB [h, w, 3] of one size. Faces are sought in the last of them, if anything moves."""
    grays = np.stack([to_gray(image) for image in images])
    brightest, ranges = grays.max(0), grays.max(0) - grays.min(0)
    edges = panels.find_edges(grays)
    _, height, width = grays.shape
    moving = _blocks(ranges).mean((1, 3)) > MOVING_LEVELS
    faces = find_faces(images[-1]) if moving.any() else []
    return Look(
        start_s,
        end_s,
        time_s,
        width,
        height,
        (np.packbits(edges.upright), np.packbits(edges.level), np.packbits(edges.dark)),
        _blocks(brightest).max((1, 3)),
        images[-1][BLOCK_PX // 2 :: BLOCK_PX, BLOCK_PX // 2 :: BLOCK_PX].copy(),
        moving,
        panels.lit_box(brightest),
        panels.without_borders(brightest),
        tuple(face.box for face in faces if _moves(ranges, face.box)),
    )


def to_gray(image: Image) -> NDArray[np.uint8]:
    """BT.601 luma of an RGB image."""
    import cv2

    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _blocks(gray: Image) -> NDArray[np.uint8]:
    """[h, w] -> [rows, 8, columns, 8], padded with what stands at the border."""
    height, width = gray.shape
    padded = np.pad(gray, ((0, -height % BLOCK_PX), (0, -width % BLOCK_PX)), mode="edge")
    return padded.reshape(padded.shape[0] // BLOCK_PX, BLOCK_PX, padded.shape[1] // BLOCK_PX, BLOCK_PX)


def _moves(ranges: Image, face: Box) -> bool:
    part = ranges[max(int(face.y), 0) : max(int(face.bottom), 1), max(int(face.x), 0) : max(int(face.right), 1)]
    return part.size > 0 and float(part.mean()) > FACE_LEVELS


def movers(seen: Look) -> list[Box]:
    """The places that move, the largest first, each a little smaller than its blocks; last, all of them together."""
    import cv2

    wide = cv2.dilate(seen.moving.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(wide, connectivity=8)
    found: list[tuple[int, Box]] = []
    for label in range(1, count):
        rows, columns = np.nonzero((labels == label) & seen.moving)
        if len(rows) >= MIN_BLOCKS:
            low, high = (float(columns.min()), float(rows.min())), (float(columns.max()), float(rows.max()))
            box = Box(low[0], low[1], high[0] - low[0] + 1, high[1] - low[1] + 1).scaled(BLOCK_PX, BLOCK_PX)
            found.append((len(rows), box))
    boxes = [_shrunk(box) for _, box in sorted(found, key=lambda each: -each[0])]
    return [*boxes, around(boxes)] if len(boxes) > 1 else boxes


def _shrunk(box: Box) -> Box:
    """A block that moves may lie half outside of the panel in which something moves."""
    return box.grown(-min(BLOCK_PX, box.w / 3), -min(BLOCK_PX, box.h / 3))
