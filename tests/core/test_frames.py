"""Frames carry their own number as a bar code, so each test can tell which frame it was really given."""

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from core import frames, tools
from core.errors import MediaError
from core.frames import Raster
from core.probe import probe
from core.records import VideoStream

WIDTH, HEIGHT, RATE, COUNT, BITS = 256, 128, 12, 120, 8
H264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "36", "-sc_threshold", "0"]
LONG_GROUP = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "9999", "-sc_threshold", "0"]


def numbered_frames() -> bytes:
    """COUNT gray frames: BITS vertical bars, white where the bit of the frame's number is set."""
    bars = np.array([[n >> bit & 1 for bit in range(BITS)] for n in range(COUNT)], np.uint8) * 255
    return np.broadcast_to(np.repeat(bars, WIDTH // BITS, axis=1)[:, None], (COUNT, HEIGHT, WIDTH)).tobytes()


def number_of(image: np.ndarray) -> int:
    """The number that the bars of an upright image of any size say."""
    middle = image[image.shape[0] // 2].mean(axis=-1)
    bits = middle.reshape(BITS, -1)[:, middle.size // BITS // 2] > 127
    return sum(int(bit) << i for i, bit in enumerate(bits))


def ffmpeg(*arguments: str | Path, stdin: bytes | None = None) -> None:
    subprocess.run([tools.ffmpeg(), "-v", "error", "-y", *map(str, arguments)], input=stdin, check=True, timeout=60)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """make(name, options): the numbered frames encoded so; made once."""
    folder = tmp_path_factory.mktemp("numbered")
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", RATE, "-i", "pipe:0"]

    def made(name: str, options: list[str]) -> Path:
        path = folder / name
        if not path.exists():
            ffmpeg(*raw, *options, path, stdin=numbered_frames())
        return path

    return made


@pytest.fixture(scope="module")
def plain(make: Callable[..., Path]) -> Path:
    return make("plain.mp4", H264)


def numbers_at(path: Path, times_s: list[float], scratch: Path) -> tuple[list[int], set[str]]:
    shown = list(frames.frames_at(path, probe(path), times_s, scratch=scratch, width_px=WIDTH))
    assert [time_s for time_s, _ in shown] == sorted(times_s)
    return [number_of(frame.image) for _, frame in shown], {frame.decoder for _, frame in shown}


@pytest.mark.parametrize(
    ("name", "options", "decoder"),
    [
        pytest.param("plain.mp4", H264, "decord", id="h264 in mp4"),
        pytest.param("one.mp4", LONG_GROUP, "decord", id="h264 with a single keyframe"),
        pytest.param("m.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"], "decord", id="mjpeg, keyframes only"),
        pytest.param("v.webm", ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime"], "decord", id="vp9"),
        pytest.param(
            "open.mp4",
            [*H264, "-x264-params", "open-gop=1:bframes=3"],
            "ffmpeg",
            id="open groups, which decord misreads",
        ),
        pytest.param("a.mkv", ["-c:v", "libaom-av1", "-cpu-used", "8"], "ffmpeg", id="av1, which decord cannot read"),
        pytest.param("t.mov", H264, "decord", id="h264 in mov"),
    ],
)
def test_the_frame_shown_at_a_time_is_the_last_that_began_by_then(
    name: str, options: list[str], decoder: str, make: Callable[..., Path], tmp_path: Path
) -> None:
    path = make(name, options)
    begun = [1, 30, 31, 67, 100, COUNT - 1]
    times_s = [n / RATE + 0.6 / RATE for n in begun]
    assert numbers_at(path, times_s, tmp_path) == (begun, {decoder})


def test_frames_that_the_container_gives_no_times_are_dated_as_ffmpeg_does(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    # AVI stores the order of decoding alone; with B-frames ffmpeg shows each frame one later than it was encoded.
    path = make("b.avi", ["-c:v", "mpeg4", "-bf", "2"])
    assert numbers_at(path, [n / RATE + 0.05 for n in (31, 68, 101)], tmp_path) == ([30, 67, 100], {"ffmpeg"})
    keys = frames.keyframes(path, probe(path), Raster(WIDTH, HEIGHT), scratch=tmp_path)
    assert {number_of(frame.image) - round(frame.time_s * RATE) for frame in keys} == {-1}


def test_both_decoders_give_the_same_frames(plain: Path, tmp_path: Path) -> None:
    spans = [(0.5, 1.5), (1.2, 2.0), (7.0, 8.0)]
    got = {}
    for decoder in ("decord", "ffmpeg"):
        seen = frames.frames_in(
            plain, probe(plain), spans, Raster(WIDTH, HEIGHT), step_s=0.15, scratch=tmp_path, decoder=decoder
        )
        got[decoder] = [(round(f.time_s, 3), number_of(f.image), f.decoder) for f in seen]
    assert [f[:2] for f in got["decord"]] == [f[:2] for f in got["ffmpeg"]]
    assert {f[2] for f in got["decord"]} == {"decord"}
    assert [n for _, n, _ in got["decord"]] == [*range(6, 25, 2), *range(84, 97, 2)]
    assert all(time_s == round(n / RATE, 3) for time_s, n, _ in got["decord"])


def test_a_picture_that_starts_late_keeps_its_place_on_the_timeline(plain: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    ffmpeg(
        "-itsoffset", "3", "-i", plain, "-f", "lavfi", "-i", "sine=d=13", "-map", "0", "-map", "1", "-c:v", "copy", late
    )
    # Before the picture begins the first frame stands for it.
    times_s = [1.0, 3.0 + 50.6 / RATE]
    numbers, _ = numbers_at(late, times_s, tmp_path)
    assert numbers == [0, 50]
    first = next(frames.keyframes(late, probe(late), Raster(64, 32), scratch=tmp_path))
    assert first.time_s == pytest.approx(3.0, abs=0.05)


def test_variable_frame_rate_shows_a_frame_until_the_next_begins(plain: Path, tmp_path: Path) -> None:
    uneven = tmp_path / "uneven.mp4"
    kept = "lt(n,20)+between(n,50,52)+gt(n,90)"
    ffmpeg("-i", plain, "-vf", f"select='{kept}'", "-fps_mode", "vfr", *H264, uneven)
    times_s = [n / RATE + 0.02 for n in (10, 30, 49, 51, 80, 95)]
    assert numbers_at(uneven, times_s, tmp_path)[0] == [10, 19, 19, 51, 52, 95]


def test_frames_hidden_by_an_edit_list_do_not_shift_the_others(plain: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.5", "-i", plain, "-c", "copy", cut)
    numbers, decoders = numbers_at(cut, [0.02, 2.52, 5.02], tmp_path)
    assert (numbers, decoders) == ([18, 48, 78], {"ffmpeg"})


def test_a_transport_stream_is_read_at_the_right_place(plain: Path, tmp_path: Path) -> None:
    stream = tmp_path / "plain.ts"
    ffmpeg("-i", plain, "-c", "copy", stream)
    begun = [2, 40, 77, 119]
    assert numbers_at(stream, [n / RATE + 0.04 for n in begun], tmp_path)[0] == begun


def test_a_rotated_picture_comes_upright(plain: Path, tmp_path: Path) -> None:
    turned, marked = tmp_path / "turned.mp4", tmp_path / "marked.mp4"
    # Stored a quarter turn counter-clockwise, to be shown a quarter turn clockwise: upright again.
    ffmpeg("-i", plain, "-vf", "transpose=cclock", *H264, turned)
    ffmpeg("-display_rotation", "-90", "-i", turned, "-c", "copy", marked)
    info = probe(marked)
    assert info.video and info.video.rotation_deg == 90
    assert numbers_at(marked, [33.5 / RATE], tmp_path)[0] == [33]


def test_the_stream_that_the_probe_chose_is_the_one_read(plain: Path, tmp_path: Path) -> None:
    two = tmp_path / "two.mkv"
    black = "color=black:s=512x256:r=12:d=10"
    codecs = ["-c:v:0", "copy", "-c:v:1", "mjpeg", "-pix_fmt:v:1", "yuvj420p"]
    ffmpeg(
        "-i", plain, "-f", "lavfi", "-i", black, "-map", "0", "-map", "1", *codecs, "-disposition:v:0", "default", two
    )
    info = probe(two)
    assert info.video and info.video.index == 0
    assert numbers_at(two, [33.5 / RATE], tmp_path) == ([33], {"ffmpeg"})


@pytest.mark.parametrize("decoder", ["decord", "ffmpeg"])
def test_keyframes_come_with_the_last_frame_and_with_others_in_wide_gaps(
    decoder: frames.Decoder, plain: Path, make: Callable[..., Path], tmp_path: Path
) -> None:
    def numbers(path: Path) -> list[int]:
        found = frames.keyframes(path, probe(path), Raster(WIDTH, HEIGHT), scratch=tmp_path, decoder=decoder)
        return [number_of(frame.image) for frame in found]

    assert numbers(plain) == [0, 36, 72, 108, 119]
    slow = tmp_path / "slow.mp4"
    ffmpeg("-itsscale", "3", "-i", make("one.mp4", LONG_GROUP), "-c", "copy", slow)
    assert numbers(slow) == [0, 20, 40, 60, 80, 100, 119]


def test_keyframes_close_together_are_thinned(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make("m.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"])
    found = frames.keyframes(path, probe(path), Raster(WIDTH, HEIGHT), scratch=tmp_path, step_s=2.0)
    assert [number_of(frame.image) for frame in found] == [0, 24, 48, 72, 96, 119]


@pytest.mark.parametrize("name", ["ünï ’quote’ $(x) %d.mp4", "-i.mp4", "a:b@c?.mp4"])
def test_file_names_mean_nothing_to_the_decoders(name: str, plain: Path, tmp_path: Path) -> None:
    odd = tmp_path / name
    odd.write_bytes(plain.read_bytes())
    assert numbers_at(odd, [2.04], tmp_path) == ([24], {"decord"})


def test_what_follows_a_damaged_end_is_left_out(make: Callable[..., Path], tmp_path: Path) -> None:
    whole = make("p.mkv", H264)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    found = list(frames.keyframes(cut, probe(cut), Raster(WIDTH, HEIGHT), scratch=tmp_path))
    times_s = [frame.time_s for frame in found]
    assert times_s == sorted(times_s)
    assert [number_of(frame.image) for frame in found][:2] == [0, 36]


def test_sound_alone_is_refused_with_a_clear_message(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", sound)
    with pytest.raises(MediaError, match=r"sound\.wav: it has no picture"):
        next(frames.keyframes(sound, probe(sound), Raster(64, 36), scratch=tmp_path))


def test_a_picture_that_nothing_can_decode_is_an_error(plain: Path, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.mp4"
    content = bytearray(plain.read_bytes())
    begin = content.index(b"mdat") + 4
    content[begin : begin + 200_000] = bytes(len(content[begin : begin + 200_000]))
    rubbish.write_bytes(content)
    with pytest.raises(MediaError, match=r"rubbish\.mp4"):
        list(frames.keyframes(rubbish, probe(plain), Raster(64, 36), scratch=tmp_path))


def test_leaving_early_ends_the_decoder_and_leaves_no_file(plain: Path, tmp_path: Path) -> None:
    reading = frames.frames_in(plain, probe(plain), [(0, 10)], Raster(64, 36), step_s=0, scratch=tmp_path)
    assert len(list(itertools.islice(reading, 3))) == 3
    reading.close()
    assert not [p for p in psutil.Process().children(recursive=True) if "frame_worker" in " ".join(p.cmdline())]
    assert list(tmp_path.iterdir()) == []


def video_of(width: int, height: int, rotation_deg: int, aspect: str) -> VideoStream:
    return VideoStream(
        0,
        "h264",
        width,
        height,
        "25/1",
        "25/1",
        False,
        rotation_deg,
        aspect,
        "yuv420p",
        None,
        None,
        None,
        None,
        False,
        0,
        1,
    )


@pytest.mark.parametrize(
    ("video", "expected"),
    [
        pytest.param(video_of(1280, 720, 0, "1:1"), (320, 180), id="wide"),
        pytest.param(video_of(1280, 720, 90, "1:1"), (320, 569), id="upright after a quarter turn"),
        pytest.param(video_of(720, 576, 0, "64:45"), (320, 180), id="pixels that are not square"),
        pytest.param(video_of(2, 5000, 0, "1:1"), (320, 1280), id="a ribbon stays of bounded size"),
        pytest.param(video_of(5000, 2, 0, "1:1"), (320, 2), id="a line has at least two rows"),
    ],
)
def test_the_raster_has_the_shape_that_a_player_shows(video: VideoStream, expected: tuple[int, int]) -> None:
    raster = frames.upright_raster(video, 320)
    assert (raster.width_px, raster.height_px) == expected
