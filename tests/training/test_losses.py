import math

import pytest
import torch

from training.losses import Targets, boundary_loss, highlight_loss


def targets(label, segment, last=None):
    return Targets(torch.tensor(label).float(), torch.tensor(segment), torch.tensor(last or [-1.0] * len(label)))


def test_sentences_nobody_judged_teach_nothing():
    logits = torch.zeros(3, requires_grad=True)
    highlight_loss(logits, targets([-1, 1, 0], [0, 1, 1]), 0.5).backward()
    assert logits.grad is not None
    assert logits.grad[0] == 0
    assert logits.grad[1] < 0 < logits.grad[2]


def test_the_value_is_that_of_the_formula():
    found = highlight_loss(torch.tensor([0.0, math.log(3)]), targets([0, 1], [5, 5]), 0.5)
    pointwise = (math.log(2) - math.log(3 / 4)) / 2
    assert found.item() == pytest.approx(pointwise + 0.5 * -math.log(3 / 4), abs=1e-6)


def test_segments_are_ranked_apart():
    logits = torch.tensor([5.0, -5.0, 0.0, 0.0])
    one = highlight_loss(logits, targets([1, 0, 1, 0], [0, 0, 0, 0]), 1.0)
    two = highlight_loss(logits, targets([1, 0, 1, 0], [0, 0, 1, 1]), 1.0)
    assert two < one


def test_a_segment_without_highlight_adds_nothing_to_the_ranking():
    logits = torch.tensor([1.0, 2.0, 3.0, 4.0])
    both = targets([1, 0, 0, 0], [0, 0, 1, 1])
    assert highlight_loss(logits, both, 1.0) - highlight_loss(logits, both, 0.0) == pytest.approx(
        math.log(1 + math.e), abs=1e-5
    )


def test_nothing_judged_is_no_loss_but_has_a_gradient():
    logits = torch.ones(2, requires_grad=True)
    found = highlight_loss(logits, targets([-1, -1], [0, 0]), 0.5) + boundary_loss(logits, targets([-1, -1], [0, 0]))
    found.backward()
    assert found.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_topic_ends_count_where_they_are_known():
    found = boundary_loss(torch.tensor([0.0, 9.0]), targets([0, 0], [0, 0], [1.0, -1.0]))
    assert found.item() == pytest.approx(math.log(2))
