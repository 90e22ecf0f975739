"""How much each row of a timeline is about a subject that a person names in words of their own.

Two kinds of evidence are gathered over stretches of several widths around each row: the subject's words there, and the
closeness of the stretch's mean sentence vector to the subject's. A logistic model over them was fitted to meetings in
which people had marked what answers a question; its numbers are a version in the registry, like those of every model.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import WeightsError
from core.records import ModelRef
from models.subjects import subject_of

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
NAME = "about"
"""Under which the registry has it."""
KIND = "about"
CONFIG = "config.json"
KINDS = ("words", "vectors")
EMBEDDING_SHARE = 0.95
"""Share of the progress that goes to embedding the sentences."""
ROWS_AT_ONCE = 512
REACH = 4.0
"""A stretch ends at so many standard deviations: what lies beyond weighs less than 0.0004."""
STOP_WORDS = (
    "a an the and or but if of to in on at by for from with as is are was were be been being am do does did done have "
    "has had having i you he she it we they me him her us them my your his its our their this that these those there "
    "here what which who whom whose when where why how not no nor so than then too very can could will would shall "
    "should may might must about into over under again all any both each few more most other some such only own same "
    "just up down out off between during before after above below because while s t don ve re ll d m um uh hmm mm "
    "yeah okay oh"
)
STOP = frozenset(STOP_WORDS.split())
"""English words that name no subject. In other languages their being everywhere makes them count little."""


@dataclass(frozen=True, slots=True)
class Config:
    """What config.json holds."""

    widths_words: tuple[float, ...]
    """Standard deviations of the Gaussian stretches, in words; each at most `width_share` of all words."""
    width_share: float
    prefix_letters: int
    """Words that begin with the same so many letters count as one: a stem in many languages."""
    weights: dict[str, tuple[float, ...]]
    """For each of KINDS, one weight a width."""
    bias: float
    found_at: float
    """Where no row is this likely to be about the subject, nothing in the recording is taken to be."""
    about_at: float
    """From this mean probability on, a stretch is taken to be about the subject."""


@dataclass(frozen=True, slots=True, eq=False)
class Relevance:
    """What the model says of a recording and a subject."""

    rows: Floats
    """Probability, 0..1, that each row is about the subject; 0 where nothing is said. Shape [n]."""
    found: bool
    """Whether anything in the recording is about it."""


@dataclass(frozen=True, slots=True)
class About:
    """A loaded version. The sentence encoder is loaded where there is text."""

    ref: ModelRef
    config: Config
    encoder: str
    threads: int

    def relevance(
        self, texts: Sequence[str], subject: str, *, on_progress: Callable[[float], None] | None = None
    ) -> Relevance:
        """How much each text is about `subject`; texts without a word are about nothing.

        `on_progress` is told the share done, in (0, 1].
        """
        from models import embeddings
        from models.baseline import WORD

        stripped = [text.strip() for text in texts]
        said = np.array([i for i, text in enumerate(stripped) if WORD.search(text)], dtype=np.int64)
        rows, bare = np.zeros(len(stripped)), subject_of(subject)
        if len(said) and WORD.search(bare):
            spoken = [stripped[i] for i in said]
            told = (lambda share: on_progress(share * EMBEDDING_SHARE)) if on_progress else None
            vectors = embeddings.vectors_of(self.encoder, spoken, self.threads, on_progress=told)
            (asked,) = embeddings.vectors_of(self.encoder, [bare], self.threads)
            rows[said] = probability(self.config, Spoken(spoken, vectors, self.config).evidence(bare, asked))
        if on_progress:
            on_progress(1.0)
        return Relevance(rows, found=bool(rows.max(initial=0.0) >= self.config.found_at))


def load(ref: ModelRef, *, threads: int) -> About:
    """Load a version, every hash checked. Raises WeightsError when its files are not those of such a model."""
    from models import registry

    version = registry.read_version(ref)
    try:
        if version.manifest["kind"] != KIND:
            raise ValueError(f"its kind is {version.manifest['kind']!r}, not {KIND!r}")
        return About(ref, config_from(json.loads(version.files[CONFIG])), version.manifest["encoder"]["name"], threads)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"Loading {ref.name}@{ref.version}: its files are not ones this Winnow can read ({error!r}). "
            "Use another version, or update Winnow."
        ) from error


def config_from(given: Mapping[str, Any]) -> Config:
    """The config that JSON holds. Raises KeyError, TypeError or ValueError where it is not one."""
    found = Config(**given)
    widths = tuple(float(width) for width in found.widths_words)
    weights = {kind: tuple(float(weight) for weight in found.weights[kind]) for kind in KINDS}
    if any(len(of) != len(widths) for of in weights.values()):
        raise ValueError("each kind of evidence needs a weight for each width")
    return replace(found, widths_words=widths, weights=weights)


def probability(config: Config, found: Floats) -> Floats:
    """What the logistic model makes of evidence [n, kinds * widths]."""
    weights = np.concatenate([config.weights[kind] for kind in KINDS])
    return 1 / (1 + np.exp(-(found @ weights + config.bias)))


class Spoken:
    """What is said in a recording, ready to be asked about: words by row, and mean vectors of stretches around rows."""

    def __init__(self, texts: Sequence[str], vectors: Vectors, config: Config) -> None:
        self.config = config
        self.count = len(texts)
        self.rows_of: dict[str, dict[int, int]] = {}
        for row, text in enumerate(texts):
            for term, count in Counter(terms_of(text, config.prefix_letters)).items():
                self.rows_of.setdefault(term, {})[row] = count
        self.words = np.array([max(1, len(words_of(text))) for text in texts], dtype=np.float32)
        self.middle = np.cumsum(self.words, dtype=np.float64) - self.words / 2
        widest = max(1.0, config.width_share * float(self.words.sum()))
        self.stretches = [self._stretches(min(width, widest)) for width in config.widths_words]
        self.windows = [_unit(_around(stretches, vectors * self.words[:, None])) for stretches in self.stretches]

    def _stretches(self, width: float) -> "list[Stretches]":
        blocks = []
        for start in range(0, self.count, ROWS_AT_ONCE):
            middle = self.middle[start : start + ROWS_AT_ONCE]
            low, high = np.searchsorted(self.middle, [middle[0] - REACH * width, middle[-1] + REACH * width])
            apart = (middle[:, None] - self.middle[low:high]) / width
            blocks.append(Stretches(int(low), int(high), np.exp(-0.5 * apart * apart).astype(np.float32)))
        return blocks

    def evidence(self, subject: str, vector: Vectors) -> Floats:
        """Evidence for a subject with its vector [dimension]: [n, kinds * widths]."""
        return np.concatenate([self._words_around(subject), self._vectors_around(vector)], axis=1)

    def _words_around(self, subject: str) -> Floats:
        """Share of the weight of the subject's terms that is in the stretch around each row: [n, widths].

        A term's count in a stretch is saturated as in BM25 with k1 = 1: the second mention adds less than the first.
        """
        terms = list(dict.fromkeys(terms_of(subject, self.config.prefix_letters)))
        if not terms:
            return np.zeros((self.count, len(self.stretches)))
        rarity = np.array([self._rarity(term) for term in terms])
        counts = np.zeros((self.count, len(terms)), dtype=np.float32)
        for column, term in enumerate(terms):
            for row, count in self.rows_of.get(term, {}).items():
                counts[row, column] = count
        around = [_around(stretches, counts).astype(np.float64) for stretches in self.stretches]
        return np.stack([count / (count + 1) @ (rarity / rarity.sum()) for count in around], axis=1)

    def _rarity(self, term: str) -> float:
        """Robertson and Spärck Jones's weight of a term, kept above 0 as Lucene does."""
        having = len(self.rows_of.get(term, ()))
        return math.log(1 + (self.count - having + 0.5) / (having + 0.5))

    def _vectors_around(self, vector: Vectors) -> Floats:
        """Cosine of the stretch around each row to `vector`: [n, widths]."""
        return np.stack([window @ vector for window in self.windows], axis=1).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """The stretches around some rows that follow each other: how much each of the rows `low` to `high` weighs there."""

    low: int
    high: int
    weights: Vectors
    """Shape [rows, high - low]."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case; a character each in scripts without spaces."""
    from models.baseline import WORD

    return WORD.findall(text.lower())


def terms_of(text: str, prefix_letters: int) -> list[str]:
    """What stands for the words of a text: their first letters, without STOP words."""
    return [word[:prefix_letters] for word in words_of(text) if word not in STOP]


def _around(stretches: Sequence[Stretches], values: Vectors) -> Vectors:
    """Sums of `values` [n, columns] over the stretch around each row."""
    return np.concatenate([part.weights @ values[part.low : part.high] for part in stretches])


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
