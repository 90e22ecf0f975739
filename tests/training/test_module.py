import numpy as np
import pytest
import torch

from models.highlight import Batch
from models.lecture_input import Tokens, lecture_input
from training.losses import Targets
from training.module import COUNTS, HighlightModule


@pytest.fixture
def module():
    torch.manual_seed(0)
    module = HighlightModule(size=24, layers=1, reader_size=16, word_size=8, vector_size=0, dropout=0.0)
    torch.nn.init.normal_(module.network.out.weight)
    return module.eval()


def example(module, segment, label, shown):
    tokens = Tokens.of([[k + 5] * 4 for k in range(len(label))])
    rarity, slides = module.network.rarity.numpy(), np.array(segment)
    batch = Batch.of(lecture_input(tokens, rarity, slides=slides if shown else None, dimension=0))
    last = [-1.0] * len(label) if shown else [*np.not_equal(segment[1:], segment[:-1]).astype(float), 1.0]
    return batch, Targets(torch.tensor(label).float(), torch.tensor(segment), torch.tensor(last))


def test_clips_are_counted_wherever_in_the_lecture_they_stand(module):
    label = [0, 1, 0, -1, -1, 1, 1, 0, 1]
    with torch.no_grad():
        module.validation_step(example(module, [3, 3, 3, 4, 4, 7, 7, 7, 7], label, shown=True))
    assert module.counts["clips"] == 2
    assert module.counts["ends"] == 0
    assert module.counts["recall"] >= 1 + 2 / 3
    assert module.counts["hits"] >= (1 + 2) / 3


def test_topic_ends_are_counted_where_slides_are_hidden(module):
    with torch.no_grad():
        module.validation_step(example(module, [0, 0, 1, 1], [-1] * 4, shown=False))
    assert module.counts["ends"] == 4
    assert 0 <= module.counts["right"] <= 4
    assert module.counts["clips"] == 0


def test_counts_begin_at_nothing(module):
    assert module.counts == dict.fromkeys(COUNTS, 0.0)
