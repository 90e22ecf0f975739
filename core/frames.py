"""The one door to decord: frames of a recording, small, at known times, in bounded memory.

decord runs in a child process (`core/frame_worker.py`). Where it fails, or what it says cannot be right, ffmpeg
takes over from the last good frame on, with the same result. All times are on the recording's timeline, where 0 is
the start of the container and a picture may begin late.
"""

import json
import logging
import struct
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core import ffmpeg_frames, media, pipes, tools
from core.errors import MediaError
from core.ffmpeg_frames import NEAR_S, Limits, Picture, Wanted
from core.records import MediaInfo, VideoStream

log = logging.getLogger(__name__)

Decoder = Literal["decord", "ffmpeg"]

WORKER = str(Path(__file__).with_name("frame_worker.py"))
HEADER = struct.Struct("<d")
THUMBNAIL_WIDTH_PX = 320
KNOWN_STARTS = ((0, b"\x1aE\xdf\xa3"), (4, b"ftyp"), (0, b"RIFF"), (0, b"FLV\x01"))
"""(offset, bytes) of Matroska, MP4, AVI and FLV, the formats in which decord finds its keyframes again: in a transport
stream it lands beside them. It cannot be told the format either, so a text, which its old libav might take for a
playlist that names other files or addresses, never gets to it."""
SAMPLED_S, SAMPLE_TIMEOUT_S = 60.0, 120.0
"""How much of the beginning is looked at to tell how the pictures are grouped, and for how long at most."""
SLOWEST_BYTES_PER_S = 20e6
"""A whole file may have to be read before the first frame comes."""


@dataclass(frozen=True, slots=True)
class Raster:
    """The size in pixels to which frames are scaled, once upright."""

    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and when it comes on screen. `image`: uint8 [height, width, 3], RGB."""

    time_s: float
    image: NDArray[np.uint8]
    decoder: Decoder


def keyframes(
    path: Path,
    info: MediaInfo,
    raster: Raster,
    *,
    scratch: Path,
    step_s: float = 1.0,
    decoder: Decoder = "decord",
) -> Generator[Frame]:
    """Keyframes in order of time, at least `step_s` apart; where there is none for 12 s, a frame every 5 s instead.

    Args:
        scratch: An existing folder for small files that are gone afterwards.
        decoder: "ffmpeg" keeps decord out, as where it already failed on this recording.

    Raises MediaError if there is no picture or none of it can be decoded, Cancelled if the run was told to stop.
    """
    wanted = Wanted(raster.width_px, raster.height_px, None, step_s)
    yield from _read(path, info, wanted, scratch, decoder)


def frames_in(
    path: Path,
    info: MediaInfo,
    spans: Sequence[tuple[float, float]],
    raster: Raster,
    *,
    step_s: float,
    scratch: Path,
    decoder: Decoder = "decord",
) -> Generator[Frame]:
    """For each span (start_s, end_s) the frame shown at its start and those that begin by its end, `step_s` apart.

    Each frame comes once, in order of time, however the spans overlap. Raises as `keyframes` does.
    """
    merged: list[tuple[float, float]] = []
    for start_s, end_s in sorted(spans):
        if merged and start_s <= merged[-1][1] + NEAR_S:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        else:
            merged.append((float(start_s), float(end_s)))
    if merged:
        wanted = Wanted(raster.width_px, raster.height_px, tuple(merged), step_s)
        yield from _read(path, info, wanted, scratch, decoder)


def frames_at(
    path: Path,
    info: MediaInfo,
    times_s: Sequence[float],
    *,
    scratch: Path,
    width_px: int = THUMBNAIL_WIDTH_PX,
    decoder: Decoder = "decord",
) -> Iterator[tuple[float, Frame]]:
    """The frame shown at each of `times_s` (the last that began by then, else the first), in order of time.

    Yields (time asked for, frame), the picture upright and with square pixels. Raises as `keyframes` does.
    """
    ahead = sorted(set(times_s))
    raster = upright_raster(_video(path, info), width_px)
    shown: Frame | None = None
    for frame in frames_in(path, info, [(t, t) for t in ahead], raster, step_s=0.0, scratch=scratch, decoder=decoder):
        while ahead and shown is not None and ahead[0] < frame.time_s - NEAR_S:
            yield ahead.pop(0), shown
        shown = frame
    for time_s in ahead:
        if shown is not None:
            yield time_s, shown


def upright_raster(video: VideoStream, width_px: int) -> Raster:
    """The raster of the picture as a player shows it, `width_px` wide: turned, and with square pixels."""
    ratio = Fraction(video.width, video.height) * Fraction(video.sample_aspect_ratio.replace(":", "/"))
    if video.rotation_deg in (90, 270):
        ratio = 1 / ratio
    return Raster(width_px, min(4 * width_px, max(2, round(width_px / ratio))))


def _read(path: Path, info: MediaInfo, wanted: Wanted, scratch: Path, decoder: Decoder) -> Generator[Frame]:
    size = path.stat().st_size
    patience_s = 60.0 + size / SLOWEST_BYTES_PER_S
    limits = Limits(patience_s=patience_s, limit_s=10 * patience_s + 3 * info.duration_s)
    video, last_s = _video(path, info), -np.inf
    if decoder == "decord":
        try:
            if _suits_decord(path, info):
                for time_s, image in _decord(path, video, wanted, limits, scratch):
                    last_s = time_s
                    yield Frame(time_s, image, "decord")
                return
        except MediaError as error:
            log.info("decord gave up, ffmpeg goes on: %s", error)
    for time_s, image in ffmpeg_frames.read(path, info, wanted, limits):
        if time_s > last_s + NEAR_S:
            last_s = time_s
            yield Frame(time_s, image, "ffmpeg")
    if last_s == -np.inf:
        raise MediaError(
            f"Reading frames of {path.name}: ffmpeg decoded none; the picture is damaged or of a kind unknown."
        )


def _video(path: Path, info: MediaInfo) -> VideoStream:
    if info.video is None:
        raise MediaError(f"Reading frames of {path.name}: it has no picture, only sound.")
    return info.video


def _suits_decord(path: Path, info: MediaInfo) -> bool:
    """Whether decord will read what the probe described: a known format, one video stream, upright, closed groups.

    It picks the stream itself, turns pictures as it sees fit, and where a keyframe comes before frames that are shown
    earlier (an open group of pictures) it takes that keyframe for one of them.
    """
    with path.open("rb") as file:
        head = file.read(16)
    known = any(head.startswith(mark, offset) for offset, mark in KNOWN_STARTS)
    if not known or info.video is None or info.video.rotation_deg:
        return False
    asked = ["-v", "error", "-protocol_whitelist", "file", "-f", info.container, "-select_streams", "v"]
    asked += ["-read_intervals", f"%+{SAMPLED_S:g}", "-of", "json"]
    asked += ["-show_entries", "stream=index:packet=pts_time,flags"]
    what = f"Looking at the packets of {path.name}"
    said, _ = media.run([tools.ffprobe(), *asked, media.file_url(path)], what=what, timeout_s=SAMPLE_TIMEOUT_S)
    found = json.loads(said)
    return len(found["streams"]) == 1 and _groups_are_closed(found.get("packets", []))


def _groups_are_closed(packets: list[dict[str, str]]) -> bool:
    """Whether every one of `packets`, in the order of the file, has a time, not before that of the last keyframe."""
    key_s = -np.inf
    for packet in packets:
        if "pts_time" not in packet or float(packet["pts_time"]) < key_s:
            return False
        if packet.get("flags", "").startswith("K"):
            key_s = float(packet["pts_time"])
    return True


def _decord(path: Path, video: VideoStream, wanted: Wanted, limits: Limits, scratch: Path) -> Iterator[Picture]:
    shape = (wanted.height_px, wanted.width_px, 3)
    size = HEADER.size + int(np.prod(shape))
    request = asdict(wanted) | {"path": media.file_url(path), "offset_s": video.start_s}
    what = f"Reading frames of {path.name} with decord"
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=scratch, encoding="utf-8") as file:
        json.dump(request, file)
        file.flush()
        program = [sys.executable, "-P", WORKER, file.name]
        data = bytearray()
        for piece, _ in pipes.read(program, what=what, patience_s=limits.patience_s, limit_s=limits.limit_s):
            data += piece
            while len(data) >= HEADER.size:
                (time_s,) = HEADER.unpack_from(data)
                if time_s < 0:
                    del data[: HEADER.size]
                    continue
                if len(data) < size:
                    break
                image = np.frombuffer(bytes(data[HEADER.size : size]), np.uint8).reshape(shape)
                del data[:size]
                yield time_s, image
