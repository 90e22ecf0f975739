import numpy as np
import pytest

from core.boxes import Box
from core.face_patches import HEIGHT_PX, MOUTH, WIDTH_PX
from core.face_tracks import Seen, Track
from core.sights import Face
from core.speaking import Loudness, Mouthing, Movement, find_speakers, movement

STEP_S = 0.1
PICTURE = [(0.0, Box(0, 0, 640, 360))]
TEXTURE = np.random.default_rng(5).integers(60, 180, (HEIGHT_PX + 8, WIDTH_PX + 8))


def track(x: float, start_s: float, end_s: float, width: float = 60) -> Track:
    face = Face(Box(x, 100, width, width), 0.99, ((0, 0), (1, 0), (0.5, 0.5), (0, 1), (1, 1)))
    return Track(tuple(Seen(float(t), face) for t in np.arange(start_s, end_s, 0.2)))


def mouths(talks: np.ndarray, *, nods: bool = False) -> Movement:
    """A face whose mouth opens and closes at random while it `talks`; nodding shifts and relights all of it."""
    random = np.random.default_rng(7)
    patches = []
    for i, talking in enumerate(talks):
        down = int(random.integers(0, 3)) if nods else 0
        patch = TEXTURE[down : down + HEIGHT_PX, :WIDTH_PX] + random.normal(0, 1.5, (HEIGHT_PX, WIDTH_PX))
        if nods:
            patch += 10 * np.sin(i)
        if talking:
            opened = int(random.integers(0, 9))
            patch[MOUTH][9 - opened : 9 + opened, 5:19] = 30
        patches.append(patch.clip(0, 255).astype(np.uint8))
    return movement(Mouthing(np.arange(len(talks)) * STEP_S, np.stack(patches)))


def during(start_s: float, end_s: float, length_s: float = 20) -> np.ndarray:
    times_s = np.arange(0, length_s, STEP_S)
    return (times_s >= start_s) & (times_s < end_s)


def test_the_one_whose_mouth_moves_speaks_though_the_other_is_larger_and_more_central() -> None:
    tracks = [track(290, 0, 20, 90), track(20, 0, 20, 50)]
    found = find_speakers(tracks, [mouths(during(0, 0)), mouths(during(0, 20))], PICTURE)
    assert {turn.track for turn in found.turns} == {1}
    assert found.scores[1] > 0.5 > 0.1 > found.scores[0]


def test_nodding_and_changing_light_are_not_speech() -> None:
    found = find_speakers(
        [track(100, 0, 20), track(400, 0, 20)], [mouths(during(0, 0), nods=True), mouths(during(0, 20))], PICTURE
    )
    assert {turn.track for turn in found.turns} == {1}


def test_a_mouth_that_moves_in_the_pauses_loses_to_one_that_moves_with_the_sound() -> None:
    loud = during(0, 3) | during(6, 9) | during(12, 15)
    loudness = Loudness(0.0, STEP_S, np.where(loud, -20.0, -55.0))
    tracks = [track(290, 0, 20), track(20, 0, 20)]
    found = find_speakers(tracks, [mouths(~loud), mouths(loud)], PICTURE, loudness=loudness)
    assert {turn.track for turn in found.turns if turn.start_s < 15} == {1}


def test_a_conversation_is_followed_and_a_short_remark_is_not() -> None:
    first = during(0, 8) | during(9, 12)
    second = during(8, 9) | during(12, 20)
    found = find_speakers([track(100, 0, 20), track(400, 0, 20)], [mouths(first), mouths(second)], PICTURE)
    assert [turn.track for turn in found.turns] == [0, 1]
    assert found.turns[1].start_s == pytest.approx(12, abs=1.5)


def test_without_evidence_the_larger_more_central_face_is_taken() -> None:
    tracks = [track(20, 0, 20, 40), track(290, 0, 20, 70)]
    for moved in ([None, None], [mouths(during(0, 0))] * 2):
        assert {turn.track for turn in find_speakers(tracks, moved, PICTURE).turns} == {1}


def test_a_picture_of_a_face_never_speaks_beside_a_live_one() -> None:
    times_s = np.arange(200) * STEP_S
    still = movement(Mouthing(times_s, np.repeat(np.full((1, HEIGHT_PX, WIDTH_PX), 99, np.uint8), 200, axis=0)))
    found = find_speakers([track(250, 0, 20, 200), track(20, 0, 20, 40)], [still, mouths(during(0, 0))], PICTURE)
    assert {turn.track for turn in found.turns} == {1}


def test_after_a_cut_the_next_speaker_is_taken_at_once_and_nobody_while_no_face_is_there() -> None:
    tracks = [track(100, 0, 5), track(400, 8, 12), track(50, 8, 12, 40)]
    found = find_speakers(tracks, [None, None, None], PICTURE, cuts_s=[0.0, 8.0])
    assert [turn.track for turn in found.turns] == [0, 1]
    assert found.turns[0].end_s <= 5.5 and found.turns[1].start_s == pytest.approx(8, abs=0.5)


def test_without_faces_nobody_speaks() -> None:
    assert find_speakers([], [], PICTURE).turns == ()


def test_silence_alone_tells_nothing() -> None:
    quiet = Loudness(0.0, STEP_S, np.full(200, -120.0))
    found = find_speakers([track(100, 0, 20)], [mouths(during(0, 0))], PICTURE, loudness=quiet)
    assert len(found.turns) == 1
