from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.boxes import Box
from core.errors import WeightsError
from models.faces import NAME, SHA256, FaceDetector, check_faces, load_faces, resolve_faces
from tests.models.face_pictures import head, portrait, put


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return load_faces(1)


def test_a_face_is_found_with_eyes_nose_and_mouth_in_their_places(detector: FaceDetector) -> None:
    (face,) = detector.find(portrait())
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert face.score > 0.9
    assert Box(120, 60, 290, 340).contains(face.box)
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_several_faces_come_biggest_first_in_pixels_of_the_picture_given(detector: FaceDetector) -> None:
    ground = np.full((363, 645, 3), 90, np.uint8)
    put(ground, head(60), 100, 200)
    put(ground, head(180), 400, 100)
    big, small = detector.find(ground)
    assert Box(400, 100, 180, 220).contains(big.box, slack_px=5)
    assert Box(100, 200, 60, 72).contains(small.box, slack_px=5)


@pytest.mark.parametrize("shape", [(1, 1, 3), (17, 33, 3), (360, 640, 3)], ids=["a pixel", "a stamp", "a frame"])
def test_nothing_is_found_in_a_plain_picture_of_any_size(detector: FaceDetector, shape: tuple[int, int, int]) -> None:
    assert detector.find(np.full(shape, 120, np.uint8)) == []


def test_noise_and_stripes_have_no_face(detector: FaceDetector) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (180, 320, 3)).astype(np.uint8)
    stripes = np.repeat(np.repeat(np.indices((180, 320)).sum(axis=0)[..., None] // 20 % 2 * 255, 3, axis=2), 1, axis=0)
    assert detector.find(noise) == detector.find(stripes.astype(np.uint8)) == []


def test_a_strict_threshold_leaves_fewer_faces(detector: FaceDetector) -> None:
    small = np.asarray(Image.fromarray(portrait()).resize((256, 300)))
    assert len(detector.find(small, min_score=0.9)) == 1
    assert detector.find(small, min_score=1.1) == []


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)],
    ids=["grey", "floats", "empty"],
)
def test_what_is_no_picture_is_refused(detector: FaceDetector, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 image"):
        detector.find(image)


def test_the_detector_says_which_weights_it_is(detector: FaceDetector) -> None:
    assert (detector.ref.name, detector.ref.sha256) == (NAME, SHA256)
    assert resolve_faces() == detector.ref
    status = check_faces()
    assert status.present and status.hash_ok and status.advice == ""


@pytest.mark.parametrize(
    ("files", "present"),
    [
        ({"weights.py": "WEIGHTS = b'other'\n"}, True),
        ({"weights.py": "import os\nWEIGHTS = os.urandom(3)\n"}, True),
        ({"weights.py": "WEIGHTS = 'text'\n"}, True),
        ({"model.py": ""}, False),
    ],
    ids=["other bytes", "code", "no bytes", "another package of that name"],
)
def test_weights_that_are_not_the_pinned_ones_are_refused_with_advice(
    files: dict[str, str], present: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "retinaface"
    package.mkdir()
    for name, text in ({"__init__.py": "raise SystemExit('this code must not run')"} | files).items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(WeightsError, match="make setup"):
        load_faces(1)
    status = check_faces()
    assert (status.present, status.hash_ok) == (present, False)
    assert "make setup" in status.advice
