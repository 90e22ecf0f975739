"""What became of a clip's captions: the rules that they break, what they leave out, what stands behind them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from core.reading import CLAUSE_END, SENTENCE_END, STARTS_PHRASE, CaptionRules, text_width
from core.records import Cue
from core.wholes import kept_after

Rule = Literal["lines", "line_length", "speed", "too_short", "too_long", "gap", "overlap", "torn"]
ROUNDING_S = 0.0021
"""Rounding both edges to milliseconds changes a length or a gap by less than this."""
NEAR_S = 1.0
"""Captions further apart than this do not tear a name or a number: the speaker paused there."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a caption breaks."""

    rule: Rule
    start_s: float
    """When the caption begins."""
    text: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Words that captions leave out or say shorter, with the time at which they are spoken."""

    start_s: float
    text: str
    reason: str
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """A wrong term or a masked word: what was recognised, and what is shown ("" where it is left out)."""

    start_s: float
    text: str
    instead: str


@dataclass(frozen=True, slots=True)
class CaptionReport:
    """The captions of one clip in figures; JSON-able as it is."""

    cues: int
    mean_chars_per_s: float
    """Over the time that captions are shown."""
    max_chars_per_s: float
    breaches: dict[str, int]
    """How often each rule is broken; rules that are kept are not in it."""
    told: tuple[str, ...]
    """A sentence for each breach."""
    phrase_ends: float
    """Share of captions that end at a mark, or before a conjunction or preposition."""
    left_out: tuple[LeftOut, ...]
    corrected: tuple[Replaced, ...]
    masked: tuple[Replaced, ...]
    over_text: tuple[float, ...]
    """When captions begin that cover text of the slide, because there was room nowhere else."""
    over_mouth: tuple[float, ...]

    @property
    def ok(self) -> bool:
        return not (self.breaches or self.over_text or self.over_mouth)


def caption_report(
    cues: Sequence[Cue],
    rules: CaptionRules | None = None,
    *,
    left_out: Sequence[LeftOut] = (),
    corrected: Sequence[Replaced] = (),
    masked: Sequence[Replaced] = (),
    over_text: Sequence[float] = (),
    over_mouth: Sequence[float] = (),
) -> CaptionReport:
    """Look the captions of a clip over and put together what was done to their words and where they stand."""
    found = breaches(cues, rules)
    shown_s = sum(cue.end_s - cue.start_s for cue in cues)
    return CaptionReport(
        cues=len(cues),
        mean_chars_per_s=round(sum(map(read_chars, cues)) / shown_s, 2) if cues else 0.0,
        max_chars_per_s=round(max((read_chars(cue) / (cue.end_s - cue.start_s) for cue in cues), default=0.0), 2),
        breaches=dict(sorted(Counter(breach.rule for breach in found).items())),
        told=tuple(breach.text for breach in found),
        phrase_ends=round(_phrase_ends(cues), 3),
        left_out=tuple(left_out),
        corrected=tuple(corrected),
        masked=tuple(masked),
        over_text=tuple(round(time_s, 3) for time_s in over_text),
        over_mouth=tuple(round(time_s, 3) for time_s in over_mouth),
    )


def violations(cues: Sequence[Cue], rules: CaptionRules | None = None) -> list[str]:
    """One sentence for each rule that a caption breaks, with its time."""
    return [breach.text for breach in breaches(cues, rules)]


def breaches(cues: Sequence[Cue], rules: CaptionRules | None = None) -> list[Breach]:
    """Each rule that a caption breaks: first those of captions alone, then those between neighbours.

    A name or number that is torn counts where `core.wholes` tells one, unless lines are too short to hold it.
    """
    rules = rules or CaptionRules()
    found = [breach for cue in cues for breach in _alone(cue, rules)]
    for before, after in pairwise(cues):
        gap_s = after.start_s - before.end_s
        at = f"The caption at {after.start_s:.3f} s"
        if gap_s < 0:
            found.append(Breach("overlap", after.start_s, f"{at} overlaps the one before."))
        elif gap_s < rules.min_gap_s - ROUNDING_S:
            less = f"less than {rules.min_gap_s:.3f} s"
            found.append(Breach("gap", after.start_s, f"{at} comes {gap_s:.3f} s after the one before, {less}."))
    return found + _torn(cues, rules)


def read_chars(cue: Cue) -> int:
    """Columns to be read in a caption, the break between lines counted as a space."""
    return sum(map(text_width, cue.lines)) + max(0, len(cue.lines) - 1)


def _alone(cue: Cue, rules: CaptionRules) -> list[Breach]:
    found: list[Breach] = []
    shown_s, chars = cue.end_s - cue.start_s, read_chars(cue)
    widest = max(map(text_width, cue.lines), default=0)

    def tell(rule: Rule, what: str) -> None:
        found.append(Breach(rule, cue.start_s, f"The caption at {cue.start_s:.3f} s {what}."))

    if len(cue.lines) > rules.max_lines:
        tell("lines", f"has {len(cue.lines)} lines, more than {rules.max_lines}")
    if widest > rules.max_line_chars:
        tell("line_length", f"has a line of {widest} characters, more than {rules.max_line_chars}")
    if chars > rules.max_chars_per_s * (shown_s + ROUNDING_S):
        speed = f"{chars / shown_s:.1f} characters a second, more than {rules.max_chars_per_s:g}"
        tell("speed", f"must be read at {speed}")
    if shown_s < rules.min_cue_s - ROUNDING_S:
        tell("too_short", f"is shown for {shown_s:.3f} s, less than {rules.min_cue_s:.3f} s")
    if shown_s > rules.max_cue_s + ROUNDING_S:
        tell("too_long", f"is shown for {shown_s:.3f} s, more than {rules.max_cue_s:g} s")
    return found


def _torn(cues: Sequence[Cue], rules: CaptionRules) -> list[Breach]:
    """Names and numbers that a line's or a caption's end tears apart though a line could hold them."""
    texts: list[str] = []
    ends: dict[int, tuple[Cue, bool]] = {}
    for k, cue in enumerate(cues):
        for n, line in enumerate(cue.lines):
            texts += line.split()
            last = n == len(cue.lines) - 1
            paused = last and k + 1 < len(cues) and cues[k + 1].start_s - cue.end_s > NEAR_S
            ends[len(texts) - 1] = (cue, paused)
    kept = kept_after(texts)
    found: list[Breach] = []
    for i, (cue, paused) in ends.items():
        if i < len(kept) and kept[i] and not paused:
            first, last = i, i + 1
            while first and kept[first - 1]:
                first -= 1
            while last < len(kept) and kept[last]:
                last += 1
            whole = " ".join(texts[first : last + 1])
            if text_width(whole) <= rules.max_line_chars:
                told = f'The caption at {cue.start_s:.3f} s tears "{whole}" apart.'
                found.append(Breach("torn", cue.start_s, told))
    return found


def _phrase_ends(cues: Sequence[Cue]) -> float:
    good = 0
    for k, cue in enumerate(cues):
        last = cue.lines[-1] if cue.lines else ""
        following = cues[k + 1].lines[0].split()[:1] if k + 1 < len(cues) and cues[k + 1].lines else []
        good += bool(
            k + 1 == len(cues)
            or SENTENCE_END.search(last)
            or CLAUSE_END.search(last)
            or (following and following[0].lower() in STARTS_PHRASE)
        )
    return good / len(cues) if cues else 1.0
