"""Contact sheets: a clip at a glance as a grid of its frames, and all clips of a recording side by side, as JPEGs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import frames
from core.errors import MediaError
from core.picture import FONTS
from core.records import Cue, MediaInfo

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

GROUND, FRAME, BRIGHT, DIM = "#10161e", "#2c3744", "#f1f4f7", "#a9b4c0"
EDGE_PX, GAP_PX = 24, 16
TEXT_PX, TITLE_PX, LABEL_PX = 15, 22, 13
LINE = 1.5
"""Height of a line of text, in letter sizes."""
QUALITY = 85
WIDE, NARROW = (4, 3), (6, 2)
"""Columns and rows of a sheet for pictures at least as wide as high, and for others: twelve frames either way."""
MOST_FRAMES = 120
ROW_PX = 180
TITLE_LINES, CAPTION_LINES = 3, 2
TALLEST_PX = 65_500
"""JPEG counts lines with 16 bits."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A clip in an overview: its title, a line about it, and for each of its formats the name and a picture."""

    title: str
    note: str
    pictures: tuple[tuple[str, Path], ...]


def write_contact_sheet(
    clip: Path,
    info: MediaInfo,
    target: Path,
    *,
    scratch: Path,
    times_s: Sequence[float] | None = None,
    columns: int | None = None,
    rows: int | None = None,
    width_px: int = 1280,
    title: str = "",
    captions: Sequence[Cue] = (),
) -> None:
    """Write a JPEG `width_px` wide with frames of `clip`, each over its time and the caption shown then.

    Args:
        info: What the probe found on `clip`.
        scratch: An existing folder for small files that are gone afterwards.
        times_s: Which frames; else `columns` x `rows` of them, evenly spaced. Without `columns`, six for an upright
            picture and four for others. Given times fill as many rows as they need.
        captions: On the clip's own timeline.

    Raises MediaError where the clip has no picture or none can be decoded, ValueError for a sheet without frames, with
    more than MOST_FRAMES, or whose frames would be under 32 pixels wide.
    """
    from PIL import Image

    usual = WIDE if _is_wide(clip, info) else NARROW
    columns, rows = columns or usual[0], rows or usual[1]
    count = columns * rows
    times_s = [info.duration_s * (i + 0.5) / count for i in range(count)] if times_s is None else sorted(times_s)
    wide = (width_px - 2 * EDGE_PX - (columns - 1) * GAP_PX) // columns
    if not 0 < len(times_s) <= MOST_FRAMES or wide < 32:
        raise ValueError(f"A contact sheet shows 1 to {MOST_FRAMES} frames of 32 pixels or more, got {columns}x{rows}")
    found = dict(frames.frames_at(clip, info, times_s, scratch=scratch, width_px=wide))
    high = next(iter(found.values())).image.shape[0]
    step = high + round(TEXT_PX * LINE) + GAP_PX + (round(CAPTION_LINES * LABEL_PX * LINE) if captions else 0)
    sheet = _Sheet(width_px, title, -(-len(times_s) // columns) * step - GAP_PX)
    for place, time_s in enumerate(times_s):
        x, y = EDGE_PX + place % columns * (wide + GAP_PX), sheet.top + place // columns * step
        sheet.paste(Image.fromarray(found[time_s].image), x, y)
        y += high + 4
        sheet.text(x, y, _clock(time_s), sheet.font(TEXT_PX, bold=True), BRIGHT, wide)
        said = next((" ".join(cue.lines) for cue in captions if cue.start_s <= time_s < cue.end_s), "")
        for line in _lines(said, sheet.font(LABEL_PX), wide, CAPTION_LINES):
            y += round(LABEL_PX * LINE)
            sheet.text(x, y, line, sheet.font(LABEL_PX), DIM, wide)
    sheet.save(target)


def write_overview(clips: Sequence[Shown], target: Path, *, title: str = "", width_px: int = 1280) -> None:
    """Write a JPEG with a row for each clip: its pictures side by side, all of one height, then title and note.

    Raises MediaError where a picture cannot be read, ValueError for no clips or too many for one JPEG.
    """
    row_px = ROW_PX + round(LABEL_PX * LINE)
    height = len(clips) * (row_px + GAP_PX) - GAP_PX
    if not 0 < height <= TALLEST_PX:
        raise ValueError(f"An overview needs 1 to {TALLEST_PX // (row_px + GAP_PX)} clips, got {len(clips)}")
    opened = [[(label, _opened(path)) for label, path in clip.pictures] for clip in clips]
    widest = max((_row_width(pictures) for pictures in opened), default=0)
    sheet = _Sheet(width_px, title, height)
    for number, (clip, pictures) in enumerate(zip(clips, opened, strict=True)):
        y = sheet.top + number * (row_px + GAP_PX)
        x = EDGE_PX
        for label, image in pictures:
            sheet.paste(image, x, y)
            sheet.text(x, y + ROW_PX + 3, label, sheet.font(LABEL_PX), DIM, max(image.width, 60))
            x += image.width + GAP_PX
        left = EDGE_PX + widest + GAP_PX
        room = width_px - EDGE_PX - left
        for line in _lines(clip.title, sheet.font(TITLE_PX, bold=True), room, TITLE_LINES):
            sheet.text(left, y, line, sheet.font(TITLE_PX, bold=True), BRIGHT, room)
            y += round(TITLE_PX * LINE)
        sheet.text(left, y + 4, clip.note, sheet.font(TEXT_PX), DIM, room)
    sheet.save(target)


class _Sheet:
    """A plain ground with a title, to put pictures and text on."""

    def __init__(self, width_px: int, title: str, body_px: int) -> None:
        from PIL import Image, ImageDraw

        self._fonts: dict[tuple[int, bool], FreeTypeFont] = {}
        self.top = EDGE_PX + (round(TITLE_PX * LINE) + 8 if title else 0)
        self.image: Image.Image = Image.new("RGB", (width_px, min(TALLEST_PX, self.top + body_px + EDGE_PX)), GROUND)
        self._draw: ImageDraw.ImageDraw = ImageDraw.Draw(self.image)
        self.text(EDGE_PX, EDGE_PX - 2, title, self.font(TITLE_PX, bold=True), BRIGHT, width_px - 2 * EDGE_PX)

    def font(self, size_px: int, *, bold: bool = False) -> "FreeTypeFont":
        from PIL import ImageFont

        if (size_px, bold) not in self._fonts:
            name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
            self._fonts[size_px, bold] = ImageFont.truetype(FONTS / name, size_px)
        return self._fonts[size_px, bold]

    def paste(self, image: "Image", x: int, y: int) -> None:
        """A picture, with a thin line around it that tells a dark one from the ground."""
        self._draw.rectangle((x - 1, y - 1, x + image.width, y + image.height), outline=FRAME)
        self.image.paste(image, (x, y))

    def text(self, x: int, y: int, text: str, font: "FreeTypeFont", colour: str, room_px: int) -> None:
        """One line, cut to `room_px`."""
        if fitted := _fitted(text, font, room_px):
            self._draw.text((x, y), fitted, fill=colour, font=font)

    def save(self, target: Path) -> None:
        self.image.save(target, "JPEG", quality=QUALITY, optimize=True)


def _is_wide(clip: Path, info: MediaInfo) -> bool:
    if info.video is None:
        raise MediaError(f"Making a contact sheet of {clip.name}: it has no picture, only sound.")
    raster = frames.upright_raster(info.video, frames.THUMBNAIL_WIDTH_PX)
    return raster.width_px >= raster.height_px


def _opened(path: Path) -> "Image":
    """A picture, scaled to the height of a row."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            whole = file.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise MediaError(f"Making the overview: the picture {path} cannot be read: {error}") from error
    return whole.resize((max(2, round(whole.width * ROW_PX / whole.height)), ROW_PX), Image.Resampling.LANCZOS)


def _row_width(pictures: Sequence[tuple[str, "Image"]]) -> int:
    return sum(image.width for _, image in pictures) + GAP_PX * max(0, len(pictures) - 1)


def _clock(time_s: float) -> str:
    tenths = round(time_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def _fitted(text: str, font: "FreeTypeFont", room_px: float) -> str:
    """The text on one line, its end replaced by an ellipsis where it does not fit; empty where nothing does."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if font.getlength(shown) <= room_px:
        return shown
    while shown and font.getlength(shown + "…") > room_px:
        shown = shown[:-1].rstrip()
    return shown + "…" if shown else ""


def _lines(text: str, font: "FreeTypeFont", room_px: float, most: int) -> list[str]:
    """The text in at most so many lines, which fit but for the last: on it stands all the rest."""
    lines: list[str] = []
    for word in text.split():
        full = len(lines) == most
        if lines and (full or font.getlength(f"{lines[-1]} {word}") <= room_px):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
