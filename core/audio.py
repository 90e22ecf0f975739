"""The one decode of a recording's sound: 16 kHz mono PCM on disk, and its level and spectral centroid over time.

Sample i is heard at i / 16,000 s of the recording: a stream that starts late is padded, gaps in it are filled.
Everything reads the file in blocks, so that ten hours need no more memory than one minute.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
import numpy.typing as npt

from core import media
from core.errors import MediaError
from core.records import MediaInfo

RATE_HZ = 16_000
HOP = 160
"""Samples between two measurements: 10 ms."""
FRAME = 320
"""Samples that one measurement looks at: 20 ms."""
BLOCK_HOPS = 3_000
"""Measurements made at once: 30 s."""
FLOOR_DBFS = -120.0
PCM_NAME = "audio.s16le"
ENVELOPE_NAME = "envelope.npz"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Level and brightness of a recording every `hop_s` seconds.

    `level_dbfs` is the RMS level over 20 ms (0 dBFS: a full-scale square wave), `centroid_hz` the mean frequency
    weighted by the magnitude spectrum. Both have one value a hop, for the frame that begins there.
    """

    hop_s: float
    level_dbfs: Floats
    centroid_hz: Floats

    def save(self, path: Path) -> None:
        np.savez(path, hop_s=self.hop_s, level_dbfs=self.level_dbfs, centroid_hz=self.centroid_hz)

    @staticmethod
    def load(path: Path) -> "Envelope":
        with np.load(path, allow_pickle=False) as found:
            return Envelope(float(found["hop_s"]), found["level_dbfs"], found["centroid_hz"])


def decode(path: Path, info: MediaInfo, target: Path, *, on_progress: Callable[[float], None] | None = None) -> float:
    """Decode the sound of `path` into `target` (16 kHz mono, signed 16 bit, no header) and return its seconds."""
    if info.audio is None:
        raise MediaError(f"Decoding the audio of {path.name}: the recording has no sound.")
    source = ffmpeg.input(media.file_url(path), **media.input_options(info.container), vn=None, sn=None, dn=None)
    sound = source[str(info.audio.index)].filter("aresample", RATE_HZ, **{"async": 1, "first_pts": 0})
    graph = ffmpeg.output(sound, media.file_url(target), f="s16le", acodec="pcm_s16le", ac=1, ar=RATE_HZ)
    # A decode runs at hundreds of times real time; a tenth of it is a limit for a process that hangs.
    media.run_ffmpeg(
        graph.get_args(),
        what=f"Decoding the audio of {path.name}",
        timeout_s=120 + info.declared_duration_s / 10,
        on_progress=on_progress,
    )
    return target.stat().st_size / 2 / RATE_HZ


def read(path: Path, start_s: float, end_s: float) -> Floats:
    """Samples of [start_s, end_s) in [-1, 1); fewer where the recording ends before."""
    first, last = max(0, round(start_s * RATE_HZ)), max(0, round(end_s * RATE_HZ))
    samples = np.fromfile(path, np.int16, count=max(0, last - first), offset=2 * first)
    return samples.astype(np.float32) / np.float32(32_768)


def measure(path: Path, *, on_progress: Callable[[float], None] | None = None) -> Envelope:
    """The envelope of a decoded recording."""
    levels, centroids = [], []
    for at_s, samples in _blocks(path):
        level, centroid = levels_and_centroids(samples)
        levels.append(level)
        centroids.append(centroid)
        media.check_cancelled()
        if on_progress:
            on_progress(at_s)
    empty = np.zeros(0, np.float32)
    return Envelope(HOP / RATE_HZ, np.concatenate([empty, *levels]), np.concatenate([empty, *centroids]))


def levels_and_centroids(samples: Floats) -> tuple[Floats, Floats]:
    """Level in dBFS and spectral centroid in Hz of each whole 20 ms frame, one every 10 ms.

    Centroid: sum(f·|X(f)|) / sum(|X(f)|) over the Hann-windowed spectrum (Peeters 2004, "A large set of audio
    features for sound description"); 0 where there is no sound at all.
    """
    if len(samples) < FRAME:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    power = np.einsum("ij,ij->i", frames, frames) / FRAME
    level = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), axis=1))
    total = magnitude.sum(axis=1)
    frequency = np.fft.rfftfreq(FRAME, 1 / RATE_HZ).astype(np.float32)
    centroid = np.divide(magnitude @ frequency, total, out=np.zeros_like(total), where=total > 1e-6)
    return level.astype(np.float32), centroid.astype(np.float32)


def _blocks(path: Path) -> Iterator[tuple[float, Floats]]:
    """(start in seconds, samples) of blocks that overlap so that every frame is whole in exactly one of them."""
    step = BLOCK_HOPS * HOP
    total = path.stat().st_size // 2
    for first in range(0, max(1, total), step):
        count = min(step + FRAME - HOP, total - first)
        block = np.fromfile(path, np.int16, count=count, offset=2 * first).astype(np.float32) / np.float32(32_768)
        if first + count >= total:  # the last frames look past the end, where there is nothing
            block = np.pad(block, (0, FRAME))[: (len(block) // HOP) * HOP + FRAME - HOP]
        yield first / RATE_HZ, block
