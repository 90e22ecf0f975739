"""Captions: words timed to be read, checked against the rules, and written as SRT, WebVTT and ASS.

Where a caption ends is chosen by dynamic programming over the words (`core.reading`), then when each is shown by a
second one over start times; each is optimal for its own cost, and both are deterministic.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import pairwise
from math import inf, nextafter

import numpy as np

from core.reading import CaptionRules, Layout, clean, text_width, units_of
from core.records import Cue, Word

STEP_S = 0.05
"""Grid of the start times tried for a caption, around the start of its first word."""
MAX_LEAD_S = 0.3
"""How much before its first word a caption may start."""
CHAIN_S = 0.5
"""A shorter gap between captions would flicker and is closed, as the guide asks."""
SAFE_SIDE, SAFE_BOTTOM = 0.1, 0.06
"""Shares of the picture's width and height that burned captions keep clear of at the sides and at the bottom."""
LETTER_SHARE = 0.052
"""Size of burned letters (1 em) as a share of the picture's shorter side."""
EM_PER_CHAR = 0.57
"""Mean advance of a character of English text in DejaVu Sans, with some reserve."""
ASS_SIZE_PER_EM = 1.164
"""libass takes a font size as ascent plus descent; for DejaVu Sans they sum to 1.164 em."""
BOX_ALPHA = "40"
"""Transparency of the black box, 00 to FF: 3/4 opaque, so white on it has contrast 10:1 even before white."""
ROUNDING_S = 0.0021
"""Rounding both edges to milliseconds changes a length or a gap by less than this."""


def build_cues(words: Sequence[Word], *, end_s: float, rules: CaptionRules | None = None) -> list[Cue]:
    """Captions of all `words`, in order, inside [0, end_s) and never overlapping.

    Args:
        words: On the clip's own timeline, 0 being its start; text without surrounding spaces.
        end_s: The clip's length.

    Lines and their number always obey the rules: a longer word is cut. A caption of fast speech starts a little
    early, stays through the pause after it, or lags behind, so that a fast passage averages out. No word is ever
    left out: what is still too fast remains, and `violations` tells.
    """
    rules = rules or CaptionRules()
    if not 0 < end_s < inf:
        raise ValueError(f"build_cues needs a finite end_s > 0, got {end_s}")
    units = units_of(words, end_s, rules)
    if not units:
        return []
    layout = Layout(units, end_s, rules)
    runs = layout.captions()
    spoken = [(units[i].start_s, units[j - 1].end_s) for i, j in runs]
    needed_s = [max(rules.min_cue_s, layout.width(i, j) / rules.max_chars_per_s) for i, j in runs]
    times = _show_times(spoken, needed_s, end_s, rules)
    cues: list[Cue] = []
    for (i, j), (start_s, stop_s) in zip(runs, times, strict=True):
        rounded = round(start_s, 3), min(round(stop_s, 3), end_s)
        start_s, stop_s = rounded if rounded[0] < rounded[1] else (start_s, stop_s)
        cues.append(Cue(start_s, stop_s, layout.lines(i, j)))
    return cues


def _apart(spoken: list[tuple[float, float]], least_s: float, end_s: float) -> list[tuple[float, float]]:
    """The captions' spoken intervals with starts moved apart where words were given one and the same time."""
    starts = [start for start, _ in spoken]
    for k in range(1, len(starts)):
        starts[k] = max(starts[k], starts[k - 1] + least_s)
    for k in reversed(range(len(starts))):
        starts[k] = max(0.0, min(starts[k], end_s - least_s * (len(starts) - k)))
    return [(start, max(start, stop)) for start, (_, stop) in zip(starts, spoken, strict=True)]


def _show_times(
    spoken: list[tuple[float, float]], needed_s: list[float], end_s: float, rules: CaptionRules
) -> list[tuple[float, float]]:
    """(start, end) of each caption, by dynamic programming over start times on a grid around its first word.

    Starts are first put apart by twice the gap, so that showing every caption with its first word is feasible.
    """
    least_s = min(max(0.2, 2 * rules.min_gap_s), end_s / len(spoken))
    gap_s = min(rules.min_gap_s, least_s / 2)
    spoken = _apart(spoken, least_s, end_s)
    offsets = np.arange(-round(MAX_LEAD_S / STEP_S), round(rules.max_lag_s / STEP_S) + 1) * STEP_S
    lateness = 0.5 * np.maximum(offsets, 0) ** 2 + 0.5 * np.maximum(-offsets, 0)
    total = np.where(spoken[0][0] + offsets >= 0, lateness, inf)
    back: list[np.ndarray] = []
    for k, (said_s, done_s) in enumerate(spoken):
        if k + 1 < len(spoken):
            following = spoken[k + 1][0] + offsets
            early = (offsets < 0) & (following < done_s + gap_s)
            entry = np.where(early | (following < 0), inf, lateness)
        else:
            following, entry = np.array([end_s + gap_s]), np.zeros(1)
        starts = (said_s + offsets)[:, None]
        stops = np.minimum(_wanted_stop(starts, done_s, needed_s[k], rules), following - gap_s)
        cost = total[:, None] + _cost_shown(stops - starts, needed_s[k], rules)
        cost += 4 * np.maximum(0, min(done_s, said_s + rules.max_cue_s) - gap_s - stops)
        back.append(np.argmin(cost, axis=0))
        total = np.min(cost, axis=0) + entry
    choice, starts_s = 0, []
    for k in reversed(range(len(spoken))):
        choice = int(back[k][choice])
        starts_s.append(float(spoken[k][0] + offsets[choice]))
    return _stops(starts_s[::-1], [done for _, done in spoken], needed_s, end_s, gap_s, rules)


def _wanted_stop(start_s: np.ndarray, done_s: float, needed_s: float, rules: CaptionRules) -> np.ndarray:
    """When captions shown from `start_s` on may go: read, and spoken, but neither late nor too long on screen."""
    wanted = np.minimum(np.maximum(start_s + needed_s, done_s), done_s + rules.max_lag_s)
    return np.clip(wanted, start_s + STEP_S, start_s + rules.max_cue_s)


def _cost_shown(shown_s: np.ndarray, needed_s: float, rules: CaptionRules) -> np.ndarray:
    """What being shown for `shown_s` costs: nothing when long enough to be read, and for less the more it lacks."""
    with np.errstate(divide="ignore"):
        lack = np.where(shown_s > 0, needed_s / np.maximum(shown_s, 1e-9) - 1, inf)
    hurried = np.where(lack > 1e-6, 1 + 6 * lack, 0.0)
    return hurried + np.where(shown_s < rules.min_cue_s - 1e-6, 2 + 20 * (rules.min_cue_s - shown_s), 0.0)


def _stops(
    starts_s: list[float], done_s: list[float], needed_s: list[float], end_s: float, gap_s: float, rules: CaptionRules
) -> list[tuple[float, float]]:
    """Each start with its end: when read, and on to the next caption where that comes soon."""
    times: list[tuple[float, float]] = []
    for start_s, done, needed, following_s in zip(
        starts_s, done_s, needed_s, [*starts_s[1:], end_s + gap_s], strict=True
    ):
        limit_s = following_s - gap_s
        stop_s = float(_wanted_stop(np.array(start_s), done, needed, rules))
        if limit_s - stop_s < CHAIN_S:
            stop_s = min(limit_s, start_s + rules.max_cue_s, max(stop_s, done + rules.max_lag_s))
        times.append((start_s, stop_s))
    return times


def violations(cues: Sequence[Cue], rules: CaptionRules | None = None) -> list[str]:
    """One sentence for each rule that a caption breaks, with its time."""
    rules = rules or CaptionRules()
    found: list[str] = []
    for cue in cues:
        shown_s = cue.end_s - cue.start_s
        chars = sum(text_width(line) for line in cue.lines) + len(cue.lines) - 1
        widest = max((text_width(line) for line in cue.lines), default=0)
        at = f"The caption at {cue.start_s:.3f} s"
        if len(cue.lines) > rules.max_lines:
            found.append(f"{at} has {len(cue.lines)} lines, more than {rules.max_lines}.")
        if widest > rules.max_line_chars:
            found.append(f"{at} has a line of {widest} characters, more than {rules.max_line_chars}.")
        if chars > rules.max_chars_per_s * (shown_s + ROUNDING_S):
            speed = f"{chars / shown_s:.1f} characters a second, more than {rules.max_chars_per_s:g}"
            found.append(f"{at} must be read at {speed}.")
        if shown_s < rules.min_cue_s - ROUNDING_S:
            found.append(f"{at} is shown for {shown_s:.3f} s, less than {rules.min_cue_s:.3f} s.")
        if shown_s > rules.max_cue_s + ROUNDING_S:
            found.append(f"{at} is shown for {shown_s:.3f} s, more than {rules.max_cue_s:g} s.")
    for before, after in pairwise(cues):
        gap_s = after.start_s - before.end_s
        if gap_s < rules.min_gap_s - ROUNDING_S:
            how = "overlaps the one before" if gap_s < 0 else f"comes {gap_s:.3f} s after the one before, less than"
            found.append(
                f"The caption at {after.start_s:.3f} s {how}{'' if gap_s < 0 else f' {rules.min_gap_s:.3f} s'}."
            )
    return found


def retime(words: Sequence[Word], start_s: float, end_s: float) -> list[Word]:
    """The words whose middle is in [start_s, end_s), on the timeline that begins at `start_s`, cut at its edges."""
    kept: list[Word] = []
    for word in words:
        if start_s <= (word.start_s + word.end_s) / 2 < end_s:
            from_s = max(word.start_s, start_s) - start_s
            to_s = max(min(word.end_s, end_s) - start_s, nextafter(from_s, inf))
            kept.append(Word(word.text, from_s, to_s, word.probability))
    return kept


def _timed(cues: Sequence[Cue], mark: str) -> Iterator[tuple[str, str]]:
    """("start --> end", lines) of each caption that has text; milliseconds rounded once, after `mark`."""

    def clock(time_s: float) -> str:
        seconds, ms = divmod(round(time_s * 1000), 1000)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{ms:03d}"

    for cue in cues:
        if lines := [text for line in cue.lines if (text := clean(line))]:
            yield f"{clock(cue.start_s)} --> {clock(cue.end_s)}", "\n".join(lines)


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip, with an arrow in the text shortened so that no reader takes it for a time."""
    blocks = (f"{n}\n{times}\n{text.replace('-->', '->')}\n" for n, (times, text) in enumerate(_timed(cues, ","), 1))
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT (W3C), with &, < and > escaped, so that no text can be taken for a tag or a time."""
    return "\n".join(["WEBVTT\n", *(f"{times}\n{escape(text, quote=False)}\n" for times, text in _timed(cues, "."))])


def burn_rules(width_px: int, height_px: int, rules: CaptionRules | None = None) -> CaptionRules:
    """`rules` with as many characters a line as fit a picture in letters of good size: fewer where it is narrow."""
    rules = rules or CaptionRules()
    letter_px = LETTER_SHARE * min(width_px, height_px)
    fitting = int(width_px * (1 - 2 * SAFE_SIDE) / (letter_px * EM_PER_CHAR))
    return replace(rules, max_line_chars=max(2, min(rules.max_line_chars, fitting)))


def to_ass(cues: Sequence[Cue], *, width_px: int, height_px: int, font: str = "DejaVu Sans") -> str:
    """Advanced SubStation Alpha for libass to burn into a picture of this size as it is shown.

    White letters on a black box 3/4 opaque, inside title-safe sides and bottom. The letters are as large as the
    picture asks, or smaller so that the longest line of `cues` fits: build them by `burn_rules` to avoid that.
    """
    widest_em = max((_line_em(line) for cue in cues for line in cue.lines), default=1.0)
    letter_px = min(LETTER_SHARE * min(width_px, height_px), width_px * (1 - 2 * SAFE_SIDE) / max(widest_em, 1.0))
    side_px, bottom_px = round(width_px * SAFE_SIDE), round(height_px * SAFE_BOTTOM + letter_px * 0.3)
    look = f"&H00FFFFFF,&H00FFFFFF,&H{BOX_ALPHA}000000,&H{BOX_ALPHA}000000,0,0,0,0,100,100,0,0"
    box = f"4,0,{letter_px * 0.3:.2f},2,{side_px},{side_px},{bottom_px},-1"
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
Style: Caption,{font},{letter_px * ASS_SIZE_PER_EM:.2f},{look},{box}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
    return head + "".join(_ass_events(cues))


def _ass_events(cues: Sequence[Cue]) -> Iterator[str]:
    def clock(time_s: float) -> str:
        seconds, cs = divmod(round(time_s * 100), 100)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{cs:02d}"

    # A word joiner after a backslash keeps libass from reading what follows as a command; it has no escape for it.
    marks = str.maketrans({"\\": "\\\u2060", "{": "\\{", "}": "\\}"})
    for cue in cues:
        if text := "\\N".join(clean(line).translate(marks) for line in cue.lines if clean(line)):
            yield f"Dialogue: 0,{clock(cue.start_s)},{clock(cue.end_s)},Caption,,0,0,0,,{text}\n"


def _line_em(line: str) -> float:
    """Width of a line in DejaVu Sans, in em, rather over than under: by four classes of characters."""

    def em(c: str) -> float:
        if text_width(c) == 2:
            return 1.0
        if c in " iljftrI.,:;'!|()[]-":
            return 0.41
        return 1.0 if c in "mwMW@%" else 0.79 if c.isupper() else 0.64

    return sum(map(em, line))
