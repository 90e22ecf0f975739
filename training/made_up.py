"""Made-up lectures with a rule to find in them, so that training can be tried in seconds and without any data.

The rule: on each slide the sentences that name the slide's own term with one of the words of definition are its
highlights. It is no language, and what is learned from it is good for nothing else.
"""

import numpy as np

from training.lectures import LabelledLecture

LECTURES = {"train": 48, "dev": 12, "test": 12}
TERMS = (
    "tide", "moon", "basin", "harbour", "estuary", "current", "gauge", "orbit", "gravity", "ocean", "coast", "delta",
    "salt", "river", "storm", "wave",
)  # fmt: skip
DEFINED = ("is defined as", "means", "is the reason for", "is measured by")
FILLERS = (
    "so let us look at this", "I think you have seen it before", "and then we go on", "this was last summer",
    "you can ask me later about it", "well that is a long story", "there are some pictures here", "that is all right",
)  # fmt: skip
OPENING, CLOSING = "now the next slide shows something else", "and with that we leave it"


def made_up_lectures(split: str, count: int | None = None) -> list[LabelledLecture]:
    """The lectures of "train", "dev" or "test"; the same ones each time."""
    first = 1_000 * list(LECTURES).index(split)
    return [_lecture(first + number) for number in range(count or LECTURES[split])]


def _lecture(number: int) -> LabelledLecture:
    coin = np.random.default_rng(number)
    sentences: list[str] = []
    label: list[int] = []
    segment: list[int] = []
    for slide in range(int(coin.integers(4, 9))):
        term, other = coin.choice(TERMS, 2, replace=False)
        said = [(OPENING, 0)]
        said += [
            (f"{coin.choice(FILLERS)} {coin.choice([term, other, ''])}".strip(), 0) for _ in range(coin.integers(3, 7))
        ]
        highlights = [(f"the {term} {coin.choice(DEFINED)} the {other}", 1) for _ in range(coin.integers(1, 3))]
        for highlight in highlights:
            said.insert(int(coin.integers(1, len(said) + 1)), highlight)
        said.append((CLOSING, 0))
        sentences += [f"{text.capitalize()}." for text, _ in said]
        label += [found for _, found in said]
        segment += [slide] * len(said)
    segments = np.array(segment, np.int32)
    return LabelledLecture(
        f"made-up-{number}", "made_up", tuple(sentences), np.array(label, np.int8), segments, segments
    )
