"""One reel out of finished clips: the picture is copied as it is, the sound joined anew so that every joint keeps sync.

AAC comes in frames of 1024 samples with a priming frame at each clip's start, so copying it would add up to 43 ms at
every joint. The sound is therefore decoded, brought to the exact length of its picture, and encoded once as a whole.

Of clips with an intro and an outro, only the first shows its intro and the last its outro. A picture that is copied can
be cut only before keyframes: `core.encoding` puts them there.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ffmpeg

from core import media, tools
from core.cutting import SAMPLE_RATE_HZ, SOUND_OPTIONS, arguments, file_options
from core.errors import MediaError
from core.probe import probe
from core.records import MediaInfo

CONTAINER = "mov"
CHAPTERS = "chapters.txt"
SPECIAL = str.maketrans({character: f"\\{character}" for character in "=;#\\\n"})
"""What ffmpeg's metadata files give a meaning to."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What of a clip is shown, both edges at borders of its frames."""

    clip: Path
    start_s: float
    end_s: float
    stop_s: float | None = None
    """The decoding time before which reading stops; None reads to the end."""

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def join_clips(
    clips: Sequence[Path],
    titles: Sequence[str],
    *,
    target: Path,
    durations_s: Sequence[float],
    ends_s: Sequence[tuple[float, float]] = (),
    title: str = "Highlights",
) -> None:
    """Write `clips`, made with the same settings from one recording, into one MP4 at `target`, a chapter each.

    Args:
        titles: The chapters' names, one for each clip.
        durations_s: How long each clip is, as its rendering said: a whole number of frames.
        ends_s: How long the intro and the outro of each are; nothing where none has any. Where one cannot be cut off
            exactly, for want of a keyframe, all clips are joined whole.
        title: Of the reel as a whole.

    Raises ValueError for lists that are empty or unequal, MediaError if the clips differ in form or ffmpeg fails.
    """
    if not clips or not len(clips) == len(titles) == len(durations_s):
        counts = f"{len(clips)}, {len(titles)} and {len(durations_s)}"
        raise ValueError(f"A reel needs clips, and as many titles and durations, got {counts}")
    forms = [probe(clip) for clip in clips]
    _check_same_form(clips, forms)
    with TemporaryDirectory(prefix="reel-", dir=target.absolute().parent) as folder:
        work = Path(folder)
        links = [_linked(clip, work / f"{number:04}.mp4") for number, clip in enumerate(clips)]
        pieces = _pieces(links, forms, durations_s, ends_s)
        lengths_s = [piece.length_s for piece in pieces]
        (work / "clips.txt").write_text(_clip_list(pieces), encoding="utf-8")
        (work / CHAPTERS).write_text(chapters_text(titles, lengths_s), encoding="utf-8")
        made = work / "reel.mp4"
        with_sound = forms[0].audio is not None
        media.run_ffmpeg(
            _call(pieces, made, title=title, with_sound=with_sound),
            what=f"Joining {len(clips)} clips into {target.name}",
            timeout_s=300 + sum(durations_s),
            cwd=work,
        )
        made.replace(target)


def chapters_text(titles: Sequence[str], durations_s: Sequence[float]) -> str:
    """Chapters in ffmpeg's metadata format, one after the other, in milliseconds."""
    lines = [";FFMETADATA1"]
    edges_ms = [round(edge_s * 1000) for edge_s in accumulate(durations_s, initial=0.0)]
    for name, (start_ms, end_ms) in zip(titles, pairwise(edges_ms), strict=True):
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={start_ms}",
            f"END={end_ms}",
            f"title={name.translate(SPECIAL)}",
        ]
    return "\n".join([*lines, ""])


def _check_same_form(clips: Sequence[Path], forms: Sequence[MediaInfo]) -> None:
    def form(info: MediaInfo) -> tuple[object, ...]:
        video = info.video
        picture = (video.codec, video.pixel_format, video.width, video.height, video.fps) if video else ()
        return (*picture, info.audio is not None)

    for clip, info in zip(clips, forms, strict=True):
        if info.video is None or form(info) != form(forms[0]):
            raise MediaError(
                f"Joining clips into a reel: {clip.name} differs from the first in size, frame rate or streams,"
                f" {form(info)} and {form(forms[0])}; render all clips with the same settings."
            )


def _linked(clip: Path, link: Path) -> Path:
    """`clip` under a plain name in the working folder, so that no character of its path means anything to ffmpeg."""
    try:
        link.symlink_to(clip.absolute())
    except OSError:  # no links on this file system or without a privilege
        shutil.copyfile(clip, link)
    return link


def _pieces(
    links: Sequence[Path],
    forms: Sequence[MediaInfo],
    durations_s: Sequence[float],
    ends_s: Sequence[tuple[float, float]],
) -> list[_Piece]:
    """What of each clip is shown: all but the intros and outros between two clips."""
    whole = [_Piece(link, 0.0, length_s) for link, length_s in zip(links, durations_s, strict=True)]
    pieces = list(whole)
    for number, (intro_s, outro_s) in enumerate(ends_s):
        video, piece = forms[number].video, pieces[number]
        assert video is not None
        half_s = 0.5 / float(video.fps)
        if number > 0 and intro_s:
            if _decoded_at_s(piece.clip, intro_s, half_s) is None:
                return whole
            piece = replace(piece, start_s=intro_s)
        if number + 1 < len(ends_s) and outro_s:
            end_s = piece.end_s - outro_s
            stop_s = _decoded_at_s(piece.clip, end_s, half_s)
            if stop_s is None:
                return whole
            piece = replace(piece, end_s=end_s, stop_s=stop_s - half_s)
        pieces[number] = piece
    return pieces


def _decoded_at_s(clip: Path, time_s: float, slack_s: float) -> float | None:
    """The decoding time of the keyframe that is shown at `time_s`; None where there is none."""
    # Reading begins at the keyframe before.
    near = f"{max(0.0, time_s - slack_s):.6f}%{time_s + 1:.6f}"
    interval = ["-read_intervals", near, "-select_streams", "v:0", "-of", "json"]
    program = [tools.ffprobe(), "-v", "error", "-protocol_whitelist", "file", "-f", CONTAINER, *interval]
    program += ["-show_entries", "packet=pts_time,dts_time,flags", media.file_url(clip)]
    said, _ = media.run(program, what=f"Looking for the end of the intro in {clip.name}", timeout_s=120)
    for packet in json.loads(said).get("packets", []):
        shown_s = float(packet.get("pts_time", "nan"))
        if abs(shown_s - time_s) < slack_s and "K" in packet.get("flags", ""):
            return float(packet.get("dts_time", shown_s))
    return None


def _clip_list(pieces: Sequence[_Piece]) -> str:
    # Without an inpoint a clip would count from the priming of its sound, 21 ms before its picture.
    entries = [
        f"file {piece.clip.name}\ninpoint {piece.start_s:.6f}\n"
        + (f"outpoint {piece.stop_s:.6f}\n" if piece.stop_s is not None else "")
        + f"duration {piece.length_s:.6f}\n"
        for piece in pieces
    ]
    return "ffconcat version 1.0\n" + "".join(entries)


def _call(pieces: Sequence[_Piece], made: Path, *, title: str, with_sound: bool) -> list[str]:
    joined = ffmpeg.input("clips.txt", f="concat", protocol_whitelist="file")
    chapters = ffmpeg.input(CHAPTERS, f="ffmetadata", protocol_whitelist="file")
    # "?" because a metadata file has no streams to map: it is an input so that its chapters can be named.
    streams, options = [joined.video, chapters["?"]], {"c:v": "copy", **file_options(title)}
    if with_sound:
        streams.append(_joined_sound(pieces))
        options |= SOUND_OPTIONS
    call = arguments(ffmpeg.output(*streams, media.file_url(made), **options))
    inputs = [call[place + 1] for place, word in enumerate(call) if word == "-i"]
    call[call.index("-map_chapters") + 1] = str(inputs.index(CHAPTERS))
    return call


def _joined_sound(pieces: Sequence[_Piece]) -> Any:
    """All clips' sound, each on exactly the samples of its picture."""
    edges = [round(edge_s * SAMPLE_RATE_HZ) for edge_s in accumulate((p.length_s for p in pieces), initial=0.0)]
    parts: list[Any] = []
    for piece, (first, end) in zip(pieces, pairwise(edges), strict=True):
        opened = ffmpeg.input(media.file_url(piece.clip), vn=None, **media.input_options(CONTAINER))
        sound = opened.audio.filter("aresample", SAMPLE_RATE_HZ, **{"async": 1}, first_pts=0)
        begin = round(piece.start_s * SAMPLE_RATE_HZ)
        cut = sound.filter("apad").filter("atrim", start_sample=begin, end_sample=begin + end - first)
        parts.append(cut.filter("asetpts", "N/SR/TB"))
    return ffmpeg.filter(parts, "concat", n=len(parts), v=0, a=1)
