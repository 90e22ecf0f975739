"""What a brand template draws onto clips, made ready for one size: the logo, the lower third, and still ends.

Everything is drawn as pictures with names of our own in the folder that ffmpeg runs in.
"""

import shutil
import warnings
from dataclasses import dataclass
from math import inf
from pathlib import Path

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageOps

from core.boxes import Box
from core.brand import Asset, Template
from core.brand_check import IMAGE_FORMATS
from core.brand_fonts import Font
from core.brand_look import Colours, End, LowerThird
from core.brand_text import INK_ABOVE, Drawn, Line, draw_lines, plain_line, text_width, wrapped
from core.errors import BadSetting
from core.identity import sha256_of
from core.loudness import PEAK_DBTP, measure_loudness
from core.picture import copy_fonts

TALL = 1.2
"""A picture this much higher than wide is for phones, where apps draw over its edges."""
TALL_SAFE = (0.06, 0.10, 0.14, 0.22)
"""Shares of a tall picture that are kept clear, left, top, right and bottom: about what the players of short videos
cover with names, buttons and captions. Set by hand, with reserve."""
WIDE_SAFE = (0.05, 0.05, 0.05, 0.07)
LOGO_TALLEST, LOGO_WIDEST = 0.22, 0.4
"""Shares of the picture's height and width that a logo takes at the most, whatever its shape."""
TITLE_SHARE, BODY_SHARE = 0.062, 0.043
"""Sizes of the lower third's letters as shares of the picture's shorter side."""
WIDEST_TEXT = 0.52
"""Share of a wide picture's width that the text of the lower third takes at the most."""
PANEL_OPACITY = 0.94
LEAST_SHOWN_S = 1.5
CLEAR_END_S = 0.5
"""The lower third is gone this much before the clip ends."""
REFERENCE = 16 / 9


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture in the work folder and where it is drawn, in whole even pixels; during [start_s, end_s) of the clip."""

    file: str
    box: Box
    start_s: float = 0.0
    end_s: float = inf


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template made ready for clips of one size. File names are relative to the folder that ffmpeg runs in."""

    template: Template
    size: tuple[int, int]
    logo: Placed | None
    lower_third: Placed | None
    grounds: dict[str, str]
    """By "intro" and "outro": a picture of the clip's size, the still image itself or the ground a video is laid on."""
    videos: dict[str, Path]
    """By "intro" and "outro": where the video is read, under a name of its own for each, even if it is one file."""
    gains_db: dict[str, float]
    """By "intro" and "outro": what brings the sound of a video to the loudness of the clips."""
    warnings: tuple[str, ...]
    label: str = ""
    """Sets it apart from those of other formats in one graph, whose sizes may be the same."""

    @property
    def occupied(self) -> tuple[tuple[float, float, Box], ...]:
        """Where and when the picture is covered: captions must keep clear of it. The end of a logo is infinite."""
        return tuple((p.start_s, p.end_s, p.box) for p in (self.logo, self.lower_third) if p)


def prepare_assets(
    template: Template,
    work: Path,
    *,
    size: tuple[int, int],
    duration_s: float,
    title: str,
    speaker: str | None = None,
    loudness_lufs: float | None = None,
    label: str = "",
) -> Prepared:
    """Write what `template` draws on a clip of this size and length into `work`, the folder that ffmpeg will run in.

    Args:
        speaker: Who speaks, where the run knows it; else the template's own.
        loudness_lufs: What the clips are levelled to; the sound of intro and outro is brought there too.
        label: Letters and digits that differ among the formats which one graph makes.

    Raises BadSetting if an asset has vanished or changed since the template was loaded, MediaError.
    """
    _check_unchanged(template)
    copy_fonts(work)
    for font in (template.title_font, template.body_font, template.caption_font):
        shutil.copyfile(font.path, work / "fonts" / font.file_name)
    look, stem = template.look, f"brand{label}-{size[0]}x{size[1]}"
    logo = third = None
    warned: list[str] = []
    if template.logo:
        logo = _logo(template, template.logo, work, size, f"{stem}-logo.png")
    if look.lower_third and (shown := _shown(look.lower_third, duration_s)):
        third, warned = _lower_third(
            template, look.lower_third, work, size, (title, speaker), f"{stem}-third.png", shown
        )
    grounds, videos, gains_db = {}, {}, {}
    for part, asset, end in (("intro", template.intro, look.intro), ("outro", template.outro, look.outro)):
        if asset and end:
            grounds[part] = f"{stem}-{part}.png"
            _ground(asset, end, look.colours.ground, size).save(work / grounds[part])
            if asset.info:
                name = f"brand{label}-{part}{Path(asset.path).suffix}"
                videos[part] = _linked(Path(asset.path), work.absolute() / name)
            if loudness_lufs is not None:
                gains_db[part] = _gain_db(asset, loudness_lufs)
    return Prepared(template, size, logo, third, grounds, videos, gains_db, tuple(warned), label)


def safe_box(size: tuple[int, int]) -> Box:
    """The part of a picture of this size that nothing of a player's own is drawn over."""
    width, height = size
    left, top, right, bottom = TALL_SAFE if height > TALL * width else WIDE_SAFE
    return Box(left * width, top * height, (1 - left - right) * width, (1 - top - bottom) * height)


def _check_unchanged(template: Template) -> None:
    """Results are kept by what the assets were when they were loaded, so nothing else may be drawn."""
    fonts = (template.title_font, template.body_font, template.caption_font)
    for asset in (*fonts, template.logo, template.intro, template.outro):
        if asset and not (Path(asset.path).is_file() and sha256_of(Path(asset.path)) == asset.sha256):
            raise BadSetting(
                f"{asset.path} of the template {template.name} has vanished or changed since the run began;"
                " put it back, or start again."
            )


def _open(asset: Asset) -> Image.Image:
    """The picture, upright, with transparency."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(asset.path, formats=IMAGE_FORMATS) as image:
                return ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, SyntaxError) as error:
        raise BadSetting(f"{asset.path} of the brand template can no longer be read ({error}); put it back.") from error


def _logo(template: Template, asset: Asset, work: Path, size: tuple[int, int], file: str) -> Placed:
    look = template.look.logo
    assert look
    width, height = size
    shorter = min(size)
    image = _open(asset)
    wide = min(look.width * shorter * REFERENCE, LOGO_WIDEST * width)
    factor = min(wide / image.width, LOGO_TALLEST * height / image.height)
    fitted = _even(image.width * factor), _even(image.height * factor)
    image = image.resize(fitted, Image.Resampling.LANCZOS)
    image.putalpha(image.getchannel("A").point([round(level * look.opacity) for level in range(256)]))
    image.save(work / file)
    safe, margin = safe_box(size), look.margin * shorter
    tall = height > TALL * width
    top = max(margin, safe.y) if tall else margin
    below = max(margin, height - safe.bottom) if tall else margin
    x = margin if look.corner.endswith("left") else width - margin - fitted[0]
    y = top if look.corner.startswith("top") else height - below - fitted[1]
    return Placed(file, Box(_even(x, 0), _even(y, 0), *fitted))


def _shown(third: LowerThird, duration_s: float) -> tuple[float, float] | None:
    """When the lower third is shown in a clip of this length; None where there is no time for it to be read."""
    end_s = min(third.start_s + third.seconds, duration_s - CLEAR_END_S)
    return (third.start_s, end_s) if end_s - third.start_s >= LEAST_SHOWN_S else None


def _lower_third(
    template: Template,
    third: LowerThird,
    work: Path,
    size: tuple[int, int],
    texts: tuple[str, str | None],
    file: str,
    shown: tuple[float, float],
) -> tuple[Placed | None, list[str]]:
    """The card of who speaks and what about; None where there is neither."""
    title, speaker = plain_line(texts[0]), plain_line(texts[1] or third.speaker)
    role = plain_line(third.role) or title
    main, second = (speaker, role) if speaker else (role, "")
    if not main:
        return None, []
    shorter, safe = min(size), safe_box(size)
    inset = 0.028 * shorter
    widest = int(min(safe.w - 3 * inset, max(WIDEST_TEXT * size[0], 0.86 * shorter)))
    above = _lines(main, template.title_font, TITLE_SHARE * shorter, widest)
    below = _lines(second, template.body_font, BODY_SHARE * shorter, widest) if second else []
    drawn, missing = draw_lines([*above, *below], work, widest)
    warned = [f"No font has {missing!r}, so the lower third does without; give the template one."] if missing else []
    # Half a name is worse than none.
    halves = drawn[: len(above)], drawn[len(above) :]
    blocks = [half for half in halves if all(d.whole for d in half) and any(d.ink.getbbox() for d in half)]
    if not blocks:
        return None, warned
    card = _card(blocks, third.style, template.look.colours, inset)
    card.save(work / file)
    box = Box(_even(safe.x, 0), _even(safe.bottom - card.height, 0), card.width, card.height)
    return Placed(file, box, *shown), warned


def _lines(text: str, font: Font, size_px: float, widest: int) -> list[Line]:
    """`text` on one line if it fits when shrunk a little, else on two, cut if it must be."""
    ratio = widest / max(1.0, text_width(text, font, size_px))
    if ratio >= 0.85:
        return [Line(text, font, size_px * min(1.0, ratio))]
    return [Line(part, font, size_px * 0.85) for part in wrapped(text, font, size_px * 0.85, widest, 2)]


def _card(blocks: list[list[Drawn]], style: str, colours: Colours, inset: float) -> Image.Image:
    """Lines under each other beside a rule in the accent colour, on a panel or with a soft shadow."""
    gap, rule = inset * 0.3, max(2, round(inset * 0.2))
    left = round(rule + inset)
    widest = max(line.ink.width for block in blocks for line in block)
    text_height = sum(line.size_px for block in blocks for line in block) + gap * (len(blocks) - 1)
    width, height = _even(left + widest + inset * 1.4), _even(text_height + 1.2 * inset)
    ink, top = Image.new("L", (width, height), 0), 0.6 * inset
    for block in blocks:
        for line in block:
            strip = Image.new("L", (width, height), 0)
            x = left + widest - line.ink.width if line.from_right else left
            strip.paste(line.ink, (x, round(top - INK_ABOVE * line.size_px)))
            ink = ImageChops.lighter(ink, strip)
            top += line.size_px
        top += gap
    card = Image.new("RGBA", (width, height), (*ImageColor.getrgb(colours.primary), 0))
    if style == "panel":
        card.putalpha(round(255 * PANEL_OPACITY))
    else:
        shadow = ink.filter(ImageFilter.GaussianBlur(inset * 0.25)).point([min(255, 2 * level) for level in range(256)])
        card = Image.new("RGBA", card.size, (0, 0, 0, 0))
        card.putalpha(shadow)
    ImageDraw.Draw(card).rectangle((0, 0, rule - 1, height), fill=(*ImageColor.getrgb(colours.accent), 255))
    letters = Image.new("RGBA", card.size, (*ImageColor.getrgb(colours.text), 255))
    letters.putalpha(ink)
    return Image.alpha_composite(card, letters)


def _ground(asset: Asset, end: End, ground: str, size: tuple[int, int]) -> Image.Image:
    """The ground colour in the clip's size, with the still image on it if the asset is one."""
    plain = Image.new("RGB", size, ground)
    if asset.info is not None:
        return plain
    image = _open(asset)
    fit = ImageOps.fit if end.fit == "crop" else ImageOps.contain
    image = fit(image, size, Image.Resampling.LANCZOS)
    plain.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2), image)
    return plain


def _linked(asset: Path, link: Path) -> Path:
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(asset)
    except OSError:  # no links on this file system or without a privilege
        shutil.copyfile(asset, link)
    return link


def _gain_db(asset: Asset, target_lufs: float) -> float:
    """What brings the sound of a video to the target, as far as its peaks allow; 0 where there is none to hear."""
    if asset.info is None or asset.info.audio is None:
        return 0.0
    found = measure_loudness(Path(asset.path), asset.info.container, asset.info.duration_s)
    if found.silent:
        return 0.0
    return round(min(target_lufs - found.integrated_lufs, PEAK_DBTP - found.true_peak_dbtp), 2)


def _even(value: float, least: int = 2) -> int:
    return max(least, 2 * round(value / 2))
