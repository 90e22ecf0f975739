"""Measure how well `--about` finds what answers a question, on QMSum's meetings; or fit the numbers it uses.

    python -m bench.about FOLDER              # FOLDER holds qmsum_ALL.tar.gz, or QMSum's train, val and test
    python -m bench.about FOLDER --fit FILE   # fit to the meetings of train and write config.json

Each question with marked turns ranks the turns of its meeting (AMI and ICSI; turns without a word are left out). The
meetings of val and test are measured; BM25 and the cosine of MiniLM are tuned on train first: their parameters, and
whether they are given the question or its subject. Intervals: paired bootstrap over meetings, 95 %.
"""

import argparse
import itertools
import json
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.machine import cores
from models import about, embeddings, registry
from models.subjects import subject_of
from training.meetings import ICSI, Meeting, read_qmsum

Floats = NDArray[np.float64]
Vectors = dict[str, NDArray[np.float32]]
ENCODER = "all-minilm-l6-v2"
MEASURES = ("MAP", "R-precision", "nDCG@20")
START = about.Config((40, 100, 250, 600), 1 / 12, 5, dict.fromkeys(about.KINDS, (0,) * 4), 0.0, 0.0, 0.0)
RIDGE = 0.02
FOREIGN_A_MEETING = 6
"""Questions about meetings of the other corpus, asked of each meeting: nothing in it answers them."""
LEFT_OUT = 0.05
"""Share of the questions of train on which the warning that nothing was found is false."""
DRAWS = 10_000
READINGS: dict[str, Callable[[str], str]] = {"question": str, "subject": subject_of}
"""What the rivals may be given."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A meeting, ready to be asked, with its questions: text, and whether each turn answers it."""

    name: str
    sentences: tuple[str, ...]
    spoken: about.Spoken
    turn: NDArray[np.intp]
    """[n] number of each sentence's turn, from 0 without gaps."""
    turns: list[str]
    sentence_vectors: NDArray[np.float32]
    turn_vectors: NDArray[np.float32]
    questions: list[tuple[str, NDArray[np.bool_]]]


def prepare(meeting: Meeting) -> Asked:
    sentences = meeting.lecture.sentences
    _, turn = np.unique(meeting.turn, return_inverse=True)
    turns = [" ".join(sentences[row] for row in np.flatnonzero(turn == number)) for number in range(turn[-1] + 1)]
    vectors = embeddings.vectors_of(ENCODER, sentences, cores())
    questions = []
    for query in meeting.queries:
        if len(query.rows):
            answers = np.zeros(len(turns), dtype=bool)
            answers[turn[query.rows]] = True
            questions.append((query.text, answers))
    return Asked(
        name=meeting.lecture.recording,
        sentences=sentences,
        spoken=about.Spoken(sentences, vectors, START),
        turn=turn,
        turns=turns,
        sentence_vectors=vectors,
        turn_vectors=embeddings.vectors_of(ENCODER, turns, cores()),
        questions=questions,
    )


def measures(scores: Floats, answers: NDArray[np.bool_]) -> tuple[float, ...]:
    """MEASURES of one ranking, in percent; of equal scores the earlier turn comes first."""
    hits = answers[np.argsort(-scores, kind="stable")].astype(np.float64)
    count, places = int(hits.sum()), np.arange(1, len(hits) + 1)
    gain = 1 / np.log2(places + 1)
    average = float((np.cumsum(hits) / places * hits).sum() / count)
    return (100 * average, 100 * hits[:count].mean(), 100 * (hits * gain)[:20].sum() / gain[: min(20, count)].sum())


class BM25:
    """Robertson and Zaragoza 2009, with the rarity of Lucene; the turns of a meeting are its documents."""

    def __init__(self, turns: list[str]) -> None:
        self.terms = [Counter(about.terms_of(turn, START.prefix_letters)) for turn in turns]
        self.length = np.array([terms.total() for terms in self.terms], dtype=np.float64)

    def score(self, text: str, k1: float, b: float) -> Floats:
        found = np.zeros(len(self.terms))
        norm = k1 * (1 - b + b * self.length / self.length.mean())
        for term in about.terms_of(text, START.prefix_letters):
            count = np.array([terms[term] for terms in self.terms], dtype=np.float64)
            having = (count > 0).sum()
            found += math.log(1 + (len(count) - having + 0.5) / (having + 0.5)) * count * (k1 + 1) / (count + norm)
        return found


def by_turn(asked: Asked, values: Floats) -> Floats:
    """Mean over the sentences of each turn, by their words."""
    words = asked.spoken.words
    return np.bincount(asked.turn, values * words) / np.bincount(asked.turn, words)


def fit(train: list[Asked], vectors: Vectors, kinds: tuple[str, ...]) -> about.Config:
    """Logistic regression by Newton's method; each question weighs the same, each of its sentences by its words."""
    pairs = [(asked, text, answers) for asked in train for text, answers in asked.questions + foreign(asked, train)]
    used = np.repeat([kind in kinds for kind in about.KINDS], len(START.widths_words))
    x = np.concatenate([evidence(asked, text, vectors) for asked, text, _ in pairs])[:, used]
    y = np.concatenate([answers[asked.turn] for asked, _, answers in pairs]).astype(np.float64)
    weight = np.concatenate([asked.spoken.words / asked.spoken.words.sum() for asked, _, _ in pairs]) / len(pairs)
    kept = np.flatnonzero(used)
    beta = newton(x, y, weight)
    while (beta[:-1] < 0).any():  # no evidence speaks against a row: what would is left out
        kept, x = kept[beta[:-1] >= 0], x[:, beta[:-1] >= 0]
        beta = newton(x, y, weight)
    learned = np.zeros(len(used))
    learned[kept] = beta[:-1]
    parts = learned.round(4).reshape(len(about.KINDS), -1).tolist()
    return replace(START, weights=dict(zip(about.KINDS, parts, strict=True)), bias=round(float(beta[-1]), 4))


def newton(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Weights of the columns and, last, the bias of a ridge logistic regression; columns are brought to one scale."""
    scale = x.std(0) + 1e-9
    x = np.column_stack([x / scale, np.ones(len(x))])
    ridge = np.diag([RIDGE] * (x.shape[1] - 1) + [0.0])
    beta = np.zeros(x.shape[1])
    for _ in range(20):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (weight * (p - y)) + ridge @ beta
        beta -= np.linalg.solve((x.T * (weight * p * (1 - p))) @ x + ridge, slope)
    return np.append(beta[:-1] / scale, beta[-1])


def foreign(asked: Asked, others: list[Asked]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Questions that nothing in the meeting answers: about the meetings of the other corpus."""
    other = [
        t for o in others if bool(ICSI.fullmatch(o.name)) != bool(ICSI.fullmatch(asked.name)) for t, _ in o.questions
    ]
    draw = np.random.default_rng(int.from_bytes(asked.name.encode()))
    chosen = draw.choice(len(other), min(FOREIGN_A_MEETING, len(other)), replace=False)
    return [(other[i], np.zeros(len(asked.turns), dtype=bool)) for i in chosen]


def evidence(asked: Asked, text: str, vectors: Vectors) -> Floats:
    return asked.spoken.evidence(subject_of(text), vectors[subject_of(text)])


def with_thresholds(config: about.Config, train: list[Asked], vectors: Vectors) -> about.Config:
    """found_at leaves out the questions of LEFT_OUT of the train questions; about_at has the best mean F1 of rows."""
    found = [
        (about.probability(config, evidence(asked, text, vectors)), answers[asked.turn])
        for asked in train for text, answers in asked.questions
    ]  # fmt: skip
    levels = np.arange(0.05, 0.6, 0.01)
    f1 = [np.mean([2 * (y & (p >= at)).sum() / max(1, y.sum() + (p >= at).sum()) for p, y in found]) for at in levels]
    found_at = float(np.quantile([p.max() for p, _ in found], LEFT_OUT))
    return replace(config, found_at=round(found_at, 3), about_at=round(float(levels[int(np.argmax(f1))]), 2))


Scorer = Callable[[Asked, str], Floats]


def scored(scorer: Scorer, meetings: list[Asked]) -> Floats:
    """MEASURES of every question: [questions, measures]."""
    return np.array([measures(scorer(m, text), answers) for m in meetings for text, answers in m.questions])


def ours(config: about.Config, vectors: Vectors) -> Scorer:
    return lambda asked, text: by_turn(asked, about.probability(config, evidence(asked, text, vectors)))


def best_bm25(train: list[Asked]) -> tuple[str, Scorer]:
    """BM25 with the k1, b and reading that have the greatest MAP on train."""
    tables: dict[str, BM25] = {}

    def scorer(reading: str, k1: float, b: float) -> Scorer:
        def score(asked: Asked, text: str) -> Floats:
            table = tables.setdefault(asked.name, BM25(asked.turns))
            return table.score(READINGS[reading](text), k1, b)

        return score

    grid = [(r, k1, b) for r in READINGS for k1 in (0.6, 1.2, 2.0, 4.0) for b in (0.0, 0.2, 0.4, 0.75)]
    reading, k1, b = max(grid, key=lambda at: scored(scorer(*at), train)[:, 0].mean())
    return f"BM25 (k1 {k1:g}, b {b:g}, given the {reading})", scorer(reading, k1, b)


def best_cosine(train: list[Asked], vectors: Vectors) -> tuple[str, Scorer]:
    """MiniLM's cosine to the turn, or to the best of its sentences, and the reading: what has the greatest MAP."""

    def scorer(reading: str, what: str) -> Scorer:
        def score(asked: Asked, text: str) -> Floats:
            vector = vectors[READINGS[reading](text)]
            if what == "turn":
                return (asked.turn_vectors @ vector).astype(np.float64)
            best = np.full(len(asked.turns), -1.0)
            np.maximum.at(best, asked.turn, asked.sentence_vectors @ vector)
            return best

        return score

    grid = list(itertools.product(READINGS, ("turn", "best sentence")))
    reading, what = max(grid, key=lambda at: scored(scorer(*at), train)[:, 0].mean())
    return f"MiniLM cosine ({what}, given the {reading})", scorer(reading, what)


def interval(better: Floats, worse: Floats, groups: NDArray[np.intp]) -> tuple[float, float]:
    """95 % of the mean difference under resampling of whole meetings."""
    draw, count = np.random.default_rng(0), groups.max() + 1
    sums, sizes = np.bincount(groups, better - worse), np.bincount(groups)
    picked = draw.integers(0, count, (DRAWS, count))
    low, high = np.quantile(sums[picked].sum(1) / sizes[picked].sum(1), [0.025, 0.975])
    return float(low), float(high)


def report(test: list[Asked], train: list[Asked], vectors: Vectors, config: about.Config) -> None:
    rivals = [best_bm25(train), best_cosine(train, vectors)]
    parts = [(f"{kind} over stretches", ours(fit(train, vectors, (kind,)), vectors)) for kind in about.KINDS]
    rows = [(name, scored(scorer, test)) for name, scorer in [*rivals, *parts, ("--about", ours(config, vectors))]]
    groups = np.repeat(np.arange(len(test)), [len(asked.questions) for asked in test])
    final = rows[-1][1][:, 0]
    print(f"| {len(final)} questions, {len(test)} meetings | {' | '.join(MEASURES)} | --about is better by (MAP) |")
    print("| --- |" + " --- |" * (len(MEASURES) + 1))
    for name, found in rows:
        low, high = interval(final, found[:, 0], groups)
        gap = "" if found is rows[-1][1] else f"{(final - found[:, 0]).mean():.1f} [{low:.1f}, {high:.1f}]"
        print(f"| {name} | {' | '.join(f'{value:.1f}' for value in found.mean(0))} | {gap} |")
    for what, asks in (("own", lambda m: m.questions), ("foreign", lambda m: foreign(m, test))):
        said = [
            about.probability(config, evidence(m, text, vectors)).max() >= config.found_at
            for m in test for text, _ in asks(m)
        ]  # fmt: skip
        print(f"Found: {100 * np.mean(said):.1f} % of {len(said)} {what} questions")
    began_s, text = time.perf_counter(), test[0].questions[0][0]
    spoken = about.Spoken(test[0].sentences[:600], test[0].sentence_vectors[:600], config)
    about.probability(config, spoken.evidence(subject_of(text), vectors[subject_of(text)]))
    print(f"600 sentences, when they are embedded: {time.perf_counter() - began_s:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fit", type=Path, metavar="FILE")
    given = parser.parse_args()
    meetings = read_qmsum(given.folder)
    texts = sorted(
        {read(query.text) for meeting in meetings for query in meeting.queries for read in READINGS.values()}
    )
    vectors = dict(zip(texts, embeddings.vectors_of(ENCODER, texts, cores()), strict=True))
    train = [prepare(m) for m in meetings if m.published_split == "train"]
    if given.fit:
        config = with_thresholds(fit(train, vectors, about.KINDS), train, vectors)
        given.fit.write_text(json.dumps(asdict(config), indent=2) + "\n")
        return
    config = about.load(registry.resolve(about.NAME), threads=cores()).config
    report([prepare(m) for m in meetings if m.published_split != "train"], train, vectors, config)


if __name__ == "__main__":
    main()
