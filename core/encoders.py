"""Which H.264 encoder is used: one in hardware where it is there and was seen to work, else x264.

A driver's promise is not believed. Each candidate encodes a short test picture once in the life of the process, and
what comes out must decode, have every frame, keep its keyframes where they were asked for and look like what went in.
What the encoders' options mean is taken from ffmpeg's documentation. How their quality numbers compare is a heuristic:
they share the scale of H.264's quantiser (0 to 51), but no two encoders spend the same bits at one number.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ffmpeg

from core import media, tools
from core.errors import BadSetting, MediaError

X264, AUTO = "x264", "auto"
TRIAL_SIZE, TRIAL_FRAMES, TRIAL_GOP, TRIAL_CRF = (1280, 720), 20, 8, 21
TRIAL_TIMEOUT_S = 30.0
LEAST_PSNR_DB = 36.0
"""x264 reaches 45 dB on the test picture at the trial's quality, 38 dB at 30, 34 dB at 40 and 31 dB at its worst."""
PSNR = re.compile(r"PSNR.*\baverage:([\d.]+|inf)")
NVENC_PRESETS = {
    "ultrafast": "p1",
    "superfast": "p2",
    "veryfast": "p3",
    "faster": "p4",
    "fast": "p5",
    "medium": "p6",
    "slow": "p7",
}
QSV_PRESETS = {"ultrafast": "veryfast", "superfast": "veryfast"}
AMF_QUALITIES = {"medium": "balanced", "slow": "quality"}


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder that makes clips. Its name is part of what a rendering depends on: no two make the same bytes."""

    name: str
    """One of `names()`."""
    reason: str
    """Why it was chosen, as one sentence."""

    def options(self, *, crf: int, preset: str, g: int, threads: int) -> dict[str, Any]:
        """Options of an ffmpeg output: constant quality, H.264 High, closed groups of `g` pictures.

        Args:
            crf: Quality as x264 counts it, 10 to 40.
            preset: One of x264's, from ultrafast to slow.
        """
        common = {"profile:v": "high", "g": g, "flags:v": "+cgop", "threads:v": threads}
        if self.name == X264:
            return {"c:v": "libx264", "preset": preset, "crf": crf, **common}
        codec, quality = HARDWARE[self.name]
        return {"c:v": codec, **quality(crf, preset), **common}


def _nvenc(crf: int, preset: str) -> dict[str, Any]:
    return {"preset": NVENC_PRESETS.get(preset, "p4"), "rc": "vbr", "cq": crf, "b:v": 0, "forced-idr": 1}


def _videotoolbox(crf: int, preset: str) -> dict[str, Any]:
    # Its scale is 1 to 100, higher is better, and known to Apple's own chips only. It has no presets.
    return {"q:v": max(1, min(100, round(100 * (51 - crf) / 51))), "allow_sw": 0}


def _qsv(crf: int, preset: str) -> dict[str, Any]:
    # Frames in memory must be NV12: the same samples as yuv420p in another order.
    return {"preset": QSV_PRESETS.get(preset, preset), "global_quality": crf, "pix_fmt": "nv12"}


def _amf(crf: int, preset: str) -> dict[str, Any]:
    quantisers = {"qp_i": crf, "qp_p": min(51, crf + 2)}
    return {"quality": AMF_QUALITIES.get(preset, "speed"), "usage": "transcoding", "rc": "cqp", **quantisers}


HARDWARE: Mapping[str, tuple[str, Callable[[int, str], dict[str, Any]]]] = {
    "nvenc": ("h264_nvenc", _nvenc),
    "videotoolbox": ("h264_videotoolbox", _videotoolbox),
    "qsv": ("h264_qsv", _qsv),
    "amf": ("h264_amf", _amf),
}
"""Candidates in the order they are tried: ffmpeg's name of each, and its options for a quality and preset.

VA-API and V4L2 are not among them: they need a device named and frames uploaded by the graph."""


def names() -> tuple[str, ...]:
    """What a person may choose from."""
    return AUTO, X264, *HARDWARE


def choose_encoder(wanted: str) -> Encoder:
    """The encoder called `wanted`; for "auto" the first in hardware that passes its trial, else x264.

    Raises BadSetting for a name that is unknown, or of hardware that cannot be used here, saying why.
    """
    if wanted == X264:
        return Encoder(X264, "x264 was asked for.")
    if wanted == AUTO:
        failures: list[str] = []
        for name in HARDWARE:
            problem = trial(name)
            if problem is None:
                return Encoder(name, f"{name} passed its trial on this machine.")
            failures.append(f"{name}: {problem}")
        return Encoder(X264, f"No encoder in hardware can be used. {' '.join(failures)}")
    if wanted not in HARDWARE:
        raise BadSetting(f"Choosing the encoder: there is no {wanted!r}; choose one of {', '.join(names())}.")
    if problem := trial(wanted):
        raise BadSetting(f"Choosing the encoder: {wanted} cannot be used here: {problem} Choose auto or x264.")
    return Encoder(wanted, f"{wanted} was asked for and passed its trial.")


def trial(name: str) -> str | None:
    """Why the encoder `name` cannot be used on this machine, as one sentence, or None if it can; found out once."""
    return _tried(name, tools.ffmpeg())


@cache
def _tried(name: str, program: str) -> str | None:
    codec = HARDWARE[name][0]
    if codec not in _encoders(program):
        return f"this ffmpeg was built without {codec}."
    options = Encoder(name, "").options(crf=TRIAL_CRF, preset="veryfast", g=TRIAL_GOP, threads=1)
    return try_options(options)


def try_options(options: Mapping[str, Any]) -> str | None:
    """Encode the test picture with `options` of an ffmpeg output; what is wrong with the result, or None."""
    with TemporaryDirectory(prefix="trial-") as folder:
        made = Path(folder) / "trial.mp4"
        aligned = {"keyint_min": TRIAL_GOP, "sc_threshold": 0}
        output = ffmpeg.output(_test_picture(), media.file_url(made), f="mp4", **{**options, **aligned})
        try:
            media.run_ffmpeg(ffmpeg.get_args(output), what="Encoding a test picture", timeout_s=TRIAL_TIMEOUT_S)
            return _fault(made)
        except MediaError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return f"it failed: {(lines[0] if lines else 'without a message')[:300].rstrip('.')}."


def _fault(made: Path) -> str | None:
    """What is wrong with the encoded test picture."""
    wanted = ["-select_streams", "v:0", "-show_entries", "packet=flags:stream=codec_name,pix_fmt", "-of", "json"]
    program = [tools.ffprobe(), "-v", "error", "-protocol_whitelist", "file", "-f", "mov", *wanted]
    said, _ = media.run([*program, media.file_url(made)], what="Looking at a test picture", timeout_s=TRIAL_TIMEOUT_S)
    found = json.loads(said)
    stream = (found.get("streams") or [{}])[0]
    form = (stream.get("codec_name"), stream.get("pix_fmt"))
    if form != ("h264", "yuv420p"):
        return f"it made {form[0]} in {form[1]} instead of h264 in yuv420p."
    keyframes = [place for place, packet in enumerate(found["packets"]) if "K" in packet["flags"]]
    if len(found["packets"]) != TRIAL_FRAMES:
        return f"it made {len(found['packets'])} frames of {TRIAL_FRAMES}."
    if keyframes != list(range(0, TRIAL_FRAMES, TRIAL_GOP)):
        return f"it put keyframes at {keyframes} instead of every {TRIAL_GOP} frames."
    near_db = _psnr_db(made)
    if near_db is None or near_db < LEAST_PSNR_DB:
        return f"what it made is unlike what it was given: a PSNR of {near_db} dB, at least {LEAST_PSNR_DB:.0f} wanted."
    return None


def _psnr_db(made: Path) -> float | None:
    encoded = ffmpeg.input(media.file_url(made), **media.input_options("mov")).video
    compared = ffmpeg.filter([encoded, _test_picture()], "psnr", shortest=1)
    call = ["-loglevel", "info", "-xerror", *ffmpeg.get_args(ffmpeg.output(compared, "-", f="null"))]
    said = media.run_ffmpeg(call, what="Comparing a test picture", timeout_s=TRIAL_TIMEOUT_S)
    found = PSNR.findall(said)
    return float(found[-1]) if found else None


def _test_picture() -> Any:
    width, height = TRIAL_SIZE
    drawn = f"testsrc2=s={width}x{height}:r=25,trim=end_frame={TRIAL_FRAMES},format=yuv420p"
    return ffmpeg.input(drawn, f="lavfi").video


@cache
def _encoders(program: str) -> frozenset[str]:
    listed, _ = media.run(
        [program, "-hide_banner", "-encoders"], what="Asking ffmpeg for its encoders", timeout_s=TRIAL_TIMEOUT_S
    )
    return frozenset(parts[1] for line in listed.splitlines() if len(parts := line.split()) > 1)
