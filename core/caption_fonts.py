"""How wide text is in a font, measured in the font's own file."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path

from core.errors import BadSetting
from core.reading import text_width

FONTS = Path(__file__).with_name("assets") / "fonts"
MEASURED_PX = 200
SAMPLE = (
    "When people talk about what they have found, most of the letters that they need are small, 1 in 40 is a capital, "
    "and there is a mark now and then. Everybody knows that; nobody has to count them again."
)
"""English text of ordinary letters, to measure a font's mean advance by."""
RESERVE = 1.1
"""A line may hold wider letters than the sample."""


@dataclass(frozen=True, slots=True)
class FontMetrics:
    """A font as libass finds it by name, and its measures in em."""

    name: str
    width_em: Callable[[str], float]
    """Width of a line of text."""
    size_per_em: float
    """libass takes a font size as the font's ascent plus descent: so many em."""

    def mean_em(self, *, upper: bool = False) -> float:
        """Mean advance of a character of English text, with some reserve."""
        sample = SAMPLE.upper() if upper else SAMPLE
        return RESERVE * self.width_em(sample) / len(sample)


@cache
def read_font(path: Path, name: str) -> FontMetrics:
    """The measures of the TrueType or OpenType font in `path`, whose family is called `name`.

    Raises BadSetting for a file that is no such font.
    """
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(path, MEASURED_PX, layout_engine=ImageFont.Layout.BASIC)
        size_per_em = _size_per_em(path.read_bytes())
    except (OSError, struct.error) as error:
        raise BadSetting(f"The font {path} cannot be read ({error}); give a TrueType or OpenType font.") from error

    def measured(text: str) -> float:
        return font.getlength(text) / MEASURED_PX

    return FontMetrics(name, partial(_width_em, measured), size_per_em)


def default_font(*, bold: bool = False) -> FontMetrics:
    """DejaVu Sans, which Winnow carries."""
    return read_font(FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"), "DejaVu Sans")


def _width_em(measured: Callable[[str], float], text: str) -> float:
    """Full-width characters come from another font, where they are 1 em wide."""
    return sum(
        float(len(run)) if wide else measured(run)
        for wide, run in ((wide, "".join(run)) for wide, run in groupby(text, lambda c: text_width(c) == 2))
    )


def _size_per_em(data: bytes) -> float:
    """Ascent plus descent over em as libass has them: of OS/2 (usWinAscent, usWinDescent), else of hhea.

    Offsets: OpenType specification, tables head, hhea and OS/2.
    """
    first = struct.unpack(">I", data[12:16])[0] if data[:4] == b"ttcf" else 0
    (count,) = struct.unpack_from(">H", data, first + 4)
    tables = {
        data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0]
        for at in range(first + 12, first + 12 + 16 * count, 16)
    }
    if b"head" not in tables or b"hhea" not in tables:
        raise OSError("it has no head or hhea table")
    (em,) = struct.unpack_from(">H", data, tables[b"head"] + 18)
    ascent, descent = struct.unpack_from(">hh", data, tables[b"hhea"] + 4)
    if b"OS/2" in tables:
        win_ascent, win_descent = struct.unpack_from(">HH", data, tables[b"OS/2"] + 74)
        if win_ascent + win_descent:
            ascent, descent = win_ascent, -win_descent
    if not em or ascent <= descent:
        raise OSError("its measures are empty")
    return (ascent - descent) / em
