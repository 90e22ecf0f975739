import hashlib

import numpy as np
import pytest

from core.machine import has_bfloat16
from models import embeddings, pretrained, text
from models.encoders import Tuned
from tests.tiny_encoder import write_tiny_encoder

TEXTS = ["The tide follows the moon.", "So.", "Interest rates rose in spring by a fifth of a percent."]
NAME = "all-minilm-l6-v2"


def test_bfloat16_and_float32_say_the_same():
    exact, fast = (text.embed(text.load(pretrained.locate(NAME), 1, dtype), TEXTS) for dtype in ("float32", "bfloat16"))
    assert np.sum(exact * fast, axis=1) == pytest.approx(1, abs=2e-3)


def test_what_was_embedded_is_read_again(winnow_home):
    first = embeddings.vectors_of(NAME, TEXTS, 1)
    (kept,) = winnow_home.glob("embeddings/*/*.npy")
    before = kept.stat().st_mtime_ns
    assert np.array_equal(embeddings.vectors_of(NAME, TEXTS, 1), first)
    assert kept.stat().st_mtime_ns == before
    embeddings.vectors_of(NAME, TEXTS[:2], 1)
    assert len(list(winnow_home.glob("embeddings/*/*.npy"))) == 2


def test_an_encoder_and_what_fine_tuning_made_of_it_are_kept_apart(winnow_home, tmp_path):
    import torch
    from safetensors.torch import save

    folder = str(write_tiny_encoder(tmp_path / "tiny"))
    data = save({"encoder.layer.0.output.dense.bias": torch.linspace(-3, 3, 32)})
    tuned = Tuned(data, hashlib.sha256(data).hexdigest())
    first = embeddings.vectors_of(folder, TEXTS, 1)
    other = embeddings.vectors_of(folder, TEXTS, 1, tuned=tuned)
    assert not np.allclose(first, other, atol=0.05)
    assert len(list(winnow_home.glob("embeddings/*/*.npy"))) == 2
    assert np.array_equal(embeddings.vectors_of(folder, TEXTS, 1), first)
    assert np.array_equal(embeddings.vectors_of(folder, TEXTS, 1, tuned=tuned), other)


def test_what_was_damaged_is_made_anew(winnow_home):
    first = embeddings.vectors_of(NAME, TEXTS, 1)
    (kept,) = winnow_home.glob("embeddings/*/*.npy")
    kept.write_bytes(kept.read_bytes()[:100])
    assert np.array_equal(embeddings.vectors_of(NAME, TEXTS, 1), first)


def test_the_oldest_make_room(winnow_home, monkeypatch):
    monkeypatch.setattr(embeddings, "MOST_BYTES", 2_500)
    for count in (1, 2, 3):
        embeddings.vectors_of(NAME, TEXTS[:count], 1)
    assert [len(np.load(path)) for path in winnow_home.glob("embeddings/*/*.npy")] == [3]


def test_the_fastest_numbers_are_those_of_the_processor():
    assert text.numbers("fastest") == ("bfloat16" if has_bfloat16() else "float32")
