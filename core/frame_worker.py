"""The child process in which decord runs: `frame_worker.py REQUEST.json`, run by `core.frames` alone.

decord bundles an old libav, leaks a little on seeks and can crash or hang on odd files, so it only lives here and for
a short time. Frames go to stdout, in order of time: 8 bytes time in seconds (little-endian double), then the pixels. A
time of -1 without pixels is a sign of life. It exits 3, with one sentence on stderr, where decord cannot be trusted.
"""

import json
import os
import struct
import sys
from pathlib import Path
from typing import IO, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each of its threads would reserve memory

import decord
import numpy as np
from numpy.typing import NDArray

ALIVE_FRAMES = 250
"""A sign of life is given after at most this many frames that are decoded but not wanted."""
NEAR_S = 5e-4
"""Times closer than this are the same: decord's are 32-bit floats, 2 ms apart after nine hours."""


class Distrust(Exception):
    """decord opened the file but what it says of it cannot be right."""


def open_video(request: dict[str, Any]) -> tuple[decord.VideoReader, NDArray[np.float64]]:
    """The reader and the time of each frame since the first of the stream."""
    reader = decord.VideoReader(
        request["path"], width=request["width_px"], height=request["height_px"], num_threads=1, fault_tol=2
    )
    times_s = np.asarray(reader.get_frame_timestamp(range(len(reader))), np.float64)[:, 0]
    if not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
        raise Distrust("decord found frames without times, or two with the same time")
    if times_s[0] < -NEAR_S:
        # An edit list hides frames: libav then decodes fewer than decord counts, and its numbers are off.
        raise Distrust("decord found frames before the start of the stream")
    return reader, np.maximum(times_s, 0.0) + request["offset_s"]  # below 0 it would be a sign of life


def shown_at(times_s: NDArray[np.float64], time_s: float) -> int:
    """The frame on screen at `time_s`: the last that began by then, else the first."""
    return max(0, int(np.searchsorted(times_s, time_s + NEAR_S, side="right")) - 1)


def thinned(indices: list[int], times_s: NDArray[np.float64], step_s: float) -> list[int]:
    """Those of `indices`, which ascend, that come at least `step_s` after the one kept before."""
    kept: list[int] = []
    for index in indices:
        if not kept or times_s[index] - times_s[kept[-1]] >= step_s - NEAR_S:
            kept.append(index)
    return kept


def wanted_keyframes(reader: decord.VideoReader, times_s: NDArray[np.float64], request: dict[str, Any]) -> list[int]:
    """Keyframes at least `step_s` apart and the last frame; other frames each `fill_s` in gaps of over `sparse_s`."""
    kept = thinned(sorted({0, *reader.get_key_indices()}), times_s, request["step_s"])
    filled: list[int] = []
    for index, following in zip(kept, [*kept[1:], len(times_s) - 1], strict=True):
        filled.append(index)
        if times_s[following] - times_s[index] > request["sparse_s"]:
            between = np.arange(times_s[index] + request["fill_s"], times_s[following], request["fill_s"])
            filled += [shown_at(times_s, float(time_s)) for time_s in between]
    return sorted({*filled, len(times_s) - 1})


def wanted_in_spans(reader: decord.VideoReader, times_s: NDArray[np.float64], request: dict[str, Any]) -> list[int]:
    """For each span the frame shown at its start and those that begin in it, at least `step_s` apart."""
    wanted: set[int] = set()
    for start_s, end_s in request["spans"]:
        frames = list(range(shown_at(times_s, start_s), shown_at(times_s, end_s) + 1))
        wanted.update(thinned(frames, times_s, request["step_s"]))
    return sorted(wanted)


def write_frames(
    reader: decord.VideoReader,
    times_s: NDArray[np.float64],
    wanted: list[int],
    request: dict[str, Any],
    output: IO[bytes],
) -> None:
    """Decode the `wanted` frames, going on from one to the next where no keyframe lies between them."""
    keys = np.asarray(sorted({0, *reader.get_key_indices()}))
    position = 0  # of the frame that the reader gives next
    for index in wanted:
        begin = max(position, int(keys[np.searchsorted(keys, index, side="right") - 1]))
        # After a seek decord only skips right if a frame was read first, so each step of a long way reads one.
        for waypoint in range(begin + ALIVE_FRAMES, index, ALIVE_FRAMES):
            reader.seek_accurate(waypoint)
            reader.next()
            output.write(struct.pack("<d", -1.0))
            output.flush()
        reader.seek_accurate(index)
        image = reader.next().asnumpy()
        position = index + 1
        if image.shape != (request["height_px"], request["width_px"], 3):
            raise Distrust(f"decord gave a frame of shape {image.shape}")
        output.write(struct.pack("<d", times_s[index]))
        output.write(image.tobytes())


def main(argv: list[str]) -> int:
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the frames
    request = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    listed = wanted_keyframes if request["spans"] is None else wanted_in_spans
    try:
        reader, times_s = open_video(request)
        write_frames(reader, times_s, listed(reader, times_s, request), request, output)
        output.flush()
    except Distrust as error:
        print(error, file=sys.stderr)
        return 3
    except (decord.DECORDError, RuntimeError, AssertionError, IndexError, StopIteration) as error:
        print(f"decord failed: {str(error).strip()[:500] or type(error).__name__}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
