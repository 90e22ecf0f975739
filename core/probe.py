"""What is in a media file, asked of ffprobe. The content decides, never the name's extension."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from core import media, tools
from core.errors import MachineTrouble, MediaError, RefusedInput
from core.records import AudioStream, MediaInfo, VideoStream

PROBE_TIMEOUT_S = 120.0
DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,avi,caf,dv,eac3,flac,flv,live_flv,gxf,h264,hevc,ivf,m4v,matroska,mov,mp3,mpeg,mpegts,"
    "mpegvideo,mxf,nut,ogg,rm,tta,voc,w64,wav,webm,wv,xwma"
)
"""Formats that hold media themselves. Playlists and scripts (hls, concat, dash …) could name other files."""
TAIL_S = 15.0
"""A stream whose last packet comes this much before the declared end has lost its tail."""


def probe(path: Path) -> MediaInfo:
    """Describe the recording at `path`. Raises RefusedInput with one sentence when it is not usable media."""
    found = _ask(path, ["-show_format", "-show_streams"])
    streams = [s for s in found.get("streams", ()) if isinstance(s, dict)]
    container = str(found.get("format", {}).get("format_name", "")).split(",")[0]
    begin_s = _number(found.get("format", {}).get("start_time")) or 0.0
    video = next((s for s in _by_preference(streams, "video") if not _is_picture(s)), None)
    audio = next(iter(_by_preference(streams, "audio")), None)
    if video is None and audio is None:
        raise RefusedInput(
            f"{path.name} has neither sound nor moving picture that can be decoded; choose another file."
        )
    picture = _video(video, begin_s) if video else None
    sound = _audio(audio, begin_s) if audio else None
    declared_s = _number(found["format"].get("duration")) or max(
        (s.start_s + s.duration_s for s in (picture, sound) if s and s.duration_s), default=0.0
    )
    indices = [s.index for s in (picture, sound) if s]
    readable_s = _readable_s(path, container, indices, declared_s, begin_s)
    return MediaInfo(
        container=container,
        duration_s=round(min(readable_s, declared_s) if declared_s else readable_s, 6),
        declared_duration_s=declared_s,
        video=picture,
        audio=sound,
        title=_tag(found.get("format", {}), "title"),
        truncated=declared_s - readable_s > TAIL_S,
    )


def _ask(path: Path, what: list[str], container: str | None = None) -> dict[str, Any]:
    whitelist = ["-f", container] if container else ["-format_whitelist", DEMUXERS]
    arguments = ["-v", "error", "-protocol_whitelist", "file", *whitelist, "-of", "json", *what, media.file_url(path)]
    try:
        output, _ = media.run([tools.ffprobe(), *arguments], what=f"Probing {path.name}", timeout_s=PROBE_TIMEOUT_S)
    except MachineTrouble:
        raise
    except MediaError as error:
        if "moov atom not found" in str(error) and _is_mp4(path):
            raise RefusedInput(
                f"{path.name} is cut off: its index (moov atom) is missing, so nothing can be read; copy it again."
            ) from error
        raise RefusedInput(f"{path.name} is not audio or video that ffmpeg can read; choose a media file.") from error
    found = json.loads(output or "{}")
    return found if isinstance(found, dict) else {}


def _is_mp4(path: Path) -> bool:
    """True if the file begins with a box of ISO base media, whatever it is called."""
    with path.open("rb") as file:
        return file.read(8)[4:] in (b"ftyp", b"mdat", b"free", b"wide", b"skip", b"pnot")


def _by_preference(streams: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Decodable streams of a kind: the default one first, then the largest picture, then file order."""

    def rank(stream: dict[str, Any]) -> tuple[int, int, int]:
        default = stream.get("disposition", {}).get("default", 0)
        return -default, -(stream.get("width", 0) * stream.get("height", 0)), stream["index"]

    usable = [
        s for s in streams if s.get("codec_type") == kind and s.get("codec_name") not in (None, "none", "unknown")
    ]
    if kind == "audio":
        usable = [s for s in usable if int(s.get("sample_rate") or 0) > 0 and s.get("channels")]
    else:
        usable = [s for s in usable if s.get("width") and s.get("height")]
    return sorted(usable, key=rank)


def _is_picture(stream: dict[str, Any]) -> bool:
    """True for cover art and thumbnails, which are streams of one still image."""
    disposition = stream.get("disposition", {})
    return bool(disposition.get("attached_pic") or disposition.get("timed_thumbnails"))


def _video(stream: dict[str, Any], begin_s: float) -> VideoStream:
    nominal, average = _fraction(stream.get("r_frame_rate")), _fraction(stream.get("avg_frame_rate"))
    rate = nominal if 0 < nominal <= 120 else average if 0 < average <= 120 else Fraction(25)
    average = average or rate
    # An uneven recording has a nominal rate (the finest step between frames) well above its average.
    uneven = abs(nominal - average) > average / 100
    if uneven:
        rate = min(Fraction(60), max(Fraction(1), average)).limit_denominator(1001)
    return VideoStream(
        index=stream["index"],
        codec=stream["codec_name"],
        width=stream["width"],
        height=stream["height"],
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        average_frame_rate=f"{average.numerator}/{average.denominator}",
        variable_frame_rate=uneven,
        rotation_deg=_rotation(stream),
        sample_aspect_ratio=_aspect(stream.get("sample_aspect_ratio")),
        pixel_format=stream.get("pix_fmt") or "unknown",
        color_range=_known(stream.get("color_range")),
        color_space=_known(stream.get("color_space")),
        color_transfer=_known(stream.get("color_transfer")),
        color_primaries=_known(stream.get("color_primaries")),
        interlaced=stream.get("field_order") in ("tt", "bb", "tb", "bt"),
        start_s=max(0.0, (_number(stream.get("start_time")) or begin_s) - begin_s),
        duration_s=_number(stream.get("duration")),
    )


def _audio(stream: dict[str, Any], begin_s: float) -> AudioStream:
    return AudioStream(
        index=stream["index"],
        codec=stream["codec_name"],
        sample_rate_hz=int(stream["sample_rate"]),
        channels=int(stream["channels"]),
        start_s=max(0.0, (_number(stream.get("start_time")) or begin_s) - begin_s),
        duration_s=_number(stream.get("duration")),
        language=_tag(stream, "language"),
    )


def _readable_s(path: Path, container: str, indices: list[int], declared_s: float, begin_s: float) -> float:
    """Where the last packet of the chosen streams ends: near the declared end, else searched through the whole file."""
    if declared_s:
        last_s = _last_packet_s(path, container, indices, f"{max(0.0, begin_s + declared_s - TAIL_S)}%")
        if last_s is not None:
            return max(last_s - begin_s, 0.0)
    last_s = _last_packet_s(path, container, indices, None)
    if last_s is None:
        raise RefusedInput(f"{path.name} is cut off or empty: no packet of it can be read; copy it again.")
    return max(last_s - begin_s, 0.0)


def _last_packet_s(path: Path, container: str, indices: list[int], interval: str | None) -> float | None:
    wanted = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time"]
    if interval:
        wanted += ["-read_intervals", interval]
    ends = [
        time_s + (_number(packet.get("duration_time")) or 0.0)
        for packet in _ask(path, wanted, container).get("packets", ())
        if packet.get("stream_index") in indices
        and (time_s := _number(packet.get("pts_time") or packet.get("dts_time"))) is not None
    ]
    return max(ends, default=None)


def _rotation(stream: dict[str, Any]) -> int:
    """Clockwise degrees out of the display matrix, whose own angle is counter-clockwise."""
    for side in stream.get("side_data_list", ()):
        if "rotation" in side:
            return round(-float(side["rotation"]) / 90) * 90 % 360
    return round(float(_tag(stream, "rotate") or 0) / 90) * 90 % 360


def _aspect(value: Any) -> str:
    ratio = _fraction(str(value).replace(":", "/")) if value else Fraction(0)
    return f"{ratio.numerator}:{ratio.denominator}" if ratio > 0 else "1:1"


def _fraction(value: Any) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _known(value: Any) -> str | None:
    return value if value and value not in ("unknown", "reserved") else None


def _tag(owner: dict[str, Any], name: str) -> str | None:
    tags = {key.lower(): value for key, value in owner.get("tags", {}).items()}
    return str(tags[name]) if name in tags else None
