import pytest

from core.boxes import Box
from core.face_tracks import Look, link
from core.sights import Face


def face(x: float, y: float = 100, width: float = 50) -> Face:
    points = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    return Face(Box(x, y, width, 1.2 * width), 0.99, tuple((x + a * width, y + b * 1.2 * width) for a, b in points))


def looks(*rows: list[Face], step_s: float = 0.2) -> list[Look]:
    return [Look(round(i * step_s, 3), tuple(row)) for i, row in enumerate(rows)]


def test_two_people_are_two_tracks_however_their_faces_are_listed() -> None:
    one, other = link(looks(*[[face(100 + i), face(300)] if i % 2 else [face(300), face(100 + i)] for i in range(8)]))
    assert [seen.face.box.x for seen in one.seen] == [100 + i for i in range(8)]
    assert {seen.face.box.x for seen in other.seen} == {300}


def test_a_walking_face_stays_one_track() -> None:
    (track,) = link(looks(*[[face(30 * i)] for i in range(20)]))
    assert len(track.seen) == 20


@pytest.mark.parametrize(("missed", "tracks"), [(5, 1), (12, 2)], ids=["a second", "too long"])
def test_a_face_may_be_missed_for_about_a_second(missed: int, tracks: int) -> None:
    rows = [[face(100)]] * 5 + [[]] * missed + [[face(110)]] * 5
    assert len(link(looks(*rows))) == tracks


def test_a_face_found_once_by_mistake_is_no_track() -> None:
    (track,) = link(looks(*[[face(100), face(400, 20, 30)] if i == 4 else [face(100)] for i in range(10)]))
    assert {seen.face.box.x for seen in track.seen} == {100}


def test_a_large_face_does_not_go_on_as_a_small_one_in_its_place() -> None:
    rows = [[face(100, width=100)]] * 4 + [[face(120, width=40)]] * 4
    assert [len(track.seen) for track in link(looks(*rows))] == [4, 4]


def test_no_track_goes_over_a_cut() -> None:
    one, other = link(looks(*[[face(100)]] * 10), cuts_s=[0.0, 1.0])
    assert (one.end_s, other.start_s) == (0.8, 1.0)


def test_a_single_look_is_enough_where_there_is_no_other() -> None:
    assert len(link(looks([face(100)]))) == 1
    assert link([]) == ()


def test_landmarks_move_evenly_between_sightings_and_stay_beyond_them() -> None:
    (track,) = link(looks([face(100)], [face(110)], [face(110)]))
    assert track.landmarks_at(0.1)[0] == pytest.approx((120, 124))
    assert track.landmarks_at(-1) == face(100).landmarks
    assert track.landmarks_at(9) == face(110).landmarks
    assert track.nearest(0.12).time_s == 0.2
