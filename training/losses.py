"""What the network is taught by: the loss of one lecture."""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

SOFTNESS = 0.15
"""A teacher's scores lie between 0 and 1; over this they tell the better sentences of a segment from the others."""


class Targets(NamedTuple):
    """What is known of one lecture's n sentences."""

    label: Tensor
    """[n] 1 in the highlight, 0 not, -1 nobody judged it."""
    segment: Tensor
    """[n] number of the segment; sentences of one segment are ranked against each other."""
    last: Tensor
    """[n] 1 where a topic ends, 0 where not, -1 unknown."""
    teacher: Tensor | None = None
    """[n] scores of a teacher in [0, 1]."""


def highlight_loss(logits: Tensor, targets: Targets, listwise: float) -> Tensor:
    """Cross-entropy over judged sentences, plus `listwise` times the mean over segments of the cross-entropy between
    the softmax of a segment and its positives spread evenly (ListNet, Cao et al. 2007). 0 where none is judged.
    """
    judged = targets.label >= 0
    if not judged.any():
        return logits.sum() * 0
    logits, label = logits[judged], targets.label[judged]
    pointwise = functional.binary_cross_entropy_with_logits(logits, label)
    _, segment = torch.unique_consecutive(targets.segment[judged], return_inverse=True)
    count = int(segment[-1]) + 1
    surprise = -log_softmax_by(logits, segment)
    positives = logits.new_zeros(count).index_add(0, segment, label)
    share = logits.new_zeros(count).index_add(0, segment, surprise * label) / positives.clamp(min=1)
    return pointwise + listwise * share.sum() / (positives > 0).sum().clamp(min=1)


def teacher_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Mean over segments of the cross-entropy between the teacher's softmax (of its scores over SOFTNESS) and that of
    the logits: the teacher's order inside each segment. 0 without a teacher."""
    if targets.teacher is None:
        return logits.sum() * 0
    _, segment = torch.unique_consecutive(targets.segment, return_inverse=True)
    wanted = log_softmax_by(targets.teacher / SOFTNESS, segment).exp()
    return -(wanted * log_softmax_by(logits, segment)).sum() / (int(segment[-1]) + 1)


def log_softmax_by(logits: Tensor, segment: Tensor) -> Tensor:
    """Logarithm of the softmax over the sentences of each segment, numbered from 0 without gaps: [n]."""
    count = int(segment[-1]) + 1
    highest = logits.new_full((count,), -torch.inf).scatter_reduce(0, segment, logits.detach(), "amax")
    total = logits.new_zeros(count).index_add(0, segment, (logits - highest[segment]).exp())
    return logits - (highest + total.log())[segment]


def boundary_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy of "a topic ends here" where that is known; 0 where it is nowhere."""
    known = targets.last >= 0
    if not known.any():
        return logits.sum() * 0
    return functional.binary_cross_entropy_with_logits(logits[known], targets.last[known])
