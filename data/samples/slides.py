"""The slides of the sample talk, drawn by code. Facts and figures behind them are explained in README.md."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from page import CORAL, DEEP, FOAM, GOLD, HEIGHT, INK, MOON, MUTED, NIGHT, SEA, SHALLOW, WIDTH, Page
from PIL import Image

LEFT = 72


@dataclass(frozen=True, slots=True)
class Slide:
    """A drawn page with its truth. `build` is True for a page that only adds to the one before it."""

    title: str
    text: str
    build: bool
    image: Image.Image
    text_boxes: tuple[tuple[float, float, float, float], ...]
    """Left, top, right, bottom of each line of text, in page pixels."""


def _heading(page: Page, text: str) -> None:
    page.text((LEFT, 112), text, 52, bold=True)


def _footer(page: Page, number: int) -> None:
    page.text((LEFT, 684), f"Why two tides a day?    {number}", 19, MUTED)


def _bullets(page: Page, top: float, lines: tuple[str, ...], *, size_px: float = 36, accent_last: bool = False) -> None:
    for i, line in enumerate(lines):
        y = top + i * size_px * 2.1
        accented = accent_last and i == len(lines) - 1
        page.disc((LEFT + 10, y - size_px * 0.36), 8, CORAL if accented else SEA)
        page.text((LEFT + 42, y), line, size_px, CORAL if accented else INK, bold=accented)


def _night_sea(page: Page) -> None:
    """Moon over waves, for the first and the last page."""
    page.disc((1040, 190), 92, "#E9EAE4")
    for x, y, radius in ((1010, 165, 20), (1072, 205, 27), (1030, 236, 13), (1068, 140, 11), (986, 214, 10)):
        page.disc((x, y), radius, "#D5D7D0")
    for i, color in enumerate((DEEP, "#11395A", "#0E2E4B")):
        crest = 535 + 52 * i
        wave = [(x, crest + 13 * math.sin(x / 88 + 1.9 * i) + 6 * math.sin(x / 31 + i)) for x in range(0, WIDTH + 8, 8)]
        page.shape([*[(float(x), y) for x, y in wave], (WIDTH, HEIGHT), (0, HEIGHT)], color)


def _earth(page: Page, center: tuple[float, float], radius: float) -> None:
    page.disc(center, radius, "#3E7D5A")
    page.disc(center, radius * 0.1, FOAM)


def _title(page: Page) -> str:
    _night_sea(page)
    page.text((LEFT, 250), "Why Two Tides", 84, FOAM, bold=True)
    page.text((LEFT, 350), "a Day?", 84, FOAM, bold=True)
    page.text((LEFT, 425), "The Moon, the Sun and the shape of the sea", 33, "#BFD6E4")
    page.text((LEFT, 672), "Sample talk of Winnow. The voice is a machine; the speaker is a stand-in.", 22, "#BFD6E4")
    return "Why Two Tides a Day?"


def _school(page: Page, *, then: bool) -> str:
    _heading(page, "What we learned at school")
    known = ("The Moon pulls on the sea", "The water rises below it", "One turn: one high tide")
    _bullets(page, 236, (*known, "But beaches get two") if then else known, accent_last=then)
    if then:
        page.text((LEFT + 42, 236 + 4 * 75.6 - 8), "12 hours 25 minutes apart", 30, CORAL)
    center = (830.0, 330.0)
    page.oval((center[0] + 32, center[1]), 152, 112, SHALLOW)
    _earth(page, center, 104)
    page.disc((1150, 330), 40, MOON)
    page.arrow((1000, 330), (1092, 330), CORAL)
    page.text((1150, 412), "Moon", 26, MUTED, anchor="ms")
    page.text((830, 482), "Earth", 26, MUTED, anchor="ms")
    _footer(page, 2)
    return "What we learned at school"


def _stretch(page: Page) -> str:
    _heading(page, "The missing half")
    x, y, radius = 470, 345, 140
    page.oval((x, y), 235, 148, SHALLOW)
    _earth(page, (x, y), radius)
    page.disc((1150, y), 46, MOON)
    page.text((1150, y + 92), "Moon", 32, MUTED, anchor="ms")
    for dot, length, width in ((x - radius, 72, 8), (x, 108, 9), (x + radius, 160, 10)):
        page.disc((dot, y), 10, CORAL)
        page.arrow((dot, y), (dot + length, y), CORAL, width)
        page.line((dot, 508), (dot, 540), MUTED, 3)
    for side, label in ((-1, "weaker pull"), (1, "stronger pull")):
        page.text((x + side * 205, 182), label, 34, bold=True, anchor="ms")
        page.line((x + side * 190, 196), (x + side * (radius + 4), y - 14), MUTED, 3)
        page.line((x, 524), (x + side * radius, 524), MUTED, 3)
        page.text((x + side * radius / 2, 566), "6,400 km", 26, MUTED, anchor="ms")
    page.text((LEFT, 652), "A tide is the difference between two pulls.", 38, SEA, bold=True)
    return "The missing half"


def _sun(page: Page) -> str:
    _heading(page, "Moon or Sun?")
    rows = (
        ("Mass", "1", "27 million"),
        ("Distance", "1", "389"),
        ("Pull: mass / distance squared", "1", "179"),
        ("Tide: mass / distance cubed", "1", "0.46"),
    )
    page.bar(56, 496, 1224, 586, "#FBDDCF", radius=12)
    page.text((850, 214), "Moon", 34, MUTED, bold=True, anchor="rs")
    page.text((1190, 214), "Sun", 34, MUTED, bold=True, anchor="rs")
    for i, (name, moon, sun) in enumerate(rows):
        y, last = 290 + i * 88, i == len(rows) - 1
        page.line((LEFT, y - 58), (1208, y - 58), "#D8D2C4", 2)
        page.text((LEFT, y), name, 34, INK, bold=last)
        page.text((850, y), moon, 38, INK, anchor="rs")
        page.text((1190, y), sun, 38, CORAL if last else INK, bold=True, anchor="rs")
    page.text((1208, 684), "Everything relative to the Moon", 22, MUTED, anchor="rs")
    _footer(page, 4)
    return "Moon or Sun?"


def _spring(page: Page) -> str:
    _heading(page, "Spring tide and neap tide")
    y = 352
    panels = (
        (LEFT, "Spring tide", "full or new Moon: they add", (330, y), (330, y - 34), (94, 60), "1 + 0.46 = 1.46"),
        (672, "Neap tide", "half Moon: partly cancel", (178, 250), (244, 258), (62, 72), "1 \u2212 0.46 = 0.54"),
    )
    for x, name, meaning, moon, label, water, total in panels:
        page.text((x, 178), name, 36, SEA, bold=True)
        page.text((x, 216), meaning, 26, MUTED)
        page.oval((x + 178, y), *water, SHALLOW)
        _earth(page, (x + 178, y), 54)
        page.disc((x + moon[0], moon[1]), 20, MOON)
        page.disc((x + 462, y), 52, GOLD)
        page.text((x + label[0], label[1]), "Moon", 24, MUTED, anchor="ms")
        page.text((x + 462, y + 88), "Sun", 24, MUTED, anchor="ms")
        page.text((x + 178, y + 100), "Earth", 24, MUTED, anchor="ms")
        page.text((x, 510), total, 40, CORAL, bold=True)
    _footer(page, 5)
    return "Spring tide and neap tide"


def _range(page: Page) -> str:
    _heading(page, "Twice, and twice, and twice again")
    page.text((LEFT, 160), "Mean tidal range in meters", 27, MUTED)
    base, scale = 590, 31.0
    places = (("New York", 1.4), ("Boston", 2.9), ("Eastport", 5.6), ("Burntcoat Head", 11.7))
    page.line((LEFT, base), (1208, base), INK, 3)
    for i, (name, meters) in enumerate(places):
        x, last = 190 + i * 292, i == len(places) - 1
        page.bar(x - 76, base - meters * scale, x + 76, base - 1, CORAL if last else SEA)
        page.text((x, base - meters * scale - 16), f"{meters}", 38, INK, bold=True, anchor="ms")
        page.text((x, base + 42), name, 28, INK, anchor="ms")
    for i in range(3):
        page.text(
            (336 + i * 292, base - (places[i][1] + 0.6) * scale - 34), "\u00d72", 34, MUTED, bold=True, anchor="ms"
        )
    _footer(page, 6)
    return "Twice, and twice, and twice again"


def _ground(page: Page) -> str:
    _heading(page, "The ground has tides too")
    page.text((LEFT, 292), "30 cm", 104, CORAL, bold=True)
    page.text((500, 262), "rock goes up and down", 36)
    page.text((500, 312), "twice a day", 36)
    page.text((LEFT, 482), "1 mm", 104, SEA, bold=True)
    page.text((500, 452), "change of a ring of 27 km,", 36)
    page.text((500, 502), "the collider in Geneva", 36)
    _footer(page, 7)
    return "The ground has tides too"


def _leaving(page: Page) -> str:
    _heading(page, "The Moon is leaving")
    rows = (
        ("3.8 cm", "further away every year", CORAL),
        ("400 days", "in a year, 400 million years ago", SEA),
        ("22 hours", "in each of those days", SEA),
    )
    for i, (figure, meaning, color) in enumerate(rows):
        y = 262 + i * 148
        page.text((LEFT, y), figure, 68, color, bold=True)
        page.text((500, y - 6), meaning, 38)
    _footer(page, 8)
    return "The Moon is leaving"


def _recap(page: Page, *, then: bool) -> str:
    _heading(page, "To take home")
    kept = (
        "A tide is a difference, not a pull",
        "Two sides of the Earth: two bulges",
        "Near and small beats far and huge",
    )
    _bullets(page, 250, (*kept, "The coast decides the rest") if then else kept, size_px=44, accent_last=then)
    _footer(page, 9)
    return "To take home"


def _thanks(page: Page) -> str:
    _night_sea(page)
    page.text((LEFT, 250), "Thank you", 84, FOAM, bold=True)
    page.text((LEFT, 330), "Next week: earthquakes", 38, "#BFD6E4")
    page.text((LEFT, 632), "Text and slides: CC0. Voice: flite, rms.", 24, FOAM)
    page.text((LEFT, 672), "Speaker picture: White House, 14 July 2015; not his voice or words.", 22, FOAM)
    return "Thank you"


def _drawn(draw: Callable[[Page], str], *, build: bool = False, dark: bool = False) -> Slide:
    page = Page(NIGHT) if dark else Page()
    title = draw(page)
    return Slide(title, "\n".join(page.texts), build, page.finished(), tuple(page.text_boxes))


def draw_slides() -> dict[str, Slide]:
    """All pages by the names that talk.py gives them."""
    return {
        "title": _drawn(_title, dark=True),
        "school": _drawn(lambda page: _school(page, then=False)),
        "school, then": _drawn(lambda page: _school(page, then=True), build=True),
        "stretch": _drawn(_stretch),
        "sun": _drawn(_sun),
        "spring": _drawn(_spring),
        "range": _drawn(_range),
        "ground": _drawn(_ground),
        "leaving": _drawn(_leaving),
        "recap": _drawn(lambda page: _recap(page, then=False)),
        "recap, then": _drawn(lambda page: _recap(page, then=True), build=True),
        "thanks": _drawn(_thanks, dark=True),
    }
