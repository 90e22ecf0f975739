"""The camera's path: the face inside, rest where the speaker rests, no haste, and jumps known as cuts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.boxes import Box
from core.camera_path import STEPS_IN_VIEW, TICK_S, TOP_SPEED, box_at, follow, split_shots
from core.sights import Sighting

PICTURE = Box(0, 0, 1280, 720)
VIEW = (405.0, 720.0)


def sight(time_s: float, x: float, y: float = 200.0, w: float = 90.0) -> Sighting:
    """A face whose middle is at `x`."""
    return Sighting(time_s, Box(x - w / 2, y, w, 1.3 * w), Box(x - 15, y + w, 30, 15))


def walk(x_at, seconds: float) -> list[Sighting]:
    return [sight(t, x_at(t)) for t in np.arange(0, seconds, TICK_S).tolist()]


@given(
    st.lists(st.tuples(st.floats(0.8, 4), st.floats(60, 1220)), min_size=1, max_size=3),
    st.integers(0, 5),
    st.floats(0, 4),
)
@settings(deadline=None, max_examples=10)
def test_the_face_of_a_walker_stays_inside_and_the_camera_keeps_its_speed_limit(legs, seed, noise_px) -> None:
    """Walks from place to place at up to 200 px/s, as seen by a detector that trembles."""
    times_s, places = [0.0], [640.0]
    for pause_s, x in legs:
        times_s += [times_s[-1] + pause_s, times_s[-1] + pause_s + abs(x - places[-1]) / 200 + 0.1]
        places += [places[-1], x]
    fine_s = np.arange(0, times_s[-1] + 1, 0.04)
    x = np.interp(fine_s, times_s, places)
    tremble = np.random.default_rng(seed).uniform(-noise_px, noise_px, len(fine_s))
    sightings = [sight(float(t), float(p)) for t, p in list(zip(fine_s, x + tremble, strict=True))[::5]]
    path = follow(sightings, size=VIEW, within=PICTURE, start_s=0, end_s=float(fine_s[-1]))
    left = np.interp(fine_s, [station.time_s for station in path], [station.box.x for station in path])
    assert np.mean((left <= x - 45) & (x + 45 <= left + 405)) >= 0.99
    assert left.min() >= 0 and left.max() <= 1280 - 405
    speed = np.abs(np.diff(left)) / 0.04
    assert speed.max(initial=0) <= TOP_SPEED * 405 / STEPS_IN_VIEW / TICK_S * 1.02
    assert path == follow(sightings, size=VIEW, within=PICTURE, start_s=0, end_s=float(fine_s[-1]))


@given(st.floats(0, 1280), st.floats(0, 12), st.integers(0, 99))
@settings(deadline=None, max_examples=15)
def test_a_still_speaker_has_a_still_camera(x, tremble_px, seed) -> None:
    noise = np.random.default_rng(seed).uniform(-tremble_px, tremble_px, 50)
    sightings = [sight(0.2 * number, x + shift) for number, shift in enumerate(noise.tolist())]
    path = follow(sightings, size=VIEW, within=PICTURE, start_s=0, end_s=10)
    assert len(path) == 1


def test_a_face_at_rest_is_in_the_middle_and_in_the_upper_third() -> None:
    path = follow([sight(t, 500, 100, 60) for t in (0, 0.2, 0.4)], size=(200, 300), within=PICTURE, start_s=0, end_s=9)
    (station,) = path
    x, y = station.box.centre
    assert abs(x - 500) < 4 and abs(station.box.y + 0.4 * 300 - 139) < 4


def test_without_a_face_the_camera_looks_at_the_middle() -> None:
    path = follow([], size=(405, 720), within=PICTURE, start_s=0, end_s=5)
    assert len(path) == 1 and path[0].box.centre == pytest.approx((640, 360), abs=3)


def test_a_gap_is_bridged_without_haste() -> None:
    sightings = [s for s in walk(lambda t: 300 if t < 4 else 900, 12) if not 3 <= s.time_s < 6]
    path = follow(sightings, size=VIEW, within=PICTURE, start_s=0, end_s=12)
    moved = np.diff([box_at(path, t).x for t in np.arange(0, 12, 0.1)])
    assert (moved >= 0).all() and moved.max() * 10 < 450


def test_a_view_that_is_all_of_the_picture_does_not_move() -> None:
    path = follow(walk(lambda t: 100 * t, 5), size=(1280, 720), within=PICTURE, start_s=0, end_s=5)
    assert [station.box for station in path] == [PICTURE]


def test_a_face_larger_than_the_view_is_met_in_the_middle() -> None:
    path = follow([sight(0.0, 640, 200, 500)], size=(100, 200), within=PICTURE, start_s=0, end_s=1)
    assert abs(path[0].box.centre[0] - 640) < 3


def test_a_jump_is_a_cut_laid_on_the_known_cut_and_the_same_walked_is_none() -> None:
    jumping = walk(lambda t: 200 if t < 3 else 1000, 6)
    assert [shot.start_s for shot in split_shots(jumping)] == pytest.approx([0.0, 2.9])
    assert [shot.start_s for shot in split_shots(jumping, [2.96])] == pytest.approx([0.0, 2.96])
    assert len(split_shots(walk(lambda t: 200 + 150 * t, 6))) == 1


def test_a_known_cut_to_the_same_view_changes_nothing() -> None:
    assert len(split_shots(walk(lambda t: 400, 6), [3.05])) == 1


def test_a_moment_elsewhere_is_a_mistake_of_the_detector() -> None:
    (shot,) = split_shots(walk(lambda t: 1100 if 2.9 < t < 3.3 else 300, 6))
    assert {round(seen.box.centre[0]) for seen in shot.sightings} == {300}
    assert split_shots([]) == []
