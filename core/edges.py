"""Where a clip may begin before a sentence and end after it: in the pause between two words, never inside a word.

Word times of a recogniser are about 0.1 s off at the median, so the sound's level decides where it is at hand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.records import Sentence, Word

LEAD_S = 0.35
"""Most that is kept before the first word."""
TAIL_S = 0.45
"""Most that is kept after the last word: a voice dies away more slowly than it sets in."""
SLACK_S = 0.15
"""How far outside the gap that the word times leave the quietest point is looked for."""
REAL_PAUSE_S = 0.15
"""A gap between words that is a pause even where the level is not known."""
QUIET_S = 0.07
"""A cut is clean when the sound is near its floor for so long: more than most stop consonants inside a word."""
SMOOTH_S = 0.05
BLOCK_S = 30.0
"""Floor and speech level are measured anew for each stretch of so long: rooms and microphones change."""
QUIET_SHARE = 0.35
"""Quiet is the lower part of the span, in dB, from the floor (5th percentile) to the speech (80th). A heuristic."""
BELOW_SPEECH_DB = 9.0
"""Quiet is at least so far below the speech: in steady sound, where floor and speech are one, nothing is."""
PULL_DB_PER_S = 20.0
"""A point this many dB quieter is worth being one second further from where the cut would stand by the words alone."""
LOWEST_DBFS = -120.0


class Spoken(Protocol):
    """What a cut needs to know of a sentence, shot or stretch of sound."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def text(self) -> str: ...
    @property
    def words(self) -> tuple[Word, ...]: ...


@dataclass(frozen=True, slots=True)
class Edge:
    """A time at which a clip may begin or end, and how good a cut there is."""

    time_s: float
    pause_s: float
    """Length of the pause it stands in."""
    level_dbfs: float | None
    """RMS level at the cut over 50 ms; None where the level is not known."""
    clean: bool
    """It stands in a real pause. An unclean cut may be heard, and may touch a word."""


@dataclass(frozen=True, slots=True)
class Edges:
    """For each unit the cut before it and the cut after it; times never decrease along the recording."""

    begins: tuple[Edge, ...]
    ends: tuple[Edge, ...]

    def __post_init__(self) -> None:
        times = [edge.time_s for pair in zip(self.begins, self.ends, strict=True) for edge in pair]
        if any(later < earlier for earlier, later in zip(times, times[1:], strict=False)):
            raise ValueError("Edges must alternate begin, end, begin, end … in timeline order, got times that decrease")


@dataclass(frozen=True, slots=True)
class Gap:
    """The room between two units: the words leave [end_s, start_s), a cut may stand in [from_s, to_s]."""

    end_s: float
    start_s: float
    from_s: float
    to_s: float
    silent_kind: bool
    """Neither side is speech: the boundary itself (of a shot, say) is the cut."""


class Levels:
    """The level envelope, smoothed, with what counts as quiet around each time."""

    def __init__(self, levels_dbfs: ArrayLike, hop_s: float) -> None:
        raw = np.nan_to_num(np.asarray(levels_dbfs, dtype=np.float64), nan=LOWEST_DBFS, neginf=LOWEST_DBFS, posinf=0.0)
        width = max(1, round(SMOOTH_S / hop_s))
        padded = np.pad(np.maximum(raw, LOWEST_DBFS), (width // 2, width - 1 - width // 2), mode="edge")
        # In dB, not in power: a loud hop beside the cut must not hide how quiet the cut itself is.
        self.smooth: NDArray[np.float64] = np.convolve(padded, np.full(width, 1 / width), mode="valid")
        self.hop_s = hop_s
        self.block = max(1, round(BLOCK_S / hop_s))
        pieces = [raw[k : k + self.block] for k in range(0, len(raw), self.block)]
        if len(pieces) > 1 and len(pieces[-1]) < self.block // 2:
            pieces[-2:] = [np.concatenate(pieces[-2:])]
        shares = np.array([np.percentile(np.maximum(piece, LOWEST_DBFS), (5, 80)) for piece in pieces])
        floor, speech = shares[:, 0], shares[:, 1]
        self.quiet_dbfs = np.minimum(floor + np.maximum(3.0, QUIET_SHARE * (speech - floor)), speech - BELOW_SPEECH_DB)

    def index(self, time_s: float) -> int:
        return min(max(int(time_s / self.hop_s), 0), len(self.smooth) - 1)

    def quiet(self, time_s: float) -> float:
        """Level in dBFS under which the sound around `time_s` counts as quiet."""
        return float(self.quiet_dbfs[min(self.index(time_s) // self.block, len(self.quiet_dbfs) - 1)])

    def quietest_s(self, from_s: float, to_s: float, target_s: float) -> float:
        """The quietest point of [from_s, to_s]; where much of it is equally quiet, the one nearest to `target_s`."""
        low, high = self.index(from_s), self.index(to_s) + 1
        centres = np.clip((np.arange(low, high) + 0.5) * self.hop_s, from_s, to_s)
        # All that is well below the quiet mark is as good: the cut must not run after differences in the room's hiss.
        level = np.maximum(self.smooth[low:high], self.quiet(target_s) - 10.0)
        return float(centres[int(np.argmin(level + PULL_DB_PER_S * np.abs(centres - target_s)))])

    def quiet_run(self, time_s: float, reach_s: float) -> tuple[float, float]:
        """The stretch around `time_s` in which the sound stays quiet, looking `reach_s` to both sides."""
        at, reach, quiet = self.index(time_s), max(1, round(reach_s / self.hop_s)), self.quiet(time_s)
        low, high = max(0, at - reach), min(at + reach + 1, len(self.smooth))
        loud = np.flatnonzero(self.smooth[low:high] > quiet) + low
        first = int(max(loud[loud <= at], default=low - 1)) + 1
        last = int(min(loud[loud >= at], default=high))
        return first * self.hop_s, max(first, last) * self.hop_s


def find_edges(
    units: Sequence[Spoken], *, levels_dbfs: ArrayLike | None, hop_s: float = 0.01, duration_s: float
) -> Edges:
    """The cuts before and after each unit, in time linear in the recording.

    Args:
        units: In timeline order.
        levels_dbfs: RMS level of the sound per hop from time 0, in dBFS; None or empty where there is no sound.
        hop_s: Length of a hop in seconds.
        duration_s: Length of the recording; no cut stands behind it.

    A cut leaves at most LEAD_S before the first word and TAIL_S after the last, and at most half of a pause that two
    units share. Where that pause is shorter than 2 * SLACK_S, or units touch or overlap, both share one cut: the
    quietest point, at most SLACK_S outside the gap that the word times leave (its middle where no level is known).
    """
    if not units:
        return Edges((), ())
    heard = None if levels_dbfs is None or np.size(levels_dbfs) == 0 else Levels(levels_dbfs, hop_s)
    begins, ends = [_first_edge(units[0], heard, duration_s)], []
    for before, after in zip(units, units[1:], strict=False):
        end, begin = _cuts(_gap(before, after, duration_s), heard)
        ends.append(end)
        begins.append(begin)
    ends.append(_last_edge(units[-1], heard, duration_s))
    return _in_order(begins, ends, duration_s)


def word_bounds(unit: Spoken) -> tuple[float, float]:
    """Start of the first word and end of the last, or the unit's own times where it has no words."""
    return (unit.words[0].start_s, unit.words[-1].end_s) if unit.words else (unit.start_s, unit.end_s)


def _gap(before: Spoken, after: Spoken, duration_s: float) -> Gap:
    end_s, start_s = word_bounds(before)[1], word_bounds(after)[0]
    # A cut that the level moves never goes past the middle of the last word before or the first word after the gap.
    last_s = before.words[-1].start_s if before.words else before.start_s
    first_s = after.words[0].end_s if after.words else after.end_s
    from_s = max(min(end_s, start_s) - SLACK_S, (last_s + end_s) / 2)
    to_s = min(max(end_s, start_s) + SLACK_S, (start_s + first_s) / 2, duration_s)
    return Gap(end_s, start_s, min(from_s, to_s), to_s, not (before.text.strip() or after.text.strip()))


def _cuts(gap: Gap, heard: Levels | None) -> tuple[Edge, Edge]:
    """The cut at which a clip ends before the gap and the one at which a clip begins after it."""
    pause_s, middle_s = max(0.0, gap.start_s - gap.end_s), (gap.end_s + gap.start_s) / 2
    if gap.silent_kind:
        return Edge(gap.end_s, pause_s, None, True), Edge(gap.start_s, pause_s, None, True)
    if pause_s < 2 * SLACK_S:
        target_s = _middle_of_quiet(gap, heard) if heard else middle_s
        shared = _edge(gap.from_s, gap.to_s, target_s, pause_s, heard)
        return shared, shared
    # The last word may go on after its time and the first come before it; half the pause stays each side's own.
    end_s, begin_s = min(gap.end_s + TAIL_S, middle_s), max(gap.start_s - LEAD_S, middle_s)
    return _edge(gap.end_s, end_s, end_s, pause_s, heard), _edge(begin_s, gap.start_s, begin_s, pause_s, heard)


def _middle_of_quiet(gap: Gap, heard: Levels) -> float:
    """The middle of the pause that the quietest point in reach belongs to, so far as it is in reach."""
    time_s = heard.quietest_s(gap.from_s, gap.to_s, (gap.end_s + gap.start_s) / 2)
    start_s, end_s = heard.quiet_run(time_s, SLACK_S)
    return (max(start_s, gap.from_s) + min(end_s, gap.to_s)) / 2 if start_s < end_s else time_s


def _first_edge(unit: Spoken, heard: Levels | None, duration_s: float) -> Edge:
    start_s = min(word_bounds(unit)[0], duration_s)
    if start_s < LEAD_S:
        return Edge(0.0, start_s, None, True)
    return _edge(start_s - LEAD_S, start_s, start_s - LEAD_S, start_s, heard)


def _last_edge(unit: Spoken, heard: Levels | None, duration_s: float) -> Edge:
    end_s = min(word_bounds(unit)[1], duration_s)
    if duration_s - end_s < TAIL_S:
        return Edge(duration_s, duration_s - end_s, None, True)
    return _edge(end_s, end_s + TAIL_S, end_s + TAIL_S, duration_s - end_s, heard)


def _edge(from_s: float, to_s: float, target_s: float, pause_s: float, heard: Levels | None) -> Edge:
    target_s = min(max(target_s, from_s), to_s)
    if heard is None:
        return Edge(target_s, pause_s, None, pause_s >= REAL_PAUSE_S)
    time_s = heard.quietest_s(from_s, to_s, target_s)
    start_s, end_s = heard.quiet_run(time_s, SLACK_S + SMOOTH_S)
    quiet_s = end_s - start_s
    level_dbfs = float(heard.smooth[heard.index(time_s)])
    return Edge(time_s, max(pause_s, quiet_s), level_dbfs, quiet_s >= QUIET_S)


def _in_order(begins: list[Edge], ends: list[Edge], duration_s: float) -> Edges:
    """Times on whole milliseconds, inside the recording and never decreasing, whatever the units' times are."""
    ordered: list[Edge] = []
    reached_s = 0.0
    for edge in (edge for pair in zip(begins, ends, strict=True) for edge in pair):
        reached_s = min(max(round(edge.time_s, 3), reached_s), duration_s)
        ordered.append(replace(edge, time_s=reached_s))
    return Edges(tuple(ordered[::2]), tuple(ordered[1::2]))


def split_at_pauses(unit: Spoken, most_s: float) -> list[Sentence]:
    """Cut one unit into pieces of at most `most_s`: speech at its longest inner pauses, a unit without words evenly.

    A single word longer than `most_s` stays whole.
    """
    if not unit.words:
        count = max(1, math.ceil((unit.end_s - unit.start_s) / most_s))
        times = np.linspace(unit.start_s, unit.end_s, count + 1).tolist()
        texts = [unit.text] + [""] * (count - 1)
        return [Sentence(a, b, text, ()) for a, b, text in zip(times, times[1:], texts, strict=False)]
    bounds = [0, *_inner_cuts(unit.words, most_s), len(unit.words)]
    pieces = [unit.words[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]
    texts = _texts(unit.text, pieces)
    return [Sentence(p[0].start_s, p[-1].end_s, text, p) for text, p in zip(texts, pieces, strict=True)]


def _inner_cuts(words: Sequence[Word], most_s: float) -> list[int]:
    """Indices of the words that begin a piece, 0 left out."""
    cuts: list[int] = []
    waiting = [(0, len(words))]
    while waiting:
        low, high = waiting.pop()
        start_s, end_s = words[low].start_s, words[high - 1].end_s
        if high - low < 2 or end_s - start_s <= most_s:
            continue
        middle_s, room_s = (start_s + end_s) / 2, (end_s - start_s) / 4

        def preference(k: int, middle_s: float = middle_s, room_s: float = room_s) -> tuple[float, float, float]:
            # Only pauses in the middle half count, or slivers would be left; without one, the nearest to it.
            off_s = abs(words[k].start_s - middle_s)
            return max(0.0, off_s - room_s), words[k - 1].end_s - words[k].start_s, off_s

        cut = min(range(low + 1, high), key=preference)
        cuts.append(cut)
        waiting += [(low, cut), (cut, high)]
    return sorted(cuts)


def _texts(text: str, pieces: list[tuple[Word, ...]]) -> list[str]:
    """The text of each piece: as written where the words are found in it, else the words joined."""
    marks, cursor = [], 0
    for piece in pieces:
        for k, word in enumerate(piece):
            at = text.find(word.text.strip(), cursor)
            if at < 0:
                return [" ".join(w.text.strip() for w in p) for p in pieces]
            if k == 0:
                marks.append(at)
            cursor = at + len(word.text.strip())
    marks = [0, *marks[1:], len(text)]
    return [text[a:b].strip() for a, b in zip(marks, marks[1:], strict=False)]
