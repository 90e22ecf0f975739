"""The sentence encoder: a transformer from a local folder, its token vectors averaged and normalised to length 1."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.errors import WeightsError
from core.machine import has_bfloat16
from models import lecture_input
from models.taking_turns import loading, tokenizing

if TYPE_CHECKING:
    import torch

MAX_TOKENS = 256
"""Longer texts are cut here: the length all-MiniLM-L6-v2 was published with (its sentence_bert_config.json)."""
BATCH_SIZE = 16
MARKS = (".", ",", "?", "!", ";", ":")
DType = Literal["float32", "bfloat16", "fastest"]
"""fastest: bfloat16 where the processor computes with it, which is several times faster there, else float32."""


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """A loaded encoder. `dimension` is the length of its vectors (384 for all-MiniLM-L6-v2)."""

    tokenizer: Any
    network: Any
    dimension: int
    threads: int
    """How many batches are encoded side by side."""
    max_tokens: int = MAX_TOKENS
    """Longer texts are cut here, marks of begin and end counted."""

    @property
    def vocabulary(self) -> int:
        """Token numbers lie below it."""
        return int(self.network.config.vocab_size)


def numbers(dtype: DType) -> Literal["float32", "bfloat16"]:
    """What `dtype` means on this machine."""
    if dtype == "fastest":
        return "bfloat16" if has_bfloat16() else "float32"
    return dtype


def load(folder: Path, threads: int, dtype: DType = "float32", weights: bytes | None = None) -> TextEncoder:
    """Load the encoder in `folder` (config.json, tokenizer.json, model.safetensors); the network is never asked.

    Args:
        weights: Tensors by name, as safetensors, that take the place of the folder's: what fine-tuning has changed.
            Texts are then cut where they were cut in training, at so many word pieces as a lecture's sentence has.

    Raises WeightsError when the folder does not hold a usable encoder, or the weights are not of this one.
    """
    from safetensors import SafetensorError

    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    try:
        found = tokenizer(folder)
        network = _network(folder, dtype)
        if weights is not None:
            _replace_weights(network, weights)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise WeightsError(
            f"Loading the sentence encoder from {folder} failed: {error}. "
            "`winnow doctor` says which weights are missing."
        ) from error
    most = min(MAX_TOKENS if weights is None else trained_tokens(found), found.model_max_length)
    return TextEncoder(found, network.eval(), int(network.config.hidden_size), threads, most)


def _network(folder: Path, dtype: DType) -> Any:
    import torch

    with loading():
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would write into the display of the run
        return AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=getattr(torch, numbers(dtype)),
        )


def _replace_weights(network: Any, weights: bytes) -> None:
    from safetensors.torch import load as load_tensors

    # What is missing stays the folder's; a tensor of another shape raises RuntimeError.
    unknown = network.load_state_dict(load_tensors(weights), strict=False).unexpected_keys
    if unknown:
        raise ValueError(f"it has no {unknown[0]}, so the fine-tuned weights are those of another encoder")


def trained_tokens(tokenizer: Any) -> int:
    """At how many tokens sentences are cut in training: those read word by word, and the marks of begin and end."""
    return lecture_input.MAX_TOKENS + int(tokenizer.num_special_tokens_to_add(pair=False))


@cache
def tokenizer(folder: Path) -> Any:
    """The tokenizer of the encoder in `folder` alone; the network is never asked. Call it inside `tokenizing`."""
    with loading():
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def marks(folder: Path) -> tuple[int, ...]:
    """The tokens that stand for a mark of punctuation, in the tokenizer of the encoder in `folder`."""
    known = tokenizer(folder).get_vocab()
    return tuple(sorted(known[mark] for mark in MARKS if mark in known))


def embed(
    encoder: TextEncoder,
    texts: Sequence[str],
    batch_size: int = BATCH_SIZE,
    on_progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Vectors of length 1, float32 [n, dimension], in the order of `texts`; equal texts have equal vectors.

    Mean over the tokens that the attention mask keeps, as all-MiniLM-L6-v2 was trained. Texts of like length share a
    batch, which saves most of the padding. Sets torch to one thread in this process: batches run side by side instead,
    which took less than half the processor time of several threads a batch on two busy cores.

    Args:
        on_progress: Called with the share done, in (0, 1], after each batch. What it raises ends the work.
    """
    import torch

    torch.set_num_threads(1)
    distinct = sorted(set(texts), key=lambda text: (len(text), text))
    found = np.zeros((len(distinct), encoder.dimension), dtype=np.float32)
    starts = range(0, len(distinct), batch_size)
    # The tokenizer is not safe to use from several threads, so all batches are tokenised here.
    batches = [_tokens(encoder, distinct[start : start + batch_size]) for start in starts]
    pool = ThreadPoolExecutor(encoder.threads)
    try:
        for start, vectors in zip(starts, pool.map(partial(_vectors, encoder), batches), strict=True):
            found[start : start + len(vectors)] = vectors
            if on_progress:
                on_progress((start + len(vectors)) / len(distinct))
    finally:
        pool.shutdown(cancel_futures=True)
    row_of = {text: row for row, text in enumerate(distinct)}
    return found[[row_of[text] for text in texts]] if len(texts) else found


def _tokens(encoder: TextEncoder, texts: list[str]) -> Any:
    settings = {"padding": True, "truncation": True, "max_length": encoder.max_tokens, "return_tensors": "pt"}
    with tokenizing():
        return encoder.tokenizer(texts, **settings)


def _vectors(encoder: TextEncoder, tokens: Any) -> np.ndarray:
    import torch

    with torch.inference_mode():
        states = encoder.network(**tokens).last_hidden_state.float()
        return pool(states, tokens["attention_mask"]).numpy()


def pool(states: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
    """Mean of states [B, T, D] over the tokens where mask [B, T] is 1, scaled to length 1: [B, D]."""
    import torch

    kept = mask.unsqueeze(-1).float()
    mean = (states * kept).sum(1) / kept.sum(1).clamp(min=1.0)
    return torch.nn.functional.normalize(mean, dim=-1)
