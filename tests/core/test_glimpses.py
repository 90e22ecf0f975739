"""Glimpses and posters, of small clips whose pictures tell the time."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import media
from core.cutting import Cut, clip_frame_rate
from core.glimpses import Glimpse, keyframes, look, sharpest, write_poster
from core.probe import probe

FAST = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "5"]


def film(path: Path, frames: np.ndarray, *encoding: str) -> Path:
    """Encode `frames` (count x height x width x 3, RGB) at 25 a second into `path`."""
    raw = path.with_suffix(".rgb")
    raw.write_bytes(frames.astype(np.uint8).tobytes())
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    shown = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-framerate", "25", "-i", media.file_url(raw)]
    media.run_ffmpeg([*shown, *FAST, *encoding, media.file_url(path)], what="Filming", timeout_s=60)
    return path


def a_clip(tmp_path: Path) -> Cut:
    """Four seconds whose grey level tells the time, with a keyframe each second."""
    frames = np.repeat(np.arange(100) * 2 + 20, 36 * 64 * 3).reshape(100, 36, 64, 3)
    path = film(tmp_path / "a.mp4", frames, "-g", "25")
    info = probe(path)
    return Cut(path, info, 0.0, 0.0, 100, clip_frame_rate(info.video), 0.0, 0.0)


def test_glimpses_have_the_time_that_they_show(tmp_path):
    clip = a_clip(tmp_path)
    assert [glimpse.time_s for glimpse in keyframes(clip, tmp_path)] == pytest.approx([0, 1, 2, 3])
    near_keyframes = look(clip, [0.5, 2.9], tmp_path)
    assert [[glimpse.time_s for glimpse in group] for group in near_keyframes] == [[0.0], [2.0]]
    groups = look(clip, [0.0, 1.5, 3.9], tmp_path, around_s=0.05)
    assert [len(group) for group in groups] == [2, 2, 2]
    for glimpse in [glimpse for group in (*groups, *near_keyframes) for glimpse in group]:
        assert glimpse.grey.mean() == pytest.approx(20 + 2 * 25 * glimpse.time_s, abs=3)
    twice = look(clip, [1.5, 0.0, 1.5], tmp_path, around_s=0.05)
    assert [[g.time_s for g in group] for group in twice] == [[g.time_s for g in groups[at]] for at in (1, 0, 1)]
    assert look(clip, [], tmp_path) == []


def test_only_a_dark_glimpse_is_black(tmp_path):
    first, *_, last = keyframes(a_clip(tmp_path), tmp_path)
    assert first.black and not last.black


def test_the_poster_is_sharp_not_black_and_has_the_clip_s_colours(tmp_path):
    rows, columns = np.indices((72, 128))
    board = ((rows // 8 + columns // 8) % 2)[..., None] * [255, 0, 0] + [0, 0, 100]
    board = np.clip(board, 0, 255)
    blurred = np.full((72, 128, 3), [128, 0, 100])
    black = np.zeros((72, 128, 3))
    frames = np.stack([frame for frame in (black, blurred, board, blurred) for _ in range(10)])
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    bt709 = ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"]
    path = film(tmp_path / "a.mp4", frames, "-g", "10", *bt709, *tags)
    info = probe(path)
    assert info.video
    clip = Cut(path, info, 0.0, 0.0, 40, clip_frame_rate(info.video), 0.0, 0.0)
    best = sharpest(keyframes(clip, tmp_path))
    assert best.time_s == pytest.approx(0.8)
    write_poster(path, info.video.color_space, best.time_s, tmp_path / "poster.jpg")
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", (128, 72))
        shown = np.asarray(poster.convert("RGB")).astype(float)
    centres = shown[4::8, 4::8]
    red = board[4::8, 4::8, 0] > 128
    assert np.abs(centres[red].mean(axis=0) - [255, 0, 100]).max() < 15
    assert np.abs(centres[~red].mean(axis=0) - [0, 0, 100]).max() < 15


def test_the_poster_is_the_frame_at_its_time(tmp_path):
    clip = a_clip(tmp_path)
    for time_s in (0.0, 1.48, 3.96):
        write_poster(clip.source, None, time_s, tmp_path / "poster.jpg")
        with Image.open(tmp_path / "poster.jpg") as poster:
            assert np.asarray(poster.convert("L")).mean() == pytest.approx(20 + 2 * 25 * time_s, abs=3)


def test_black_is_the_sharpest_only_where_all_is_black():
    grey, black = np.full((144, 256), 90, np.uint8), np.zeros((144, 256), np.uint8)
    black[:2] = 255  # an edge, sharper than none at all
    assert sharpest([Glimpse(0.0, black), Glimpse(1.0, grey)]).time_s == 1.0
    assert sharpest([Glimpse(2.0, black)]).time_s == 2.0
