"""The text encoder that learns: the vectors of use, gradients where they belong, a fit that registers what it made."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from core.errors import RefusedInput
from core.timeline import build_text_timeline
from models import learned, registry, text
from models.highlight import Batch
from models.lecture_input import Tokens, lecture_input
from tests.tiny_encoder import DIMENSION, write_tiny_encoder
from training import encoder as under_test
from training.calibration import calibrate
from training.data import LectureData
from training.encoder import SentenceEncoder
from training.export import load_checkpoint
from training.module import HighlightModule

ROOT = Path(__file__).parents[2]
SAID = ["The tide follows the moon.", "", "So.", "word " * 100 + "end", "It rises twice a day, and falls.", "So."]
VOCABULARY = 30_600
"""Not MiniLM's, so that a number written down anywhere is found out."""
SIZES = {"size": 24, "layers": 1, "reader_size": 16, "word_size": 8, "vector_size": DIMENSION, "dropout": 0.0,
         "word_dropout": 0.0, "vocabulary": VOCABULARY}  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny", vocabulary=VOCABULARY)


def batch_of(folder, said):
    tokens = learned.tokenised(text.tokenizer(folder), said) if said else Tokens.of([])
    return Batch.of(lecture_input(tokens, np.ones(VOCABULARY, np.float32), dimension=0))


def vectors_in_use(folder, said):
    """What `text.embed` says of sentences that are cut where the data cuts them."""
    loaded = text.load(folder, 1)
    return text.embed(dataclasses.replace(loaded, max_tokens=text.trained_tokens(loaded.tokenizer)), said)


@pytest.mark.parametrize("chunk_tokens", [4_096, 20], ids=["one chunk", "many chunks"])
def test_vectors_are_those_of_use(tiny, chunk_tokens, monkeypatch):
    monkeypatch.setattr(under_test, "CHUNK_TOKENS", chunk_tokens)
    found = SentenceEncoder(str(tiny))(batch_of(tiny, SAID)).detach().numpy()
    assert found == pytest.approx(vectors_in_use(tiny, SAID), abs=2e-6)


def test_no_dropout_is_drawn_while_it_learns(tiny):
    encoder = SentenceEncoder(str(tiny)).train()
    assert torch.equal(encoder(batch_of(tiny, SAID)), encoder(batch_of(tiny, SAID)))


def test_a_lecture_without_sentences_has_no_vectors(tiny):
    assert SentenceEncoder(str(tiny))(batch_of(tiny, [])).shape == (0, DIMENSION)


@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_what_is_frozen_stays_and_everything_else_learns(tiny, frozen_layers):
    encoder = SentenceEncoder(str(tiny), frozen_layers)
    before = {name: value.detach().clone() for name, value in encoder.network.named_parameters()}
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=0.01, weight_decay=0.1)
    encoder(batch_of(tiny, SAID))[:, 0].sum().backward()
    optimizer.step()
    kept = ("embeddings.", *(f"encoder.layer.{layer}." for layer in range(frozen_layers)))
    for name, value in encoder.network.named_parameters():
        assert torch.equal(value, before[name]) == name.startswith(kept), name
    assert set(encoder.learning()) == {name for name in before if not name.startswith(kept)}


def test_computing_twice_gives_the_same_gradients(tiny):
    found = []
    for recompute in (False, True):
        encoder = SentenceEncoder(str(tiny), recompute=recompute)
        encoder(batch_of(tiny, SAID))[:, 0].sum().backward()
        found.append([value.grad for value in encoder.learning().values()])
    assert len(found[0]) > 10
    assert all(torch.allclose(one, two, atol=1e-7) for one, two in zip(*found, strict=True))


def test_positions_survive_weight_averaging(tiny):
    encoder = SentenceEncoder(str(tiny))
    batch = batch_of(tiny, SAID)
    averaged = AveragedModel(encoder, avg_fn=get_ema_avg_fn(0.9), use_buffers=True)
    for _ in range(3):
        averaged.update_parameters(encoder)
    assert torch.allclose(averaged(batch), encoder(batch), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "data", "said"),
    [
        pytest.param({"vector_size": 384}, {}, "vectors of .* have 32 numbers: set it to 32", id="another size"),
        pytest.param({}, {"with_vectors": True}, "set data.with_vectors to false", id="vectors of the data too"),
        pytest.param({}, {"encoder": "minilm"}, "name the same for both", id="words cut by another"),
        pytest.param({"frozen_layers": 2}, {}, "less than the 2 layers", id="nothing left to learn"),
        pytest.param({"encoder": ""}, {}, "set the size to 0", id="vectors from nowhere"),
        pytest.param(
            {"encoder": ""}, {"with_vectors": True, "encoder": "minilm"}, "have 384 numbers", id="frozen, another size"
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(tiny, changed, data, said):
    with pytest.raises(RefusedInput, match=said):
        HighlightModule(**{**SIZES, "encoder": str(tiny), **changed}).check_data(
            LectureData(**{"encoder": str(tiny), "with_vectors": False, **data})
        )


def test_settings_that_fit_are_taken(tiny):
    HighlightModule(**SIZES, encoder=str(tiny)).check_data(LectureData(encoder=str(tiny), with_vectors=False))
    HighlightModule(**SIZES).check_data(LectureData(encoder=str(tiny), with_vectors=True))
    HighlightModule(**{**SIZES, "vector_size": 0}).check_data(LectureData(with_vectors=False))


def test_a_checkpoint_that_began_with_other_weights_is_refused(tiny, tmp_path):
    checkpoint = {}
    HighlightModule(**SIZES, encoder=str(tiny)).on_save_checkpoint(checkpoint)
    other = write_tiny_encoder(tmp_path / "other", seed=1, vocabulary=VOCABULARY)
    with pytest.raises(RefusedInput, match="put the former back"):
        HighlightModule(**SIZES, encoder=str(other)).on_load_checkpoint(checkpoint)


def fit(folder, tiny, monkeypatch, *more):
    """`python -m training fit` in this process."""
    from training.__main__ import main

    config = (
        (ROOT / "training/configs/debug_finetuned.yaml").read_text().replace("runs/debug_finetuned", f"{folder}/run")
    )
    (folder / "config.yaml").write_text(config)
    own = {"model.encoder": tiny, "data.encoder": tiny, "model.vector_size": DIMENSION,
           "model.encoder_learning_rate": 0.01, "data.cache": folder / "cache", "data.threads": 1}  # fmt: skip
    options = [str(part) for name, value in own.items() for part in (f"--{name}", value)]
    monkeypatch.setattr("sys.argv", ["training", "fit", "--config", f"{folder}/config.yaml", *options, *map(str, more)])
    return main()


@pytest.fixture(scope="module")
def straight(tiny, tmp_path_factory):
    """A run from beginning to end, registered."""
    folder = tmp_path_factory.mktemp("straight")
    with pytest.MonkeyPatch.context() as patch:
        assert fit(folder, tiny, patch, "--name", "tuned", "--registry", folder / "registry") == 0
    return folder


def test_the_version_says_what_the_checkpoint_says(straight, tiny, winnow_home):
    ref = registry.resolve("tuned", (str(straight / "registry"),))
    entry = registry.read_manifest(ref)["encoder"]
    assert (entry["name"], entry["own"]) == (str(tiny), "encoder.safetensors")
    model = registry.load(ref, threads=1)
    assert isinstance(model, learned.Highlight)
    data = LectureData(encoder=str(tiny), with_vectors=False, dev_lectures=4, cache=str(straight / "cache"))
    data.setup("fit")
    (best,) = (straight / "run/checkpoints").glob("best-*.ckpt")
    module = load_checkpoint(best)
    calibrate(module, data.corpora["dev"])
    rarity = module.network.rarity.numpy()
    assert rarity.shape == (VOCABULARY,)
    said = [sentence for sentence in SAID if sentence]
    found = lecture_input(learned.tokenised(text.tokenizer(tiny), said), rarity, dimension=0)
    with torch.inference_mode():
        expected = module(Batch.of(found))[0].sigmoid().numpy()
    assert model.predict(build_text_timeline(said)).highlight == pytest.approx(expected, abs=0.02)
    forgotten = dataclasses.replace(model, tuned=None).predict(build_text_timeline(said)).highlight
    assert np.abs(forgotten - expected).max() > 0.05


def test_a_stopped_run_goes_on_and_ends_as_if_it_had_never_been_stopped(straight, tiny, tmp_path, monkeypatch):
    class Stopped(Exception):
        pass

    def stopping(module, examples):
        if module.global_step == 8:
            raise Stopped
        return step(module, examples)

    step = HighlightModule.training_step
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(HighlightModule, "training_step", stopping)
        fit(tmp_path, tiny, patch)
    assert fit(tmp_path, tiny, monkeypatch) == 0
    expected, found = (
        torch.load(folder / "run/checkpoints/last.ckpt", weights_only=True) for folder in (straight, tmp_path)
    )
    assert found["global_step"] == expected["global_step"] == 12
    for states in ("state_dict", "current_model_state"):
        for name, value in expected[states].items():
            assert torch.equal(found[states][name], value), name


def test_a_configuration_that_does_not_fit_is_refused_in_one_line(tiny, tmp_path, monkeypatch, capsys):
    assert fit(tmp_path, tiny, monkeypatch, "--data.with_vectors", "true") == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("training: model.encoder ")
