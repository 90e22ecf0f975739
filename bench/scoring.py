"""Seconds to embed and score the sentences of an hour's lecture, and the encoder's share of them, for each model.

    python -m bench.scoring [--sentences 600] [--models baseline open lecture] [--threads 2] [--runs 5]

The sentences are words of a small vocabulary drawn at random, 1 to 40 a sentence and 15 in the mean as in lectures, no
two alike, so that nothing is embedded once for two. Every run is of another text: nothing comes from the cache. Medians
over the runs after a first one that warms up; CPU seconds are those of the whole process.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch

from core.machine import cores, has_bfloat16
from core.timeline import build_text_timeline
from models import pretrained, registry, text
from models.learned import Highlight, run, tokenised
from models.lecture_input import lecture_input

WORDS = (
    "the a of to and in is that we this so it for you can are have with on be as gradient kernel tide moon market cell "
    "protein network energy theory data model graph lecture example function measure signal matrix result question"
)
ENCODER = "all-minilm-l6-v2"


def sentences(count: int, seed: int) -> list[str]:
    """`count` sentences, no two alike."""
    draw = np.random.default_rng(seed)
    words, found = WORDS.split(), dict[str, None]()
    while len(found) < count:
        length = int(np.clip(draw.gamma(1.6, 9.4), 1, 40))
        found[" ".join(draw.choice(words, length)).capitalize() + "."] = None
    return list(found)


def median_of(runs: int, job: Callable[[int], object]) -> tuple[float, float]:
    """Median wall and CPU seconds of `job(seed)`; the first call warms up and is not counted."""
    job(0)
    wall, cpu = [], []
    for seed in range(1, runs + 1):
        started, started_cpu = time.perf_counter(), time.process_time()
        job(seed)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - started_cpu)
    return statistics.median(wall), statistics.median(cpu)


def passing(model: Highlight, count: int) -> Callable[[int], object]:
    """One pass of a model's network over a lecture that has been tokenised and embedded."""
    network = model.network
    tokens = tokenised(text.tokenizer(pretrained.locate(ENCODER)), sentences(count, 1))
    size = network.config.vector_size
    vectors = np.random.default_rng(0).standard_normal((count, size)).astype(np.float32) if size else None
    found = lecture_input(tokens, network.rarity.numpy(), vectors=vectors, dimension=size)
    torch.set_num_threads(cores())
    return lambda _: run(network, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--models", nargs="+", default=["baseline", "open", "lecture"])
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    rows: list[tuple[str, float, float]] = []
    numbers: list[text.DType] = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WINNOW_HOME"] = folder
        for dtype in numbers:
            encoder = text.load(pretrained.locate(ENCODER), given.threads, dtype)
            job = lambda seed, encoder=encoder: text.embed(encoder, sentences(given.sentences, 1000 + seed))  # noqa: E731
            rows.append((f"sentence vectors, {dtype}", *median_of(given.runs, job)))
        for number, name in enumerate(given.models, 2):
            model = registry.load(registry.resolve(name), threads=given.threads)

            def whole(seed: int, model=model, first: int = 1000 * number) -> None:
                model.predict(build_text_timeline(sentences(given.sentences, first + seed)))

            def again(_: int, model=model) -> None:
                model.predict(build_text_timeline(sentences(given.sentences, 1)))

            rows.append((f"`{name}`: vectors and scores", *median_of(given.runs, whole)))
            rows.append((f"`{name}`: scores alone, vectors known", *median_of(given.runs, again)))
            if isinstance(model, Highlight):
                rows.append(
                    (f"`{name}`: its network alone, one pass", *median_of(given.runs, passing(model, given.sentences)))
                )
    print(f"| {given.sentences} sentences, {given.threads} threads | seconds | CPU seconds |\n| --- | --- | --- |")
    for name, wall, cpu in rows:
        print(f"| {name} | {wall:.3f} | {cpu:.3f} |")


if __name__ == "__main__":
    main()
