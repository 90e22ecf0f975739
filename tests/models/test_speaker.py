"""Recordings made of one face, shown where the test says, with a mouth drawn over it that opens and closes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core import tools
from core.boxes import Box
from core.frames import frames_at
from core.probe import probe
from core.records import MediaInfo
from core.sights import Sighting
from models.faces import FaceDetector, load_faces
from models.speaker import follow_speaker
from tests.models.face_pictures import head, put

RATE = 10
WIDTH, HEIGHT = 640, 360
LEFT, RIGHT = Box(70, 60, 150, 180), Box(420, 60, 150, 180)
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return load_faces(1)


def encode(path: Path, frames: list[np.ndarray]) -> Path:
    height, width = frames[0].shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE), "-i", "pipe:0"]
    data = b"".join(frame.tobytes() for frame in frames)
    program = [tools.ffmpeg(), "-v", "error", "-y", *raw, *H264, str(path)]
    subprocess.run(program, input=data, check=True, timeout=60)
    return path


def ground(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.full((height, width, 3), (70, 90, 110), np.uint8)


def talking_head(width_px: int, opened: float) -> np.ndarray:
    """Her head with a dark mouth, `opened` from 0 to 1."""
    face = head(width_px).copy()
    rows, columns = np.mgrid[0 : face.shape[0], 0 : face.shape[1]]
    x, y = 0.5 * width_px, 0.735 * width_px
    inside = ((columns - x) / (0.1 * width_px)) ** 2 + ((rows - y) / (0.01 + 0.07 * opened * width_px)) ** 2 < 1
    face[inside] = (50, 15, 15)
    return face


def two_people(talks: Callable[[int], int], frames: int) -> list[np.ndarray]:
    """Two heads, of which number `talks(i)` speaks in frame i."""
    random = np.random.default_rng(2)
    shots = []
    for i in range(frames):
        shot = ground()
        for number, place in enumerate((LEFT, RIGHT)):
            opened = int(random.integers(0, 5)) / 4 if talks(i) == number else 0.0
            put(shot, talking_head(150, opened), int(place.x), int(place.y))
        grain = random.integers(0, 9, (HEIGHT, WIDTH, 1), dtype=np.uint8)
        shots.append(shot // 16 * 15 + grain)
    return shots


def follow(path: Path, info: MediaInfo, detector: FaceDetector, scratch: Path, **more) -> tuple[Sighting, ...]:
    given = {"start_s": 0.0, "end_s": info.duration_s, "region": None, "level_dbfs": None, "hop_s": 0.1} | more
    return follow_speaker(path, info, detector=detector, scratch=scratch, **given)


def test_of_two_faces_the_one_whose_mouth_moves_is_followed(detector: FaceDetector, tmp_path: Path) -> None:
    path = encode(tmp_path / "two.mp4", two_people(lambda i: int(i >= 40), 80))
    seen = follow(path, probe(path), detector, tmp_path, level_dbfs=np.full(80, -20.0))
    before = [sighting for sighting in seen if sighting.time_s < 3]
    after = [sighting for sighting in seen if sighting.time_s > 5]
    assert len(before) > 12 and all(LEFT.contains(sighting.box, slack_px=15) for sighting in before)
    assert len(after) > 12 and all(RIGHT.contains(sighting.box, slack_px=15) for sighting in after)
    assert all(sighting.box.contains(sighting.mouth, slack_px=10) for sighting in seen)
    assert [sighting.time_s for sighting in seen] == sorted({sighting.time_s for sighting in seen})


def test_a_small_face_is_found_in_the_camera_part_and_nothing_is_looked_for_without_one(
    detector: FaceDetector, tmp_path: Path
) -> None:
    inset = Box(944, 524, 320, 180)
    shots = [ground(1280, 720) for _ in range(20)]
    for i, shot in enumerate(shots):
        put(shot, head(48), 1050 + i, 560)
        put(shot, head(200), 100, 100)
    path = encode(tmp_path / "inset.mp4", shots)
    seen = follow(path, probe(path), detector, tmp_path, region=lambda time_s: inset if time_s >= 1 else None)
    assert [sighting.time_s for sighting in seen] == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8], abs=0.06)
    for sighting in seen:
        left = 1050 + RATE * sighting.time_s
        assert Box(left, 560, 48, 58).contains(sighting.box, slack_px=5)


def test_the_stretch_asked_for_is_followed_over_cuts_and_gaps(detector: FaceDetector, tmp_path: Path) -> None:
    shots = [ground() for _ in range(60)]
    for i, shot in enumerate(shots):
        if i < 30:
            put(shot, head(150), 70, 60)
        elif i >= 45:
            shot[:] = 200
            put(shot, head(120), 400, 100)
    path = encode(tmp_path / "cut.mp4", shots)
    told: list[float] = []
    seen = follow(path, probe(path), detector, tmp_path, start_s=1.0, end_s=5.5, on_progress=told.append)
    assert min(sighting.time_s for sighting in seen) == pytest.approx(1.0, abs=0.01)
    assert max(sighting.time_s for sighting in seen) == pytest.approx(5.4, abs=0.15)
    assert not [sighting for sighting in seen if 3.0 <= sighting.time_s < 4.5]
    assert all(sighting.box.x > 350 for sighting in seen if sighting.time_s > 4.4)
    assert told == sorted(told) and told[-1] <= 4.5


def test_boxes_are_in_pixels_of_the_upright_picture(detector: FaceDetector, tmp_path: Path) -> None:
    shots = [ground() for _ in range(6)]
    for shot in shots:
        put(shot, head(150), 70, 60)
    plain = encode(tmp_path / "plain.mp4", [np.ascontiguousarray(np.rot90(shot)) for shot in shots])
    turned = tmp_path / "turned.mp4"
    program = [tools.ffmpeg(), "-v", "error", "-display_rotation", "-90", "-i", str(plain), "-c", "copy", str(turned)]
    subprocess.run(program, check=True, timeout=60)
    info = probe(turned)
    assert next(frames_at(turned, info, [0.0], scratch=tmp_path))[1].image.shape[:2] == (180, 320)
    seen = follow(turned, info, detector, tmp_path)
    assert seen and all(LEFT.contains(sighting.box, slack_px=15) for sighting in seen)


def test_a_recording_without_faces_or_without_a_picture_has_no_speaker(detector: FaceDetector, tmp_path: Path) -> None:
    path = encode(tmp_path / "plain.mp4", [ground()] * 10)
    assert follow(path, probe(path), detector, tmp_path) == ()
    sound = tmp_path / "sound.wav"
    tone = ["-f", "lavfi", "-i", "sine=d=1"]
    subprocess.run([tools.ffmpeg(), "-v", "error", *tone, str(sound)], check=True, timeout=60)
    assert follow(sound, probe(sound), detector, tmp_path) == ()
