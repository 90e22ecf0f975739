"""Fonts of brand templates: those that are shipped, by name, and files of a template's own.

libass is asked for a font by the full name written in it, so that name is read here, out of its `name` table
(OpenType specification, "name - Naming Table").
"""

import struct
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import ImageFont

from core.identity import sha256_of
from core.picture import FONTS

FONT_SUFFIXES = (".ttf", ".otf")
MAX_FONT_BYTES = 40 * 1024**2
MAX_NAME_BYTES = 256
OUTLINES = {b"\x00\x01\x00\x00": "truetype", b"true": "truetype", b"OTTO": "postscript"}
FAMILY, FULL_NAME, POSTSCRIPT_NAME = 1, 4, 6
WINDOWS, ENGLISH_US = 3, 0x409


@dataclass(frozen=True, slots=True)
class Font:
    """A font file; its content is its identity."""

    sha256: str
    path: str = field(metadata={"identity": False})
    name: str = field(metadata={"identity": False})
    """What libass finds it by, with Bold and Italic left at 0: the weight is in the name."""
    family: str = field(metadata={"identity": False})

    @property
    def file_name(self) -> str:
        """A plain name for its copy beside ffmpeg, the same for the same font."""
        return f"{self.sha256[:16]}{Path(self.path).suffix.lower()}"


def read_font(path: Path) -> Font:
    """The font in a .ttf or .otf file. Raises ValueError with one clause that says why it cannot be used."""
    if path.suffix.lower() not in FONT_SUFFIXES:
        raise ValueError("is not a .ttf or .otf file")
    if path.stat().st_size > MAX_FONT_BYTES:
        raise ValueError(f"is larger than {MAX_FONT_BYTES // 1024**2} MiB")
    content = path.read_bytes()
    outlines = OUTLINES.get(content[:4])
    if outlines is None:
        raise ValueError("is not a TrueType or OpenType font (collections and web fonts cannot be used)")
    try:
        loaded = ImageFont.truetype(str(path), 64, layout_engine=ImageFont.Layout.BASIC)
        if not loaded.getmask("Aa1").getbbox():
            raise ValueError("draws nothing for the letters A and a")
        names = _names(content)
        wanted = names.get(POSTSCRIPT_NAME if outlines == "postscript" else FULL_NAME)
    except (OSError, struct.error) as error:
        raise ValueError(f"cannot be read as a font ({error})") from error
    family = names.get(FAMILY) or loaded.getname()[0]
    if not wanted or not family or any(c in ",{}\\" or not c.isprintable() for c in wanted + family):
        raise ValueError("has no usable name in it, by which it could be found")
    return Font(sha256_of(path), str(path), wanted, family)


@cache
def shipped_fonts() -> dict[str, Font]:
    """The fonts that come along, by their full names in small letters."""
    fonts = [read_font(path) for path in sorted(FONTS.glob("*.ttf"))]
    return {font.name.casefold(): font for font in fonts}


def _names(content: bytes) -> dict[int, str]:
    """Names by their number in the `name` table: the American English ones of the Windows platform, else any of it."""
    (tables,) = struct.unpack_from(">H", content, 4)
    entries = [struct.unpack_from(">4sIII", content, 12 + 16 * n) for n in range(tables)]
    start = next((offset for tag, _, offset, _ in entries if tag == b"name"), None)
    if start is None:
        return {}
    _, count, texts = struct.unpack_from(">HHH", content, start)
    found: dict[int, str] = {}
    for n in range(count):
        platform, _, language, number, length, offset = struct.unpack_from(">HHHHHH", content, start + 6 + 12 * n)
        if platform == WINDOWS and length <= MAX_NAME_BYTES and (language == ENGLISH_US or number not in found):
            place = start + texts + offset
            found[number] = content[place : place + length].decode("utf-16-be", errors="ignore").strip()
    return found
