"""Encoders: how a quality is asked of each, and that only what was seen to work is used."""

import pytest

from core import encoders
from core.encoders import HARDWARE, Encoder, choose_encoder, names, trial, try_options
from core.errors import BadSetting


def test_x264_passes_the_trial_that_hardware_must_pass() -> None:
    assert try_options(Encoder("x264", "").options(crf=21, preset="ultrafast", g=8, threads=1)) is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"c:v": "libx264", "crf": 51, "g": 8, "preset": "superfast"}, "unlike", id="an ugly picture"),
        pytest.param({"c:v": "libx264", "g": 7, "preset": "ultrafast"}, "keyframes at [0, 7", id="other keyframes"),
        pytest.param({"c:v": "libx264", "g": 8, "preset": "ultrafast", "frames:v": 11}, "11 frames of 20", id="short"),
        pytest.param({"c:v": "mpeg4", "g": 8}, "mpeg4", id="another codec"),
        pytest.param({"c:v": "h264_none"}, "it failed: Encoding", id="an encoder that does not exist"),
    ],
)
def test_what_is_not_as_it_should_be_fails_the_trial(options: dict, expected: str) -> None:
    problem = try_options(options)
    assert problem is not None
    assert expected in problem


def test_an_encoder_whose_device_is_missing_fails_the_trial_with_what_it_said() -> None:
    if "h264_v4l2m2m" not in encoders._encoders(encoders.tools.ffmpeg()):
        pytest.skip("this ffmpeg has no encoder that needs a device")
    problem = try_options({"c:v": "h264_v4l2m2m", "g": 8})
    assert problem is not None
    assert "device" in problem


def test_automatic_choice_gives_a_verified_encoder_or_x264_with_the_reasons() -> None:
    chosen = choose_encoder("auto")
    usable = [name for name in HARDWARE if trial(name) is None]
    assert chosen.name == (usable[0] if usable else "x264")
    assert usable or all(name in chosen.reason for name in HARDWARE)


@pytest.mark.parametrize("name", HARDWARE)
def test_hardware_asked_for_by_name_is_used_or_refused_with_its_reason(name: str) -> None:
    problem = trial(name)
    if problem is None:
        assert choose_encoder(name).name == name
        return
    with pytest.raises(BadSetting) as refused:
        choose_encoder(name)
    assert problem in str(refused.value)


def test_an_unknown_encoder_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadSetting, match="no 'x265'; choose one of auto, x264, nvenc"):
        choose_encoder("x265")
    assert choose_encoder("x264").name == "x264"


@pytest.mark.parametrize("name", names()[1:])
@pytest.mark.parametrize("preset", ["ultrafast", "veryfast", "slow"])
def test_every_encoder_makes_closed_groups_of_the_length_asked_for(name: str, preset: str) -> None:
    options = Encoder(name, "").options(crf=21, preset=preset, g=50, threads=2)
    assert (options["g"], options["flags:v"], options["profile:v"]) == (50, "+cgop", "high")
    assert None not in options.values()


def test_a_better_quality_is_asked_of_each_in_its_own_terms() -> None:
    def asked(name: str, crf: int) -> dict:
        return Encoder(name, "").options(crf=crf, preset="veryfast", g=50, threads=1)

    assert [asked(name, 18)[key] for name, key in (("nvenc", "cq"), ("qsv", "global_quality"), ("amf", "qp_i"))] == [
        18, 18, 18,
    ]  # fmt: skip
    assert asked("videotoolbox", 18)["q:v"] > asked("videotoolbox", 30)["q:v"]  # its scale runs the other way
    assert asked("nvenc", 21)["preset"] == "p3"
    assert asked("qsv", 21)["pix_fmt"] == "nv12"
