"""Candidate clips, which are windows of whole sentences, and the heuristic that says what each is worth.

The value is a heuristic: WEIGHTS and the factors in `window_parts` were set by reading picks of real talks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.edges import LEAD_S, TAIL_S, Edges, split_at_pauses, word_bounds
from core.records import Word

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

WEIGHTS = {
    "strength": 0.34,
    "peak": 0.16,
    "opening": 0.14,
    "ending": 0.12,
    "topic_start": 0.08,
    "topic_end": 0.06,
    "length": 0.10,
}
"""Share of each term in a value; they sum to 1. The factors in FACTORS then only lower it."""
FACTORS = ("cuts", "flow", "pace", "matter", "one_topic")
UNCLEAN_CUT = 0.5
"""What a value keeps for each edge that is not in a real pause."""
PRIOR_S = 15.0
"""A window's mean score counts as if so many seconds of average talk belonged to it. Short windows vary more by mere
chance; without it the best ones would nearly all be of the least length."""
LEAST_SPREAD = 0.2
"""Scores are stretched over the range they take in the recording, at least this, so that the weights mean the same
for a model whose scores lie close together."""
SCORE_LEVELS = 24
UNENDED = 0.1
DEAD_AIR_S = 1.0  # what a pause has beyond this is dead air
QUANTUM = 2.0**-20
"""Values are whole multiples of this: sums of them are exact, so a tie is a tie on every machine."""
CHUNK = 50_000

ENDED = re.compile(r"[.!?…。！？｡؟।][\"'”’»)\]」』]*$")
ASKED = re.compile(r"[?？؟][\"'”’»)\]」』]*$")
LEADS = re.compile(
    r"(?:(?:so|well|okay|ok|alright|right|yes|yeah|no|um+|uh+|er+|actually|basically|anyway)\b[,.…\s]*)+"
)
OPENINGS = (
    (0.8, re.compile(r"(and|but|or|nor|because|cause|which|whereas|except)\b")),
    (0.7, re.compile(r"(as|like) (i|we|you|they)('ve|'d| have| had)? (just )?(saw|said|seen|mention|discuss|show)")),
    (0.7, re.compile(r"(as mentioned|then|also|again|instead|otherwise|likewise|similarly|moreover|furthermore)\b")),
    (0.7, re.compile(r"(therefore|thus|hence|however|(on the|in) (other|contrast|addition)|for (example|instance))\b")),
    (0.6, re.compile(r"((even |al)?though |since |if |when |while )?(this|that|these|those|they|it|he|she)\b")),
    (0.6, re.compile(r"(its|him|them|their|his|her|such|another|both|the (same|other|former|latter)|i mean)\b")),
    (0.6, re.compile(r"(is|are|was|were|has|have|had|do|does|did|can|could|of|than|who|whom|whose)(n't)?\b[^?]*$")),
)
"""What a beginning loses by referring back. Heuristic, English."""
HANGING = re.compile(
    r"\b(a|an|the|of|to|in|on|at|by|for|from|with|as|than|and|or|but|because|that|which|who|whose|if|is|are|was|were|be"
    r"|has|have|i|we|they|my|our|your|their|very|between|into)[.…,]*$"
)
"""A sentence that stops here was cut by a false start or by the recogniser. Heuristic, English."""
CHORES = re.compile(
    r"(can|could) (you|everyone|everybody) (hear|see) (me|my)|\bthank(s| you)\b|\b(any|take|have|your) questions?\b"
    r"|\bnext slide\b|\bshar(e|ing) my screen\b|\bon mute\b|\bgood (morning|afternoon|evening)\b|\bmy name is\b"
    r"|\bwelcome (you|to|back|everyone)\b|\bsubscribe\b|\bsponsor(s|ed by)?\b|\b(coffee|lunch|short) break\b"
    r"|\bplease (join me|welcome)\b|\b(pleased|delighted|honou?red|pleasure) to (be|have|introduce|welcome)\b"
)
"""Heuristic, English: greetings, thanks, sponsors and housekeeping are seldom what one replays."""


@dataclass(frozen=True, slots=True)
class ScoredUnit:
    """A sentence with what the model says of it; or, where nothing is spoken, a shot or a stretch of sound."""

    start_s: float
    end_s: float
    text: str
    score: float
    """How much worth replaying, 0 to 1."""
    words: tuple[Word, ...] = ()
    slide: int | None = None
    """Index of the slide or shot on the screen at its start."""
    parts: dict[str, float] = field(default_factory=dict)
    """The model's own score parts, for the reasons."""
    boundary: float | None = None
    """Probability that a topic ends after it, where the model gives one."""
    about: float | None = None
    """Probability that it is about the subject asked for; None where none was."""
    shown: float | None = None
    """Share of its words that stand on the slide; None where there is no slide with words."""
    row: int | None = None
    """Row of the timeline it is, or is a piece of; None: its own index."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Candidate clips as a table: row k holds the units first[k]..last[k], both included, cut at start_s and end_s."""

    first: Ints
    last: Ints
    start_s: Floats
    end_s: Floats

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: slice | NDArray[np.integer]) -> "Windows":
        return Windows(self.first[rows], self.last[rows], self.start_s[rows], self.end_s[rows])


def candidate_windows(edges: Edges, *, min_s: float, max_s: float) -> Windows:
    """All windows whose cut length end_s - start_s lies in [min_s, max_s], sorted by first unit, then by last."""
    begins = np.array([edge.time_s for edge in edges.begins], dtype=np.float64)
    ends = np.array([edge.time_s for edge in edges.ends], dtype=np.float64)
    index = np.arange(len(begins))
    # The sums below are rounded, so both bounds are taken a little wide; the exact test follows.
    low = np.maximum(np.searchsorted(ends, begins + min_s - 1e-6), index)
    counts = np.maximum(np.searchsorted(ends, begins + max_s + 1e-6) - low, 0)
    first = np.repeat(index, counts)
    last = np.repeat(low, counts) + np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    start_s, end_s = begins[first], ends[last]
    kept = (end_s - start_s >= min_s) & (end_s - start_s <= max_s) & (end_s > start_s)
    return Windows(first[kept].astype(np.int32), last[kept].astype(np.int32), start_s[kept], end_s[kept])


def split_long_units(units: Sequence[ScoredUnit], max_s: float) -> tuple[ScoredUnit, ...]:
    """Replace each unit too long for any clip by pieces of at most a quarter of `max_s`, so that something can be cut.

    Pieces keep the score, and in `row` the index of the unit they come from.
    """
    pieces: list[ScoredUnit] = []
    for index, unit in enumerate(units):
        whole = unit if unit.row is not None else replace(unit, row=index)
        start_s, end_s = word_bounds(unit)
        parts = [unit] if end_s - start_s + LEAD_S + TAIL_S <= max_s else split_at_pauses(unit, max_s / 4)
        for k, part in enumerate(parts):
            # No topic ends inside a sentence: only its last piece keeps that probability.
            boundary = unit.boundary if k == len(parts) - 1 or unit.boundary is None else 0.0
            times = {"start_s": part.start_s, "end_s": part.end_s}
            pieces.append(replace(whole, **times, text=part.text, words=part.words, boundary=boundary))
    return tuple(pieces)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What values are made of."""

    units: dict[str, Floats]
    """One entry a unit."""
    sums: dict[str, Floats]
    """Running sums of `_sums` over the units, beginning with 0."""
    average: float
    letters_per_s: float


def gather_evidence(units: Sequence[ScoredUnit], edges: Edges, *, language: str | None) -> Evidence:
    """Look at each unit once. English heuristics serve only where `language` is English or unknown."""
    english = language is None or language.lower().startswith("en")
    bounds = np.array([word_bounds(unit) for unit in units], dtype=np.float64).reshape(-1, 2)
    seconds = np.maximum(bounds[:, 1] - bounds[:, 0], 1e-3)
    scores = _stretched(np.array([unit.score for unit in units], dtype=np.float64))
    topic = _topics(units, edges)
    ending = _endings(units, english)
    opening = _openings(units, ending, topic, english)
    sums = _sums(units, scores, seconds, english)
    return Evidence(
        units={
            "opening": opening,
            "ending": 0.8 * ending + 0.2 * np.append(opening[1:], 1.0),
            "topic_start": topic[:-1],
            "topic_end": topic[1:],
            "cut_begin": np.array([1.0 if edge.clean else UNCLEAN_CUT for edge in edges.begins]),
            "cut_end": np.array([1.0 if edge.clean else UNCLEAN_CUT for edge in edges.ends]),
        },
        sums={name: np.append(np.zeros((*each.shape[:-1], 1)), np.cumsum(each, -1), -1) for name, each in sums.items()},
        average=float(np.average(scores, weights=seconds)),
        letters_per_s=float(sums["letters"].sum() / seconds.sum()),
    )


def _sums(units: Sequence[ScoredUnit], scores: Floats, seconds: Floats, english: bool) -> dict[str, Floats]:
    """What adds up over a window, for each unit (by level: a row a level of the score, best first)."""
    bounds = [word_bounds(unit) for unit in units]
    words = [unit.words for unit in units]
    borders = np.quantile(scores, np.linspace(1, 0, SCORE_LEVELS + 1)[1:-1])
    level_seconds = np.where((scores < borders[:, None]).sum(0) == np.arange(SCORE_LEVELS)[:, None], seconds, 0.0)
    after = [b[0] - a[1] for a, b in zip(bounds, bounds[1:], strict=False)]
    within = [sum(max(0.0, b.start_s - a.end_s - DEAD_AIR_S) for a, b in zip(w, w[1:], strict=False)) for w in words]
    return {
        "seconds": seconds,
        "scored": seconds * scores,
        "level_seconds": level_seconds,
        "level_scored": level_seconds * scores,
        "silent": np.array(within, dtype=np.float64),
        "silent_after": np.maximum(np.array([*after, 0.0]) - DEAD_AIR_S, 0.0),
        "letters": np.array([len("".join(unit.text.split())) for unit in units], dtype=np.float64),
        "chores": seconds * [english and bool(CHORES.search(unit.text.lower())) for unit in units],
        "unbroken": np.log1p(-np.clip([unit.boundary or 0.0 for unit in units], 0.0, 0.99)),
    }


def _stretched(scores: Floats) -> Floats:
    low, high = scores.min(), scores.max()
    return 0.5 + (scores - (low + high) / 2) / max(high - low, LEAST_SPREAD)


def _topics(units: Sequence[ScoredUnit], edges: Edges) -> Floats:
    """How much it looks, 0..1, as if a topic began before each unit; last entry: as if one ended after the last."""
    begun = np.ones(len(units) + 1)
    for i in range(1, len(units)):
        before, unit, after = units[i - 1], units[i], units[min(i + 1, len(units) - 1)]
        pause = min(1.0, max(0.0, (edges.begins[i].pause_s - 0.3) / 1.2))
        turned = 1.0 if unit.slide != before.slide else 0.5 if after.slide != unit.slide else 0.0
        turned = 0.0 if None in (before.slide, unit.slide, after.slide) else turned
        signs = max(pause, turned)
        begun[i] = signs if before.boundary is None else 0.3 * signs + 0.7 * before.boundary
    return begun


def _openings(units: Sequence[ScoredUnit], ending: Floats, topic: Floats, english: bool) -> Floats:
    """How well a listener can begin at each unit: 1, less what it refers back to; less so where a topic begins."""
    texts = [unit.text.strip() for unit in units]
    cased = sum(text[:1].isupper() for text in texts) > len(texts) / 2
    opening = np.ones(len(units))
    for i, text in enumerate(texts):
        lowered = text.lower().replace("’", "'")
        lead = LEADS.match(lowered) if english else None
        rest = lowered[lead.end() :] if lead else lowered
        costs = [cost for cost, pattern in OPENINGS if english and pattern.match(rest)]
        torn = 0.8 if (cased and text[:1].islower()) or (text and i and ending[i - 1] <= UNENDED) else 0.0
        opening[i] -= max([*costs, torn, 0.3 if lead else 0.0])
    return 1.0 - (1.0 - opening) * (1.0 - 0.5 * topic[: len(units)])


def _endings(units: Sequence[ScoredUnit], english: bool) -> Floats:
    """How complete each unit leaves things: stop 1, question 0.4, broken off UNENDED; 1 where stops are not used."""
    texts = [unit.text.strip() for unit in units]
    ended = [bool(ENDED.search(text)) for text in texts]
    if sum(ended) < 0.3 * max(1, sum(map(bool, texts))):
        return np.ones(len(texts))
    asked, empty = [bool(ASKED.search(text)) for text in texts], [not text for text in texts]
    hanging = [english and bool(HANGING.search(text.lower())) for text in texts]
    return np.select([empty, hanging, asked, ended], [1.0, UNENDED, 0.4, 1.0], UNENDED)


def window_parts(evidence: Evidence, windows: Windows, *, min_s: float, max_s: float) -> dict[str, Floats]:
    """All terms of the value, each 0..1 with 1 the best, one entry a window.

    - strength: mean score by duration, drawn towards the recording's mean (PRIOR_S). peak: mean of its best third.
    - opening, ending: can one begin and stop here (dangling references, full stops, what follows)?
    - topic_start, topic_end: long pause, change of slide, or the model's boundary there.
    - length: 1 at the geometric middle of the band, 0 at its ends.
    - cuts: UNCLEAN_CUT for each edge outside a real pause. flow: less for dead air. pace: less for sparse speech.
    - matter: less for greetings and housekeeping. one_topic: less where the model sees a topic end inside.
    """
    i, j, units = windows.first, windows.last, evidence.units
    over = {name: sums[..., j + 1] - sums[..., i] for name, sums in evidence.sums.items()}
    # What lies between units counts only inside the window, not behind its last unit.
    unbroken, paused_s = (evidence.sums[name][j] - evidence.sums[name][i] for name in ("unbroken", "silent_after"))
    length_s, seconds, speed = windows.end_s - windows.start_s, over["seconds"], evidence.letters_per_s
    at = np.log(length_s / min_s) / np.log(max_s / min_s) if max_s > min_s else np.full(len(windows), 0.5)
    parts = {
        "strength": (over["scored"] + PRIOR_S * evidence.average) / (seconds + PRIOR_S),
        "peak": _best_third(over["level_seconds"], over["level_scored"], seconds / 3),
        "opening": units["opening"][i],
        "ending": units["ending"][j],
        "topic_start": units["topic_start"][i],
        "topic_end": units["topic_end"][j],
        "length": 1.0 - (2.0 * at - 1.0) ** 2,
        "cuts": units["cut_begin"][i] * units["cut_end"][j],
        "flow": 1.0 - np.minimum(0.9, 2.0 * (over["silent"] + paused_s) / length_s),
        "pace": np.minimum(1.0, 0.4 + over["letters"] / length_s / speed) if speed else np.ones(len(windows)),
        "matter": 1.0 - 0.6 * np.minimum(1.0, 1.5 * over["chores"] / seconds),
        "one_topic": 0.8 + 0.2 * np.exp(unbroken),
    }
    return {name: np.clip(part, 0.0, 1.0) for name, part in parts.items()}


def _best_third(seconds: Floats, scored: Floats, wanted_s: Floats) -> Floats:
    """Mean score over the best `wanted_s` seconds of each window, from its seconds and scores by level, best first."""
    got_s, gained = np.zeros(len(wanted_s)), np.zeros(len(wanted_s))
    for level_s, level_scored in zip(seconds, scored, strict=True):
        taken_s = np.minimum(level_s, wanted_s - got_s)
        gained += level_scored * np.divide(taken_s, level_s, out=np.zeros_like(level_s), where=level_s > 1e-9)
        got_s += np.where(level_s > 1e-9, taken_s, 0.0)
    return gained / np.maximum(got_s, 1e-9)


def window_values(evidence: Evidence, windows: Windows, *, min_s: float, max_s: float) -> Floats:
    """The value of each window, in (0, 1]: the weighted terms times the factors. Comparable within a recording."""
    values = np.empty(len(windows))
    for low in range(0, len(windows), CHUNK):
        rows = slice(low, low + CHUNK)
        parts = window_parts(evidence, windows.take(rows), min_s=min_s, max_s=max_s)
        worth = sum(weight * parts[name] for name, weight in WEIGHTS.items())
        values[rows] = worth * np.prod([parts[name] for name in FACTORS], axis=0)
    return np.maximum(np.round(values / QUANTUM), 1.0) * QUANTUM
