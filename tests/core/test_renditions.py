"""Renditions of drawn clips, taken apart again: one decode, one count of frames, keyframes at the same places."""

import json
from fractions import Fraction
from pathlib import Path

import ffmpeg
import pytest

from core import media, tools
from core.cutting import Cut, picture_options
from core.encoders import Encoder
from core.ladder import Planned, Rendition, plan_renditions
from core.probe import probe
from core.records import MediaInfo
from core.renditions import outputs, rendition_name
from core.settings import RenderSettings

LADDER = (
    Rendition(name="hd"),
    Rendition(name="sd", height_px=120, crf=23, max_kbps=400),
    Rendition(name="mobile", height_px=90, profile="baseline", level="3.0", max_kbps=60, audio_kbps=64),
)
FRAMES = 85
RATE = Fraction(25)


def make(folder: Path, size: tuple[int, int], *, sound: bool = True, aligned: bool = True,
         ladder: tuple[Rendition, ...] = LADDER) -> tuple[tuple[Planned, ...], list[Path]]:  # fmt: skip
    """A test picture that becomes another at 1.72 s, where an encoder would put a keyframe."""
    width, height = size
    drawn = (
        f"testsrc2=s={width}x{height}:r={RATE},trim=end_frame=43[a];smptebars=s={width}x{height}:r={RATE},"
        f"trim=end_frame={FRAMES - 43},format=yuv420p[b];[a]format=yuv420p[c];[c][b]concat,setsar=1"
    )
    picture = ffmpeg.input(drawn, f="lavfi").video.filter("null")
    tone = ffmpeg.input(f"sine=r=48000:d={FRAMES / 25}", f="lavfi").audio.filter("aformat", channel_layouts="stereo")
    planned = plan_renditions(size, ladder)
    nodes = outputs(
        picture, tone if sound else None, planned, encoder=Encoder("x264", ""), crf=21, preset="veryfast", threads=1,
        frame_rate=RATE, title="A {title}: 1", folder=folder, aligned=aligned,
    )  # fmt: skip
    media.run_ffmpeg(ffmpeg.get_args(ffmpeg.merge_outputs(*nodes)), what="Drawing", timeout_s=60)
    return planned, [folder / "clip.mp4", *(folder / rendition_name(one, "clip") for one in planned[1:])]


def look(path: Path) -> tuple[MediaInfo, dict, list[int], int]:
    wanted = "stream=profile,level,sample_aspect_ratio:format_tags=title:packet=flags,pts_time"
    program = [tools.ffprobe(), "-v", "error", "-of", "json", "-select_streams", "v", "-show_entries", wanted]
    found = json.loads(media.run([*program, media.file_url(path)], what="Looking", timeout_s=30)[0])
    ordered = sorted(found["packets"], key=lambda packet: float(packet["pts_time"]))
    keyframes = [place for place, packet in enumerate(ordered) if "K" in packet["flags"]]
    stream = found["streams"][0] | found["format"].get("tags", {})
    return probe(path), stream, keyframes, len(ordered)


def test_all_sizes_come_from_one_run_with_the_same_frames_and_keyframes(tmp_path: Path) -> None:
    planned, paths = make(tmp_path, (320, 180))
    assert [path.name for path in paths] == ["clip.mp4", "clip-sd.mp4", "clip-mobile.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    for one, path in zip(planned, paths, strict=True):
        info, stream, keyframes, frames = look(path)
        assert info.video
        assert info.audio
        assert (info.video.width, info.video.height) == (one.width, one.height)
        assert (info.video.fps, info.video.sample_aspect_ratio, info.video.pixel_format) == (RATE, "1:1", "yuv420p")
        assert (info.audio.codec, info.audio.sample_rate_hz, info.audio.channels) == ("aac", 48_000, 2)
        assert frames == FRAMES
        assert keyframes == [0, 50]
        assert stream["title"] == "A {title}: 1"
        wanted = {"baseline": "Constrained Baseline", "high": "High"}[one.rendition.profile]
        assert stream["profile"] == wanted
    assert look(paths[2])[1]["level"] == 30


def test_a_rate_that_is_capped_is_kept(tmp_path: Path) -> None:
    capped, free = tmp_path / "capped", tmp_path / "free"
    for folder, most in ((capped, 60), (free, None)):
        folder.mkdir()
        rung = Rendition(name="low", height_px=90, crf=10, max_kbps=most)
        make(folder, (320, 180), sound=False, ladder=(Rendition(name="hd"), rung))
    held, loose = ((folder / "clip-low.mp4").stat().st_size for folder in (capped, free))
    # Two seconds of buffer may be spent ahead of the rate.
    assert held * 8 <= 60_000 * (FRAMES / 25 + 2) * 1.1 < loose * 8


def test_keyframes_may_follow_the_picture_where_nothing_is_streamed(tmp_path: Path) -> None:
    _, paths = make(tmp_path, (320, 180), sound=False, aligned=False, ladder=LADDER[:1])
    info, _, keyframes, _ = look(paths[0])
    assert info.audio is None
    assert 43 in keyframes


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param((102, 180), [(102, 180), (90, 158)], id="vertical"),
        pytest.param((160, 160), [(160, 160), (120, 120), (90, 90)], id="square"),
    ],
)
def test_other_shapes_keep_their_aspect(tmp_path: Path, size: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    _, paths = make(tmp_path, size, sound=False)
    videos = [probe(path).video for path in paths]
    assert [(video.width, video.height) for video in videos if video] == expected


def test_the_largest_is_encoded_as_a_clip_on_its_own_is(tmp_path: Path) -> None:
    alone = Rendition(name="hd")
    picture = ffmpeg.input("testsrc2", f="lavfi").video
    planned = plan_renditions((320, 240), (alone,))
    (node,) = outputs(
        picture, None, planned, encoder=Encoder("x264", ""), crf=19, preset="slow", threads=3,
        frame_rate=Fraction(30000, 1001), title="", folder=tmp_path, aligned=False,
    )  # fmt: skip
    info = MediaInfo(container="mov", duration_s=9.0, declared_duration_s=9.0, video=None, audio=None, title=None,
                     truncated=False)  # fmt: skip
    cut = Cut(tmp_path, info, 0.0, 0.0, 9, Fraction(30000, 1001), 0.0, 0.0)
    usual = picture_options(cut, RenderSettings(quality_crf=19, encoder_preset="slow"), 3)
    assert usual.items() <= node.node.kwargs.items()
