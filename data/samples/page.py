"""A 1280x720 page to draw a slide on: shapes are smoothed, and every text drawn is remembered in order."""

import math
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1280, 720
FINE = 2
"""Pages are drawn this much larger and scaled down, because Pillow draws shapes without smoothing."""
MARGIN = 40
FONTS = Path("/usr/share/fonts/truetype/dejavu")
"""DejaVu Sans (Debian and Ubuntu: `apt install fonts-dejavu`)."""

PAPER, INK, MUTED = "#F7F3EA", "#13263C", "#56677A"
SEA, SHALLOW, CORAL, GOLD, MOON = "#1B7489", "#A9D3DC", "#D9481F", "#E8A317", "#C9CDD3"
NIGHT, DEEP, FOAM = "#0C1C30", "#14466A", "#F2F6F8"

Point = tuple[float, float]


@cache
def font(size_px: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"), round(size_px * FINE))


class Page:
    """Draws in page pixels. `texts` is what a reader would read, in the order it was drawn."""

    def __init__(self, background: str = PAPER) -> None:
        self._image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), background)
        self._draw = ImageDraw.Draw(self._image)
        self.texts: list[str] = []
        self.text_boxes: list[tuple[float, float, float, float]] = []

    def finished(self) -> Image.Image:
        return self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def text(
        self, at: Point, text: str, size_px: float, color: str = INK, *, bold: bool = False, anchor: str = "ls"
    ) -> None:
        """Draw one line of text; `anchor` is Pillow's. Raises ValueError if it would leave the page's margin."""
        place = (at[0] * FINE, at[1] * FINE)
        box = self._draw.textbbox(place, text, font=font(size_px, bold=bold), anchor=anchor)
        left, top, right, bottom = (edge / FINE for edge in box)
        if left < MARGIN or top < MARGIN / 2 or right > WIDTH - MARGIN or bottom > HEIGHT - MARGIN / 2:
            raise ValueError(f"{text!r} does not fit its page: {left:.0f},{top:.0f} to {right:.0f},{bottom:.0f}")
        self._draw.text(place, text, fill=color, font=font(size_px, bold=bold), anchor=anchor)
        self.texts.append(text)
        self.text_boxes.append((left, top, right, bottom))

    def disc(self, center: Point, radius: float, color: str) -> None:
        self.oval(center, radius, radius, color)

    def oval(self, center: Point, radius_x: float, radius_y: float, color: str) -> None:
        (x, y), f = center, FINE
        self._draw.ellipse(((x - radius_x) * f, (y - radius_y) * f, (x + radius_x) * f, (y + radius_y) * f), fill=color)

    def bar(self, left: float, top: float, right: float, bottom: float, color: str, *, radius: float = 0.0) -> None:
        box = (left * FINE, top * FINE, right * FINE, bottom * FINE)
        self._draw.rounded_rectangle(box, radius * FINE, fill=color)

    def shape(self, points: list[Point], color: str) -> None:
        self._draw.polygon([(x * FINE, y * FINE) for x, y in points], fill=color)

    def line(self, start: Point, end: Point, color: str, width: float = 3.0) -> None:
        ends = (start[0] * FINE, start[1] * FINE, end[0] * FINE, end[1] * FINE)
        self._draw.line(ends, fill=color, width=round(width * FINE))

    def arrow(self, start: Point, end: Point, color: str, width: float = 7.0) -> None:
        """A line with a solid head whose tip is at `end`."""
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        head = 3.2 * width
        neck = (end[0] - head * math.cos(angle), end[1] - head * math.sin(angle))
        side_x, side_y = 0.55 * head * math.sin(angle), 0.55 * head * math.cos(angle)
        self.line(start, neck, color, width)
        self.shape([end, (neck[0] - side_x, neck[1] + side_y), (neck[0] + side_x, neck[1] - side_y)], color)
