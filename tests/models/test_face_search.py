import numpy as np
import pytest

from core.boxes import Box
from models.face_search import FaceSearch
from models.faces import FaceDetector, load_faces
from tests.models.face_pictures import head, put

WHOLE = Box(0, 0, 320, 180)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return load_faces(1)


def shot(*places: int, level: int = 90) -> np.ndarray:
    image = np.full((180, 320, 3), level, np.uint8)
    for x in places:
        put(image, head(70), x, 50)
    return image


def test_a_face_is_followed_and_another_that_comes_is_found_within_two_seconds(detector: FaceDetector) -> None:
    search, counts = FaceSearch(detector), []
    for i in range(14):
        faces, cut = search.look(i * 0.2, shot(30 + 2 * i, 220) if i >= 2 else shot(30 + 2 * i), WHOLE)
        counts.append(len(faces))
        assert cut == (i == 0)
        assert any(Box(30 + 2 * i, 50, 70, 85).contains(face.box, slack_px=5) for face in faces)
    assert counts[0] == 1 and counts[-1] == 2


def test_after_a_cut_everything_is_searched_at_once(detector: FaceDetector) -> None:
    search = FaceSearch(detector)
    search.look(0.0, shot(), WHOLE)
    faces, cut = search.look(0.2, shot(120, level=180), WHOLE)
    assert cut and len(faces) == 1


def test_a_face_beside_the_part_that_matters_is_not_told(detector: FaceDetector) -> None:
    search = FaceSearch(detector)
    for i in range(3):
        faces, _ = search.look(i * 0.2, shot(20, 220), Box(160, 0, 160, 180))
        assert [face.box.x > 160 for face in faces] == [True]


def test_a_part_outside_the_frame_shows_nothing(detector: FaceDetector) -> None:
    assert FaceSearch(detector).look(0.0, shot(20), Box(400, 300, 50, 50)) == ([], True)
