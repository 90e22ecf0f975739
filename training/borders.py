"""Fits `models.borders` to the topic ends of a corpus."""

import sys
import time

import numpy as np
import torch
from torch.nn import functional

from models.borders import BITS, Borders, features
from training.corpus import Corpus

BATCH = 2048
RATE = 3e-3
"""Chosen with two passes on development lectures that do not stand in train: more of either learns train by heart."""
LARGEST = 127
"""Weights are kept in 8 bits."""


def fit(corpus: Corpus, rarity: np.ndarray, punctuation: tuple[int, ...], *, passes: int) -> Borders:
    """The model of the topic ends of all lectures whose segments are known."""
    return fit_to(*examples(corpus, rarity, punctuation), punctuation, passes=passes)


def fit_to(
    found: torch.Tensor, ends: torch.Tensor, punctuation: tuple[int, ...], *, passes: int, rate: float = RATE,
    seed: int = 0,
) -> Borders:  # fmt: skip
    """Logistic regression of `ends` on the features `found` by sparse Adam, in so many passes through the borders."""
    weights = torch.zeros(1 << BITS, 1, requires_grad=True)
    bias = torch.logit(ends.mean())
    optimizer = torch.optim.SparseAdam([weights], lr=rate)
    generator = torch.Generator().manual_seed(seed)
    steps, step, began_s = passes * -(-len(ends) // BATCH), 0, time.monotonic()
    for _ in range(passes):
        for rows in torch.randperm(len(ends), generator=generator).split(BATCH):
            optimizer.param_groups[0]["lr"] = rate * (1 - 0.95 * step / steps)
            optimizer.zero_grad()
            logits = functional.embedding_bag(found[rows].long(), weights, mode="sum", sparse=True)[:, 0] + bias
            functional.binary_cross_entropy_with_logits(logits, ends[rows]).backward()
            optimizer.step()
            step += 1
            if step % 100 == 0 or step == steps:
                left_s = (time.monotonic() - began_s) / step * (steps - step)
                print(f"\rborders: step {step} of {steps}, {left_s:.0f} s left ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    learned = weights.detach()[:, 0].numpy()
    unit = float(np.abs(learned).max()) / LARGEST or 1.0
    return Borders(np.round(learned / unit).astype(np.int8), unit, float(bias), punctuation)


def examples(corpus: Corpus, rarity: np.ndarray, punctuation: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [borders, features] as int32 and whether a topic ends there, as float."""
    found, ends = [], []
    for index in range(len(corpus)):
        lecture = corpus[index]
        if len(lecture.label) and (lecture.segment >= 0).all():
            found.append(features(lecture.tokens, rarity, punctuation))
            ends.append(np.append(lecture.segment[1:] != lecture.segment[:-1], True))
    return torch.from_numpy(np.concatenate(found)), torch.from_numpy(np.concatenate(ends).astype(np.float32))
