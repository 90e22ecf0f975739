"""A clip's renditions out of one decode: the graph is split behind the finished picture, and each size is encoded.

The largest is encoded as a clip is that has no other rendition. The others are scaled one from the other and encoded
with the fastest motion search that still looks ahead: at 480 lines this costs half of what the preset veryfast does,
for 3 % more bytes and 0.1 dB less PSNR on a lecture.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from core import media
from core.cutting import GOP_S, SOUND_OPTIONS, file_options
from core.encoders import Encoder
from core.ladder import Planned

SMALL_PRESET = "superfast"
FASTER_PRESETS = frozenset({"ultrafast", "superfast"})
LOOK_AHEAD = "mbtree=1:rc-lookahead=10"
"""What the preset superfast leaves out and what makes the difference: how far a block is looked at from later on."""
BUFFER_S = 2


def rendition_name(planned: Planned, stem: str) -> str:
    """The file name of a rendition that is not the largest, whose name is `stem`.mp4."""
    return f"{stem}-{planned.name}.mp4"


def outputs(
    picture: Any,
    sound: Any | None,
    planned: Sequence[Planned],
    *,
    encoder: Encoder,
    crf: int,
    preset: str,
    threads: int,
    frame_rate: Fraction,
    title: str,
    folder: Path,
    aligned: bool,
    stem: str = "clip",
    keyframes: Sequence[int] = (),
) -> list[Any]:
    """An ffmpeg-python output for each of `planned`, in that order, to be merged with `ffmpeg.merge_outputs`.

    Args:
        picture: The finished frames, as large as the clip; a stream of a filter or an input.
        sound: The finished sound; None where the clip has none.
        planned: What `plan_renditions` gave for the clip's size.
        encoder: What encodes the largest; the others cost so little that x264 does them everywhere.
        crf: Quality of the renditions whose rung names none, as x264 counts it.
        preset: x264's name of how much work the largest is worth.
        folder: Where the files are written: `stem`.mp4, and `rendition_name` for the others.
        aligned: Put keyframes at the same frames in all renditions, which streaming needs; else also at cuts.
        keyframes: Numbers of frames that must be keyframes besides.
    """
    gop = max(1, round(GOP_S * frame_rate))
    sounds = [sound] if len(planned) == 1 else _copies(sound, len(planned), "asplit")
    made: list[Any] = []
    for place, (one, shown, heard) in enumerate(zip(planned, _sizes(picture, planned), sounds, strict=True)):
        quality = one.rendition.crf if one.rendition.crf is not None else crf
        if place == 0:
            options = encoder.options(crf=quality, preset=preset, g=gop, threads=threads)
            options |= {"profile:v": one.rendition.profile}
        else:
            options = small_options(one, crf=quality, preset=preset, g=gop, threads=threads)
        options |= _limits(one, frame_rate) | file_options(title)
        if aligned:
            options |= {"keyint_min": gop, "sc_threshold": 0}
        if keyframes:
            options["force_key_frames"] = "expr:" + "+".join(f"eq(n,{frame})" for frame in keyframes)
        if heard is not None:
            options |= SOUND_OPTIONS | _sound_options(one, small=place > 0)
        name = f"{stem}.mp4" if place == 0 else rendition_name(one, stem)
        made.append(
            ffmpeg.output(*([shown] if heard is None else [shown, heard]), media.file_url(folder / name), **options)
        )
    return made


def small_options(planned: Planned, *, crf: int, preset: str, g: int, threads: int) -> dict[str, Any]:
    """How a rendition that is not the largest is encoded: by x264, at little cost."""
    faster = preset in FASTER_PRESETS
    options = Encoder("x264", "").options(crf=crf, preset=preset if faster else SMALL_PRESET, g=g, threads=threads)
    if not faster:
        options["x264-params"] = LOOK_AHEAD
    return options | {"profile:v": planned.rendition.profile}


def _limits(planned: Planned, frame_rate: Fraction) -> dict[str, Any]:
    """What the rung allows: the rate of the picture, and the level."""
    rung = planned.rendition
    options: dict[str, Any] = {}
    if rung.max_kbps is not None:
        options |= {"maxrate": f"{rung.max_kbps}k", "bufsize": f"{rung.buffer_kbit or BUFFER_S * rung.max_kbps}k"}
    if level := planned.level(frame_rate):
        options["level:v"] = level
    return options


def _sound_options(planned: Planned, *, small: bool) -> dict[str, Any]:
    """The search in two loops is worth its time once; the small renditions' sound takes a third of it."""
    rate = {"b:a": f"{planned.rendition.audio_kbps}k"}
    return rate | {"aac_coder": "fast"} if small else rate


def _sizes(picture: Any, planned: Sequence[Planned]) -> list[Any]:
    """The picture in every size, each scaled from the one before it: cheaper than from a large first one."""
    pictures: list[Any] = []
    for place, one in enumerate(planned):
        if place > 0 or one.scaled:
            picture = picture.filter("scale", w=one.width, h=one.height, flags="bicubic").filter("setsar", "1")
        kept, picture = (picture, None) if place + 1 == len(planned) else _copies(picture, 2, "split")
        pictures.append(kept)
    return pictures


def _copies(stream: Any | None, count: int, filter_name: str) -> list[Any]:
    if stream is None:
        return [None] * count
    split = stream.filter_multi_output(filter_name, count)
    return [split[place] for place in range(count)]
