"""Float WAV files, as ffmpeg writes them with pcm_f32le, read and written in place: hours need no memory."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import MediaError

Floats = npt.NDArray[np.float32]

FLOAT, EXTENSIBLE = 3, 0xFFFE
BITS = 32
HEADER = struct.Struct("<4sI4s4sIHHIIHH4sII4sI")
"""RIFF, its format, the count of samples (`fact`, which a format other than integers must have), and the data."""


def read(path: Path) -> tuple[int, Floats]:
    """(samples a second, samples x channels) of a WAV of 32-bit floats; the samples stay on disk.

    Raises MediaError where the file is of another kind or broken.
    """
    with path.open("rb") as file:
        riff = file.read(12)
        if len(riff) < 12 or riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            raise MediaError(f"Reading the sound {path.name}: it is no WAV file.")
        described = None
        while len(head := file.read(8)) == 8:
            name, size = head[:4], int.from_bytes(head[4:], "little")
            at = file.tell()
            if name == b"fmt ":
                described = file.read(size)
            elif name == b"data" and described is not None:
                return _samples(path, described, at, size)
            file.seek(at + size + size % 2)
    raise MediaError(f"Reading the sound {path.name}: the WAV file is cut off before its samples.")


def create(path: Path, rate_hz: int, samples: int, channels: int) -> Floats:
    """Write a WAV of so many samples, all 0, and return them (samples x channels) to be filled in place.

    Raises ValueError for none: nothing could be mapped.
    """
    if samples < 1:
        raise ValueError(f"A WAV file needs a sample, got {samples} for {path}")
    frame = channels * BITS // 8
    size = samples * frame
    layout = (b"fmt ", 16, FLOAT, channels, rate_hz, rate_hz * frame, frame, BITS, b"fact", 4, samples, b"data", size)
    with path.open("wb") as file:
        file.write(HEADER.pack(b"RIFF", HEADER.size - 8 + size, b"WAVE", *layout))
        file.truncate(HEADER.size + size)
    return np.memmap(path, np.float32, "r+", HEADER.size, (samples, channels))


def _samples(path: Path, described: bytes, at: int, size: int) -> tuple[int, Floats]:
    kind, channels, rate_hz, _, frame, bits = struct.unpack_from("<HHIIHH", described.ljust(16, b"\0"))
    if kind == EXTENSIBLE and len(described) >= 26:
        kind = int.from_bytes(described[24:26], "little")
    if kind != FLOAT or bits != BITS or not channels or frame != channels * BITS // 8:
        raise MediaError(
            f"Reading the sound {path.name}: it must be 32-bit floats, and is format {kind} of {bits} bits."
        )
    count = min(size, path.stat().st_size - at) // frame
    if not count:
        return rate_hz, np.zeros((0, channels), np.float32)
    return rate_hz, np.memmap(path, np.float32, "r", at, (count, channels))
