"""The baseline: an unsupervised highlight score from hand-set weights over what the timeline tells. It learned nothing.

Every measure is turned relative to the recording itself (median 0.5), so scores rank the rows of one recording and
compare nothing across recordings. Where a row lacks a measure, its part is 0.5 and does not count.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.errors import WeightsError
from core.records import ModelRef
from models.scores import Scores

Floats = NDArray[np.float64]
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W_]|[\u0300-\u036f\u0900-\u0df4])+"
)
"""A run of letters, digits and their combining marks; in scripts without spaces (Chinese, Japanese) a character."""
ROWS_AT_ONCE = 1_024
EMBEDDING_SHARE = 0.95
"""Share of the progress that goes to embedding the sentences; the rest takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Config:
    """The numbers of config.json, which explains each beside it."""

    weights_text: dict[str, float]
    weights_no_text: dict[str, float]
    prosody: dict[str, float]
    ahead_rows: int
    ahead_share: float
    lexrank_threshold: float
    word_letters: tuple[int, int]
    block_rows: int
    slide_half_life_s: float
    slide_half_life_rows: float
    change_window_s: float
    position: tuple[tuple[float, float], ...]
    smoothing: float
    boundary_block_rows: int
    boundary_depth: float
    boundary_gain: float
    boundary_slide: float
    boundary_pause: float
    boundary_pause_s: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """A loaded version of the baseline. The sentence encoder is loaded where there is text to score."""

    ref: ModelRef
    config: Config
    encoder: str
    threads: int

    def predict(self, timeline: pa.Table, *, on_progress: Callable[[float], None] | None = None) -> Scores:
        return predict(self, timeline, on_progress=on_progress)


def load(ref: ModelRef, *, threads: int) -> Baseline:
    """Load a version of the baseline. Raises WeightsError when its files are not those the reference was made of."""
    from models import registry

    version = registry.read_version(ref)
    try:
        values = {name: entry["value"] for name, entry in json.loads(version.files["config.json"]).items()}
        values["word_letters"] = tuple(values["word_letters"])
        values["position"] = tuple((float(at), float(worth)) for at, worth in values["position"])
        return Baseline(ref, Config(**values), version.manifest["encoder"]["name"], threads)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"Loading {ref.name}@{ref.version}: its config.json is not one this Winnow can read ({error!r}). "
            "Use another version, or update Winnow."
        ) from error


def predict(model: Baseline, timeline: pa.Table, *, on_progress: Callable[[float], None] | None = None) -> Scores:
    """Score every row of `timeline`. Parts: centrality, lexical, novelty, length, position, slide, prosody, change.

    `boundary` is a heuristic (depth of the valley in similarity between the text before and after, as in Hearst's
    TextTiling 1997, with slide changes and pauses), scaled to look like a probability; None without text.
    """
    config, count = model.config, timeline.num_rows
    texts = [(text or "").strip() for text in timeline["text"].to_pylist()]
    said = np.array([i for i, text in enumerate(texts) if WORD.search(text)], dtype=np.int64)
    measures = {
        "position": np.interp(_floats(timeline, "position"), *np.array(config.position).T),
        "prosody": _prosody(timeline, config),
        "slide": _slide_recency(timeline, config),
        "change": _change_rate(timeline, config),
    }
    boundary = None
    if len(said):
        spoken = [texts[i] for i in said]
        vectors = _embed(model, spoken, on_progress)
        for name, values in _text_measures(spoken, vectors, config).items():
            measures[name] = np.full(count, np.nan)
            measures[name][said] = values
        boundary = _boundary(timeline, said, vectors, config)
    score = _weighed(measures, config.weights_text if len(said) else config.weights_no_text)
    if on_progress:
        on_progress(1.0)
    return Scores(
        highlight=_relative(_smooth(np.nan_to_num(score, nan=0.5), config.smoothing)),
        boundary=boundary,
        parts={name: np.clip(np.nan_to_num(values, nan=0.5), 0.0, 1.0) for name, values in measures.items()},
    )


def _weighed(measures: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Weighted mean of the measures [n] that each row has, NaN where it has none. Weights without one are idle."""
    used = {name: weight for name, weight in weights.items() if name in measures}
    values = np.stack([measures[name] for name in used])
    known = np.array(list(used.values()))[:, None] * np.isfinite(values)
    total, weight = (known * np.nan_to_num(values)).sum(axis=0), known.sum(axis=0)
    return np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)


def _embed(model: Baseline, texts: Sequence[str], on_progress: Callable[[float], None] | None) -> NDArray[np.float32]:
    from models import embeddings

    told = (lambda share: on_progress(share * EMBEDDING_SHARE)) if on_progress else None
    return embeddings.vectors_of(model.encoder, texts, model.threads, on_progress=told)


def _floats(timeline: pa.Table, name: str) -> Floats:
    """A column as float64, NaN where null."""
    return timeline[name].to_numpy(zero_copy_only=False).astype(np.float64)


def _relative(values: Floats) -> Floats:
    """Logistic of the distance to the median in robust standard deviations (half of the 16th–84th percentile).

    NaN stays NaN. Values that are all alike become 0.5.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    low, middle, high = np.percentile(known, [16, 50, 84])
    alike = 1e-6 * max(1.0, abs(middle))
    spread = (high - low) / 2 if high - low > alike else float(known.std())
    if spread <= alike:
        return np.where(np.isfinite(values), 0.5, np.nan)
    return 1 / (1 + np.exp(-np.clip((values - middle) / spread, -30, 30)))


def _smooth(values: Floats, share: float) -> Floats:
    """Each value with `share` of each neighbour mixed in."""
    if len(values) < 2:
        return values
    padded = np.pad(values, 1, mode="edge")
    return (1 - 2 * share) * values + share * (padded[:-2] + padded[2:])


def _text_measures(texts: Sequence[str], vectors: NDArray[np.float32], config: Config) -> dict[str, Floats]:
    spoken = [WORD.findall(text) for text in texts]
    words = [[word.lower() for word in row] for row in spoken]
    close = {"ahead": _relative(_ahead(vectors, config.ahead_rows)), "all": _relative(_degree(vectors, config))}
    return {
        "centrality": _weighed(close, {"ahead": config.ahead_share, "all": 1 - config.ahead_share}),
        "lexical": _relative(_lexical(spoken, config)),
        "novelty": _relative(_first_mentions(words, config)),
        "length": _relative(np.array([np.sqrt(len(row)) for row in words])),
    }


def _ahead(vectors: NDArray[np.float32], reach: int) -> Floats:
    """Mean cosine to the next `reach` rows: high where a row announces what follows. NaN in the last row."""
    count = len(vectors)
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0, dtype=np.float64)])
    ends = np.minimum(count, np.arange(count) + 1 + reach)
    following = ends - np.arange(count) - 1
    close = np.einsum("ij,ij->i", sums[ends] - sums[np.arange(count) + 1], vectors)
    return np.divide(close, following, out=np.full(count, np.nan), where=following > 0)


def _degree(vectors: NDArray[np.float32], config: Config) -> Floats:
    """Mean over all rows of the cosine where it passes the threshold: LexRank's weighted degree (Erkan, Radev 2004)."""
    found = [
        np.where(close > config.lexrank_threshold, close, 0.0).mean(axis=1)
        for start in range(0, len(vectors), ROWS_AT_ONCE)
        for close in [vectors[start : start + ROWS_AT_ONCE] @ vectors.T]
    ]
    return np.concatenate(found).astype(np.float64)


def _content(word: str, config: Config) -> float:
    """How much a word carries, 0..1, told by its length alone: that needs no list of words and no language."""
    short, long = config.word_letters
    return min(max((len(word) - short) / (long - short), 0.0), 1.0)


def _lexical(spoken: Sequence[Sequence[str]], config: Config) -> Floats:
    """Content of a row's distinct words; numbers and words that begin large inside a sentence count in full."""
    totals = []
    for row in spoken:
        named = {w.lower() for w in row[1:] if w.isdigit() or (len(w) > 1 and w[0].isupper() and w[1] not in "'’")}
        totals.append(sum(1.0 if w in named else _content(w, config) for w in dict.fromkeys(w.lower() for w in row)))
    return np.array(totals, dtype=np.float64)


def _first_mentions(words: Sequence[Sequence[str]], config: Config) -> Floats:
    """Content of the words that a row says first and that return later; the fewer blocks of rows have one, the more."""
    often = Counter(word for row in words for word in row)
    blocks = [
        {word for row in words[start : start + config.block_rows] for word in row}
        for start in range(0, len(words), config.block_rows)
    ]
    spread = Counter(word for block in blocks for word in block)
    seen: set[str] = set()
    totals = []
    for row in words:
        # Not a set: its order differs between processes, and with it the last bits of the sum.
        fresh = [word for word in dict.fromkeys(row) if word not in seen and often[word] > 1]
        totals.append(sum(np.log((len(blocks) + 1) / (spread[w] + 0.5)) * _content(w, config) for w in fresh))
        seen.update(row)
    return np.array(totals, dtype=np.float64)


def _prosody(timeline: pa.Table, config: Config) -> Floats:
    """Louder and livelier than this recording's median; rows in which nothing sounds count as its quietest."""
    level = _floats(timeline, "level_dbfs")
    if not np.isfinite(level).any():
        return np.full(len(level), np.nan)
    heard = {name: _relative(_floats(timeline, name)) for name in config.prosody}
    return _weighed({name: np.where(np.isfinite(level), values, 0.0) for name, values in heard.items()}, config.prosody)


def _slide_recency(timeline: pa.Table, config: Config) -> Floats:
    """1 where a slide has just come up, halved with each half-life; NaN where a camera shot or nothing began it."""
    slide, began_s = _floats(timeline, "slide"), _floats(timeline, "slide_start_s")
    age_s = np.maximum(_floats(timeline, "start_s") - began_s, 0.0)
    rows = np.arange(len(slide))
    new = np.concatenate([[True], slide[1:] != slide[:-1]]) if len(slide) else np.zeros(0, bool)
    age_rows = rows - np.maximum.accumulate(np.where(new, rows, 0))
    halvings = np.where(np.isfinite(age_s), age_s / config.slide_half_life_s, age_rows / config.slide_half_life_rows)
    return np.where(np.array(timeline["slide_kind"].to_pylist(), dtype=object) == "slide", 0.5**halvings, np.nan)


def _change_rate(timeline: pa.Table, config: Config) -> Floats:
    """Changes of the picture in the seconds around a row, relative; NaN without picture or times."""
    begins = _floats(timeline, "slide_start_s")
    middles = (_floats(timeline, "start_s") + _floats(timeline, "end_s")) / 2
    changes = np.unique(begins[np.isfinite(begins)])
    reach_s = config.change_window_s / 2
    near = np.searchsorted(changes, middles + reach_s) - np.searchsorted(changes, middles - reach_s)
    return _relative(np.where(np.isfinite(middles) & (len(changes) > 1), near.astype(np.float64), np.nan))


def _boundary(timeline: pa.Table, said: NDArray[np.int64], vectors: NDArray[np.float32], config: Config) -> Floats:
    depth = _depths(vectors, config.boundary_block_rows)
    cutoff = depth.mean() + config.boundary_depth * depth.std()
    against = 1 / (1 + np.exp(np.clip(config.boundary_gain * (depth - cutoff) / max(depth.std(), 1e-6), -30, 30)))
    pause_s = np.nan_to_num(_floats(timeline, "pause_after_s")[said])
    against *= 1 - config.boundary_pause * np.clip(pause_s / config.boundary_pause_s, 0.0, 1.0)
    slide = _floats(timeline, "slide")[said]
    kinds = timeline["slide_kind"].to_pylist()
    turned = [slide[i] != slide[i + 1] and kinds[said[i + 1]] == "slide" for i in range(len(said) - 1)]
    against[:-1] *= 1 - config.boundary_slide * np.array(turned, dtype=np.float64)
    against[-1] = 0.0  # with the last row, everything ends
    found = np.zeros(timeline.num_rows)
    found[said] = 1 - against
    return found


def _depths(vectors: NDArray[np.float32], block: int) -> Floats:
    """After each row: how deep the similarity of the blocks before and after lies under the nearest peaks beside it."""
    count = len(vectors)
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0, dtype=np.float64)])
    at = np.arange(1, count)
    before, after = sums[at] - sums[np.maximum(at - block, 0)], sums[np.minimum(at + block, count)] - sums[at]
    scale = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    close = np.einsum("ij,ij->i", before, after) / np.maximum(scale, 1e-9)
    return np.append(_rise(close) + _rise(close[::-1])[::-1], 0.0)


def _rise(values: Floats) -> Floats:
    """How far the values climb, going back from each one without a step down."""
    climbed = np.zeros(len(values))
    for i in range(1, len(values)):
        if values[i - 1] >= values[i]:
            climbed[i] = values[i - 1] - values[i] + climbed[i - 1]
    return climbed
