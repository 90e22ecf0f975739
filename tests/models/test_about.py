"""What is about a subject is found where it is said, and nothing where it is not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import RefusedInput, WeightsError
from core.subtitles import parse_subtitles
from models import about, registry

CAPTIONS = Path(__file__).parents[2] / "data/samples/captions/tides.vtt"
VERSION = registry.resolve(about.NAME)
Asked = Callable[[str], about.Relevance]


@pytest.fixture(scope="module")
def talk() -> list[str]:
    """What is said in the sample talk, a caption a row."""
    return [cue.text for cue in parse_subtitles(CAPTIONS.read_bytes(), name=CAPTIONS.name)]


@pytest.fixture(scope="module")
def asked(talk: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """How much each row of the talk is about a subject, by the version that ships."""
    model = about.load(VERSION, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_HOME", str(tmp_path_factory.mktemp("home")))
        yield lambda subject: model.relevance(talk, subject)


def config(**changed: object) -> about.Config:
    """The shipped numbers, or others."""
    shipped = json.loads(registry.read_version(VERSION).files[about.CONFIG])
    return about.config_from({**shipped, **changed})


def words_found(texts: list[str], subject: str, **changed: object) -> np.ndarray:
    """The evidence of words alone, over the narrowest stretch."""
    vectors = np.zeros((len(texts), 2), dtype=np.float32)
    return about.Spoken(texts, vectors, config(**changed)).evidence(subject, vectors[0])[:, 0]


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        pytest.param("the Bay of Fundy", "Fundy", id="a name"),
        pytest.param("which pulls harder, the Sun or the Moon?", "27 million times", id="a question"),
        pytest.param("an Italian astronomer was wrong", "Galileo", id="partly in other words"),
    ],
)
def test_the_likeliest_rows_are_where_it_is_said(talk: list[str], asked: Asked, subject: str, said: str):
    relevance = asked(subject)
    best = int(np.argmax(relevance.rows))
    assert relevance.found
    assert relevance.rows.shape == (len(talk),)
    assert 0 <= relevance.rows.min() < relevance.rows.max() <= 1
    assert said in " ".join(talk[max(0, best - 4) : best + 5])


@pytest.mark.parametrize("subject", ["the French Revolution", "cooking pasta", "???", ""])
def test_what_is_not_spoken_of_is_not_found(asked: Asked, subject: str):
    assert not asked(subject).found


def test_asking_for_a_subject_is_naming_it(asked: Asked):
    named, question = asked("Bay of Fundy"), asked("What did he say about the Bay of Fundy?")
    assert np.array_equal(named.rows, question.rows)


def test_rows_in_which_nothing_is_said_are_about_nothing(asked: Asked, winnow_home: Path):
    model = about.load(VERSION, threads=1)
    told: list[float] = []
    relevance = model.relevance(["", "Tides rise twice a day.", " … "], "tides", on_progress=told.append)
    assert relevance.rows[1] > 0
    assert relevance.rows[[0, 2]].tolist() == [0, 0]
    assert told[-1] == 1.0
    assert not model.relevance(["", "—"], "tides").found
    assert not model.relevance([], "tides").found


def test_rare_words_of_the_subject_say_more_than_common_ones_and_stop_words_nothing():
    rows = ["The sea is wide."] * 12 + ["The sea is calm."] * 12 + ["The bore is loud."] + ["The sea is deep."] * 12
    found = words_found(rows, "the bore of the sea", widths_words=[1, 1, 1, 1])
    assert found.argmax() == 24
    assert found[24] > 2 * found[12]
    assert not words_found(rows, "the of is").any()


def test_words_with_the_same_beginning_are_one():
    found = words_found(["We measured gravity.", "It rained.", "Gravitation fades."], "GRAVITATIONAL", width_share=1e-9)
    assert found[0] > 0
    assert found[2] > 0
    assert found[1] < min(found[0], found[2]) / 2


def test_a_stretch_reaches_as_far_as_its_width():
    rows = ["one two three four"] * 40 + ["tides"] + ["one two three four"] * 40
    near, far = (words_found(rows, "tides", widths_words=[w] * 4, width_share=1.0) for w in (8, 40))
    assert (near > 0.05).sum() < (far > 0.05).sum() < len(rows)
    assert near[39] > 0.05 > near[20]


def test_rows_taken_in_blocks_give_what_all_at_once_gives(talk: list[str], monkeypatch: pytest.MonkeyPatch):
    vectors = np.random.default_rng(0).normal(size=(len(talk), 4)).astype(np.float32)
    whole = about.Spoken(talk, vectors, config()).evidence("tides of the Moon", vectors[0])
    monkeypatch.setattr(about, "ROWS_AT_ONCE", 7)
    parts = about.Spoken(talk, vectors, config()).evidence("tides of the Moon", vectors[0])
    assert np.allclose(whole, parts, atol=2e-3)


def test_another_model_is_not_taken_for_one_that_finds_subjects():
    with pytest.raises(WeightsError, match="its kind is 'baseline'"):
        about.load(registry.resolve("baseline"), threads=1)


def test_it_is_not_taken_for_a_model_that_scores():
    with pytest.raises(RefusedInput, match=r"about@1 does not score moments: .* --about TEXT"):
        registry.resolve_scoring("about")
    assert registry.resolve_scoring("champion") == registry.resolve("champion")


@pytest.mark.parametrize(
    "changed", [{"weights": {"words": [1, 1, 1, 1]}}, {"weights": {"words": [1], "vectors": [1]}}, {"unheard_of": 1}]
)
def test_numbers_that_do_not_fit_together_are_refused(changed: dict[str, object]):
    with pytest.raises((KeyError, TypeError, ValueError)):
        config(**changed)
