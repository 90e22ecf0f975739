"""Meetings made like lectures: cut into stretches as long as slides, with the baseline as their teacher.

Meetings have neither slides nor labels for all. The stretches stand in for slides, and inside each the unsupervised
baseline says which sentences are the better ones; where people chose sentences, their choice is learned beside it.
"""

import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models import registry
from training.corpus import More
from training.lectures import LabelledLecture, text_timeline

SHORTEST, MEAN_SENTENCES = 3, 11
"""Stretches have at least so many sentences, and about so many on average: as the slides of a lecture do."""


def cut_into_slides(
    lectures: Sequence[LabelledLecture], threads: int
) -> tuple[list[LabelledLecture], Callable[[], More]]:
    """The lectures with stretches as segments, and what makes their topic ends and the teacher's scores."""
    kept = [lecture for lecture in lectures if len(lecture.sentences)]
    cut = [_cut(lecture, seed) for seed, lecture in enumerate(kept)]

    def more() -> More:
        teacher = registry.load(registry.resolve("baseline"), threads)
        scores: list[NDArray[np.generic]] = []
        for number, lecture in enumerate(cut, 1):
            scores.append(
                teacher.predict(text_timeline(lecture.sentences, lecture.segment)).highlight.astype(np.float16)
            )
            print(f"\rteacher: {number} of {len(cut)} recordings ", end="", file=sys.stderr)
        print(file=sys.stderr)
        return {"ends": [lecture.last_of_segment.astype(np.int8) for lecture in kept], "teacher": scores}

    return cut, more


def _cut(lecture: LabelledLecture, seed: int) -> LabelledLecture:
    """The same sentences, in stretches of random length that never reach across the end of a topic."""
    coin, count = np.random.default_rng(seed), len(lecture.sentences)
    begins = np.zeros(count, bool)
    topics = np.append(np.flatnonzero(lecture.last_of_segment) + 1, count)
    at = 0
    while at < count:
        begins[at] = True
        at += SHORTEST + int(coin.geometric(1 / (MEAN_SENTENCES - SHORTEST)))
        ahead = topics[topics > np.flatnonzero(begins)[-1]][0]
        at = int(ahead) if at > ahead - SHORTEST else at
    segment = (np.cumsum(begins) - 1).astype(np.int32)
    return LabelledLecture(lecture.recording, lecture.source, lecture.sentences, lecture.label, segment, lecture.clip)
