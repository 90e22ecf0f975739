"""How a clip looks: upright, square pixels, even size, limited-range 8-bit colours that say what they are.

Recordings without a picture get a simple one: its title and its waveform, which lights up as it plays.
"""

import shutil
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import ffmpeg

from core import media, tools
from core.cutting import GENERATED_RATE
from core.records import VideoStream

FONTS = Path(__file__).with_name("assets") / "fonts"
GENERATED_SIZE = (1280, 720)
HD_LINES = 720
ANY_HEIGHT = 10**6
"""No picture is higher."""
WIDEST_PIXEL = 4
"""Pixels said to be wider than this, or as much taller, are a wrong tag: they are taken for square."""
HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
HDR_WHITE_NITS = 100
RGB_NAMES = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr", "bayer", "xyz12")
GROUND, WAVE, VEIL = "0x10161e", "0x6db3f2", 0.7
WAVE_BOX = (140, 350, 1000, 170)
"""Left, top, width and height of the waveform, in pixels."""
BAR_PX, BAR_GAP_PX = 8, 3
WAVE_GAIN_DB = 9
"""Bars show mean levels, which lie far below the peaks."""
TITLE_SIZES = ((60, 64), (110, 52), (180, 42))
"""Letters are this high, in pixels, up to so many columns of text; a longer title is cut."""
WORD_COLUMNS = 24
"""A longer word would not fit on a line."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What the pixels of a clip mean, in ffmpeg's names; None leaves the recording's own tag as it is."""

    tag: str | None
    tone_mapped: bool
    warning: str | None


def clip_size(video: VideoStream | None, max_height: int) -> tuple[int, int]:
    """Width and height of the clip, as shown: even, with square pixels, turned upright, at most `max_height` high."""
    if video is None:
        return _scaled(*GENERATED_SIZE, max_height)
    aspect = Fraction(video.sample_aspect_ratio.replace(":", "/"))
    if not Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
        aspect = Fraction(1)
    width, height = video.width * aspect, Fraction(video.height)
    if video.rotation_deg in (90, 270):
        width, height = Fraction(video.height), width
    return _scaled(width, height, max_height)


def shown_size(video: VideoStream | None) -> tuple[int, int]:
    """Width and height of the upright picture with square pixels, at the recording's own size: what boxes count in."""
    return clip_size(video, ANY_HEIGHT)


def plan_colours(video: VideoStream | None) -> Colours:
    """What is done to the colours of `video` and which tags its clips carry.

    RGB becomes bt709; an untagged picture of HD size is bt709 already (ITU-R BT.709 is what HD is made in) and is
    told so; others keep their tags; HDR is brought to bt709 where this ffmpeg can.
    """
    if video is None or _is_rgb(video):
        return Colours("bt709", False, None)
    if video.color_transfer in HDR_TRANSFERS:
        if _has_filters("zscale", "tonemap"):
            return Colours("bt709", True, None)
        return Colours(
            None,
            False,
            "The recording is HDR and this ffmpeg lacks zscale or tonemap, so colours look pale on common screens;"
            " install an ffmpeg with libzimg.",
        )
    untagged_hd = video.color_space is None and max(video.height, video.width * 9 // 16) >= HD_LINES
    return Colours("bt709" if untagged_hd else None, False, None)


def finish_picture(picture: Any, video: VideoStream, size: tuple[int, int], colours: Colours) -> Any:
    """`picture`, an ffmpeg-python stream, in the clip's size and colours. ffmpeg has turned it upright already."""
    scaling: dict[str, Any] = {"w": size[0], "h": size[1], "flags": "bicubic"}
    if not colours.tone_mapped:
        scaling["out_range"] = "tv"
        if video.color_range == "pc" or video.pixel_format.startswith("yuvj"):
            scaling["in_range"] = "pc"
        if _is_rgb(video):
            scaling["out_color_matrix"] = "bt709"
    picture = picture.filter("scale", **scaling)
    if colours.tone_mapped:
        picture = _tone_mapped(picture, video)
    picture = picture.filter("format", "yuv420p").filter("setsar", "1")
    tags = {"range": "tv"}
    if colours.tag:
        tags |= {"colorspace": colours.tag, "color_trc": colours.tag, "color_primaries": colours.tag}
    return picture.filter("setparams", **tags)


def burn_captions(picture: Any, name: str = "captions.ass") -> Any:
    """Draw the captions in `name` with the fonts in `fonts`; both lie where ffmpeg runs, so no path needs escaping."""
    return picture.filter("ass", name, fontsdir="fonts")


def generated_picture(sound: Any, frames: int, size: tuple[int, int]) -> Any:
    """A picture for a clip of `sound`: its title above its whole waveform, which lights up as it plays.

    `title.ass` and `fonts` lie where ffmpeg runs. Encoding the waveform of each instant would cost three times as much.
    """
    left, top, width, height = WAVE_BOX
    duration_s = float(frames / GENERATED_RATE)
    bars = (
        sound.filter("aformat", channel_layouts="mono")
        .filter("volume", f"{WAVE_GAIN_DB}dB")
        .filter("showwavespic", s=f"{width // BAR_PX}x{height}", colors=WAVE, scale="sqrt", draw="full")
        .filter("scale", width, height, flags="neighbor")
    )
    still = (
        _plain(GROUND, *GENERATED_SIZE)
        .filter("trim", end_frame=1)
        .overlay(bars, x=left, y=top)
        .filter("drawgrid", x=left, y=-1, w=BAR_PX, h=2 * GENERATED_SIZE[1], t=BAR_GAP_PX, c=GROUND)
        .filter("ass", "title.ass", fontsdir="fonts")
        .filter("scale", out_color_matrix="bt709", out_range="tv")
        .filter("format", "yuv420p")
    )
    drawn = (
        still.filter("loop", loop=-1, size=1)
        .filter("setpts", f"N/{GENERATED_RATE}/TB")
        .filter("trim", end_frame=frames)
        .overlay(_plain(f"{GROUND}@{VEIL}", width, height), x=f"{left}+2*trunc({width // 2}*t/{duration_s:.3f})", y=top)
        .filter("trim", end_frame=frames)
        .filter("scale", *size)
    )
    tags = {"range": "tv", "colorspace": "bt709", "color_trc": "bt709", "color_primaries": "bt709"}
    return drawn.filter("format", "yuv420p").filter("setsar", "1").filter("setparams", **tags)


def title_ass(title: str) -> str:
    """Advanced SubStation Alpha that shows `title` above the waveform, wrapped into lines of even length."""
    left, top, wave_width, _ = WAVE_BOX
    width, height = GENERATED_SIZE
    words, columns = _fitted(title)
    # libass has no escape for a backslash: a word joiner after it keeps it from beginning a command.
    text = words.translate(str.maketrans({"\\": "\\\u2060", "{": "\\{", "}": "\\}"}))
    letters = next(size for most, size in TITLE_SIZES if columns <= most)
    right = width - left - wave_width
    style = "Name, Fontname, Fontsize, PrimaryColour, Bold, BorderStyle, Outline, Shadow, Alignment"
    return f"""[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
YCbCr Matrix: None

[V4+ Styles]
Format: {style}, MarginL, MarginR, MarginV
Style: Title,DejaVu Sans,{letters},&H00F5F1EC,1,1,0,0,2,{left},{right},{height - top + 50}

[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:00.00,99:00:00.00,Title,{text}
"""


def copy_fonts(work: Path) -> None:
    """Put the fonts beside what ffmpeg is run on, so that no path of theirs needs escaping in a filter."""
    (work / "fonts").mkdir(exist_ok=True)
    for font in FONTS.glob("*.ttf"):
        shutil.copyfile(font, work / "fonts" / font.name)


def _fitted(title: str) -> tuple[str, int]:
    """`title` on one line of words that fit, cut if too long, and how many columns it takes."""
    printable = "".join(c if c.isprintable() else " " for c in title).split()
    words = " ".join(piece for word in printable for piece in _pieces(word))
    most = TITLE_SIZES[-1][0]
    if _columns(words) > most:
        while _columns(words) >= most:
            words = words[:-1].rstrip()
        words += "\u2026"
    return words, _columns(words)


def _pieces(word: str) -> list[str]:
    size = WORD_COLUMNS * len(word) // max(_columns(word), WORD_COLUMNS) or 1
    return [word[start : start + size] for start in range(0, len(word), size)]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _scaled(width: Fraction | int, height: Fraction | int, max_height: int) -> tuple[int, int]:
    factor = min(Fraction(1), Fraction(max_height) / height)
    return max(2, 2 * round(width * factor / 2)), max(2, 2 * int(height * factor / 2))


def _is_rgb(video: VideoStream) -> bool:
    return video.pixel_format.startswith(RGB_NAMES)


def _tone_mapped(picture: Any, video: VideoStream) -> Any:
    """From PQ or HLG to bt709 in linear light, by the filmic curve of Hable, which keeps detail in the highlights."""
    source = {
        "transferin": video.color_transfer,
        "primariesin": video.color_primaries or "bt2020",
        "matrixin": video.color_space or "bt2020nc",
        "rangein": "full" if video.color_range == "pc" else "limited",
    }
    return (
        picture.filter("format", "yuv420p10le")
        .filter("zscale", **source, transfer="linear", npl=HDR_WHITE_NITS)
        .filter("format", "gbrpf32le")
        .filter("zscale", primaries="bt709")
        .filter("tonemap", tonemap="hable", desat=0)
        .filter("zscale", transfer="bt709", matrix="bt709", range="limited")
    )


def _plain(colour: str, width: int, height: int) -> Any:
    return ffmpeg.input(f"color=c={colour}:s={width}x{height}:r={GENERATED_RATE},format=yuva420p", f="lavfi")


@cache
def _has_filters(*names: str) -> bool:
    listed, _ = media.run(
        [tools.ffmpeg(), "-hide_banner", "-filters"], what="Asking ffmpeg for its filters", timeout_s=30
    )
    known = {parts[1] for line in listed.splitlines() if len(parts := line.split()) > 1}
    return known.issuperset(names)
