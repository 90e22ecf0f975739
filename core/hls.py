"""HTTP Live Streaming out of finished renditions: fMP4 segments copied as they are encoded, playlists, subtitles.

Follows RFC 8216 and draft-pantos-hls-rfc8216bis. All names are relative, and those of media carry the content's hash:
a CDN may keep them for ever, while a playlist that is made again has new ones in it.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg

from core import media
from core.cutting import GOP_S
from core.errors import MediaError
from core.ladder import NAME, RESERVED_NAMES
from core.probe import probe
from core.records import MediaInfo

MASTER = "master.m3u8"
MEDIA_PLAYLIST = "index.m3u8"
SUBTITLES, SUBTITLES_GROUP = "subtitles", "subs"
CONTAINER = "mov"
SEGMENT_GOPS = 2
HASH_CHARACTERS = 12
AAC_LC = "mp4a.40.2"
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
TIMESTAMP_MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
"""The renditions' clock shows 0 at their first frame, and so do the cues'."""


@dataclass(frozen=True, slots=True)
class HlsRendition:
    """What the master playlist says of one rendition."""

    name: str
    width: int
    height: int
    frame_rate: Fraction
    codecs: str
    peak_bps: int
    average_bps: int
    segments_s: tuple[float, ...]
    """How long each segment is."""


@dataclass(frozen=True, slots=True)
class HlsPackage:
    """A packaged clip: `files`, relative to its folder, of which players are given `master`."""

    master: str
    files: tuple[str, ...]
    renditions: tuple[HlsRendition, ...]


def package_hls(
    renditions: Mapping[str, Path],
    *,
    vtt: str | None,
    language: str | None,
    folder: Path,
    timeout_s: float,
    subtitles_on: bool = False,
) -> HlsPackage:
    """Write `folder`/master.m3u8 and all it names, out of finished MP4 files; nothing is encoded again.

    Args:
        renditions: Files by name, the first being what players begin with. They are the same clip with keyframes at
            the same times, as `core.renditions.outputs` makes them when `aligned`.
        vtt: Subtitles on the clip's timeline as a WebVTT file's text; None for none.
        language: Of the subtitles, such as "en" or "pt-BR".
        folder: Is made; must be empty if it exists.
        timeout_s: For each rendition.
        subtitles_on: Show them unless the viewer turns them off. Not for clips that have captions drawn in.

    Raises MediaError if a rendition cannot be read, or their segments do not begin at the same times.
    """
    _check_names(renditions, language)
    folder.mkdir(parents=True, exist_ok=True)
    made = [_package_one(name, path, folder / name, timeout_s) for name, path in renditions.items()]
    _check_aligned(made)
    duration_s = sum(made[0].segments_s)
    if vtt is not None:
        _write_subtitles(vtt, duration_s, folder / SUBTITLES)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if vtt is not None:
        lines.append(_subtitles_entry(language, shown=subtitles_on))
    for one in made:
        lines += [_stream_entry(one, with_subtitles=vtt is not None), f"{one.name}/{MEDIA_PLAYLIST}"]
    (folder / MASTER).write_text("\n".join([*lines, ""]), encoding="utf-8")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return HlsPackage(MASTER, tuple(files), tuple(made))


def segment_lengths_s(playlist: str) -> tuple[float, ...]:
    """How long each segment of a media playlist is, in seconds."""
    return tuple(float(length) for length in re.findall(r"^#EXTINF:([\d.]+),", playlist, re.MULTILINE))


def avc_codec(init: bytes) -> str:
    """The name of the H.264 stream that `init`, an initialization segment, describes (RFC 6381, ISO/IEC 14496-15)."""
    place = init.find(b"avcC")
    record = init[place + 4 : place + 8]
    if place < 0 or len(record) < 4 or record[0] != 1:
        raise MediaError("Packaging for streaming: the initialization segment describes no H.264 picture.")
    return f"avc1.{record[1:4].hex()}"


def peak_bps(sizes_bytes: Sequence[int], lengths_s: Sequence[float], target_s: float) -> int:
    """The peak segment bit rate: of segments in a row that last 0.5 to 1.5 times `target_s` (RFC 8216, 4.1)."""
    total = 8 * sum(sizes_bytes) / sum(lengths_s)
    rates = [
        8 * sum(sizes_bytes[first:end]) / length_s
        for first in range(len(lengths_s))
        for end in range(first + 1, len(lengths_s) + 1)
        if 0.5 * target_s <= (length_s := sum(lengths_s[first:end])) <= 1.5 * target_s
    ]
    return math.ceil(max(rates, default=total))


def _check_names(renditions: Mapping[str, Path], language: str | None) -> None:
    if not renditions:
        raise ValueError("Packaging for streaming needs a rendition at least")
    bad = [name for name in renditions if not re.fullmatch(NAME, name) or name in RESERVED_NAMES]
    if bad:
        raise ValueError(f"Packaging for streaming: {bad[0]!r} cannot be a rendition's name")
    if language is not None and not LANGUAGE.fullmatch(language):
        raise ValueError(f"Packaging for streaming: {language!r} is no language tag such as en or pt-BR")


def _package_one(name: str, source: Path, folder: Path, timeout_s: float) -> HlsRendition:
    info = probe(source)
    if info.video is None:
        raise MediaError(f"Packaging {source.name} for streaming: it has no picture.")
    folder.mkdir()
    mark = _hash(source)
    _segment(source, info, folder, mark, timeout_s)
    playlist = (folder / MEDIA_PLAYLIST).read_text(encoding="utf-8")
    lengths_s = segment_lengths_s(playlist)
    names = [line for line in playlist.splitlines() if line and not line.startswith("#")]
    sizes = [(folder / segment).stat().st_size for segment in names]
    codecs = avc_codec((folder / f"{mark}-init.mp4").read_bytes())
    return HlsRendition(
        name=name,
        width=info.video.width,
        height=info.video.height,
        frame_rate=info.video.fps,
        codecs=f"{codecs},{AAC_LC}" if info.audio else codecs,
        peak_bps=peak_bps(sizes, lengths_s, max(lengths_s)),
        average_bps=math.ceil(8 * sum(sizes) / sum(lengths_s)),
        segments_s=lengths_s,
    )


def _segment(source: Path, info: MediaInfo, folder: Path, mark: str, timeout_s: float) -> None:
    assert info.video
    opened = ffmpeg.input(media.file_url(source), **media.input_options(CONTAINER))
    streams = [opened.video, opened.audio] if info.audio else [opened.video]
    options = {
        "c": "copy",
        "map_metadata": -1,
        # Moving all times up to the sound's priming would put the cues ahead of the picture.
        "avoid_negative_ts": "disabled",
        "f": "hls",
        "hls_segment_type": "fmp4",
        "hls_playlist_type": "vod",
        "hls_time": _segment_time(info.video.fps),
        "hls_flags": "independent_segments",
        "hls_fmp4_init_filename": f"{mark}-init.mp4",
        "hls_segment_filename": f"{mark}-%04d.m4s",
    }
    # Names without folders, in the folder that ffmpeg runs in: so they are relative in the playlist.
    call = ffmpeg.get_args(ffmpeg.output(*streams, MEDIA_PLAYLIST, **options))
    media.run_ffmpeg(call, what=f"Packaging {source.name} for streaming", timeout_s=timeout_s, cwd=folder)


def _segment_time(frame_rate: Fraction) -> str:
    """Two groups of pictures, rounded down to ffmpeg's microsecond: it waits for the next keyframe after that."""
    gop_s = max(1, round(GOP_S * frame_rate)) / frame_rate
    return f"{math.floor(SEGMENT_GOPS * gop_s * 1_000_000) / 1e6:.6f}"


def _check_aligned(made: Sequence[HlsRendition]) -> None:
    for one in made[1:]:
        if one.segments_s != made[0].segments_s:
            raise MediaError(
                f"Packaging for streaming: the segments of {one.name} do not begin where those of {made[0].name} do;"
                " render all renditions together, with aligned keyframes."
            )


def _write_subtitles(vtt: str, duration_s: float, folder: Path) -> None:
    """One segment as long as the clip. Segments of a few seconds would repeat each cue that crosses a border."""
    first, *rest = vtt.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if not re.match(r"WEBVTT(\s|$)", first):
        raise ValueError(f"Subtitles must be WebVTT, got {first[:40]!r}")
    text = "\n".join([first, TIMESTAMP_MAP, *rest])
    folder.mkdir()
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS]}.vtt"
    (folder / name).write_text(text, encoding="utf-8", newline="\n")
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{math.ceil(duration_s)}"]
    lines += ["#EXT-X-PLAYLIST-TYPE:VOD", f"#EXTINF:{duration_s:.6f},", name, "#EXT-X-ENDLIST", ""]
    (folder / MEDIA_PLAYLIST).write_text("\n".join(lines), encoding="utf-8")


def _subtitles_entry(language: str | None, *, shown: bool) -> str:
    named = f'NAME="Subtitles ({language})",LANGUAGE="{language}"' if language else 'NAME="Subtitles"'
    choice = f"DEFAULT={'YES' if shown else 'NO'},AUTOSELECT=YES,FORCED=NO"
    uri = f'URI="{SUBTITLES}/{MEDIA_PLAYLIST}"'
    return f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{SUBTITLES_GROUP}",{named},{choice},{uri}'


def _stream_entry(one: HlsRendition, *, with_subtitles: bool) -> str:
    entry = (
        f"#EXT-X-STREAM-INF:BANDWIDTH={one.peak_bps},AVERAGE-BANDWIDTH={one.average_bps}"
        f',CODECS="{one.codecs}",RESOLUTION={one.width}x{one.height},FRAME-RATE={float(one.frame_rate):.3f}'
    )
    return f'{entry},SUBTITLES="{SUBTITLES_GROUP}"' if with_subtitles else entry


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_CHARACTERS]
