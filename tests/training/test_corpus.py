from dataclasses import replace

import numpy as np
import pytest

from models import pretrained, text
from tests.tiny_encoder import write_tiny_encoder
from training import corpus
from training.corpus import fingerprint, prepare
from training.made_up import made_up_lectures

NAME = "all-minilm-l6-v2"


@pytest.fixture(scope="module")
def encoder():
    return text.load(pretrained.locate(NAME), 1)


@pytest.fixture
def lectures():
    return made_up_lectures("dev", 3)


def test_a_lecture_comes_back_as_it_was_given(encoder, lectures, tmp_path):
    found = prepare(lectures, encoder, "e", tmp_path, with_vectors=False)
    assert len(found) == 3
    assert found[1].label.tolist() == lectures[1].label.tolist()
    assert found[1].segment.tolist() == lectures[1].segment.tolist()
    first = encoder.tokenizer.decode(found[1].tokens.ids[: found[1].tokens.lengths[0]])
    assert first.replace(" ", "") == lectures[1].sentences[0].lower().replace(" ", "")
    assert found[1].vectors is None


def test_other_content_is_another_corpus_and_the_same_content_the_same(encoder, lectures, tmp_path):
    for given in (lectures, lectures, lectures[:2]):
        prepare(given, encoder, "e", tmp_path, with_vectors=False)
    prepare(lectures, encoder, "another encoder", tmp_path, with_vectors=False)
    assert len(list(tmp_path.iterdir())) == 3
    assert fingerprint(lectures) != fingerprint(lectures[::-1])


def test_vectors_are_those_of_the_encoder_and_embedding_goes_on_where_it_stopped(
    encoder, lectures, tmp_path, monkeypatch
):
    monkeypatch.setattr(corpus, "LECTURES_AT_ONCE", 1)
    embed, calls = text.embed, []

    def stopping(*given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return embed(*given, **more)

    monkeypatch.setattr(text, "embed", stopping)
    with pytest.raises(KeyboardInterrupt):
        prepare(lectures, encoder, "e", tmp_path, with_vectors=True)
    found = prepare(lectures, encoder, "e", tmp_path, with_vectors=True)
    assert len(calls) == 1 + 1 + 2
    for index in range(3):
        vectors = found[index].vectors
        assert vectors is not None
        assert np.allclose(vectors, embed(encoder, list(lectures[index].sentences)), atol=2e-3)


def test_rarity_counts_lectures_not_mentions(encoder, lectures, tmp_path):
    found = prepare(lectures, encoder, "e", tmp_path, with_vectors=False)
    rarity = found.rarity(30_522)
    (everywhere,) = encoder.tokenizer("slide", add_special_tokens=False)["input_ids"]
    (nowhere,) = encoder.tokenizer("zebra", add_special_tokens=False)["input_ids"]
    assert rarity[everywhere] == 0
    assert rarity[nowhere] == pytest.approx(np.log(4))


def test_arrays_of_a_teacher_come_with_their_lecture(encoder, lectures, tmp_path):
    scores = [np.full(len(lecture.sentences), k / 10, np.float16) for k, lecture in enumerate(lectures)]
    found = prepare(lectures, encoder, "e", tmp_path, with_vectors=False, more=lambda: {"teacher": scores})
    teacher = found[2].teacher
    assert teacher is not None
    assert np.array_equal(teacher, scores[2])
    assert found[2].ends is None


def test_token_numbers_of_a_large_vocabulary_are_kept_whole(lectures, tmp_path):
    large = text.load(write_tiny_encoder(tmp_path / "large", vocabulary=70_000), 1)

    def tokenised(texts, **settings):
        found = large.tokenizer(texts, **settings)
        return {"input_ids": [[number + 39_000 for number in ids] for ids in found["input_ids"]]}

    found = prepare(lectures, replace(large, tokenizer=tokenised), "e", tmp_path / "corpora", with_vectors=False)
    (slide,) = large.tokenizer("slide", add_special_tokens=False)["input_ids"]
    assert slide + 39_000 in found[0].tokens.ids
    assert found.rarity(large.vocabulary)[slide + 39_000] == 0
