"""Words that a recogniser hears and nobody said: loops, phrases made up over noise, words stretched over a pause.

Whisper writes fluent text for any sound. The rules here are heuristics on what it gives away: repetition, its own
probabilities, and whether there was sound at all. Pure functions on words; times in seconds on one timeline.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.records import Span, Word

NO_SPEECH, UNSURE_LOGPROB = 0.6, -1.0
"""Whisper's own rule (Radford et al. 2022, section 4.5): above this probability of no speech and below this mean log
probability of the text there is nothing. White noise, tones and music measured here lie at 0.5-0.97 and -1.4 to -3.6,
speech 50 dB too quiet at 0.54 and -0.4."""
HOPELESS_LOGPROB = -1.5
"""Text this improbable is noise whatever the probability of no speech is."""
LOOP_TIMES, LONGEST_UNIT = 4, 20
"""A loop is a unit of at most LONGEST_UNIT words, said at least LOOP_TIMES times in a row ..."""
FEW_WORDS, LOOP_SHARE, MANY_WORDS = 8, 0.5, 16
"""... with FEW_WORDS in all if that is LOOP_SHARE of a window, else MANY_WORDS: "no, no, no, no" is no loop."""
COMPRESSED = 2.4
"""Whisper's limit for the ratio of a text's bytes to its zlib bytes (same source)."""
PHRASES = """
you|thank you|thanks|thank you very much|thank you so much|thanks for watching|thank you for watching|bye|bye bye
|thanks for watching and see you next time|please subscribe|subscribe|like and subscribe|see you next time
|subtitles by the amara org community|music|applause
"""
STOCK_PHRASES = frozenset(phrase.strip() for phrase in PHRASES.split("|"))
"""What Whisper writes when there is nothing to write; it comes from the subtitles it was trained on."""
ALONE_S, UNSURE_WORD = 2.0, 0.6
"""A stock phrase with so much silence on both sides and words less probable than this was not said."""
PHRASE_PAUSE_S, SPOKEN_SHARE, DOUBTED_WORD = 0.6, 0.1, 0.5
"""A phrase between pauses with less voice in it than this share, and words less probable than this, was not said."""
WORD_S, LETTER_S, DIGIT_S = 1.2, 0.1, 0.4
"""Longest believable word: this, and so much more for each letter and digit ("1950" is three words)."""
QUIET_RUN_S = 0.12
"""Longer than nearly every stop consonant's closure."""
SOFT_RANGE_DB, WIDE_RANGE_DB = 12.0, 50.0
"""With less between floor and speech, quiet and loud cannot be told apart; a deeper floor is digital silence."""
QUIET_SHARE = 0.3
"""Quiet is this much of the way, in dB, from the floor (5th percentile) to the speech (90th)."""
REACH_S = 0.25
"""How far the sound at a word's edge is followed beyond the word's own time."""
LEAST_WORD_S = 0.04


@dataclass(frozen=True, slots=True)
class Heard:
    """What the recogniser made of one window of sound."""

    window: Span
    words: tuple[Word, ...]
    mean_logprob: float
    """Mean log probability of a token."""
    no_speech: float
    """The recogniser's probability that nobody speaks."""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def clean(
    heard: Sequence[Heard], speech: Sequence[Span], levels_dbfs: NDArray[np.float32], hop_s: float, span: Span
) -> tuple[list[Word], list[str]]:
    """The words of a chunk that were said, at the times of their sound, and what was dropped and why.

    Args:
        heard: What was recognised, window by window; windows may overlap.
        speech: Where voice-activity detection hears somebody.
        levels_dbfs: Level of the chunk's sound every `hop_s` seconds from `span.start_s`.
        span: The chunk. All times are on one timeline; the words are in order, apart, and inside the chunk.
    """
    words: list[Word] = []
    notes: list[str] = []
    for each in heard:
        if each.words and is_made_up(each):
            notes.append(f"{_at(each.words)}: {_quoted(each.words)} was made up over noise, music or silence.")
            continue
        kept, dropped = cut_loops(each.words)
        words += kept
        notes += dropped
    words, dropped = cut_loops(sorted(words, key=lambda word: (word.start_s, word.end_s)))
    notes += dropped
    words = in_order(words, span)
    quiet = quiet_spans(levels_dbfs, hop_s, speech, span.start_s)
    words, dropped = drop_unspoken(settle_edges(words, quiet), speech)
    return in_order(words, span), [*notes, *dropped]


def is_made_up(heard: Heard) -> bool:
    """Whether the whole window's text is what the recogniser writes for noise."""
    return heard.mean_logprob < HOPELESS_LOGPROB or (
        heard.no_speech > NO_SPEECH and (heard.mean_logprob < UNSURE_LOGPROB or _plain(heard.words) in STOCK_PHRASES)
    )


def is_looped(heard: Heard) -> bool:
    """Whether the window's text repeats itself as speech does not."""
    text = heard.text.encode()
    return (
        len(text) > COMPRESSED * len(zlib.compress(text)) or find_loop([_plain([w]) for w in heard.words]) is not None
    )


def find_loop(words: Sequence[str]) -> tuple[int, int, int] | None:
    """(first word, words in the unit, times) of the longest loop, ties to the shorter unit; None if there is none."""
    best: tuple[int, int, int] | None = None
    least = max(FEW_WORDS, min(MANY_WORDS, LOOP_SHARE * len(words)))
    for unit in range(1, min(LONGEST_UNIT, len(words) // LOOP_TIMES) + 1):
        run = 0
        for i in range(unit, len(words) + 1):
            if i < len(words) and words[i] == words[i - unit]:
                run += 1
                continue
            times = run // unit + 1
            if times >= LOOP_TIMES and times * unit >= least:
                first = i - run - unit
                if best is None or times * unit > best[1] * best[2] + unit:
                    best = (first, unit, times)
            run = 0
    return best


def cut_loops(words: Sequence[Word]) -> tuple[list[Word], list[str]]:
    """The words of a window or chunk with each loop cut down to its first time round, and what was dropped."""
    kept, notes = list(words), []
    while (loop := find_loop([_plain([word]) for word in kept])) is not None:
        first, unit, times = loop
        once, again = kept[first : first + unit], kept[first + unit : first + unit * times]
        notes.append(f"{_at(again)}: {_quoted(once)} was heard {times} times in a row and kept once (repetition loop).")
        kept[first + unit : first + unit * times] = []
    return kept, notes


def drop_unspoken(words: Sequence[Word], speech: Sequence[Span]) -> tuple[list[Word], list[str]]:
    """The words without the phrases that lie where voice-activity detection hears nobody, and what was dropped.

    Only improbable phrases go, as word times may be wrong; and stock phrases that stand alone.
    """
    kept: list[Word] = []
    notes: list[str] = []
    phrases = _phrases(words)
    for i, phrase in enumerate(phrases):
        before_s = phrase[0].start_s - (phrases[i - 1][-1].end_s if i else -ALONE_S)
        after_s = phrases[i + 1][0].start_s - phrase[-1].end_s if i + 1 < len(phrases) else ALONE_S
        sure = sum(word.probability for word in phrase) / len(phrase)
        alone = min(before_s, after_s) >= ALONE_S and _plain(phrase) in STOCK_PHRASES
        unvoiced = _voiced_share(phrase, speech) < SPOKEN_SHARE
        if (unvoiced and (sure < DOUBTED_WORD or alone)) or (alone and sure < UNSURE_WORD):
            notes.append(f"{_at(phrase)}: {_quoted(phrase)} was heard where nobody seems to speak.")
        else:
            kept += phrase
    return kept, notes


def quiet_spans(
    levels_dbfs: NDArray[np.float32], hop_s: float, speech: Sequence[Span], begin_s: float
) -> list[tuple[float, float]]:
    """Stretches of at least QUIET_RUN_S near the floor, in seconds; none where floor and speech lie close.

    Floor and speech are measured where somebody speaks, pauses between words included. The levels begin at `begin_s`.
    """
    spoken = np.zeros(len(levels_dbfs), dtype=bool)
    for span in speech:
        spoken[round((span.start_s - begin_s) / hop_s) : round((span.end_s - begin_s) / hop_s)] = True
    if not spoken.any():
        return []
    floor, loud = np.percentile(levels_dbfs[spoken], (5, 90))
    floor = max(floor, loud - WIDE_RANGE_DB)
    if loud - floor < SOFT_RANGE_DB:
        return []
    quiet = levels_dbfs < floor + QUIET_SHARE * (loud - floor)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(begin_s + a * hop_s, begin_s + b * hop_s) for a, b in runs if (b - a) * hop_s >= QUIET_RUN_S]


def settle_edges(words: Sequence[Word], quiet: Sequence[tuple[float, float]]) -> list[Word]:
    """Words moved to the sound: pauses are cut off them, and a word beside a pause reaches to where the sound ends.

    `words` in order and apart; so is the result. A word that lies in quiet as a whole keeps its times.
    """
    starts = np.array([start_s for start_s, _ in quiet])
    settled: list[Word] = []
    for i, word in enumerate(words):
        free_s = settled[-1].end_s if settled else 0.0
        limit_s = words[i + 1].start_s if i + 1 < len(words) else float("inf")
        low = max(0, int(np.searchsorted(starts, word.start_s - REACH_S)) - 1)
        high = int(np.searchsorted(starts, word.end_s + REACH_S))
        start_s, end_s = _to_sound(word, quiet[low:high], free_s, limit_s)
        settled.append(_believable(replace(word, start_s=start_s, end_s=end_s), free_s, limit_s))
    return settled


def in_order(words: Sequence[Word], span: Span) -> list[Word]:
    """The words inside the span, apart, on whole milliseconds, each moved as little as that takes."""
    least_s = min(LEAST_WORD_S / 2, span.length_s / (len(words) + 1))
    starts: list[float] = []
    for word in words:
        starts.append(max(word.start_s, starts[-1] + least_s if starts else span.start_s))
    limit_s = span.end_s
    ordered: list[Word] = []
    for word, start_s in zip(reversed(words), reversed(starts), strict=True):
        start_s = max(span.start_s, min(start_s, limit_s - least_s))
        end_s = min(max(word.end_s, start_s + least_s), limit_s)
        ordered.append(replace(word, start_s=round(start_s, 3), end_s=round(end_s, 3)))
        limit_s = start_s
    return ordered[::-1]


def _to_sound(word: Word, quiet: Sequence[tuple[float, float]], free_s: float, limit_s: float) -> tuple[float, float]:
    """The longest loud stretch of the word, drawn out to the pauses that lie just outside it."""
    cuts = [word.start_s, *(t for pair in quiet for t in pair if word.start_s < t < word.end_s), word.end_s]
    loud = [(a, b) for a, b in pairwise(cuts) if not any(q <= (a + b) / 2 < r for q, r in quiet)]
    if not loud:
        return word.start_s, word.end_s
    start_s, end_s = max(loud, key=lambda part: part[1] - part[0])
    if end_s - start_s < LEAST_WORD_S:
        return word.start_s, word.end_s
    before = [r for _, r in quiet if start_s - REACH_S <= r <= start_s and r >= free_s]
    after = [q for q, _ in quiet if end_s <= q <= min(end_s + REACH_S, limit_s)]
    return max(before, default=start_s), min(after, default=end_s)


def _believable(word: Word, free_s: float, limit_s: float) -> Word:
    """The word cut to a length that it can have, on the side of its nearer neighbour."""
    digits = sum(c.isdigit() for c in word.text)
    longest_s = WORD_S + LETTER_S * len(word.text) + DIGIT_S * digits
    if word.end_s - word.start_s <= longest_s:
        return word
    if word.start_s - free_s <= limit_s - word.end_s:
        return replace(word, end_s=word.start_s + longest_s)
    return replace(word, start_s=word.end_s - longest_s)


def _phrases(words: Sequence[Word]) -> list[list[Word]]:
    phrases: list[list[Word]] = []
    for i, word in enumerate(words):
        if i == 0 or word.start_s - words[i - 1].end_s >= PHRASE_PAUSE_S:
            phrases.append([])
        phrases[-1].append(word)
    return phrases


def _voiced_share(phrase: Sequence[Word], speech: Sequence[Span]) -> float:
    start_s, end_s = phrase[0].start_s, phrase[-1].end_s
    voiced_s = sum(max(0.0, min(end_s, span.end_s) - max(start_s, span.start_s)) for span in speech)
    return voiced_s / (end_s - start_s)


def _plain(words: Sequence[Word]) -> str:
    return " ".join(re.findall(r"\w+", " ".join(word.text for word in words).lower()))


def _quoted(words: Sequence[Word]) -> str:
    text = " ".join(word.text for word in words)
    return f'"{text if len(text) <= 60 else text[:57] + "..."}"'


def _at(words: Sequence[Word]) -> str:
    return f"At {words[0].start_s:.1f} s" if words else "At an unknown time"
