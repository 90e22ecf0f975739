"""How clips look: size, orientation, colours and the generated picture, each from a small recording made for it."""

from dataclasses import replace
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from core import media
from core.cutting import arguments, plan_cut, read_picture
from core.picture import (
    GENERATED_SIZE,
    WAVE_BOX,
    clip_size,
    copy_fonts,
    finish_picture,
    generated_picture,
    plan_colours,
    title_ass,
)
from core.probe import probe
from core.records import MediaInfo, VideoStream

FAST = ["-c:v", "libx264", "-preset", "ultrafast"]
PATCHES = [(200, 40, 40), (40, 170, 60), (50, 60, 200), (230, 230, 230), (128, 128, 128), (20, 20, 20)]
STREAM = VideoStream(
    index=0, codec="h264", width=1280, height=720, frame_rate="25/1", average_frame_rate="25/1",
    variable_frame_rate=False, rotation_deg=0, sample_aspect_ratio="1:1", pixel_format="yuv420p", color_range="tv",
    color_space="bt709", color_transfer="bt709", color_primaries="bt709", interlaced=False, start_s=0.0,
    duration_s=60.0,
)  # fmt: skip


def film(path: Path, frames: np.ndarray, *encoding: str, rate: int = 25) -> Path:
    """Encode `frames` (count x height x width x 3, RGB) into `path`."""
    raw = path.with_suffix(".rgb")
    raw.write_bytes(frames.astype(np.uint8).tobytes())
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    shown = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-framerate", str(rate), "-i", media.file_url(raw)]
    media.run_ffmpeg([*shown, *encoding, media.file_url(path)], what="Filming", timeout_s=60)
    return path


def delivered(path: Path, max_height: int = 1080) -> tuple[MediaInfo, np.ndarray]:
    """The clip of a recording as it is probed, and its frames as a player that heeds the tags shows them (RGB)."""
    info = probe(path)
    assert info.video
    cut = plan_cut(path, info, 0.0, info.duration_s)
    size, colours = clip_size(info.video, max_height), plan_colours(info.video)
    shown = finish_picture(read_picture(cut, threads=1), info.video, size, colours)
    clip = path.with_suffix(".clip.mp4")
    encoding = {"c:v": "libx264", "preset": "ultrafast", "crf": 1}
    output = ffmpeg.output(shown, media.file_url(clip), **encoding)
    media.run_ffmpeg(arguments(output), what="Rendering", timeout_s=60)
    return probe(clip), as_rgb(clip)


def as_rgb(path: Path) -> np.ndarray:
    info = probe(path)
    assert info.video
    matrix = {"bt709": "bt709", "bt2020nc": "bt2020"}.get(info.video.color_space or "", "bt601")
    raw = path.with_suffix(".shown")
    seen = ["-vf", f"scale=in_color_matrix={matrix}:flags=accurate_rnd+full_chroma_int,format=rgb24", "-f", "rawvideo"]
    media.run_ffmpeg(["-i", media.file_url(path), *seen, media.file_url(raw)], what="Showing", timeout_s=60)
    return np.fromfile(raw, np.uint8).reshape(-1, info.video.height, info.video.width, 3)


def patches(size: int = 32) -> np.ndarray:
    """Two rows of three plain squares, five frames."""
    squares = np.array(PATCHES).reshape(2, 3, 3).repeat(size, axis=0).repeat(size, axis=1)
    return np.stack([squares] * 5)


def seen_patches(frames: np.ndarray) -> np.ndarray:
    height, width = frames.shape[1] // 2, frames.shape[2] // 3
    centres = [(row * height + height // 2, column * width + width // 2) for row in range(2) for column in range(3)]
    return np.array([frames[2, y - 3 : y + 3, x - 3 : x + 3].mean(axis=(0, 1)) for y, x in centres])


@pytest.mark.parametrize(
    ("change", "max_height", "size"),
    [
        pytest.param({}, 1080, (1280, 720), id="kept when it fits"),
        pytest.param({}, 480, (854, 480), id="scaled down to the height, width even"),
        pytest.param({"width": 1080, "height": 1920}, 1080, (608, 1080), id="portrait is held to the height too"),
        pytest.param({"rotation_deg": 90}, 1080, (608, 1080), id="turned to portrait, then held to the height"),
        pytest.param({"rotation_deg": 180}, 1080, (1280, 720), id="upside down keeps its size"),
        pytest.param({"width": 720, "height": 576, "sample_aspect_ratio": "16:15"}, 1080, (768, 576), id="PAL 4:3"),
        pytest.param({"width": 720, "height": 480, "sample_aspect_ratio": "8:9"}, 1080, (640, 480), id="NTSC 4:3"),
        pytest.param({"width": 640, "height": 480, "sample_aspect_ratio": "4:3"}, 1080, (854, 480), id="wide pixels"),
        pytest.param({"sample_aspect_ratio": "1:100"}, 1080, (1280, 720), id="absurd pixels are taken for square"),
        pytest.param({"width": 641, "height": 361}, 1080, (640, 360), id="odd sizes become even"),
        pytest.param({"width": 1920, "height": 1088}, 1080, (1906, 1080), id="never above the height"),
    ],
)
def test_clip_size(change, max_height, size):
    assert clip_size(replace(STREAM, **change), max_height) == size


def test_a_clip_without_picture_gets_the_generated_size():
    assert clip_size(None, 1080) == GENERATED_SIZE
    assert clip_size(None, 360) == (640, 360)


@pytest.mark.parametrize(
    ("name", "encoding", "space"),
    [
        pytest.param("a.mov", ["-c:v", "qtrle"], "bt709", id="RGB becomes bt709"),
        pytest.param("a.mkv", ["-c:v", "ffv1", "-pix_fmt", "gbrp"], "bt709", id="planar RGB becomes bt709"),
        pytest.param("a.mov", ["-c:v", "mjpeg", "-q:v", "2"], "bt470bg", id="full range becomes limited"),
        pytest.param(
            "a.mp4",
            ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p", *FAST, "-colorspace", "bt709",
             "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"],
            "bt709",
            id="bt709 is kept",
        ),
        pytest.param(
            "a.mp4",
            ["-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", *FAST, "-colorspace", "smpte170m",
             "-color_primaries", "smpte170m", "-color_trc", "smpte170m", "-color_range", "tv"],
            "smpte170m",
            id="bt601 is kept",
        ),
        pytest.param(
            "a.mp4",
            ["-vf", "scale=out_color_matrix=bt709:out_range=pc,format=yuv420p", *FAST, "-colorspace", "bt709",
             "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "pc"],
            "bt709",
            id="full-range bt709 becomes limited",
        ),
        pytest.param(
            "a.mp4",
            ["-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", *FAST],
            None,
            id="untagged small pictures stay untagged",
        ),
    ],
)  # fmt: skip
def test_colours_look_as_filmed(tmp_path, name, encoding, space):
    info, shown = delivered(film(tmp_path / name, patches(), *encoding))
    assert info.video
    assert (info.video.pixel_format, info.video.color_space) == ("yuv420p", space)
    assert info.video.color_range == ("tv" if space else None)
    assert np.abs(seen_patches(shown) - np.array(PATCHES)).max() <= 6


def test_an_untagged_hd_picture_is_tagged_bt709_and_looks_so(tmp_path):
    hd = patches(432)[:2]
    path = film(tmp_path / "a.mp4", hd, "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", *FAST)
    untagged = probe(path).video
    assert untagged and untagged.color_space is None and untagged.height == 864
    info, shown = delivered(path, max_height=96)
    assert info.video and info.video.color_space == info.video.color_primaries == "bt709"
    assert np.abs(seen_patches(np.concatenate([shown, shown])) - np.array(PATCHES)).max() <= 6


def test_hdr_is_brought_to_bt709(tmp_path):
    """PQ code 0.508 is 100 cd/m2, the white of standard screens, and 0.3 about 10 (SMPTE ST 2084)."""
    grey = np.full((5, 64, 96, 3), round(0.3 * 255))
    grey[:, :, 48:] = round(0.508 * 255)
    tags = ["-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-color_range", "tv"]
    scaled = "scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le"
    path = film(tmp_path / "hdr.mp4", grey, "-vf", scaled, *FAST, "-profile:v", "high10", *tags)
    colours = plan_colours(probe(path).video)
    if not colours.tone_mapped:
        assert colours.warning
        pytest.skip("this ffmpeg cannot map tones")
    info, shown = delivered(path)
    assert info.video and info.video.color_transfer == info.video.color_space == "bt709"
    dark, bright = shown[2, 32, 24].astype(float), shown[2, 32, 72].astype(float)
    assert np.ptp(dark) <= 3 and np.ptp(bright) <= 3  # grey stays grey
    assert 30 < dark.mean() < 110 < 150 < bright.mean() <= 255


def test_a_turned_recording_comes_out_upright(tmp_path):
    lit_left = np.zeros((5, 64, 96, 3))
    lit_left[:, :, :48] = 255
    flat = film(tmp_path / "flat.mp4", lit_left, "-pix_fmt", "yuv420p", *FAST)
    turned = tmp_path / "turned.mp4"
    media.run_ffmpeg(
        ["-display_rotation", "-90", "-i", media.file_url(flat), "-c", "copy", media.file_url(turned)],
        what="Turning", timeout_s=60,
    )  # fmt: skip
    asked = probe(turned).video
    assert asked and asked.rotation_deg == 90
    info, shown = delivered(turned)
    assert info.video and (info.video.width, info.video.height, info.video.rotation_deg) == (64, 96, 0)
    assert shown[2, :40].mean() > 240 and shown[2, 56:].mean() < 15  # a clockwise turn brings the left side up


def test_wide_pixels_become_square(tmp_path):
    path = film(tmp_path / "a.mp4", patches(), "-vf", "setsar=4/3", "-pix_fmt", "yuv420p", *FAST)
    info, shown = delivered(path)
    assert info.video and (info.video.width, info.video.height) == (128, 64)
    assert info.video.sample_aspect_ratio == "1:1"
    assert shown.shape[1:3] == (64, 128)


def test_interlaced_lines_are_joined(tmp_path):
    """A bar moves between the two fields of each frame, which shows as a comb until it is deinterlaced."""
    fields = np.zeros((20, 64, 128, 3))
    for number, field in enumerate(fields):
        field[:, 4 + 5 * number : 16 + 5 * number] = 255
    woven = ["-vf", "tinterlace=interleave_top,format=yuv420p", *FAST, "-flags", "+ilme+ildct", "-x264opts", "tff=1"]
    path = film(tmp_path / "a.mp4", fields, *woven, rate=50)
    filmed = probe(path).video
    assert filmed and filmed.interlaced
    _, shown = delivered(path)

    def comb(frames: np.ndarray) -> float:
        rows = frames[3:7, :, :, 1].astype(float)
        return float(np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2).mean())

    assert comb(shown) < 0.25 * comb(as_rgb(path))


def test_a_size_that_changes_in_mid_stream_is_fitted(tmp_path):
    mpeg = ["-c:v", "mpeg2video", "-metadata", "service_name=", "-metadata", "service_provider="]
    small = film(tmp_path / "a.mpg", np.repeat(patches(), 5, axis=0), *mpeg, "-f", "mpeg")
    large = film(tmp_path / "b.mpg", np.repeat(patches(48), 5, axis=0), *mpeg, "-f", "mpeg", "-output_ts_offset", "1")
    joined = tmp_path / "c.mpg"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    info, shown = delivered(joined)
    assert info.video and shown.shape[1:3] == (64, 96)
    assert np.abs(seen_patches(shown[-8:]) - np.array(PATCHES)).max() <= 12


def draw(folder: Path, title: str, frames: int) -> np.ndarray:
    """The generated picture of two seconds of tone, at half size."""
    copy_fonts(folder)
    (folder / "title.ass").write_text(title_ass(title), encoding="utf-8")
    sound = ffmpeg.input(f"sine=f=300:d={frames / 25}:r=48000", f="lavfi").audio
    shown = generated_picture(sound, frames, (640, 360)).filter("select", f"eq(n,2)+eq(n,{frames - 3})")
    raw = folder / "drawn.rgb"
    output = ffmpeg.output(shown, media.file_url(raw), f="rawvideo", pix_fmt="rgb24", fps_mode="passthrough")
    media.run_ffmpeg(arguments(output), what="Drawing", timeout_s=60, cwd=folder)
    return np.fromfile(raw, np.uint8).reshape(-1, 360, 640, 3).astype(float)


def test_the_generated_picture_shows_title_and_a_waveform_that_lights_up(tmp_path):
    early, late = draw(tmp_path, "A title in two or three words", 50)
    left, top, width, height = (edge // 2 for edge in WAVE_BOX)
    above = early[: top - 10]
    assert above.max() > 200 and above[:40].max() < 60  # letters stand above the waveform on a dark ground
    bars = [frame[top : top + height, left : left + width].mean() for frame in (early, late)]
    assert bars[1] > 1.5 * bars[0] > 0
    assert early[top + height + 10 :].max() < 60


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(r"{\an8}\Nnot a command", id="libass commands"),
        pytest.param("It's 100 %: a, b; [c] \\ 'd'", id="filter graph characters"),
        pytest.param("one\ntwo\r\nDialogue: 0,0:00:00.00,9:00:00.00,Title,three", id="line breaks"),
        pytest.param("word " * 80, id="very long"),
        pytest.param("\u7d20\u6570" * 70, id="very long without spaces, wide letters"),
        pytest.param("", id="empty"),
    ],
)
def test_no_title_spoils_the_picture(tmp_path, title):
    text = title_ass(title).split("[Events]")[1].strip().splitlines()
    assert len(text) == 2
    early, _ = draw(tmp_path, title, 10)
    left, top, width, height = (edge // 2 for edge in WAVE_BOX)
    assert early[:20].max() < 60  # nothing runs off the top
    assert early[top + height + 10 :].max() < 60
    assert early[:, :60].max() < 60
