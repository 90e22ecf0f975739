"""Reads the text on a slide, offline: PP-OCRv6 small, whose two networks the package rapidocr carries.

Pictures go through a text detector `DETECT_SIDE_PX` wide or high, small ones `SMALL_DETECT_SIDE_PX`, then each line
found through a recogniser. Slides are upright, so the classifier of orientation is left out; a line that stands on end,
as beside a chart, is read from below.
"""

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box
from core.errors import WeightsError
from core.files import to_uri
from core.home import home
from core.identity import sha256_of
from core.reading_order import reading_order
from core.records import ModelRef
from core.sights import TextLine
from core.slide_text import plain
from models.pretrained import VERSION_LENGTH, WeightStatus, hash_of

NAME = "pp-ocrv6-small"
PACKAGE, FOLDER = "rapidocr", "models"
DETECTOR = ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f")
RECOGNISER = ("PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884")
SHA256 = hashlib.sha256("".join(sha256 for _, sha256 in (DETECTOR, RECOGNISER)).encode()).hexdigest()
"""The identity of the pair: of their hashes, one after the other."""
ADVICE = "Run `make setup`, or `pip install --force-reinstall --no-deps 'rapidocr>=3.10,<4'`."

DETECT_SIDE_PX = 960
"""A compromise: on four lecture slides of 1280 x 720, 800 took 0.7 times as long and lost a fifth of the characters,
1312 took 1.6 times as long."""
SMALL_SIDE_PX, SMALL_DETECT_SIDE_PX = 500, 1280
"""Pictures smaller than this are looked at larger: of 314 letters on two slides 426 px wide 960 left 102 wrong, 1280
left 7, in 1.4 times the time. At 568 px it made no difference."""
LEAST_CONFIDENCE = 0.6
SURE = 0.85
"""A line on end that is read with less is tried the other ways round."""
LEAST_HEIGHT_PX = 6
"""Lower lines are not read but guessed."""
DETECTION = {
    "limit_side_len": SMALL_DETECT_SIDE_PX,
    "limit_type": "max",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "thresh": 0.3,
    "box_thresh": 0.5,
    "max_candidates": 300,
    "unclip_ratio": 1.6,
    "use_dilation": True,
    "score_mode": "fast",
}
"""As rapidocr 3.10 sets them for this network, but for the size, which `_sized` sees to, and fewer candidates."""
RECOGNITION = {"lang_type": "ch", "rec_img_shape": [3, 48, 320], "rec_batch_num": 1, "font_path": None}
"""Lines of a batch are padded to the longest: one by one takes less time. "ch" names the network for all scripts."""

Image = NDArray[np.uint8]


class SlideReader:
    """The two networks, loaded. One picture at a time."""

    def __init__(self, detector: Any, recogniser: Any) -> None:
        self._detector, self._recogniser = detector, recogniser

    def read(self, image: Image) -> list[TextLine]:
        """The lines of text in `image`, uint8 RGB [height, width, 3], in reading order; boxes in its pixels."""
        if min(image.shape[:2]) < 32:
            return []
        picture = np.ascontiguousarray(image[:, :, ::-1])
        sized = _sized(picture)
        found = self._detector(sized)
        if found.boxes is None:
            return []
        factor = np.array(picture.shape[1::-1]) / sized.shape[1::-1]
        corners = [(np.asarray(quad) * factor).astype(np.float32) for quad in found.boxes]
        corners = [quad for quad in corners if min(np.ptp(quad, axis=0)) >= LEAST_HEIGHT_PX]
        small = max(picture.shape[:2]) < SMALL_SIDE_PX
        pieces = [
            _piece(sized, (quad / factor).astype(np.float32)) if small else _piece(picture, quad) for quad in corners
        ]
        lines = [
            TextLine(text, _box(quad), round(score, 3))
            for quad, (words, score) in zip(corners, self._words(pieces), strict=True)
            if score >= LEAST_CONFIDENCE and any(map(str.isalnum, text := plain(words)))
        ]
        return reading_order(lines)

    def _words(self, pieces: Sequence[Image]) -> list[tuple[str, float]]:
        """Text and confidence of each piece; those that stand on end are laid down."""
        read = self._recognised([np.rot90(piece, -1) if _tall(piece) else piece for piece in pieces])
        unsure = [i for i, piece in enumerate(pieces) if _tall(piece) and read[i][1] < SURE]
        # It may run downwards, or be a single letter.
        for turned in (1, 0):
            again = self._recognised([np.rot90(pieces[i], turned) for i in unsure])
            for i, other in zip(unsure, again, strict=True):
                read[i] = max(read[i], other, key=lambda found: found[1])
        return read

    def _recognised(self, pieces: Sequence[Image]) -> list[tuple[str, float]]:
        from rapidocr.ch_ppocr_rec import TextRecInput

        if not pieces:
            return []
        read = self._recogniser(TextRecInput(img=list(pieces)))
        return [(words, float(score)) for words, score in zip(read.txts, read.scores, strict=True)]


def load_ocr(threads: int) -> SlideReader:
    """The networks on `threads` threads of the CPU. Raises WeightsError if they are not here or not the ones meant."""
    folder = _folder()
    paths = [_verified(folder, *file) for file in (DETECTOR, RECOGNISER)]
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    from omegaconf import OmegaConf
    from rapidocr.ch_ppocr_det import TextDetector
    from rapidocr.ch_ppocr_rec import TextRecognizer
    from rapidocr.utils.typings import EngineType

    # Its own logger sets a level when it is imported.
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    parts = []
    for path, make, options in zip(paths, (TextDetector, TextRecognizer), (DETECTION, RECOGNITION), strict=True):
        # Given a session, rapidocr neither looks for a model nor downloads one.
        own = {"engine_type": EngineType.ONNXRUNTIME, "session": _session(path, threads)}
        config: Any = OmegaConf.create(options | own, flags={"allow_objects": True})
        parts.append(make(config))
    return SlideReader(*parts)


def resolve() -> ModelRef:
    """The networks that are here, by name and hash. Raises WeightsError as `load_ocr` does. Loads nothing."""
    folder = _folder()
    for file in (DETECTOR, RECOGNISER):
        _verified(folder, *file)
    return ModelRef(NAME, SHA256[:VERSION_LENGTH], SHA256, to_uri(folder))


def check() -> WeightStatus:
    """Whether the networks are here and their hashes hold, all files hashed anew."""
    try:
        folder = _folder()
    except WeightsError as error:
        return WeightStatus(NAME, False, False, "", str(error))
    lacking = [name for name, _ in (DETECTOR, RECOGNISER) if not (folder / name).is_file()]
    if lacking:
        return WeightStatus(NAME, False, False, "", f"{' and '.join(lacking)} of {NAME} are not there. {ADVICE}")
    wrong = [name for name, sha256 in (DETECTOR, RECOGNISER) if sha256_of(folder / name) != sha256]
    advice = f"{' and '.join(wrong)} of {NAME} differ from the pinned files. {ADVICE}" if wrong else ""
    return WeightStatus(NAME, True, not wrong, str(folder), advice)


def _folder() -> Path:
    """Where the package keeps its networks. It is not imported: that would run its code."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"Reading slides: the package {PACKAGE} is not installed. {ADVICE}")
    return Path(next(iter(spec.submodule_search_locations)), FOLDER)


def _verified(folder: Path, name: str, expected: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise WeightsError(f"Loading {NAME}: {path} is missing. {ADVICE}")
    found = hash_of(path, home())
    if found != expected:
        raise WeightsError(f"Loading {NAME}: {path} has sha256 {found}, not {expected}. {ADVICE}")
    return path


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    # Threads that wait for work by spinning took 40 % of the time from the others on two cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _sized(picture: Image) -> Image:
    """The picture at the size for detection, both sides multiples of 32, which the network needs."""
    import cv2

    longest = max(picture.shape[:2])
    factor = (SMALL_DETECT_SIDE_PX if longest < SMALL_SIDE_PX else DETECT_SIDE_PX) / longest
    width, height = (max(32, 32 * round(side * factor / 32)) for side in picture.shape[1::-1])
    # Lanczos keeps the strokes of small letters apart: they are read from this picture.
    larger = cv2.INTER_LANCZOS4 if longest < SMALL_SIDE_PX else cv2.INTER_CUBIC
    how = larger if factor > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _piece(picture: Image, quad: NDArray[np.float32]) -> Image:
    """What lies within four corners (clockwise from the upper left one), straightened."""
    import cv2

    across, down = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1).reshape(2, 2).max(axis=0)
    width, height = max(1, int(across)), max(1, int(down))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(quad, corners)
    cut = cv2.warpPerspective(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.asarray(cut, np.uint8)


def _tall(piece: Image) -> bool:
    """Whether a piece is taken for a line that stands on end, as rapidocr judges it."""
    return piece.shape[0] >= 1.5 * piece.shape[1]


def _box(quad: NDArray[np.float32]) -> Box:
    x, y = quad.min(axis=0)
    right, bottom = quad.max(axis=0)
    return Box(round(float(x), 1), round(float(y), 1), round(float(right - x), 1), round(float(bottom - y), 1))
