"""Caption times refined on the sound: cues become words that lie where somebody speaks.

Speech is told from pauses by level alone, which is a heuristic: music and noise as loud as speech count as speech.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.reading import CLAUSE_END, SENTENCE_END
from core.records import Word
from core.subtitles import RawCue, spread_words, tokens_of

FLOOR_DBFS, LEAST_RANGE_DB = -60.0, 6.0
"""Nothing quieter is speech; with less between the 10th and 95th percentile, speech and pauses cannot be told apart."""
SPEECH_SHARE = 0.4
"""Speech begins this far up, in dB, from the 10th percentile of the level to the 95th."""
LEAST_PAUSE_S, LEAST_SPEECH_S = 0.15, 0.05
MAX_OFFSET_S, OFFSET_STEP_S = 3.0, 0.05
EDGE_S = 0.4
"""How far on both sides of a cue's edge speech is compared, to find a constant offset."""
LEAST_GAIN, LEAST_LEAD, LEAST_EVIDENCE = 0.06, 1.5, 1.4
"""An offset is believed when the mean agreement of edges (-1 to 1) is so much better than without, so many times
better than at any offset elsewhere, and so large times the root of the number of cues. With these, 2 of 400
excerpts of unrelated captions were given an offset, and none of 400 shifted ones a wrong one (190 s of real speech).
"""
LEAST_CUES = 3
MAX_SNAP_S = 0.5
LEAST_WORD_S = 0.02
LEAST_TRIMMED_S, LEAST_SPOKEN_SHARE = 0.06, 0.25
"""A word keeps so much when a pause is cut off it; a cue with a smaller share of speech is taken as misjudged."""
PUNCTUATION_S = 0.3
"""How much further from its expected place a pause may be when punctuation stands there."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Stretches of speech, in order and apart: `starts_s[i]` to `ends_s[i]`."""

    starts_s: np.ndarray
    ends_s: np.ndarray

    def inside(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """The parts of [start_s, end_s) with speech."""
        first = int(np.searchsorted(self.ends_s, start_s, side="right"))
        last = int(np.searchsorted(self.starts_s, end_s, side="left"))
        cut = [(max(start_s, float(self.starts_s[i])), min(end_s, float(self.ends_s[i]))) for i in range(first, last)]
        return [(a, b) for a, b in cut if b - a >= LEAST_WORD_S]


@dataclass(frozen=True, slots=True)
class _Run:
    """The words of one cue, or of several that are shown at once, and where they are."""

    start_s: float
    end_s: float
    tokens: tuple[str, ...]
    words: tuple[Word, ...] | None


def find_speech(levels_dbfs: np.ndarray, hop_s: float) -> Speech | None:
    """Where the level is that of speech; None where it varies too little to tell. Heuristic, by the whole recording."""
    levels = np.nan_to_num(np.asarray(levels_dbfs, dtype=np.float64), nan=-120.0, neginf=-120.0, posinf=0.0)
    if levels.size == 0:
        return None
    low, high = (max(float(level), -120.0) for level in np.percentile(levels, (10, 95)))
    if high < FLOOR_DBFS or high - low < LEAST_RANGE_DB:
        return None
    low = max(low, FLOOR_DBFS)
    active = np.concatenate(([False], levels > max(FLOOR_DBFS, low + SPEECH_SHARE * (high - low)), [False]))
    edges = np.flatnonzero(active[1:] != active[:-1]) * hop_s
    starts, ends = edges[::2], edges[1::2]
    joined = starts[1:] - ends[:-1] < LEAST_PAUSE_S
    starts, ends = starts[np.append(True, ~joined)], ends[np.append(~joined, True)]
    long = ends - starts >= LEAST_SPEECH_S
    return Speech(starts[long], ends[long]) if long.any() else None


def align_cues(cues: Sequence[RawCue], levels_dbfs: np.ndarray | None, hop_s: float, duration_s: float) -> list[Word]:
    """The words of `cues` with their times, in order, not overlapping, each 20 ms or longer where there is room.

    Args:
        cues: In order of time. Those that start after the recording's end are left out.
        levels_dbfs: RMS level of each hop of the recording; None leaves cues where they are.
        hop_s: Length of a hop.
        duration_s: The recording's length; no word ends later.

    A constant offset within 3 s is removed where the sound shows one clearly, cue edges move by up to 0.5 s to where
    speech begins and ends, and words share the speech of their cue by length, none of them across a pause.
    """
    speech = None if levels_dbfs is None else find_speech(levels_dbfs, hop_s)
    offset_s = estimate_offset_s(cues, speech, duration_s) if speech else 0.0
    runs = _runs(cues, offset_s, duration_s)
    if speech:
        runs = _snapped(runs, speech)
    words: list[Word] = []
    for run in runs:
        if run.words:
            words += _trimmed(run.words, speech) if speech else run.words
        else:
            words += _placed(run, speech.inside(run.start_s, run.end_s) if speech else [])
    return _in_order(words, duration_s)


def estimate_offset_s(cues: Sequence[RawCue], speech: Speech, duration_s: float) -> float:
    """Seconds to add to the cues' times so that they start and end where speech does; 0 where it is not clear."""
    step_s = OFFSET_STEP_S
    grid = np.arange(int(duration_s / step_s) + 1) * step_s
    index = np.searchsorted(speech.starts_s, grid, side="right") - 1
    active = (index >= 0) & (grid < speech.ends_s[np.maximum(index, 0)])
    reach, most = round(EDGE_S / step_s), round(MAX_OFFSET_S / step_s)
    sums = np.concatenate(([0.0], np.cumsum(np.pad(active.astype(float), most + reach))))
    centre = np.arange(reach, len(sums) - reach)
    rises = (sums[centre + reach] - 2 * sums[centre] + sums[centre - reach]) / reach
    inside = [cue for cue in cues if cue.end_s <= duration_s + MAX_OFFSET_S]
    if len(inside) < LEAST_CUES:
        return 0.0
    starts = np.array([round(cue.start_s / step_s) for cue in inside])
    ends = np.array([round(cue.end_s / step_s) for cue in inside])
    shifts = np.arange(-most, most + 1)
    agreement = np.array([_mean_at(rises, starts + most + k) - _mean_at(rises, ends + most + k) for k in shifts])
    best = int(np.argmax(agreement))
    elsewhere = max(agreement[np.abs(np.arange(agreement.size) - best) > reach], default=0.0)
    clear = (
        agreement[best] - max(agreement[most - 1 : most + 2]) > LEAST_GAIN
        and agreement[best] > LEAST_LEAD * elsewhere
        and agreement[best] * np.sqrt(len(inside)) > LEAST_EVIDENCE
    )
    return float(shifts[best] * step_s) if clear else 0.0


def _mean_at(values: np.ndarray, index: np.ndarray) -> float:
    return float(values[np.clip(index, 0, len(values) - 1)].mean() / 2)


def _runs(cues: Sequence[RawCue], offset_s: float, duration_s: float) -> list[_Run]:
    """Cues moved by `offset_s`, inside the recording and apart: an overlap is cut, cues shown at once are joined."""
    runs: list[_Run] = []
    for cue in sorted(cues, key=lambda cue: cue.start_s):
        moved = ((w.text, max(0.0, w.start_s + offset_s), w.end_s + offset_s) for w in cue.words or ())
        words = tuple(Word(text, a, b) for text, a, b in moved if a < b)
        tokens = tuple(tokens_of(cue.text))
        start_s, end_s = max(0.0, cue.start_s + offset_s), min(cue.end_s + offset_s, duration_s)
        if not tokens or start_s >= duration_s or end_s <= 0:
            continue
        last = runs[-1] if runs else None
        if last and start_s < last.end_s:
            if start_s - last.start_s >= LEAST_WORD_S * len(last.tokens):
                runs[-1] = _Run(last.start_s, start_s, last.tokens, last.words)
            else:
                runs[-1] = _Run(last.start_s, max(last.end_s, end_s), last.tokens + tokens, None)
                continue
        runs.append(_Run(start_s, end_s, tokens, words if len(words) == len(tokens) else None))
    return runs


def _snapped(runs: list[_Run], speech: Speech) -> list[_Run]:
    """Cues whose edges are the nearest ones of speech within reach that do not cross a neighbour."""
    snapped: list[_Run] = []
    free_s = 0.0
    for run, next_s in zip(runs, [*(run.start_s for run in runs), float("inf")][1:], strict=True):
        least_s = LEAST_WORD_S * len(run.tokens)
        start_s = _nearest(speech.starts_s, run.start_s, max(free_s, 0.0), run.end_s - least_s)
        free_s = _nearest(speech.ends_s, run.end_s, start_s + least_s, max(next_s, run.end_s))
        snapped.append(_Run(start_s, free_s, run.tokens, run.words))
    return snapped


def _nearest(edges_s: np.ndarray, time_s: float, low_s: float, high_s: float) -> float:
    """The edge nearest to `time_s` within reach and [low_s, high_s]; `time_s` where there is none."""
    near = edges_s[
        np.searchsorted(edges_s, time_s - MAX_SNAP_S) : np.searchsorted(edges_s, time_s + MAX_SNAP_S, "right")
    ]
    near = near[(near >= low_s) & (near <= high_s)]
    return float(near[np.argmin(np.abs(near - time_s))]) if near.size else time_s


def _placed(run: _Run, parts: list[tuple[float, float]]) -> list[Word]:
    """The words of a cue over its stretches of speech: each pause falls between the two words that fit it best."""
    spoken_s = sum(b - a for a, b in parts)
    if spoken_s < max(LEAST_SPOKEN_SHARE * (run.end_s - run.start_s), LEAST_WORD_S * len(run.tokens)):
        return spread_words(run.tokens, run.start_s, run.end_s)
    share = np.cumsum([0, *(len(token) + 1 for token in run.tokens)])
    reached_s = share / share[-1] * spoken_s
    stops = [bool(CLAUSE_END.search(token) or SENTENCE_END.search(token)) for token in run.tokens]
    bonus_s = PUNCTUATION_S * np.array([False, *stops])
    words: list[Word] = []
    begin, past_s = 0, 0.0
    for k, (start_s, end_s) in enumerate(parts):
        past_s += end_s - start_s
        misfit_s = np.abs(reached_s - past_s)[begin:] - bonus_s[begin:]
        until = begin + int(np.argmin(misfit_s)) if k + 1 < len(parts) else len(run.tokens)
        if begin < until:
            words += spread_words(run.tokens[begin:until], start_s, end_s)
        begin = until
    return words


def _trimmed(words: Sequence[Word], speech: Speech) -> list[Word]:
    """Words with their own times, less the pause that follows or begins them."""
    trimmed: list[Word] = []
    for word in words:
        part = next((p for p in speech.inside(word.start_s, word.end_s) if p[1] - p[0] >= LEAST_TRIMMED_S), None)
        trimmed.append(Word(word.text, *part) if part else word)
    return trimmed


def _in_order(words: Sequence[Word], duration_s: float) -> list[Word]:
    """Words moved as little as gives each its least length inside the recording and none an overlap."""
    if not words:
        return []
    least_s = min(LEAST_WORD_S, duration_s / len(words))
    starts = [word.start_s for word in words]
    for i in range(1, len(starts)):
        starts[i] = max(starts[i], starts[i - 1] + least_s)
    for i in reversed(range(len(starts))):
        starts[i] = max(0.0, min(starts[i], (duration_s if i + 1 == len(starts) else starts[i + 1]) - least_s))
    limits = [*starts[1:], duration_s]
    return [
        Word(word.text, start_s, min(max(word.end_s, start_s + least_s), limit_s))
        for word, start_s, limit_s in zip(words, starts, limits, strict=True)
    ]
