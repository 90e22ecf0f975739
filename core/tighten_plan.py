"""Which pauses and fillers a clip can do without, and between which frames they are cut out.

Heuristic and cautious: a cut lies between words and in a quiet place, or is not made. A rest of every pause stays, as
speech without any sounds hunted, and more of it where a sentence ends or a question is left to sink in. What a pause
means is not understood: one before a punch line keeps its rest and no more. A pause at the clip's
opening or end stays as it is.
"""

import math
from bisect import bisect, bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.errors import BadSetting
from core.fillers import LANGUAGE, ends_sentence, find_fillers
from core.quiet import Hush, Interval, find_hush, without
from core.records import Word
from core.tightening import Removal, RemovalKind, Tightening

SENTENCE_REST, QUESTION_REST = 1.6, 2.0
"""So many times the usual rest stays after a sentence, and after a question."""
LEAST_SAVED_S = 0.15
"""For less, a jump in the picture is not worth it."""
SIDE_S = 0.1
"""So much of a pause stays at each of its ends, where a word dies away and the next one begins softly."""
WORD_MARGIN_S = 0.02
"""Beside a filler the pauses may be short; still no crossfade may reach a word."""
OVERLAPPING_WORDS = 20
"""So many words before a filler are looked at for one that reaches into it."""
WINDOW_S = 60.0
EXCESS_DB_PER_S, UNEVEN_DB_PER_S = 60.0, 10.0
"""What a cut's place costs for each second that stays beyond the rest wanted, and that lies on one side of it only;
in the same unit as the level at its edges."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be cut."""

    min_pause_s: float
    keep_pause_s: float
    min_piece_s: float
    """Least speech between two cuts."""
    cuts_per_minute: int


@dataclass(frozen=True, slots=True)
class _Clip:
    """What is known of the clip."""

    words: Sequence[Word]
    frames: int
    rate: Fraction
    hush: Hush
    busy: Sequence[Interval]

    def grid(self, start_s: float, end_s: float) -> NDArray[np.int64]:
        """Frames whose beginnings lie in [start_s, end_s] and inside the clip."""
        first = max(1, math.ceil(start_s * self.rate - 1e-6))
        last = min(self.frames - 1, math.floor(end_s * self.rate + 1e-6))
        return np.arange(first, last + 1)

    def times_s(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        return frames * self.rate.denominator / self.rate.numerator


def plan_tightening(
    words: Sequence[Word],
    *,
    duration_s: float,
    frame_rate: Fraction,
    level_dbfs: NDArray[np.floating] | None,
    hop_s: float,
    silences: Sequence[Interval] = (),
    pauses: bool = True,
    fillers: bool = True,
    language: str | None = LANGUAGE,
    min_pause_s: float = 0.7,
    keep_pause_s: float = 0.3,
    min_piece_s: float = 1.0,
    cuts_per_minute: int = 12,
    busy: Sequence[Interval] = (),
) -> Tightening:
    """The plan for a clip; empty where nothing can be taken out. All times count from the clip's start.

    Args:
        words: All that is said in the clip, in order.
        duration_s: Its length: a whole number of frames at `frame_rate`, as `core.cutting.Cut` has them.
        level_dbfs: RMS level of each hop from the clip's start on (`core.audio.Envelope`). Without it only `silences`
            tell where the clip is quiet; with neither nothing is taken out.
        pauses: Shorten pauses of at least `min_pause_s` to about `keep_pause_s`.
        fillers: Take out fillers with what hesitation surrounds them; only where `language` is English.
        min_piece_s: Least speech between two cuts; where cuts compete, the one that saves more is made.
        cuts_per_minute: Most cuts in any minute of the tightened clip.
        busy: Stretches that must not be touched, such as a slide's change or a film that is shown.

    Raises BadSetting where the rest to keep is not shorter than the pauses looked for, and ValueError
    for a clip without a frame.
    """
    if not 2 * SIDE_S <= keep_pause_s < min_pause_s:
        raise BadSetting(
            f"Tightening keeps at least {2 * SIDE_S:g} s of a pause, and less than the pauses it shortens, which are of"
            f" {min_pause_s:g} s and more; it was told to keep {keep_pause_s:g} s."
        )
    frames = round(duration_s * frame_rate)
    if frames < 1:
        raise ValueError(f"A clip to tighten must have a frame, got {duration_s} s at {frame_rate}")
    rate, said = f"{frame_rate.numerator}/{frame_rate.denominator}", sorted(words, key=lambda w: (w.start_s, w.end_s))
    limits = Limits(min_pause_s, keep_pause_s, min_piece_s, cuts_per_minute)
    clip = _Clip(said, frames, frame_rate, find_hush(said, level_dbfs, hop_s, silences), busy)
    found = _pauses(clip, limits) if pauses else []
    if fillers and language == LANGUAGE:
        found += _fillers(clip, limits)
    return Tightening(float(frames / frame_rate), rate, tuple(_chosen(found, clip, limits)))


def _pauses(clip: _Clip, limits: Limits) -> list[Removal]:
    found: list[Removal] = []
    spoken_s = 0.0
    for word, following in pairwise(clip.words):
        spoken_s = max(spoken_s, word.end_s)
        inside = clip.hush.within(spoken_s, following.start_s)
        for quiet in [part for span in inside for part in without(span, clip.busy)]:
            if quiet[1] - quiet[0] >= limits.min_pause_s:
                rest_s = _rest_s(word, limits)
                reach_s = rest_s - SIDE_S + float(1 / clip.rate)
                starts = clip.grid(quiet[0] + SIDE_S, quiet[0] + reach_s)
                ends = clip.grid(quiet[1] - reach_s, quiet[1] - SIDE_S)
                found += _cut(clip, quiet, starts, ends, rest_s, "pause", "")
    return found


def _fillers(clip: _Clip, limits: Limits) -> list[Removal]:
    found: list[Removal] = []
    for first, end in find_fillers(clip.words):
        gone, before = clip.words[first:end], clip.words[max(0, first - OVERLAPPING_WORDS) : first]
        free = (max((word.end_s for word in before), default=0.0), _next_start_s(clip, end))
        loud = (gone[0].start_s, max(word.end_s for word in gone))
        if any(start_s < free[1] and end_s > free[0] for start_s, end_s in clip.busy):
            continue
        rest_s = _rest_s(before[-1], limits) if before else limits.keep_pause_s
        starts = _quiet_only(clip, clip.grid(free[0] + WORD_MARGIN_S, loud[0]))
        ends = _quiet_only(clip, clip.grid(loud[1], free[1] - WORD_MARGIN_S))
        found += _cut(clip, free, starts, ends, rest_s, "filler", " ".join(word.text for word in gone))
    return found


def _next_start_s(clip: _Clip, index: int) -> float:
    return clip.words[index].start_s if index < len(clip.words) else float(clip.frames / clip.rate)


def _rest_s(word: Word, limits: Limits) -> float:
    """How much of the pause after `word` stays; never all of the shortest pause that is looked for."""
    more = 1.0
    if ends_sentence(word.text):
        more = QUESTION_REST if "?" in word.text else SENTENCE_REST
    return max(limits.keep_pause_s, min(more * limits.keep_pause_s, limits.min_pause_s - LEAST_SAVED_S))


def _quiet_only(clip: _Clip, frames: NDArray[np.int64]) -> NDArray[np.int64]:
    return frames[clip.hush.holds(clip.times_s(frames), WORD_MARGIN_S / 2)]


def _cut(
    clip: _Clip,
    around: Interval,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    rest_s: float,
    kind: RemovalKind,
    text: str,
) -> list[Removal]:
    """The best cut from one of `starts` to one of `ends` that leaves about `rest_s` of `around`, or what it can."""
    if not len(starts) or not len(ends):
        return []
    start_s, end_s = clip.times_s(starts)[:, None], clip.times_s(ends)[None, :]
    head_s, tail_s = start_s - around[0], around[1] - end_s
    rest_s = min(rest_s, float(head_s.max() + tail_s.max()))
    level = np.maximum(clip.hush.near_dbfs(start_s[:, 0])[:, None], clip.hush.near_dbfs(end_s[0])[None, :])
    excess_s = np.abs(head_s + tail_s - rest_s)
    cost = level + EXCESS_DB_PER_S * excess_s + UNEVEN_DB_PER_S * np.abs(head_s - tail_s)
    frame_s = float(1 / clip.rate)
    possible = (end_s - start_s >= LEAST_SAVED_S) & (head_s + tail_s >= rest_s - frame_s)
    if not possible.any():
        return []
    i, j = np.unravel_index(int(np.argmin(np.where(possible, cost, np.inf))), cost.shape)
    return [Removal(float(start_s[i, 0]), float(end_s[0, j]), kind, text)]


def _chosen(found: Sequence[Removal], clip: _Clip, limits: Limits) -> list[Removal]:
    """Cuts in order of time, taken by what they save as long as the limits hold; the earlier of equals first."""
    chosen: list[Removal] = []
    for removal in sorted(found, key=lambda r: (-r.saved_s, r.start_s)):
        at = bisect(chosen, removal.start_s, key=_start_s)
        beside = [*chosen[max(0, at - 1) : at], removal, *chosen[at : at + 1]]
        if all(_is_piece(one, other, clip, limits) for one, other in pairwise(beside)):
            chosen.insert(at, removal)
            if not _is_seldom(chosen, at, limits):
                del chosen[at]
    return chosen


def _start_s(removal: Removal) -> float:
    return removal.start_s


def _is_piece(one: Removal, other: Removal, clip: _Clip, limits: Limits) -> bool:
    """Whether enough is said between two cuts."""
    if other.start_s - one.end_s < max(limits.min_piece_s, float(1 / clip.rate)):
        return False
    first = bisect_left(clip.words, one.end_s, key=lambda word: word.start_s)
    end = bisect(clip.words, other.start_s, key=lambda word: word.start_s)
    said = clip.words[first:end]
    return not limits.min_piece_s or bool(said and said[-1].end_s - said[0].start_s >= limits.min_piece_s)


def _is_seldom(cuts: Sequence[Removal], at: int, limits: Limits) -> bool:
    """Whether no minute of the tightened clip that holds cut number `at` holds too many."""
    for first in range(max(0, at - limits.cuts_per_minute), at + 1):
        many = cuts[first : first + limits.cuts_per_minute + 1]
        shown_s = many[-1].start_s - many[0].start_s - sum(cut.saved_s for cut in many[:-1])
        if len(many) > limits.cuts_per_minute and shown_s < WINDOW_S:
            return False
    return True
