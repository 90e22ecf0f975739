"""Probabilities that mean what they say: logistic regression of what models answer on what is true."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from core.machine import has_bfloat16
from models.borders import Borders
from training.corpus import Corpus
from training.data import example_of
from training.module import HighlightModule

SMALLEST = 1e-6


def calibrate(module: HighlightModule, corpus: Corpus) -> None:
    """Set the network's scale and shift so that its probabilities fit the corpus (Platt 1999)."""
    network = module.network
    network.scale.fill_(1.0)
    network.shift.fill_(0.0)
    logits: list[list[torch.Tensor]] = [[], []]
    truth: list[list[torch.Tensor]] = [[], []]
    for answers, targets in _answers(module, corpus):
        for head, known in enumerate(targets):
            logits[head].append(answers[head][known >= 0])
            truth[head].append(known[known >= 0])
    for head in (0, 1):
        x, y = torch.cat(logits[head]).double(), torch.cat(truth[head]).double()
        if len(x) and 0 < y.mean() < 1:
            scale, shift = logistic(np.stack([x.numpy(), np.ones(len(x))]), y.numpy())
            network.scale[head], network.shift[head] = (scale, shift) if scale > 0 else (1.0, 0.0)


def calibrate_borders(borders: Borders, module: HighlightModule, corpus: Corpus) -> Borders:
    """`borders` with the mixture of its logits and the network's that fits the topic ends of the corpus."""
    own, network, ends = [], [], []
    rarity = module.network.rarity.numpy()
    for index, (answers, targets) in enumerate(_answers(module, corpus)):
        known = (targets[1] >= 0).numpy()
        own.append(borders.logits(corpus[index].tokens, rarity)[known])
        network.append(answers[1].numpy()[known])
        ends.append(targets[1].numpy()[known])
    columns = np.stack([np.concatenate(own), np.concatenate(network), np.ones(sum(map(len, own)))]).astype(np.float64)
    weights = logistic(columns, np.concatenate(ends).astype(np.float64))
    return replace(borders, mix=(weights[0], weights[1], weights[2]))


Both = tuple[torch.Tensor, torch.Tensor]


def _answers(module: HighlightModule, corpus: Corpus) -> Iterator[tuple[Both, Both]]:
    """Of each lecture the logits (highlight with its slides, topic end without) and what is true of both."""
    rarity = module.network.rarity.numpy()
    with torch.inference_mode():
        for index in range(len(corpus)):
            lecture, vectors = corpus[index], None
            logits, truth = [], []
            for head, shown in ((0, True), (1, False)):
                batch, targets = example_of(lecture, rarity, show_slides=shown)
                if vectors is None:  # the encoder where it was fine-tuned computes as it will in use
                    with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
                        vectors = module.heard(batch).vectors
                logits.append(module.network(batch._replace(vectors=vectors))[head])
                truth.append((targets.label, targets.last)[head])
            yield (logits[0], logits[1]), (truth[0], truth[1])


def logistic(columns: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """Weights of the columns [k, n] that make the labels [n] most likely, by Newton steps."""
    found = np.zeros(len(columns))
    for _ in range(30):
        p = 1 / (1 + np.exp(-found @ columns))
        gradient = columns @ (p - truth)
        step = np.linalg.solve((columns * (p * (1 - p))) @ columns.T + SMALLEST * np.eye(len(columns)), gradient)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return tuple(found.tolist())
