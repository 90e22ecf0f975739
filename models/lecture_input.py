"""What the highlight network reads of a lecture: numbers of its words, sentences and slides, as plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

WORD_FEATURES = 8
SENTENCE_FEATURES = 16
EXTRAS = (
    "pause_before_s", "pause_after_s", "silence_before_s", "silence_after_s", "speech_rate_wps", "level_dbfs",
    "level_range_db", "spectral_centroid_hz", "pitch_hz", "pitch_range_semitones", "slide_change_within",
)  # fmt: skip
"""Columns of the timeline that the network takes as they are, each standardised within its recording."""
MAX_TOKENS = 64
"""Tokens of a sentence beyond these are not read word by word; the sentence vector has them."""
BLOCK_SENTENCES = 12
GAP = 2
"""Padding after each sentence in the flat row of tokens, so that a convolution of reach 2 sees only one sentence."""


@dataclass(frozen=True, slots=True)
class LectureInput:
    """One lecture of n sentences with t tokens in all, w of them read word by word."""

    tokens: Ints
    """[w + GAP·n] Flat token numbers, `padding` after each sentence."""
    word_features: Floats
    """[w + GAP·n, WORD_FEATURES] Rarity, counts and first mentions of each token; 0 on padding."""
    places: Ints
    """[w] Where in `tokens` the words stand."""
    sentence: Ints
    """[w] The sentence of each word."""
    sentences: Floats
    """[n, SENTENCE_FEATURES] Position, length, rarity; from column 8 on the place on its slide, 0 without slides."""
    segment: Ints
    """[n] Number of the slide, counted from 0; all 0 without slides."""
    has_slides: bool
    vectors: Floats
    """[n, dimension] Sentence vectors of the text encoder; zeros where there are none."""
    extras: Floats
    """[n, len(EXTRAS)] Standardised columns; 0 where unknown."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The sentences' tokens, flat, with the number of each sentence's tokens [n] (at most MAX_TOKENS)."""

    ids: Ints
    lengths: Ints

    @classmethod
    def of(cls, sentences: Sequence[Sequence[int]]) -> "Tokens":
        kept = [np.asarray(ids[:MAX_TOKENS], np.int64) for ids in sentences]
        return cls(np.concatenate([np.zeros(0, np.int64), *kept]), np.array([len(ids) for ids in kept], np.int64))


def lecture_input(
    tokens: Tokens,
    rarity: Floats,
    *,
    slides: Ints | None = None,
    vectors: Floats | None = None,
    extras: NDArray[np.floating] | None = None,
    dimension: int = 384,
) -> LectureInput:
    """Arrays of one lecture.

    Args:
        rarity: [vocabulary] Inverse document frequency of each token, in nats; its length is the padding's number.
        slides: [n] Number of the slide of each sentence, changing where the slide does; None hides them.
        vectors: [n, dimension]; None leaves zeros.
        extras: [n, len(EXTRAS)] Raw values, NaN where unknown; None where none is known.
    """
    n, lengths = len(tokens.lengths), tokens.lengths
    sentence = np.repeat(np.arange(n), lengths)
    changes = np.zeros(n, np.int64) if slides is None else np.concatenate([[0], slides[1:] != slides[:-1]])[:n]
    segment = np.cumsum(changes).astype(np.int64)
    words = _word_features(tokens.ids, sentence, segment if slides is not None else None, rarity)
    places = np.arange(len(tokens.ids)) + GAP * sentence
    flat = np.full(len(tokens.ids) + GAP * n, len(rarity), np.int64)
    flat[places] = tokens.ids
    spread = np.zeros((len(flat), WORD_FEATURES), np.float32)
    spread[places] = words
    return LectureInput(
        tokens=flat,
        word_features=spread,
        places=places.astype(np.int64),
        sentence=sentence.astype(np.int64),
        sentences=_sentence_features(tokens, sentence, words, rarity, segment if slides is not None else None),
        segment=segment,
        has_slides=slides is not None,
        vectors=np.zeros((n, dimension), np.float32) if vectors is None else vectors.astype(np.float32),
        extras=np.zeros((n, len(EXTRAS)), np.float32) if extras is None else standardised(extras),
    )


def standardised(values: NDArray[np.floating]) -> Floats:
    """Each column less its median, over its inter-quartile range, cut at ±3; 0 where it is NaN or does not vary."""
    found = np.zeros(values.shape, np.float32)
    for column, known in enumerate(np.isfinite(values).T):
        if known.sum() > 1:
            low, middle, high = np.percentile(values[known, column], [25, 50, 75])
            if high > low:
                found[known, column] = np.clip((values[known, column] - middle) / (high - low), -3, 3)
    return found


def _word_features(ids: Ints, sentence: Ints, segment: Ints | None, rarity: Floats) -> Floats:
    """Columns: rarity; count and first mention in the lecture; count in the block of BLOCK_SENTENCES sentences; length
    of the lecture; count and first mention on the slide; whether slides are known."""
    found = np.zeros((len(ids), WORD_FEATURES), np.float32)
    if not len(ids):
        return found
    found[:, 0] = rarity[ids] / 4
    found[:, 1], found[:, 2] = _counts(ids, 3)
    found[:, 3], _ = _counts(ids + (sentence // BLOCK_SENTENCES + 1) * len(rarity), 2)
    found[:, 4] = np.log(len(ids) + 1) / 8 - 1
    if segment is not None:
        found[:, 5], found[:, 6] = _counts(ids + (segment[sentence] + 1) * len(rarity), 2)
        found[:, 7] = 1
    return found


def _counts(keys: Ints, scale: float) -> tuple[Floats, Floats]:
    """log(1 + count of the key) / scale, and 1 where the key stands for the first time."""
    _, first, inverse, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    begins = np.zeros(len(keys), np.float32)
    begins[first] = 1
    return (np.log1p(count[inverse]) / scale).astype(np.float32), begins


def _sentence_features(tokens: Tokens, sentence: Ints, words: Floats, rarity: Floats, segment: Ints | None) -> Floats:
    """Columns 0–7: place in the lecture (share, log from start, log to end), log length, log sentences, mean rarity,
    rarity weighted by count, rarity of first mentions. 8–15: slide known, share of the slide, log from its start, log
    to its end, log sentences, first, last, log length over the slide's mean."""
    n, lengths = len(tokens.lengths), tokens.lengths
    at, found = np.arange(n), np.zeros((n, SENTENCE_FEATURES), np.float32)
    if not n:
        return found
    rare = rarity[tokens.ids]
    found[:, 0], found[:, 1], found[:, 2] = at / n, np.log1p(at) / 6, np.log1p(n - 1 - at) / 6
    found[:, 3], found[:, 4] = np.log1p(lengths) / 3, np.log(n) / 6
    found[:, 5] = np.bincount(sentence, rare, n) / np.maximum(lengths, 1) / 4
    found[:, 6] = np.bincount(sentence, rare * 3 * words[:, 1], n) / 20
    found[:, 7] = np.bincount(sentence, rare * words[:, 2], n) / 20
    if segment is not None:
        starts = np.searchsorted(segment, segment, "left")
        size = np.searchsorted(segment, segment, "right") - starts
        place = at - starts
        mean = np.bincount(segment, np.log1p(lengths)) / np.bincount(segment)
        found[:, 8], found[:, 9] = 1, place / size
        found[:, 10], found[:, 11] = np.log1p(place) / 3, np.log1p(size - 1 - place) / 3
        found[:, 12], found[:, 13], found[:, 14] = np.log(size) / 3, place == 0, place == size - 1
        found[:, 15] = np.log1p(lengths) / np.maximum(0.1, mean[segment]) - 1
    return found
