import subprocess
from pathlib import Path

import numpy as np
import pytest

from core import tools
from core.errors import MediaError
from core.probe import probe
from models.faces import FaceDetector, load_faces
from models.poster import pick_poster
from tests.models.face_pictures import head, put

RATE = 10


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return load_faces(1)


def encode(path: Path, shots: list[np.ndarray]) -> Path:
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x180", "-r", str(RATE), "-i", "pipe:0"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    program = [tools.ffmpeg(), "-v", "error", *raw, *coding, str(path)]
    subprocess.run(program, input=b"".join(shot.tobytes() for shot in shots), check=True, timeout=60)
    return path


def shown(*, face: bool = False, level: int = 90) -> np.ndarray:
    shot = np.full((180, 320, 3), level, np.uint8)
    if face:
        put(shot, head(110), 100, 30)
    return shot


def test_the_face_is_taken_and_not_the_black_or_the_fade_around_it(detector: FaceDetector, tmp_path: Path) -> None:
    fade = [(shown(face=True) * (i / 10)).astype(np.uint8) for i in range(10)]
    path = encode(tmp_path / "fade.mp4", [shown(level=0)] * 10 + fade + [shown(face=True)] * 10 + fade[::-1])
    assert 1.9 <= pick_poster(path, probe(path), detector, tmp_path) < 3.1


def test_only_the_part_named_is_looked_at(detector: FaceDetector, tmp_path: Path) -> None:
    path = encode(tmp_path / "intro.mp4", [shown(face=True)] * 15 + [shown(level=120)] * 15)
    assert 1.5 <= pick_poster(path, probe(path), detector, tmp_path, within_s=(1.5, 3.0)) < 3.0
    assert pick_poster(path, probe(path), detector, tmp_path) < 1.5


def test_a_clip_of_a_single_frame_has_a_poster(detector: FaceDetector, tmp_path: Path) -> None:
    path = encode(tmp_path / "one.mp4", [shown()])
    assert pick_poster(path, probe(path), detector, tmp_path) == 0


def test_a_clip_without_a_picture_has_none(detector: FaceDetector, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    subprocess.run([tools.ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "sine=d=1", str(path)], check=True, timeout=60)
    with pytest.raises(MediaError, match="no picture"):
        pick_poster(path, probe(path), detector, tmp_path)
