from itertools import islice

import numpy as np
import pytest

from core.errors import RefusedInput
from models.lecture_input import Tokens
from training.corpus import PreparedLecture
from training.data import Steps, example_of, read

RARITY = np.linspace(0, 1, 20, dtype=np.float32)


def lecture(sentences=6, **more):
    tokens = Tokens.of([[k % 20, (k + 1) % 20] for k in range(sentences)])
    label = np.arange(sentences, dtype=np.int8) % 2
    return PreparedLecture(tokens, label, np.arange(sentences, dtype=np.int32) // 2, None, **more)


def test_topic_ends_are_asked_only_where_slides_do_not_give_them_away():
    shown, targets = example_of(lecture(), RARITY, show_slides=True)
    assert shown.has_slides
    assert targets.last.tolist() == [-1] * 6
    hidden, targets = example_of(lecture(), RARITY, show_slides=False)
    assert not hidden.has_slides
    assert targets.last.tolist() == [0, 1, 0, 1, 0, 1]


def test_topics_that_are_not_slides_have_their_own_ends():
    ends = np.array([0, 0, 0, 1, 0, 1], np.int8)
    assert example_of(lecture(ends=ends), RARITY, show_slides=False)[1].last.tolist() == ends.tolist()


def test_slides_that_are_unknown_are_not_shown():
    found = lecture()
    found.segment[:] = -1
    batch, targets = example_of(found, RARITY, show_slides=True)
    assert not batch.has_slides
    assert targets.last.tolist() == [-1] * 6


def test_a_part_of_a_lecture_has_the_tokens_of_its_sentences():
    batch, targets = example_of(lecture(), RARITY, show_slides=True, part=slice(2, 5))
    assert batch.tokens[batch.places].tolist() == [2, 3, 3, 4, 4, 5]
    assert targets.segment.tolist() == [1, 1, 2]
    assert targets.label.tolist() == [0, 1, 0]


class Three:
    """A corpus of lectures that are told apart by their length."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return lecture(4 + index)


def steps(first_step=0, rank=0, processes=1):
    return Steps(
        Three(), RARITY, lectures_a_step=2, slides_shown=0.5, seed=1,  # pyright: ignore[reportArgumentType]
        first_step=first_step, rank=rank, processes=processes,
    )  # fmt: skip


def lengths(given, count):
    return [[(len(batch.sentences), batch.has_slides) for batch, _ in step] for step in islice(given, count)]


def test_every_pass_takes_each_lecture_once_in_an_order_of_its_own():
    seen = [length for step in lengths(steps(), 6) for length, _ in step]
    passes = [tuple(seen[k : k + 3]) for k in range(0, 12, 3)]
    assert all(sorted(one) == [4, 5, 6] for one in passes)
    assert len(set(passes)) > 1


def test_a_resumed_run_sees_what_it_would_have_seen():
    assert lengths(steps(first_step=3), 3) == lengths(steps(), 6)[3:]


def test_two_processes_share_what_one_sees():
    one = lengths(steps(), 4)
    two = [lengths(steps(rank=rank, processes=2), 4) for rank in (0, 1)]
    assert [a + b for a, b in zip(*two, strict=True)] == one


def test_a_step_that_processes_cannot_share_is_refused():
    with pytest.raises(ValueError, match="multiple of 3"):
        steps(processes=3)


def test_an_unknown_source_is_refused():
    with pytest.raises(RefusedInput, match="no data source 'films'"):
        read("films", ".", "train")  # pyright: ignore[reportArgumentType]
