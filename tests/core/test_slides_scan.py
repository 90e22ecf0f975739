import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core import slides_scan, tools
from core.errors import MediaError
from core.probe import probe
from core.slides_scan import find_changes

RATE, LENGTH_S = 12, 26
TRUTH_S = [6.5, 12.0, 19.25]
WORDS = (
    "light",
    "heat",
    "sound",
    "mass",
    "force",
    "charge",
    "field",
    "wave",
    "time",
    "space",
    "order",
    "chance",
    "noise",
)


def slide(seed: int) -> np.ndarray:
    """A white slide; only its words differ from those of another."""
    words = np.random.default_rng(seed).permutation(WORDS)
    image = Image.new("RGB", (320, 180), (250, 250, 250))
    for row in range(5):
        text = " ".join(np.roll(words, 5 * row)[:3])
        ImageDraw.Draw(image).text((24, 20 + 30 * row), text, fill=(20, 20, 60), font=ImageFont.load_default(15))
    return np.asarray(image)


def talk() -> bytes:
    """Four slides that change at TRUTH_S, with a speaker who sways in a corner all the time."""
    slides = [slide(seed) for seed in range(4)]
    frames = []
    for n in range(RATE * LENGTH_S):
        frame = slides[sum(n / RATE >= t for t in TRUTH_S)].copy()
        frame[132:176, 236:316] = (60, 80, 60)
        x, y = int(270 + 16 * np.sin(n / 5)), int(150 + 6 * np.cos(n / 3))
        frame[y - 12 : y + 12, x - 9 : x + 9] = (220, 180, 150)
        frames.append(frame)
    return np.stack(frames).tobytes()


@pytest.fixture(scope="module")
def encode(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder, pixels = tmp_path_factory.mktemp("talk"), talk()

    def encoded(name: str, *options: str) -> Path:
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x180", "-r", str(RATE), "-i", "pipe:0"]
        program = [tools.ffmpeg(), "-v", "error", "-y", *raw, "-pix_fmt", "yuv420p", *options, str(folder / name)]
        subprocess.run(program, input=pixels, check=True, timeout=60)
        return folder / name

    return encoded


@pytest.mark.parametrize(
    ("name", "options", "decoder"),
    [
        pytest.param("a.mp4", ["-g", "60"], "decord", id="a keyframe each 5 s"),
        pytest.param("b.mp4", ["-g", "9999", "-sc_threshold", "0"], "decord", id="a single keyframe"),
        pytest.param(
            "e.mp4",
            ["-g", "9999", "-sc_threshold", "0", "-force_key_frames", f"0,{TRUTH_S[-1] - 0.5}"],
            "decord",
            id="the last change after the last keyframe",
        ),
        pytest.param("c.avi", ["-c:v", "mpeg4", "-bf", "2", "-q:v", "3"], "ffmpeg", id="a format that decord misreads"),
    ],
)
def test_slides_that_differ_in_words_are_found_beside_a_moving_speaker(
    name: str, options: list[str], decoder: str, encode: Callable[..., Path], tmp_path: Path
) -> None:
    path, told = encode(name, *options), list[float]()
    info = probe(path)
    spans, report = find_changes(path, info, scratch=tmp_path, on_progress=told.append)
    assert [span.start_s for span in spans] == pytest.approx([0.0, *TRUTH_S], abs=0.2)
    assert [span.kind for span in spans] == ["start", "slide", "slide", "slide"]
    assert spans[-1].end_s == info.duration_s
    assert report.decoder == decoder
    assert all(span.start_s <= t < span.end_s for span, t in zip(spans, report.settled_s, strict=True))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(info.duration_s)


def test_what_is_over_the_budget_is_counted_and_left_out(
    encode: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode("d.mp4", "-g", "60")
    monkeypatch.setattr(slides_scan, "BUDGET_S", 0.0)
    monkeypatch.setattr(slides_scan, "BUDGET_PIXELS", 0)
    spans, report = find_changes(path, probe(path), scratch=tmp_path)
    assert [(span.start_s, span.kind) for span in spans] == [(0.0, "start")]
    assert report.skipped >= 3
    assert report.dense_s == 0


def test_a_single_frame_is_one_span(tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    program = [tools.ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "color=red:s=64x36:r=1:d=1", str(path)]
    subprocess.run(program, check=True, timeout=60)
    spans, report = find_changes(path, probe(path), scratch=tmp_path)
    assert len(spans) == 1
    assert report.samples == 1


def test_sound_alone_has_no_slides(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    subprocess.run([tools.ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "sine=d=1", str(path)], check=True, timeout=60)
    with pytest.raises(MediaError, match="no picture"):
        find_changes(path, probe(path), scratch=tmp_path)
