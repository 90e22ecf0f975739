import numpy as np
import pytest

from core.boxes import Box
from core.posters import Candidate, best_frame, eye_openness
from core.sights import Face

WIDTH, HEIGHT = 320, 180
RANDOM = np.random.default_rng(3)
GROUND = np.kron(RANDOM.integers(60, 200, (18, 32)), np.ones((10, 10))).astype(np.uint8)


def disc(grey: np.ndarray, x: float, y: float, rx: float, ry: float, value: int) -> None:
    rows, columns = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    grey[((columns - x) / rx) ** 2 + ((rows - y) / ry) ** 2 < 1] = value


def with_face(*, eyes_open: bool = True, nose_x: float = 160) -> tuple[np.ndarray, Face]:
    grey = GROUND.copy()
    disc(grey, 160, 90, 40, 55, 170)
    for x in (144, 176):
        disc(grey, x, 64, 9, 2, 80)
        if eyes_open:
            disc(grey, x, 76, 8, 4, 230)
            disc(grey, x, 76, 3.5, 4, 30)
        else:
            disc(grey, x, 78, 8, 1.2, 110)
    disc(grey, 160, 115, 12, 3, 90)
    return grey, Face(Box(120, 40, 80, 100), 0.99, ((144, 76), (176, 76), (nose_x, 95), (148, 115), (172, 115)))


def blurred(grey: np.ndarray) -> np.ndarray:
    soft = grey.astype(float)
    for _ in range(4):
        soft = (soft + np.roll(soft, 1, 0) + np.roll(soft, -1, 0) + np.roll(soft, 1, 1) + np.roll(soft, -1, 1)) / 5
    return soft.astype(np.uint8)


def candidate(i: int, grey: np.ndarray, *faces: Face, after: np.ndarray | None = None) -> Candidate:
    return Candidate(float(i), grey, faces, grey if after is None else after)


def test_the_sharpest_frame_wins_where_nobody_is_seen() -> None:
    assert best_frame([candidate(i, blurred(GROUND)) for i in (0, 1)] + [candidate(2, GROUND)]) == 2


@pytest.mark.parametrize("level", [10, 240], ids=["black", "blank"])
def test_a_black_or_blank_frame_is_not_taken_unless_there_is_no_other(level: int) -> None:
    empty = np.full((HEIGHT, WIDTH), level, np.uint8)
    assert best_frame([candidate(0, empty), candidate(1, blurred(blurred(GROUND)))]) == 1
    assert best_frame([candidate(0, empty), candidate(1, empty)]) == 0


def test_a_frame_amid_a_transition_is_not_taken_though_it_is_as_sharp() -> None:
    fading = candidate(0, GROUND, after=(GROUND * 0.8).astype(np.uint8))
    assert best_frame([fading, candidate(1, GROUND)]) == 1


def test_one_who_moves_before_a_still_ground_is_no_transition() -> None:
    after = GROUND.copy()
    after[40:150, 100:200] = 90
    assert best_frame([candidate(0, GROUND, after=after), candidate(1, blurred(GROUND))]) == 0


def test_closed_eyes_are_less_open_than_open_ones() -> None:
    assert eye_openness(*with_face()) > 1.5 * eye_openness(*with_face(eyes_open=False))


@pytest.mark.parametrize("blinks", [{0}, {0, 1, 2, 3}], ids=["one blink", "half of the frames"])
def test_a_frame_with_open_eyes_is_taken_and_not_a_blink(blinks: set[int]) -> None:
    shots = [with_face(eyes_open=i not in blinks) for i in range(8)]
    assert best_frame([candidate(i, grey, face) for i, (grey, face) in enumerate(shots)]) not in blinks


def test_a_face_that_looks_at_us_is_taken_and_not_one_turned_away() -> None:
    shots = [with_face(nose_x=175), with_face()]
    assert best_frame([candidate(i, grey, face) for i, (grey, face) in enumerate(shots)]) == 1


def test_a_frame_with_a_face_is_taken_before_one_without() -> None:
    grey, face = with_face()
    assert best_frame([candidate(0, GROUND), candidate(1, grey, face)]) == 1


def test_a_tiny_face_decides_nothing() -> None:
    tiny = Face(Box(5, 5, 8, 10), 0.99, ((7, 8), (10, 8), (8.5, 10), (7, 12), (10, 12)))
    assert best_frame([candidate(0, blurred(GROUND), tiny), candidate(1, GROUND)]) == 1


def test_no_frame_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        best_frame([])
