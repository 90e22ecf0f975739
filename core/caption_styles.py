"""How burned captions look, as data. A style whose letters do not stand out from what is behind them is refused.

Contrast is WCAG 2's (relative luminance of sRGB). Behind a box that lets the picture through may be anything between
black and white; the worse of the two counts. Behind letters with an outline stands the outline.
"""

import re
from dataclasses import dataclass
from typing import Literal

from core.errors import BadSetting
from core.reading import clean

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3 (AA), for text of ordinary size."""
LEAST_OUTLINE_EM = 0.06
"""A thinner outline is not a ground to read on; a choice of ours."""
HEX = re.compile(r"#[0-9a-fA-F]{6}")

Ground = Literal["box", "outline"]
Way = Literal["none", "word", "box", "fill"]
"""How the word that is spoken lights up: not, in a colour, on a box, or by filling it from the left."""


@dataclass(frozen=True, slots=True)
class CaptionStyle:
    """A look. Colours are "#rrggbb", lengths are in em, the letters' own size."""

    name: str
    font: str = "DejaVu Sans"
    bold: bool = False
    upper: bool = False
    """All in capitals."""
    size: float = 0.052
    """1 em as a share of the picture's shorter side."""
    max_line_chars: int = 42
    letters: str = "#ffffff"
    ground: Ground = "box"
    ground_colour: str = "#000000"
    ground_opacity: float = 0.75
    """Of a box; an outline is opaque."""
    outline_em: float = 0.0
    way: Way = "none"
    lit: str = "#ffffff"
    """The letters of the word that is spoken; with "fill", of all that has been spoken."""
    lit_ground: str | None = None
    """What they stand on with "box"."""
    stands: Literal["bottom", "top"] = "bottom"
    """Where it stands if it may choose."""

    def __post_init__(self) -> None:
        for colour in (self.letters, self.ground_colour, self.lit, self.lit_ground or "#000000"):
            rgb(colour)
        if not (0.02 <= self.size <= 0.2 and 2 <= self.max_line_chars <= 42 and 0 <= self.ground_opacity <= 1):
            raise BadSetting(
                f'The caption style "{self.name}" needs a size of 0.02 to 0.2, lines of 2 to 42 characters and an '
                f"opacity of 0 to 1, got {self.size:g}, {self.max_line_chars} and {self.ground_opacity:g}."
            )
        if self.ground == "outline" and not LEAST_OUTLINE_EM <= self.outline_em <= 0.5:
            raise BadSetting(
                f'The caption style "{self.name}" has an outline of {self.outline_em:g} em; give '
                f"{LEAST_OUTLINE_EM:g} to 0.5, or a box."
            )
        if (self.way == "box") != (self.lit_ground is not None) or (self.way == "box" and self.ground != "outline"):
            raise BadSetting(
                f'The caption style "{self.name}" must have a lit_ground, and letters with an outline, if it lights '
                "words up by a box, and only then."
            )
        if (least := least_contrast(self)) < LEAST_CONTRAST:
            raise BadSetting(
                f'The letters of the caption style "{self.name}" have a contrast of only {least:.2f}:1 to what may '
                f"stand behind them, less than {LEAST_CONTRAST}:1; choose other letters, or a denser ground."
            )


def shown(text: str, style: CaptionStyle) -> str:
    """`text` on one line, as the style writes it."""
    return clean(text.upper() if style.upper else text)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0..255, of "#rrggbb". Raises BadSetting for anything else."""
    if not HEX.fullmatch(colour):
        raise BadSetting(f'A colour must be written like "#1a2b3c", got "{colour}".')
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours "#rrggbb", 1..21."""
    return _ratio(_luminance(rgb(one)), _luminance(rgb(other)))


def least_contrast(style: CaptionStyle) -> float:
    """The least contrast between letters of `style`, lit or not, and what may stand behind them."""
    ground = rgb(style.ground_colour)
    opacity = style.ground_opacity if style.ground == "box" else 1.0
    darkest, lightest = (_luminance(_over(ground, opacity, behind)) for behind in (0, 255))
    pairs = [(style.letters, darkest, lightest)]
    if style.way == "box" and style.lit_ground:
        lit_ground = _luminance(rgb(style.lit_ground))
        pairs.append((style.lit, lit_ground, lit_ground))
    elif style.way != "none":
        pairs.append((style.lit, darkest, lightest))
    return min(_against(_luminance(rgb(letters)), low, high) for letters, low, high in pairs)


def _over(colour: tuple[int, int, int], opacity: float, behind: int) -> tuple[float, float, float]:
    red, green, blue = (opacity * channel + (1 - opacity) * behind for channel in colour)
    return red, green, blue


def _against(letters: float, darkest: float, lightest: float) -> float:
    if darkest <= letters <= lightest:
        return 1.0
    return min(_ratio(letters, darkest), _ratio(letters, lightest))


def _ratio(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _luminance(colour: tuple[float, float, float]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2, "relative luminance")."""

    def linear(channel: float) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PLAIN = CaptionStyle("plain")
STYLES: dict[str, CaptionStyle] = {
    style.name: style
    for style in (
        PLAIN,
        CaptionStyle(
            "highlight",
            bold=True,
            size=0.058,
            ground="outline",
            outline_em=0.09,
            way="box",
            lit="#ffffff",
            lit_ground="#1d4ed8",
        ),
        CaptionStyle("karaoke", way="fill", lit="#ffd84a"),
        CaptionStyle(
            "bold",
            bold=True,
            upper=True,
            size=0.074,
            max_line_chars=22,
            ground="outline",
            outline_em=0.11,
            way="word",
            lit="#ffe14a",
        ),
    )
}


def caption_style(name: str) -> CaptionStyle:
    """The style of that name. Raises BadSetting, naming those there are."""
    if name not in STYLES:
        raise BadSetting(f'There is no caption style "{name}"; choose one of {", ".join(STYLES)}.')
    return STYLES[name]
