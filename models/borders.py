"""Where one topic ends and the next begins, told from the words on both sides of each border between sentences.

A linear model over hashed n-grams (as in fastText, Joulin et al. 2017) of the last words before the border and the
first after it, their lengths, and the lexical cohesion across it (TextTiling, Hearst 1997, over several widths).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.lecture_input import Tokens

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BITS = 21
WORDS = 20
"""Words read on each side."""
BEFORE = ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2), (1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3, 4))
"""n-grams before the border; 0 is the last word."""
AFTER = ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 3, 4, 5))
"""n-grams after the border; 0 is the first word."""
ACROSS = (
    ((0,), (0,)), ((1,), (0,)), ((0,), (1,)), ((0, 1), (0,)), ((0,), (0, 1)), ((0, 1), (0, 1)), ((0, 1, 2), (0,)),
)  # fmt: skip
WIDTHS = (1, 2, 4, 8, 16)
"""Sentences on each side whose words are compared."""
DIMENSIONS = 96
DEEP = 6
"""Sentences on each side in which a valley's shoulders are looked for."""
LONGEST = 30
NONE = 1 << 20
"""Stands for a word where there is none."""
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
COMMON_NATS = 1.0
"""Words rarer than this among lectures count for cohesion; the others are in every one."""


@dataclass(frozen=True, slots=True, eq=False)
class Borders:
    """A fitted model."""

    weights: NDArray[np.int8]
    """[2^BITS] one for each hashed feature, in units of `unit`."""
    unit: float
    bias: float
    punctuation: tuple[int, ...]
    """Token numbers that are no words."""
    mix: tuple[float, float, float] = (1.0, 0.0, 0.0)
    """What its own logit and the network's weigh in the mixed logit, and what is added."""

    def mixed(self, tokens: Tokens, rarity: Floats, network: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability [n] that a topic ends with each sentence, with what the network's probabilities [n] say."""
        kept = np.clip(network, 1e-6, 1 - 1e-6)
        own, other, shift = self.mix
        logits = own * self.logits(tokens, rarity) + other * np.log(kept / (1 - kept)) + shift
        return 1 / (1 + np.exp(-logits))

    def logits(self, tokens: Tokens, rarity: Floats) -> Floats:
        """Log odds [n] that a topic ends with each sentence, the last included."""
        found = features(tokens, rarity, self.punctuation)
        return self.weights[found].sum(1, dtype=np.int64).astype(np.float32) * self.unit + self.bias


def to_bytes(borders: Borders) -> bytes:
    """As safetensors."""
    from safetensors.numpy import save

    numbers = np.array([borders.unit, borders.bias, *borders.mix])
    return save({"weights": borders.weights, "punctuation": np.array(borders.punctuation), "numbers": numbers})


def from_bytes(data: bytes) -> Borders:
    """What `to_bytes` wrote. Raises KeyError or ValueError where it is not that."""
    from safetensors.numpy import load

    found = load(data)
    if found["weights"].shape != (1 << BITS,):
        raise ValueError(f"weights for {1 << BITS} features expected, got {found['weights'].shape}")
    unit, bias, own, other, shift = found["numbers"].tolist()
    return Borders(found["weights"], unit, bias, tuple(found["punctuation"].tolist()), (own, other, shift))


def features(tokens: Tokens, rarity: Floats, punctuation: tuple[int, ...]) -> NDArray[np.int32]:
    """Numbers in [0, 2^BITS) of what is true of the border after each sentence: [n, features].

    Args:
        tokens: The sentences' tokens.
        rarity: [vocabulary] Inverse document frequency of each token, in nats.
        punctuation: Tokens left out; a sentence that ends with a question mark or without any is known for it.
    """
    n, lengths = len(tokens.lengths), tokens.lengths
    if not n:
        return np.zeros((0, 0), np.int32)
    marks = np.isin(tokens.ids, punctuation)
    sentence = np.repeat(np.arange(n), lengths)
    words, of = tokens.ids[~marks], sentence[~marks]
    count = np.bincount(of, minlength=n)
    stop = np.cumsum(count)
    last_token = np.append(tokens.ids, NONE)[np.maximum(np.cumsum(lengths) - 1, 0)]
    ending = np.where(np.isin(last_token, punctuation), last_token, NONE)
    padded = np.append(words, NONE)
    reach = np.arange(WORDS)
    back = np.where(reach < count[:, None], padded[np.maximum(stop[:, None] - 1 - reach, 0)], NONE)
    begin, following = np.append(stop[:-1], len(words)), np.append(count[1:], 0)
    ahead = np.where(reach < following[:, None], padded[np.minimum(begin[:, None] + reach, len(words))], NONE)
    table = _Table()
    for places in BEFORE:
        table.add(*(back[:, place] for place in places))
    for places in AFTER:
        table.add(*(ahead[:, place] for place in places))
    for before, after in ACROSS:
        table.add(*(back[:, place] for place in before), *(ahead[:, place] for place in after))
    table.add_each(back[:, :, None])
    table.add_each(ahead[:, :, None])
    table.add_each(np.stack([back[:, 1 : WORDS // 2 + 1], back[:, : WORDS // 2]], axis=2))
    table.add_each(np.stack([ahead[:, : WORDS // 2], ahead[:, 1 : WORDS // 2 + 1]], axis=2))
    own, next_ = np.minimum(count, LONGEST), np.minimum(following, LONGEST)
    for values in ((own,), (next_,), (np.minimum(own, 12), np.minimum(next_, 12)), (ending,)):
        table.add(*values)
    table.add(ending, back[:, 0])
    table.add(ending, ahead[:, 0])
    _add_cohesion(table, cohesion(words, of, n, rarity), own, next_)
    at = np.arange(n)
    for values in (np.minimum(at, 40), (3 * np.log1p(at)).astype(int), (3 * np.log1p(n - 1 - at)).astype(int)):
        table.add(values)
    return table.columns()


def _add_cohesion(table: "_Table", found: Floats, own: Ints, next_: Ints) -> None:
    for column in range(found.shape[1]):
        level = np.clip(20 * found[:, column], -10, 30).astype(np.int64)
        table.add(level)
        table.add(level // 2, next_ // 2, own // 2)
    coarse = [np.clip(6 * found[:, column], -6, 6).astype(np.int64) for column in (1, 2, 3, 5)]
    table.add(*coarse[:3])
    table.add(coarse[1], coarse[3])


def cohesion(words: Ints, sentence: Ints, n: int, rarity: Floats) -> Floats:
    """Cosine of the rare words within each of WIDTHS sentences before and after each border; two valley depths: [n, 7].

    Words stand for signs drawn by a hash (a random projection, Achlioptas 2003), weighed by their rarity.
    """
    drawn = _mixed(words.astype(np.uint64)[:, None] * np.uint64(DIMENSIONS) + np.arange(DIMENSIONS, dtype=np.uint64))
    weight = np.maximum(rarity[words] - COMMON_NATS, 0)
    signs = ((drawn >> np.uint64(40)) & np.uint64(1)).astype(np.float32) * 2 - 1
    sums = np.zeros((n + 1, DIMENSIONS))
    starts = np.searchsorted(sentence, np.arange(n))
    values = np.concatenate([signs * weight[:, None], np.zeros((1, DIMENSIONS), np.float32)])
    per_sentence = np.add.reduceat(values, starts, axis=0)
    per_sentence[np.bincount(sentence, minlength=n) == 0] = 0
    sums[1:] = np.cumsum(per_sentence, axis=0, dtype=np.float64)
    at = np.arange(1, n + 1)
    found = []
    for width in WIDTHS:
        before = sums[at] - sums[np.maximum(at - width, 0)]
        after = sums[np.minimum(at + width, n)] - sums[at]
        norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        found.append((before * after).sum(1) / (norms + 1e-6))
    for width in (2, 3):
        around = np.lib.stride_tricks.sliding_window_view(np.pad(found[width], DEEP, mode="edge"), 2 * DEEP + 1)
        found.append((around[:, :DEEP].max(1) + around[:, DEEP + 1 :].max(1) - 2 * found[width]) / 2)
    return np.stack(found, axis=1).astype(np.float32)


class _Table:
    """Columns of hashed features."""

    def __init__(self) -> None:
        self.hashed: list[NDArray[np.uint64]] = []
        self.kinds = 0

    def add(self, *values: NDArray[np.generic]) -> None:
        """One feature, of the values [n] together."""
        self.add_each(np.stack(values, axis=1)[:, None])

    def add_each(self, values: NDArray[np.generic]) -> None:
        """Features of one kind, wherever they stand: [n, places, values together]."""
        self.kinds += 1
        found = np.full(values.shape[:2], self.kinds, np.uint64)
        for value in np.moveaxis(values, 2, 0):
            found = _mixed(found ^ value.astype(np.int64).astype(np.uint64))
        self.hashed.append(found)

    def columns(self) -> NDArray[np.int32]:
        return (np.concatenate(self.hashed, axis=1) >> np.uint64(64 - BITS)).astype(np.int32)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finalizer (Steele, Lea and Flood 2014): every bit of the result depends on every bit given."""
    with np.errstate(over="ignore"):
        mixed = values + GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
