import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from core import media
from core.errors import MediaKilled, RefusedInput
from core.probe import probe


def make(path: Path, *arguments: str) -> Path:
    media.run_ffmpeg([*arguments, media.file_url(path)], what="Making a test file", timeout_s=60)
    return path


def picture(seconds=3, size="160x120", rate="25"):
    return ["-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}"]


def sound(seconds=3):
    return ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]


def test_streams_and_exact_rates(tmp_path):
    path = make(tmp_path / "a.mp4", *picture(rate="30000/1001"), *sound(), "-c:v", "libx264", "-pix_fmt", "yuv420p")
    info = probe(path)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.frame_rate, info.video.variable_frame_rate) == ("30000/1001", False)
    assert (info.video.width, info.video.height, info.video.codec) == (160, 120, "h264")
    assert (info.audio.sample_rate_hz, info.audio.channels) == (48_000, 1)
    assert info.duration_s == pytest.approx(3.0, abs=0.05)
    assert not info.truncated


def test_variable_frame_rate_is_noticed(tmp_path):
    uneven = ["-vf", "select='not(mod(n,5))+lt(n,20)'", "-fps_mode", "vfr"]
    info = probe(make(tmp_path / "v.mp4", *picture(), *uneven, "-c:v", "libx264"))
    assert info.video is not None
    assert info.video.variable_frame_rate


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_the_clockwise_turn(tmp_path, turn):
    plain = make(tmp_path / "p.mp4", *picture(1), "-c:v", "libx264")
    turned = make(tmp_path / "t.mp4", "-display_rotation", str(-turn), "-i", media.file_url(plain), "-c", "copy")
    info = probe(turned)
    assert info.video is not None
    assert info.video.rotation_deg == turn


def test_content_decides_not_the_name(tmp_path):
    path = make(tmp_path / "a.wav", *sound(1)).rename(tmp_path / "notes.txt")
    assert probe(path).container == "wav"


def test_cover_art_is_no_video(tmp_path):
    cover = make(tmp_path / "c.png", *picture(1), "-frames:v", "1")
    path = make(tmp_path / "a.mp3", *sound(1), "-i", media.file_url(cover), "-map", "0", "-map", "1",
                "-c:v", "mjpeg", "-disposition:v", "attached_pic")  # fmt: skip
    info = probe(path)
    assert info.video is None
    assert info.audio is not None


def test_late_sound_keeps_its_place(tmp_path):
    path = make(tmp_path / "late.mkv", *picture(3), "-itsoffset", "0.5", *sound(2), "-map", "0", "-map", "1")
    info = probe(path)
    assert info.audio is not None
    assert info.audio.start_s == pytest.approx(0.5, abs=0.05)


def test_a_cut_off_file_is_as_long_as_what_can_be_read(tmp_path):
    whole = make(tmp_path / "w.mp4", *picture(60, rate="5"), *sound(60), "-c:v", "libx264", "-movflags", "+faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    info = probe(cut)
    assert info.truncated
    assert info.declared_duration_s == pytest.approx(60, abs=0.1)
    assert 15 < info.duration_s < 45


def without_index(path: Path) -> bytes:
    return make(path, *picture(2), "-c:v", "libx264").read_bytes()[:4_000]


def test_mpeg_ts_counts_from_its_own_start(tmp_path):
    path = make(tmp_path / "a.ts", *picture(4), *sound(4), "-c:v", "libx264", "-output_ts_offset", "1000")
    info = probe(path)
    assert info.container == "mpegts"
    assert info.duration_s == pytest.approx(4, abs=0.2)
    assert info.video is not None
    assert info.video.start_s < 0.2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(lambda p: b"\x00" * 5_000, "not audio or video", id="zeros"),
        pytest.param(
            lambda p: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n",
            "not audio or video",
            id="a playlist",
        ),
        pytest.param(lambda p: b"ffconcat version 1.0\nfile /etc/passwd\n", "not audio or video", id="a script"),
        pytest.param(lambda p: b"Dear diary, today I recorded nothing. " * 50, "not audio or video", id="text"),
        pytest.param(without_index, "moov atom", id="an mp4 without its index"),
    ],
)
def test_what_is_no_media_is_refused_in_one_sentence(tmp_path, content, reason):
    path = tmp_path / "bad.mp4"
    path.write_bytes(content(tmp_path / "made.mp4"))
    with pytest.raises(RefusedInput, match=reason) as refused:
        probe(path)
    assert str(refused.value).startswith("bad.mp4 ")
    assert "\n" not in str(refused.value)


def test_a_still_picture_is_refused(tmp_path):
    path = make(tmp_path / "still.png", *picture(1), "-frames:v", "1")
    with pytest.raises(RefusedInput):
        probe(path)


def test_a_probe_that_is_killed_says_nothing_about_the_file(tmp_path):
    path = tmp_path / "talk.mp4"
    os.mkfifo(path)  # ffprobe waits for somebody to write

    def kill() -> None:
        while not (waiting := [c for c in psutil.Process().children() if c.name() == "ffprobe"]):
            time.sleep(0.01)
        waiting[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(MediaKilled, match="SIGKILL"):
        probe(path)
    killer.join()
