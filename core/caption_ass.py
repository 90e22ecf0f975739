"""Captions burned into the picture: Advanced SubStation Alpha for libass, in a style that may light up word by word."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.caption_fonts import FontMetrics, default_font
from core.caption_places import Block, Place, safe_area
from core.caption_styles import PLAIN, CaptionStyle, rgb, shown
from core.reading import CaptionRules, SpokenCue, Unit, clean
from core.records import Cue

PAD_EM = 0.3
"""How far the box reaches around a caption."""
LIT_PAD_EM = 0.13
"""How far the box of a lit word reaches around it: less than half a space, so that it spares its neighbours."""
HINTING = 1.005
"""Letters drawn at another size than they were measured at may be wider by a little."""
LIT_LAG_S = 0.8
"""Where words light up, captions may lag behind speech by no more: a word said before it is shown cannot light up."""
MARKS = str.maketrans({"\\": "\\\u2060", "{": "\\{", "}": "\\}"})
"""A word joiner after a backslash keeps libass from reading what follows as a command; it has no escape for it."""


def burn_rules(
    width_px: int,
    height_px: int,
    rules: CaptionRules | None = None,
    *,
    style: CaptionStyle = PLAIN,
    metrics: FontMetrics | None = None,
    room_px: float | None = None,
) -> CaptionRules:
    """`rules` with as many characters a line as fit a picture in letters of good size: fewer where it is narrow.

    Args:
        metrics: Of the font that the style is drawn in; that of DejaVu Sans unless given.
        room_px: Width that captions have, where it is less than the safe area's.
    """
    rules = rules or CaptionRules()
    metrics = metrics or default_font(bold=style.bold)
    safe_px = safe_area(width_px, height_px).w
    letter_px = style.size * min(width_px, height_px)
    fitting = int(min(safe_px, room_px or safe_px) / (letter_px * metrics.mean_em(upper=style.upper)))
    rules = replace(rules, max_line_chars=max(2, min(rules.max_line_chars, style.max_line_chars, fitting)))
    if style.way == "none":
        return rules
    # Where words light up, the eye is led from one caption to the next: it needs no gap to see that they changed.
    return replace(rules, max_lag_s=min(rules.max_lag_s, LIT_LAG_S), min_gap_s=0.0)


def letter_size(cues: Sequence[Cue], width_px: int, height_px: int, style: CaptionStyle, metrics: FontMetrics) -> float:
    """1 em in pixels: the style's, or less so that the longest line fits the safe area."""
    lines = [shown(line, style) for cue in cues for line in cue.lines]
    widest_em = max((metrics.width_em(line) for line in lines), default=1.0)
    return min(style.size * min(width_px, height_px), safe_area(width_px, height_px).w / max(widest_em * HINTING, 1.0))


def block_sizes(
    cues: Sequence[Cue],
    *,
    width_px: int,
    height_px: int,
    style: CaptionStyle = PLAIN,
    metrics: FontMetrics | None = None,
) -> list[Block]:
    """How much of the picture each caption takes when `to_ass` draws it at full size."""
    metrics = metrics or default_font(bold=style.bold)
    letter_px = letter_size(cues, width_px, height_px, style, metrics)
    pad_px = letter_px * _pad_em(style)
    blocks: list[Block] = []
    for cue in cues:
        lines = [shown(line, style) for line in cue.lines]
        wide_px = letter_px * max((metrics.width_em(line) for line in lines), default=0.0)
        high_px = letter_px * metrics.size_per_em * max(1, len(lines))
        blocks.append(Block(wide_px + 2 * pad_px, high_px + 2 * pad_px, pad_px))
    return blocks


def _pad_em(style: CaptionStyle) -> float:
    """How far the ground reaches beyond the letters."""
    return PAD_EM if style.ground == "box" else max(style.outline_em, LIT_PAD_EM if style.way == "box" else 0.0)


def to_ass(
    cues: Sequence[Cue | SpokenCue],
    *,
    width_px: int,
    height_px: int,
    style: CaptionStyle = PLAIN,
    metrics: FontMetrics | None = None,
    places: Sequence[Place] = (),
) -> str:
    """Captions for a picture of this size as it is shown.

    Args:
        cues: Those with their words' times light up word by word, if the style does; others are shown as they are.
        metrics: Of the font that the style is drawn in; libass must find it by its name. DejaVu Sans unless given.
        places: One for each cue; without, all stand at the bottom of the safe area, or at its top.

    The letters are as large as the style asks, or smaller so that the longest line fits: build the cues by
    `burn_rules` to avoid that.
    """
    metrics = metrics or default_font(bold=style.bold)
    plain = [each.cue if isinstance(each, SpokenCue) else each for each in cues]
    letter_px = letter_size(plain, width_px, height_px, style, metrics)
    head = f"""[Script Info]
ScriptType: v4.00+
PlayResX: {width_px}
PlayResY: {height_px}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
"""
    events = "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    for k, each in enumerate(cues):
        spoken = each if isinstance(each, SpokenCue) else None
        before = _placed(places[k], letter_px * metrics.size_per_em) if places else ""
        events += "".join(_events(plain[k], spoken, style, before))
    return head + "".join(_style_lines(width_px, height_px, letter_px, style, metrics)) + events


def _style_lines(
    width_px: int, height_px: int, letter_px: float, style: CaptionStyle, metrics: FontMetrics
) -> Iterator[str]:
    safe = safe_area(width_px, height_px)
    at_top = style.stands == "top"
    pad_px = letter_px * (PAD_EM if style.ground == "box" else style.outline_em)
    side_px = round(safe.x)
    edge_px = round((safe.y if at_top else height_px - safe.bottom) + pad_px)
    tail = f"{8 if at_top else 2},{side_px},{side_px},{edge_px},-1"
    alpha = round(255 * (1 - style.ground_opacity)) if style.ground == "box" else 0
    ground = _colour(style.ground_colour, alpha)
    first = style.lit if style.way == "fill" else style.letters
    font = f"{metrics.name},{letter_px * metrics.size_per_em:.2f}"
    flags = f"{-1 if style.bold else 0},0,0,0,100,100,0,0"
    # BorderStyle 4 draws one box of BackColour around all lines, as far out as Shadow says; 1 draws an outline.
    border = f"4,0,{pad_px:.2f}" if style.ground == "box" else f"1,{pad_px:.2f},0"
    yield f"Style: Caption,{font},{_colour(first)},{_colour(style.letters)},{ground},{ground},{flags},{border},{tail}\n"
    if style.lit_ground:
        box = _colour(style.lit_ground)
        border = f"3,{letter_px * LIT_PAD_EM:.2f},0"
        yield f"Style: Lit,{font},{_colour(style.lit)},{_colour(style.lit)},{box},{box},{flags},{border},{tail}\n"


def _events(cue: Cue, spoken: SpokenCue | None, style: CaptionStyle, before: str) -> Iterator[str]:
    if not any(map(clean, cue.lines)):
        return
    start_cs, end_cs = round(cue.start_s * 100), round(cue.end_s * 100)
    if spoken is None or style.way == "none":
        text = "\\N".join(shown(line, style).translate(MARKS) for line in cue.lines if clean(line))
        yield _event(start_cs, end_cs, before + text)
    elif style.way == "fill":
        yield _event(start_cs, end_cs, before + _filling(spoken, style, start_cs, end_cs))
    else:
        for from_cs, to_cs, lit in _turns(spoken, start_cs, end_cs):
            yield _event(from_cs, to_cs, before + _lit_text(spoken, style, lit, before))


def _turns(spoken: SpokenCue, start_cs: int, end_cs: int) -> Iterator[tuple[int, int, int | None]]:
    """(start, end, word) of each stretch in which one word is lit: from its start to that of the next."""
    starts = [round(unit.start_s * 100) for line in spoken.lines for unit in line]
    lit = max((k for k, at in enumerate(starts) if at <= start_cs), default=None)
    from_cs = start_cs
    for k, at in enumerate(starts):
        if from_cs < at < end_cs:
            yield from_cs, at, lit
            from_cs = at
        if start_cs < at < end_cs:
            lit = k
    if from_cs < end_cs:
        yield from_cs, end_cs, lit


def _lit_text(spoken: SpokenCue, style: CaptionStyle, lit: int | None, before: str) -> str:
    if style.way == "box":
        size = before[before.find("\\fs") : -1] if "\\fs" in before else ""
        on, off = f"{{\\rLit{size}}}", f"{{\\r{size}}}"
    else:
        on, off = f"{{\\1c{_inline(style.lit)}}}", f"{{\\1c{_inline(style.letters)}}}"
    k, lines = 0, []
    for line in spoken.lines:
        text = ""
        for n, unit in enumerate(line):
            word = _word(unit, style)
            text += (" " if n and unit.space else "") + (f"{on}{word}{off}" if k == lit else word)
            k += 1
        lines.append(text)
    return "\\N".join(lines)


def _filling(spoken: SpokenCue, style: CaptionStyle, start_cs: int, end_cs: int) -> str:
    """Words that fill from the left while they are spoken; a space waits through the pause before its word."""
    at, lines = start_cs, []
    for line in spoken.lines:
        text = ""
        for n, unit in enumerate(line):
            from_cs = min(max(at, round(unit.start_s * 100)), end_cs)
            to_cs = min(max(from_cs, round(unit.end_s * 100)), end_cs)
            text += (
                f"{{\\k{from_cs - at}}}{' ' if n and unit.space else ''}{{\\kf{to_cs - from_cs}}}{_word(unit, style)}"
            )
            at = to_cs
        lines.append(text)
    return "\\N".join(lines)


def _word(unit: Unit, style: CaptionStyle) -> str:
    return shown(unit.text, style).translate(MARKS)


def _placed(place: Place, size: float) -> str:
    scaled = f"\\fs{size * place.scale:.2f}" if place.scale != 1 else ""
    return f"{{\\an{place.anchor}\\pos({place.x_px:g},{place.y_px:g}){scaled}}}"


def _event(start_cs: int, end_cs: int, text: str) -> str:
    return f"Dialogue: 0,{_clock(start_cs)},{_clock(end_cs)},Caption,,0,0,0,,{text}\n"


def _clock(time_cs: int) -> str:
    seconds, cs = divmod(time_cs, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{cs:02d}"


def _colour(colour: str, alpha: int = 0) -> str:
    """A colour as styles have it: transparency, blue, green, red."""
    red, green, blue = rgb(colour)
    return f"&H{alpha:02X}{blue:02X}{green:02X}{red:02X}"


def _inline(colour: str) -> str:
    red, green, blue = rgb(colour)
    return f"&H{blue:02X}{green:02X}{red:02X}&"
