"""A tightening carried out: the picture by a filter that passes whole frames, the sound sample by sample.

Both follow the same numbers of frames, so that neither drifts against the other at any join. At a join the sound goes
over within CROSSFADE_S, half of it before; what it fades out to and in from is the beginning and the end of what was
left out, so that every kept sample stays at its place.
"""

from pathlib import Path
from typing import Any

import numpy as np

from core import float_wav, media
from core.errors import MediaError
from core.float_wav import Floats
from core.tightening import Tightening

CROSSFADE_S = 0.03
BLOCK = 1 << 20
"""Samples copied at once."""


def tighten_picture(picture: Any, tightening: Tightening) -> Any:
    """`picture`, an ffmpeg-python stream at the constant rate of `tightening`, without what is left out; from 0 on.

    The stream begins with frame 0 of the clip; the result has exactly `kept_frames`, if it had all its own.
    """
    if not tightening.removed:
        return picture
    rate = tightening.rate
    kept = "+".join(rf"between(n,{first},{end - 1})" for first, end in tightening.kept)
    # Times are counted anew in units of a frame: as seconds times a rate they would be rounded down now and then.
    return (
        picture.filter("select", kept)
        .filter("settb", f"{rate.denominator}/{rate.numerator}")
        .filter("setpts", "N")
        .filter("fps", f"{rate.numerator}/{rate.denominator}")
        .filter("trim", end_frame=tightening.kept_frames)
    )


def tighten_wav(source: Path, target: Path, tightening: Tightening) -> None:
    """Write the sound of a clip (WAV of 32-bit floats, as `core.loudness.extract_sound` writes it) tightened.

    The length is that of the kept frames, rounded once; where the sound is shorter than the clip, silence follows it.
    Raises MediaError where `source` is no such file.
    """
    rate_hz, sound = float_wav.read(source)
    if not len(sound):
        raise MediaError(f"Tightening the sound {source.name}: it has no samples.")
    at = [_sample(frame, tightening, rate_hz) for frame in (*tightening.starts, tightening.kept_frames)]
    begins = [_sample(first, tightening, rate_hz) for first, _ in tightening.kept]
    made = float_wav.create(target, rate_hz, at[-1], sound.shape[1])
    for piece, begin in enumerate(begins):
        _copy(sound, begin, made, at[piece], at[piece + 1])
        media.check_cancelled()
    for piece in range(1, len(begins)):
        # No fade reaches into the next: half of the shorter of its two pieces at most.
        room = min(at[piece] - at[piece - 1], at[piece + 1] - at[piece]) // 2
        half = min(round(CROSSFADE_S / 2 * rate_hz), room)
        ended = begins[piece - 1] + at[piece] - at[piece - 1]
        made[at[piece] - half : at[piece] + half] = crossfade(
            _around(sound, ended, half), _around(sound, begins[piece], half)
        )


def crossfade(out: Floats, into: Floats) -> Floats:
    """From `out` to `into` (samples x channels), of even power however alike they are.

    Cosine and sine of an angle that turns from 0 to π/2 keep the power of sounds that have nothing in common; for those
    that have, as a hum, the sum is divided by the root of 1 + 2·r·sin·cos, where r is their correlation (0 where it is
    negative). The angle begins and ends its turn without a jolt, which would be heard as a tick in a loud tone.
    """
    turn = np.pi / 2 * np.sin(np.pi / 2 * (np.arange(len(out)) + 0.5) / max(1, len(out))) ** 2
    falling, rising = np.cos(turn)[:, None], np.sin(turn)[:, None]
    power = float(np.sqrt(np.sum(out**2, dtype=np.float64) * np.sum(into**2, dtype=np.float64)))
    alike = max(0.0, float(np.sum(out * into, dtype=np.float64)) / power) if power else 0.0
    mixed = (out * falling + into * rising) / np.sqrt(1 + 2 * min(1.0, alike) * falling * rising)
    return mixed.astype(np.float32)


def _sample(frame: int, tightening: Tightening, rate_hz: int) -> int:
    return round(frame / tightening.rate * rate_hz)


def _copy(sound: Floats, begin: int, made: Floats, first: int, end: int) -> None:
    for at in range(first, end, BLOCK):
        part = sound[begin + at - first : begin + min(at + BLOCK, end) - first]
        made[at : at + len(part)] = part


def _around(sound: Floats, at: int, half: int) -> Floats:
    """`half` samples on each side of `at`; silence where there are none."""
    found = np.zeros((2 * half, sound.shape[1]), np.float32)
    first, end = max(0, at - half), min(len(sound), at + half)
    if first < end:
        found[first - (at - half) : end - (at - half)] = sound[first:end]
    return found
