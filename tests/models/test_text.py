"""The sentence encoder gives the published vectors, in order, whatever the batch."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import WeightsError
from models import pretrained, text
from tests.tiny_encoder import DIMENSION, write_tiny_encoder

TEXTS = ["A cat sat on the mat.", "The kitten rested on the rug.", "", "Interest rates rose.", "A cat sat on the mat."]


@pytest.fixture(scope="module")
def encoder() -> text.TextEncoder:
    return text.load(pretrained.locate("all-minilm-l6-v2"), threads=2)


def test_vectors_have_length_one_and_equal_texts_are_equal(encoder: text.TextEncoder):
    vectors = text.embed(encoder, TEXTS)
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors[0] == vectors[4]).all()


def test_meaning_brings_sentences_together(encoder: text.TextEncoder):
    cat, kitten, _, rates, _ = text.embed(encoder, TEXTS)
    assert cat @ kitten > 0.5 > cat @ rates


def test_pooling_is_the_published_mean_over_the_tokens_of_a_text(encoder: text.TextEncoder):
    # The mean over all tokens of a lone text, which has no padding, scaled to length 1: the model card's recipe.
    import torch

    tokens = encoder.tokenizer(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        mean = encoder.network(**tokens).last_hidden_state[0].mean(0).numpy()
    assert text.embed(encoder, TEXTS)[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_batches_and_order_change_nothing(encoder: text.TextEncoder):
    together = text.embed(encoder, TEXTS, batch_size=5)
    assert text.embed(encoder, TEXTS, batch_size=1) == pytest.approx(together, abs=1e-5)
    assert text.embed(encoder, TEXTS[::-1])[::-1] == pytest.approx(together, abs=1e-5)
    assert (text.embed(encoder, TEXTS, batch_size=2) == text.embed(encoder, TEXTS, batch_size=2)).all()


def test_a_text_longer_than_the_encoder_reads_is_cut(encoder: text.TextEncoder):
    long, longer = text.embed(encoder, ["word " * 400, "word " * 400 + "and something quite different at the end"])
    assert long @ longer == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_vectors(encoder: text.TextEncoder):
    assert text.embed(encoder, []).shape == (0, 384)


def test_progress_ends_at_one_and_its_error_ends_the_work(encoder: text.TextEncoder):
    told: list[float] = []
    text.embed(encoder, TEXTS, batch_size=2, on_progress=told.append)
    assert told == [0.5, 1.0]

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        text.embed(encoder, TEXTS, batch_size=1, on_progress=stop)


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match="sentence encoder"):
        text.load(tmp_path, threads=1)


def test_threads_below_one_are_refused():
    with pytest.raises(ValueError, match="threads"):
        text.load(Path("anywhere"), threads=0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


def tensors(**of: tuple[int, ...]) -> bytes:
    import torch
    from safetensors.torch import save

    torch.manual_seed(0)
    return save({name.replace("__", "."): torch.randn(shape).half() for name, shape in of.items()})


def test_fine_tuned_weights_take_the_place_of_those_they_name_and_cut_where_training_cut(tiny: Path):
    own = tensors(encoder__layer__1__output__dense__weight=(DIMENSION, 64))
    plain, tuned = text.load(tiny, 1), text.load(tiny, 1, weights=own)
    changed = {
        name
        for (name, one), two in zip(plain.network.named_parameters(), tuned.network.parameters(), strict=True)
        if not (one == two).all()
    }
    assert changed == {"encoder.layer.1.output.dense.weight"}
    assert (plain.max_tokens, tuned.max_tokens) == (256, 64 + 2)
    first, longer = text.embed(tuned, ["word " * 64, "word " * 64 + "moon"])
    assert first == pytest.approx(longer, abs=1e-6)
    assert not np.allclose(*text.embed(plain, ["word " * 64, "word " * 64 + "moon"]), atol=1e-4)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(tensors(encoder__layer__9__output__dense__weight=(3, 3)), id="of another encoder"),
        pytest.param(tensors(encoder__layer__1__output__dense__weight=(3, 3)), id="of another size"),
        pytest.param(b"no tensors", id="no tensors"),
    ],
)
def test_fine_tuned_weights_that_do_not_belong_to_it_are_refused(tiny: Path, weights: bytes):
    with pytest.raises(WeightsError, match="Loading the sentence encoder"):
        text.load(tiny, 1, weights=weights)
