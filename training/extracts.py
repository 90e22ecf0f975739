"""Finding the sentences of a transcript that an extractive summary was taken from.

The summary's words are the transcript's own, but its passages join what one speaker said across others' turns, so they
are found piece by piece.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.splits import normalised

LEAST_WORDS = 3
"""Shorter pieces are taken only as whole passages, near where the one before was found: anywhere they fit by chance."""
NEAR_WORDS = 150
TAKEN_SHARE = 0.5
"""A sentence is part of the summary if at least this share of its words is."""


def label_extracts(sentences: Sequence[str], passages: Sequence[str]) -> tuple[NDArray[np.int8], float]:
    """Which sentences a summary was taken from: 1 or 0 for each, and the share of the summary's words that was found.

    Each passage is taken apart into its longest pieces that stand in the transcript word for word; of several places
    the one nearest to the last piece found counts, since summaries follow the order of what was said. Heuristic.
    """
    said = [text.split() for text in normalised(sentences)]
    words = [word for sentence in said for word in sentence]
    owner = np.repeat(np.arange(len(said)), [len(sentence) for sentence in said])
    places: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words):
        places[word].append(place)
    taken = np.zeros(len(words), dtype=bool)
    cursor, found, wanted = 0, 0, 0
    for passage in (text.split() for text in normalised(passages)):
        wanted += len(passage)
        at = 0
        while at < len(passage):
            length, start = _longest(words, places, passage, at, cursor)
            whole_and_near = length == len(passage) and abs(start - cursor) < NEAR_WORDS
            if length >= LEAST_WORDS or (length and whole_and_near):
                taken[start : start + length] = True
                cursor, found = start + length, found + length
            at += length if length >= LEAST_WORDS or (length and whole_and_near) else 1
    counts = np.bincount(owner, minlength=len(said))
    share = np.bincount(owner, weights=taken, minlength=len(said)) / np.maximum(counts, 1)
    return ((share >= TAKEN_SHARE) & (counts > 0)).astype(np.int8), found / wanted if wanted else 1.0


def _longest(
    words: Sequence[str], places: dict[str, list[int]], passage: Sequence[str], at: int, cursor: int
) -> tuple[int, int]:
    """Length and place of the longest run of `words` that continues `passage` from `at`; the nearest of several."""
    best = (0, 0, 0)
    for start in places.get(passage[at], ()):
        length, most = 1, min(len(passage) - at, len(words) - start)
        while length < most and words[start + length] == passage[at + length]:
            length += 1
        best = max(best, (length, -abs(start - cursor), start))
    return best[0], best[2]
