"""Lines of text as masks for pictures: wrapped, shrunk or cut so that they fit, and drawn by libass.

libass, as it is built into ffmpeg, orders right-to-left scripts, shapes letters and finds other fonts for letters that
one lacks, on every machine; Pillow does so only where a library is installed beside it. Pillow's widths, which know
none of that, only serve to wrap; what was really drawn is measured, and drawn again smaller where it is too wide.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageFont

from core import media
from core.brand_fonts import Font

ELLIPSIS = "\u2026"
PITCH = 2.0
"""Distance of the strips that lines are drawn on, in font sizes: letters with marks above and below keep apart."""
INK_ABOVE = 0.4
"""How far above the top of a line ink may reach, in font sizes."""
MOST_MARKS = 3
"""More combining marks than this on one letter are left out."""
JOINERS = frozenset("\u200c\u200d")
SKIPPED = re.compile("[\ufe00-\ufe0f\U000e0000-\U000e01ef\U0001f3fb-\U0001f3ff\u2066-\u2069\u202a-\u202e]")
"""Variation selectors, tags, skin tones and overrides of direction, which no plain text needs."""
NOT_FOUND = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
DRAW_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text to draw, `size_px` high from the font's ascender to its descender."""

    text: str
    font: Font
    size_px: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """Ink of one line: 0 nothing to 255 full, cut to its width. Its strip is `PITCH` times the line's size high."""

    ink: Image.Image
    size_px: float
    from_right: bool
    """It reads from right to left."""
    whole: bool
    """No letter was left out for want of a font that has it; signs such as emoji may have been."""


def plain_line(text: str) -> str:
    """`text` on one line: no control characters, no invisible signs but those that join letters, few marks."""
    kept: list[str] = []
    marks = 0
    for c in unicodedata.normalize("NFC", SKIPPED.sub("", text)):
        marks = marks + 1 if unicodedata.category(c).startswith("M") else 0
        if marks <= MOST_MARKS:
            kept.append(c if c.isprintable() or c in JOINERS else " ")
    return " ".join("".join(kept).split())


def wrapped(text: str, font: Font, size_px: float, width_px: float, most_lines: int) -> list[str]:
    """`text` in at most so many lines of about equal width, cut with an ellipsis where it does not fit."""
    lines = _greedy(text, font, size_px, width_px, most_lines)
    if len(lines) < 2 or lines[-1].endswith(ELLIPSIS):
        return lines
    low, high = width_px / 2, width_px
    while high - low > size_px / 4:  # the narrowest width that needs no more lines makes them even
        middle = (low + high) / 2
        tried = _greedy(text, font, size_px, middle, len(lines))
        low, high = (middle, high) if tried[-1].endswith(ELLIPSIS) else (low, middle)
    return _greedy(text, font, size_px, high, len(lines))


def text_width(text: str, font: Font, size_px: float) -> float:
    """About how wide `text` is, in pixels: exact for letters that the font has and that do not join."""
    loaded, em_share = _measure(font.path)
    return loaded.getlength(text) / loaded.size * size_px * em_share


def draw_lines(lines: Sequence[Line], work: Path, width_px: int) -> tuple[list[Drawn], str]:
    """Each line's ink, at most `width_px` wide, and the characters that no font has and that were left out.

    The fonts lie in `work`/fonts. A line that is too wide is drawn again smaller. Raises MediaError.
    """
    inks, missing = _draw(lines, work, width_px * 2)
    kept = [Line(plain_line(_without(line.text, missing)), line.font, line.size_px) for line in lines]
    shares = [min(1.0, (width_px - 2) / ink.width) for ink in inks]
    fitting = [Line(line.text, line.font, line.size_px * share) for line, share in zip(kept, shares, strict=True)]
    if fitting != list(lines):
        inks, _ = _draw(fitting, work, width_px * 2)
    drawn = [
        Drawn(ink, line.size_px, _from_right(line.text), not any(c.isalpha() and c in missing for c in asked.text))
        for ink, line, asked in zip(inks, fitting, lines, strict=True)
    ]
    return drawn, missing


def _draw(lines: Sequence[Line], work: Path, canvas_px: int) -> tuple[list[Image.Image], str]:
    """Ink of each line on a canvas of this width, and what no font has. libass draws them all in one go."""
    tops, at = [], 0.0
    for line in lines:
        tops.append(round(at))
        at += line.size_px * PITCH
    height = max(2, round(at) + 2)
    (work / "brand-text.ass").write_text(_ass(lines, tops, canvas_px, height), encoding="utf-8")
    source = f"color=c=black@0:s={canvas_px}x{height}:r=1,format=rgba"
    graph = ["-vf", "ass=brand-text.ass:fontsdir=fonts:alpha=1", "-frames:v", "1", "-c:v", "png", "-f", "image2"]
    said = media.run_ffmpeg(
        ["-loglevel", "verbose", "-f", "lavfi", "-i", source, *graph, "-update", "1", "brand-text.png"],
        what="Drawing the text of a brand template",
        timeout_s=DRAW_TIMEOUT_S,
        cwd=work,
    )
    with Image.open(work / "brand-text.png") as image:
        alpha = image.getchannel("A")
    inks: list[Image.Image] = []
    for line, top in zip(lines, tops, strict=True):
        strip = alpha.crop((0, top, canvas_px, top + round(line.size_px * PITCH)))
        box = strip.getbbox()
        inks.append(strip.crop((box[0], 0, box[2], strip.height)) if box else Image.new("L", (1, strip.height), 0))
    return inks, "".join(chr(int(code, 16)) for code in dict.fromkeys(NOT_FOUND.findall(said)))


def _ass(lines: Sequence[Line], tops: Sequence[int], width: int, height: int) -> str:
    # A word joiner after a backslash keeps libass from reading what follows as a command; it has no escape for it.
    marks = str.maketrans({"\\": "\\\u2060", "{": "\\{", "}": "\\}"})
    styles = "".join(
        f"Style: L{n},{line.font.name},{line.size_px:.2f},&H00FFFFFF,0,1,0,0,7,{round(line.size_px * 0.2)},0,"
        f"{top + round(line.size_px * INK_ABOVE)},-1\n"
        for n, (line, top) in enumerate(zip(lines, tops, strict=True))
    )
    events = "".join(
        f"Dialogue: 0,0:00:00.00,9:00:00.00,L{n},{line.text.translate(marks)}\n" for n, line in enumerate(lines)
    )
    head = f"[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 2\n"
    columns = "Name, Fontname, Fontsize, PrimaryColour, Bold, BorderStyle, Outline, Shadow, Alignment"
    return (
        f"{head}YCbCr Matrix: None\n\n[V4+ Styles]\nFormat: {columns}, MarginL, MarginR, MarginV, Encoding\n{styles}\n"
        f"[Events]\nFormat: Layer, Start, End, Style, Text\n{events}"
    )


def _greedy(text: str, font: Font, size_px: float, width_px: float, most_lines: int) -> list[str]:
    """As many words as fit on each line, longer words cut; what is left over ends in an ellipsis on the last."""
    lines: list[str] = [""]
    pieces = [p for word in text.split(" ") for p in _pieces(word, font, size_px, width_px)]
    for piece, begins in pieces:
        longer = f"{lines[-1]} {piece}" if begins and lines[-1] else lines[-1] + piece
        if not lines[-1] or text_width(longer, font, size_px) <= width_px:
            lines[-1] = longer
        elif len(lines) < most_lines:
            lines.append(piece)
        else:
            return [*lines[:-1], _cut(longer, font, size_px, width_px)]
    return lines


def _pieces(word: str, font: Font, size_px: float, width_px: float) -> list[tuple[str, bool]]:
    """A word, or parts of it that fit on a line, each with whether it begins the word."""
    parts = [""]
    for cluster in _clusters(word) if text_width(word, font, size_px) > width_px else [word]:
        if parts[-1] and text_width(parts[-1] + cluster, font, size_px) > width_px:
            parts.append("")
        parts[-1] += cluster
    return [(part, n == 0) for n, part in enumerate(parts)]


def _cut(text: str, font: Font, size_px: float, width_px: float) -> str:
    clusters = _clusters(text)
    while clusters and text_width("".join(clusters).rstrip() + ELLIPSIS, font, size_px) > width_px:
        clusters.pop()
    return "".join(clusters).rstrip(" ,;:-\u2013\u2014") + ELLIPSIS


def _clusters(text: str) -> list[str]:
    """Letters with the marks and joiners that belong to them."""
    found: list[str] = []
    for c in text:
        joined = found and (unicodedata.category(c).startswith("M") or c in JOINERS or found[-1][-1] in JOINERS)
        if joined:
            found[-1] += c
        else:
            found.append(c)
    return found


def _from_right(text: str) -> bool:
    """By the first letter that has a direction, as the Unicode bidirectional algorithm has it (rules P2 and P3)."""
    strong = (way for c in text if (way := unicodedata.bidirectional(c)) in ("L", "R", "AL"))
    return next(strong, "L") != "L"


def _without(text: str, characters: str) -> str:
    return "".join(c for c in text if c not in characters)


@cache
def _measure(path: str) -> tuple[ImageFont.FreeTypeFont, float]:
    """The font at a size to measure with, and how large its em is in its height from ascender to descender."""
    loaded = ImageFont.truetype(path, 200, layout_engine=ImageFont.Layout.BASIC)
    ascent, descent = loaded.getmetrics()
    return loaded, 200 / (ascent + descent)
