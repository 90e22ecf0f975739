"""Checks: sound clips pass, and each fault made on purpose is named."""

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import media
from core.checks import check_captions, check_container, check_level, check_picture, check_sound, starts_fast
from core.cutting import Cut, clip_frame_rate, plan_cut
from core.glimpses import keyframes
from core.loudness import Loudness
from core.probe import probe
from core.records import Cue
from core.tightening import Removal, Tightening

FAST = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-sc_threshold", "0"]
AAC = ["-c:a", "aac", "-ar", "48000", "-ac", "2"]
SECONDS, RATE_HZ = 14, 16_000
START_S, END_S = 4.0, 10.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    """A pattern that moves and changes with bursts of noise, dark from 11 s on."""
    folder = tmp_path_factory.mktemp("checks")
    frames = np.zeros((SECONDS * 25, 72, 128), np.uint8)
    rows, columns = np.indices((72, 128))
    for number, frame in enumerate(frames[: 11 * 25]):
        second = number // 25
        frame[:] = 120 + 100 * np.sin((rows * (second % 3 + 1) + columns * (second % 4 + 1) + number * 3) / 12)
    (folder / "a.gray").write_bytes(frames.tobytes())
    rng = np.random.default_rng(3)
    bursts = rng.standard_normal(SECONDS * RATE_HZ) * (rng.random(SECONDS * 8) > 0.4).repeat(RATE_HZ // 8) * 3_000
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.clip(bursts, -32_000, 32_000).astype(np.int16).tobytes())
    shown = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "128x72", "-framerate", "25", "-i", str(folder / "a.gray")]
    path = folder / "talk.mp4"
    media.run_ffmpeg(
        [*shown, "-i", str(folder / "a.wav"), *FAST, *AAC, media.file_url(path)], what="Filming", timeout_s=60
    )
    return path


def make_clip(recording: Path, target: Path, *, start_s: float = START_S, picture: str = "null", sound: str = "anull",
              options: tuple[str, ...] = ("-movflags", "+faststart")) -> Path:  # fmt: skip
    """A clip by ffmpeg's own seeking, with what goes wrong given as filters or options."""
    cut = ["-ss", str(start_s), "-t", str(END_S - START_S), "-i", media.file_url(recording)]
    made = [*cut, "-vf", picture, "-af", sound, *FAST, *AAC, *options, media.file_url(target)]
    media.run_ffmpeg(made, what="Cutting", timeout_s=60)
    return target


def as_cut(clip: Path) -> Cut:
    info = probe(clip)
    assert info.video
    rate = clip_frame_rate(info.video)
    return Cut(clip, info, 0.0, 0.0, round((END_S - START_S) * 25), rate, 0.0, 0.0)


def wanted(recording: Path) -> Cut:
    return plan_cut(recording, probe(recording), START_S, END_S)


def picture_findings(recording: Path, clip: Path, tmp_path: Path, cut: Cut | None = None, *, burned: bool = False):
    itself = as_cut(clip)
    return check_picture(itself, cut or wanted(recording), keyframes(itself, tmp_path), tmp_path, burned=burned)


def test_a_good_clip_has_no_problem(recording, tmp_path):
    clip, cut = make_clip(recording, tmp_path / "clip.mp4"), wanted(recording)
    assert check_container(clip, probe(clip), cut, (128, 72)) == []
    assert picture_findings(recording, clip, tmp_path) == ([], [])
    problems, warnings, lag_s = check_sound(as_cut(clip), cut, tmp_path)
    assert (problems, warnings) == ([], [])
    assert lag_s == pytest.approx(0, abs=0.006)
    assert not list(tmp_path.glob("*.gray")) and not list(tmp_path.glob("*.s16"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param({"picture": "drawbox=t=fill:c=black"}, "is black where the recording is not", id="black"),
        pytest.param(
            {"picture": "drawbox=t=fill:c=black:enable=between(t\\,2\\,5)"}, "is black where", id="black for a while"
        ),
        pytest.param({"picture": "loop=loop=-1:size=1,trim=end_frame=150"}, "stands still", id="frozen"),
        pytest.param({"start_s": 2.5}, "is not the recording's", id="another place"),
        pytest.param({"picture": "hflip"}, "is not the recording's", id="mirrored"),
    ],
)
def test_a_wrong_picture_is_noticed(recording, tmp_path, fault, said):
    clip = make_clip(recording, tmp_path / "clip.mp4", **fault)
    problems, _ = picture_findings(recording, clip, tmp_path)
    assert any(said in problem for problem in problems), problems


def test_burned_captions_brightness_and_scaling_are_no_fault(recording, tmp_path):
    looks = "scale=256:144,eq=brightness=0.1:contrast=0.8,drawbox=y=ih*0.7:h=ih*0.3:t=fill:c=black"
    clip = make_clip(recording, tmp_path / "clip.mp4", picture=looks)
    assert picture_findings(recording, clip, tmp_path, burned=True) == ([], [])


@pytest.mark.parametrize(("first", "good"), [(0, True), (40, False)], ids=["as planned", "other frames"])
def test_a_tightened_picture_is_compared_at_the_times_to_which_it_moved(recording, tmp_path, first, good):
    tightening = Tightening(6.0, "25/1", (Removal(1.0, 2.6, "pause"), Removal(3.4, 4.0, "pause")))
    kept = "+".join(f"between(n\\,{a + first}\\,{b + first - 1})" for a, b in tightening.kept)
    clip = make_clip(recording, tmp_path / "clip.mp4", picture=f"select={kept},setpts=N/25/TB", sound="atrim=end=3.8")
    itself = replace(as_cut(clip), frames=tightening.kept_frames)
    seen = keyframes(itself, tmp_path)
    problems, _ = check_picture(itself, wanted(recording), seen, tmp_path, burned=False, tightening=tightening)
    assert bool(problems) != good, problems
    if good:
        assert check_picture(itself, wanted(recording), seen, tmp_path, burned=False)[0], "without it, they differ"


def test_what_the_recording_itself_has_is_only_a_warning(recording, tmp_path):
    dark = make_clip(recording, tmp_path / "dark.mp4", start_s=11.5, options=())
    cut = replace(plan_cut(recording, probe(recording), 11.5, 14.0), frames=60)
    problems, warnings = picture_findings(recording, dark, tmp_path, cut)
    assert problems == []
    assert any("itself is black" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            {"sound": "volume=0:enable=between(t\\,1\\,4)"}, "is silent for", id="silent where it should not be"
        ),
        pytest.param({"sound": "adelay=120:all=1"}, "120 ms late", id="late"),
        pytest.param({"sound": "atrim=start=0.08,asetpts=PTS-STARTPTS"}, "80 ms early", id="early"),
    ],
)
def test_wrong_sound_is_noticed(recording, tmp_path, fault, said):
    clip = make_clip(recording, tmp_path / "clip.mp4", **fault)
    problems, _, _ = check_sound(as_cut(clip), wanted(recording), tmp_path)
    assert len(problems) == 1 and said in problems[0]


def test_another_level_is_no_fault_of_the_cut(recording, tmp_path):
    clip = make_clip(recording, tmp_path / "clip.mp4", sound="volume=-9dB")
    assert check_sound(as_cut(clip), wanted(recording), tmp_path)[:2] == ([], [])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param({"picture": "trim=end=5"}, "lasts", id="too short"),
        pytest.param({"picture": "scale=64:36"}, "width of the clip's picture is 64 instead of 128", id="another size"),
        pytest.param({"picture": "fps=20"}, "frame rate of the clip's picture is 20", id="another rate"),
        pytest.param({"picture": "setsar=2"}, "pixel aspect", id="pixels that are not square"),
        pytest.param({"picture": "format=yuv444p", "options": ("-pix_fmt", "yuv444p")}, "pixel format", id="4:4:4"),
        pytest.param({"options": ("-an",)}, "has no sound", id="no sound"),
        pytest.param({"options": ("-vn",)}, "has no picture", id="no picture"),
        pytest.param({"options": ("-ac", "1")}, "instead of 48 kHz stereo AAC", id="mono"),
        pytest.param({"options": ()}, "moov", id="index behind the data"),
    ],
)
def test_a_wrong_file_is_noticed(recording, tmp_path, fault, said):
    options = {"options": ("-movflags", "+faststart", *fault["options"])} if fault.get("options") else {}
    clip = make_clip(recording, tmp_path / "clip.mp4", **(fault | options))
    if said == "lasts":
        clip = make_clip(recording, tmp_path / "short.mp4", **fault, sound="atrim=end=5")
    problems = check_container(clip, probe(clip), wanted(recording), (128, 72))
    assert any(said in problem for problem in problems), problems


def test_starts_fast_reads_box_sizes_of_both_widths(tmp_path):
    path = tmp_path / "a.mp4"
    wide = b"\0\0\0\1free" + (24).to_bytes(8, "big") + b"\0" * 8
    path.write_bytes(b"\0\0\0\x10ftypisomisom" + wide + b"\0\0\0\x08moov\0\0\0\x08mdat")
    assert starts_fast(path)
    path.write_bytes(b"\0\0\0\x10ftypisomisom" + wide + b"\0\0\0\x08mdat\0\0\0\x08moov")
    assert not starts_fast(path)
    path.write_bytes(b"\0\0\0\0abcd")
    assert not starts_fast(path)


def test_captions_must_not_overlap_nor_leave_the_clip(recording):
    cut = wanted(recording)
    good = [Cue(0.0, 2.0, ("one",)), Cue(2.0, 4.0, ("two",)), Cue(5.0, 6.02, ("three",))]
    assert check_captions(good, cut) == []
    assert check_captions([], cut) == []
    overlapping = check_captions([Cue(0.0, 2.0, ("one",)), Cue(1.9, 4.0, ("two",))], cut)
    assert len(overlapping) == 1 and "overlap at 1.90 s" in overlapping[0]
    outside = check_captions([Cue(5.0, 6.5, ("too", "late"))], cut)
    assert len(outside) == 1 and '"too late"' in outside[0]


@pytest.mark.parametrize(
    ("after", "before", "count"),
    [
        pytest.param(Loudness(-14.9, -2.0), Loudness(-30.0, -10.0), 0, id="within a loudness unit"),
        pytest.param(Loudness(-15.2, -2.0), Loudness(-30.0, -10.0), 1, id="too quiet"),
        pytest.param(Loudness(-12.8, -2.0), Loudness(-30.0, -10.0), 1, id="too loud"),
        pytest.param(Loudness(-14.0, 0.2), Loudness(-30.0, -10.0), 1, id="clipping"),
        pytest.param(Loudness(float("-inf"), -40.0), Loudness(-30.0, -10.0), 1, id="lost"),
        pytest.param(
            Loudness(float("-inf"), float("-inf")), Loudness(-70.0, float("-inf")), 0, id="silent as recorded"
        ),
    ],
)
def test_check_level(after, before, count):
    assert len(check_level(after, before, -14.0)) == count
