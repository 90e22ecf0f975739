"""How words are laid out to be read: the rules, how words join, and where captions and their lines break.

The word lists are English; in other languages they rarely match and punctuation, pauses and length decide.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import inf

from core.records import Cue, Word
from core.wholes import kept_after

CLOSING = frozenset(".,;:!?%)]}»”’…。、，．！？；：）」』】〉》％")
OPENING = frozenset("([{«“‘¿¡（「『【〈《")
SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’)\]»」』）]*$")
CLAUSE_END = re.compile(r"(?:[,;:、，；：]|[–—-])[\"'”’)\]»」』）]*$")
ABBREVIATION = re.compile(r"(?:^|\W)(?:dr|mr|mrs|ms|prof|st|vs|fig|eq|cf|e\.g|i\.e|approx|[a-z])\.$", re.IGNORECASE)
NUMBER = re.compile(r"[$€£#]?[\d.,/:+-]*\d[\d.,/:+-]*")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u303f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
"""Characters of scripts written without spaces: Thai, Lao, Burmese, Khmer, Chinese, Japanese (not Korean)."""

PHRASE_WORDS = """
and but or nor so yet because although though while when whenever where if unless until since whether that which who
whom whose than as about above across after against along among around at before behind below beneath beside between
beyond by despite during except for from in inside into near of off on onto out over per through throughout to toward
towards under upon via with within without
"""
BINDING_WORDS = """
a an the this these those my your his her its our their every each some any no not i you he she it we they am is are
was were be been being have has had do does did will would shall should can could may might must i'm you're he's she's
it's we're they're i've you've we've they've i'll you'll we'll they'll don't doesn't didn't can't won't very more most
less too dr. mr. mrs. ms. prof.
"""
STARTS_PHRASE = frozenset(PHRASE_WORDS.split())
BINDS_RIGHT = STARTS_PHRASE | frozenset(BINDING_WORDS.split())

SENTENCE, CLAUSE, PHRASE, PLAIN, BOUND, PAIRED, TORN, INSIDE = 0.0, 1.5, 3.0, 4.5, 7.0, 8.0, 16.0, 20.0
"""What a break costs after a sentence, after clause punctuation, before a conjunction or preposition, elsewhere,
after a word that binds to the next, between a number or name and what may be its partner, where `core.wholes` holds
two words together, inside a word. Chosen by eye."""
CUE_COST, SPANS_SENTENCES = 3.0, 4.0
"""What each caption costs, and each sentence that ends inside one, on the same scale."""


@dataclass(frozen=True, slots=True)
class CaptionRules:
    """The standard that Winnow's captions obey: Netflix Timed Text Style Guide, English, general requirements.

    42 characters a line, 2 lines, on screen for 5/6 s to 7 s, 2 frames between captions, and 17 characters a second:
    the guide's limit for adult programmes in older editions and for children's programmes in the present one (which
    allows adults 20). `max_lag_s` is our own: how late a caption may start, or stay on screen, after its words.
    Full-width characters count as two.
    """

    max_lines: int = 2
    max_line_chars: int = 42
    max_chars_per_s: float = 17.0
    min_cue_s: float = 5 / 6
    max_cue_s: float = 7.0
    min_gap_s: float = 2 / 24
    max_lag_s: float = 1.5

    def __post_init__(self) -> None:
        if self.max_lines not in (1, 2) or self.max_line_chars < 2:
            raise ValueError(f"CaptionRules needs 1 or 2 lines of 2 characters or more, got {self}")
        if not (self.max_chars_per_s > 0 and 0 < self.min_cue_s <= self.max_cue_s):
            raise ValueError(f"CaptionRules needs a positive speed and 0 < min_cue_s <= max_cue_s, got {self}")
        if self.min_gap_s < 0 or self.max_lag_s < 0:
            raise ValueError(f"CaptionRules needs min_gap_s and max_lag_s of 0 or more, got {self}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A word, or a piece of one that is longer than a line, on a clip's timeline."""

    text: str
    width: int
    start_s: float
    end_s: float
    space: int
    """1 where a space stands before it, 0 where it joins what comes before."""
    word: int = -1
    """Which of the words it comes from, by their order."""


@dataclass(frozen=True, slots=True)
class SpokenCue:
    """A caption with the times of its words, for those that light up as they are spoken."""

    cue: Cue
    lines: tuple[tuple[Unit, ...], ...]
    """The words of each line; a caption may be shown somewhat before its first word, or after its last."""


@cache
def text_width(text: str) -> int:
    """Columns that `text` takes: full-width characters and emoji count as two, all others as one."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def needs_space(left: str, right: str) -> bool:
    """Whether a space is written between two words: not before closing punctuation, nor between unspaced scripts."""
    if not left or not right or CLOSING.issuperset(right) or OPENING.issuperset(left):
        return False
    return not (UNSPACED.match(left[-1]) and UNSPACED.match(right[0]))


def join_words(texts: Sequence[str]) -> str:
    """Words as running text."""
    parts: list[str] = []
    for i, text in enumerate(texts):
        parts.append(" " + text if i and needs_space(texts[i - 1], text) else text)
    return "".join(parts)


def clean(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())


def units_of(words: Sequence[Word], end_s: float, rules: CaptionRules) -> list[Unit]:
    """Words cut to a line's length, with times put in order and inside [0, end_s]."""
    units: list[Unit] = []
    latest_s, before = 0.0, ""
    for number, word in enumerate(words):
        start_s = min(max(latest_s, word.start_s), end_s)
        stop_s = min(max(start_s, word.end_s), end_s)
        latest_s = start_s
        parts = clean(word.text).split(" ") if word.text.strip() else []
        pieces = [(piece, k == 0) for part in parts for k, piece in enumerate(_pieces(part, rules.max_line_chars))]
        for i, (piece, whole) in enumerate(pieces):
            from_s = start_s + (stop_s - start_s) * i / len(pieces)
            to_s = start_s + (stop_s - start_s) * (i + 1) / len(pieces)
            space = int(whole and needs_space(before, piece))
            units.append(Unit(piece, text_width(piece), from_s, to_s, space, number))
            before = piece
    return units


def _pieces(text: str, columns: int) -> list[str]:
    if text_width(text) <= columns:
        return [text] if text else []
    pieces, width = [""], 0
    for c in text:
        if width + text_width(c) > columns:
            pieces.append("")
            width = 0
        pieces[-1] += c
        width += text_width(c)
    return pieces


def break_cost(left: Unit, right: Unit) -> float:
    """What it costs the reader when a line or a caption ends between two units."""
    before, after = left.text, right.text
    if not right.space and (after[0] in CLOSING or not UNSPACED.match(before[-1])):
        return INSIDE
    if SENTENCE_END.search(before) and not ABBREVIATION.search(before) and not after[0].islower():
        return SENTENCE
    if CLAUSE_END.search(before) or SENTENCE_END.search(before) and not ABBREVIATION.search(before):
        return CLAUSE
    plain_after = after.lower().strip(".,;:!?\"'()")
    if NUMBER.fullmatch(before) and plain_after in BINDS_RIGHT:
        return PHRASE if plain_after in STARTS_PHRASE else PLAIN
    if NUMBER.fullmatch(before) or before[0].isupper() and after[0].isupper() and before != "I":
        return PAIRED
    if before.lower() in BINDS_RIGHT:
        return BOUND
    return PHRASE if plain_after in STARTS_PHRASE else PLAIN


class Layout:
    """Costs of all runs of units [i, j) as captions: how their lines break, and how well they can be read."""

    __slots__ = ("units", "rules", "end_s", "edges", "breaks", "inner")

    def __init__(self, units: Sequence[Unit], end_s: float, rules: CaptionRules) -> None:
        self.units, self.rules, self.end_s = units, rules, end_s
        self.edges = [0]
        for unit in units:
            self.edges.append(self.edges[-1] + unit.space + unit.width)
        kept = kept_after([unit.text for unit in units])
        torn = [TORN if keep else 0.0 for keep in kept]
        self.breaks = [max(t, break_cost(a, b)) for t, (a, b) in zip(torn, pairwise(units), strict=True)] + [SENTENCE]
        self.inner = [0.0]
        """Running sum of what it costs to have the break after each unit inside a caption."""
        for cost, (a, b) in zip(self.breaks, pairwise(units), strict=False):
            pause_s = b.start_s - a.end_s
            self.inner.append(self.inner[-1] + SPANS_SENTENCES * (cost == SENTENCE) + 4 * max(0.0, pause_s - 0.5))

    def width(self, i: int, j: int) -> int:
        """Columns of units [i, j) on one line."""
        return self.edges[j] - self.edges[i] - self.units[i].space

    def split(self, i: int, j: int) -> tuple[float, int]:
        """(cost, first unit of the second line) of the best layout of [i, j); j when one line does; inf if none."""
        limit = self.rules.max_line_chars
        if self.width(i, j) <= limit:
            return 0.0, j
        best = (inf, j)
        if self.rules.max_lines == 1:
            return best
        for m in range(j - 1, i, -1):
            below, above = self.width(m, j), self.width(i, m)
            if below > limit:
                break
            if above > limit:
                continue
            lean = (below - above) / limit
            cost = 0.6 * self.breaks[m - 1] + (2 * lean if lean > 0 else -3 * lean)
            if (m == j - 1 and below <= 6) or (m == i + 1 and above <= 4):
                cost += 6
            best = min(best, (cost, m))
        return best

    def cost(self, i: int, j: int) -> float:
        """What [i, j) costs as one caption, the break after it included; inf when it does not fit."""
        lines, _ = self.split(i, j)
        if lines == inf:
            return inf
        rules, first, last = self.rules, self.units[i], self.units[j - 1]
        next_s = self.units[j].start_s if j < len(self.units) else self.end_s
        cost = CUE_COST + lines + max(0.0, self.breaks[j - 1] - 4 * min(1.0, next_s - last.end_s))
        needed_s = max(rules.min_cue_s, self.width(i, j) / rules.max_chars_per_s)
        cost += 3 * max(0.0, needed_s - (min(next_s, last.end_s + rules.max_lag_s) - first.start_s))
        cost += 10 * max(0.0, last.end_s - first.start_s - rules.max_cue_s)
        cost += self.inner[j - 1] - self.inner[i]
        return cost

    def captions(self) -> list[tuple[int, int]]:
        """The runs [i, j) whose costs have the least sum, found by dynamic programming; ties go to fewer captions."""
        total, back = [0.0] + [inf] * len(self.units), [0] * (len(self.units) + 1)
        room = self.rules.max_lines * self.rules.max_line_chars + 1
        for j in range(1, len(self.units) + 1):
            for i in range(j - 1, -1, -1):
                if self.width(i, j) > room:
                    break
                cost = total[i] + self.cost(i, j)
                if cost <= total[j]:
                    total[j], back[j] = cost, i
        runs: list[tuple[int, int]] = []
        j = len(self.units)
        while j:
            runs.append((back[j], j))
            j = back[j]
        return runs[::-1]

    def lines(self, i: int, j: int) -> tuple[str, ...]:
        """The text of [i, j) as lines."""
        _, m = self.split(i, j)
        return tuple(self._line(a, b) for a, b in ((i, m), (m, j)) if a < b)

    def _line(self, i: int, j: int) -> str:
        return "".join((" " if unit.space and k else "") + unit.text for k, unit in enumerate(self.units[i:j]))
