"""The text encoder as something that learns: the sentences of a lecture to vectors, with gradients."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from core.errors import RefusedInput, WeightsError
from models import encoders, text
from models.highlight import Batch

CHUNK_TOKENS = 1_024
"""Sentences of like length go through together, at most so many tokens with their padding. On a processor 512 and 1,024
took the same time, 4,096 a third more."""
CHUNK_TOKENS_ACCELERATED = 4_096
"""The same on a GPU, which many small chunks would keep waiting."""


class SentenceEncoder(nn.Module):
    """Gives the vectors that `text.embed` gives of the same sentences, and learns from what becomes of them.

    Dropout stays off: without it a step takes a quarter less time.

    Args:
        name: Of the encoder to begin with, as `encoders.resolve` takes it.
        frozen_layers: So many of the lowest layers stay as they are; the word embeddings below them do in any case.
        recompute: Compute the inside of each chunk a second time for its gradients, rather than keep it (170 kB a token
            for all-MiniLM-L6-v2 in bfloat16): 40 % more time, a fraction of the memory.

    Raises RefusedInput where so many layers cannot be kept, WeightsError where the encoder is not here.
    """

    def __init__(self, name: str, frozen_layers: int = 0, *, recompute: bool = False) -> None:
        super().__init__()
        self.base = encoders.resolve(name)
        found = text.load(self.base.folder, threads=1)
        self.network: Any = found.network
        self.dimension, self.recompute = found.dimension, recompute
        self.before, self.after = marks(found.tokenizer)
        self.padding = found.tokenizer.pad_token_id or 0
        if hasattr(self.network, "pooler"):
            self.network.pooler = None  # its output is not used, and weights without gradients stop DDP
        if not torch.cuda.is_available():
            self.network.set_attn_implementation("eager")  # a quarter faster for short sentences on a processor
        self.tables = _taken_tables(self.network)
        self._freeze(frozen_layers)

    def _freeze(self, frozen_layers: int) -> None:
        count = int(self.network.config.num_hidden_layers)
        stacks = [name for name, part in self.network.named_modules() if isinstance(part, nn.ModuleList)]
        stack = next((name for name in stacks if len(self.network.get_submodule(name)) == count), None)
        if stack is None:
            raise WeightsError(f"The text encoder {self.base.name} has no stack of {count} layers: choose another.")
        if not 0 <= frozen_layers < count:
            raise RefusedInput(
                f"model.frozen_layers must be at least 0 and less than the {count} layers of {self.base.name}, "
                f"got {frozen_layers}."
            )
        below = True  # parameters come in the order in which a network is built: embeddings, layers, what follows
        for name, value in self.network.named_parameters():
            layer = int(name.removeprefix(f"{stack}.").split(".")[0]) if name.startswith(f"{stack}.") else None
            below = below and layer is None
            value.requires_grad_(not below and (layer is None or layer >= frozen_layers))

    def learning(self) -> dict[str, nn.Parameter]:
        """The weights that learn, by their names in the encoder."""
        return {name: value for name, value in self.network.named_parameters() if value.requires_grad}

    def saved(self) -> bytes:
        """What `text.load` takes as weights: the learned ones, as 16-bit floats in safetensors."""
        from safetensors.torch import save

        return save({name: value.detach().cpu().half().contiguous() for name, value in self.learning().items()})

    def train(self, mode: bool = True) -> "SentenceEncoder":
        super().train(mode)
        self.network.eval()  # which only turns dropout off
        return self

    def forward(self, batch: Batch) -> Tensor:
        """Vectors of the sentences of one lecture, of length 1, float32 [n, dimension]."""
        n, device = len(batch.sentences), batch.tokens.device
        lengths = torch.bincount(batch.sentence, minlength=n)
        words = torch.cat([batch.tokens[batch.places], batch.tokens.new_full((1,), self.padding)])
        starts = lengths.cumsum(0) - lengths
        found = [torch.zeros(0, self.dimension, device=device)]
        order = lengths.argsort(stable=True)
        most = CHUNK_TOKENS if device.type == "cpu" else CHUNK_TOKENS_ACCELERATED
        for rows in order.split(_chunks(lengths[order].tolist(), len(self.before) + len(self.after), most)):
            ids, mask = self._rows(words, starts[rows], lengths[rows])
            if self.recompute and torch.is_grad_enabled():
                found.append(checkpoint(self._vectors, ids, mask, use_reentrant=False, preserve_rng_state=False))
            else:
                found.append(self._vectors(ids, mask))
        return torch.cat(found)[order.argsort()]

    def _rows(self, words: Tensor, starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens with the marks of begin and end, padded, and their mask: both [sentences, longest]."""
        before, after = words.new_tensor(self.before), words.new_tensor(self.after)
        at = torch.arange(int(lengths.max()) + len(before) + len(after), device=words.device)[None]
        place, lengths = at - len(before), lengths[:, None]
        ids = words[(starts[:, None] + place).clamp(0, len(words) - 1)]
        for k in range(len(before)):
            ids = torch.where(at == k, before[k], ids)
        for k in range(len(after)):
            ids = torch.where(place == lengths + k, after[k], ids)
        mask = place < lengths + len(after)
        return torch.where(mask, ids, self.padding), mask.long()

    def _vectors(self, ids: Tensor, mask: Tensor) -> Tensor:
        for part, name in self.tables:
            if getattr(part, name).device != ids.device:
                setattr(part, name, getattr(part, name).to(ids.device))
        states = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        return text.pool(states.float(), mask)


def marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """What the tokenizer puts before and after a text: [CLS] and [SEP] in BERT."""
    bare, whole = tokenizer("a", add_special_tokens=False)["input_ids"], tokenizer("a")["input_ids"]
    at = next(k for k in range(len(whole)) if whole[k : k + len(bare)] == bare)
    return whole[:at], whole[at + len(bare) :]


def _chunks(lengths: list[int], marks: int, most_tokens: int) -> list[int]:
    """Sizes of the chunks that sentences of these lengths, shortest first, go through in."""
    sizes: list[int] = []
    for length in lengths:
        if sizes and (sizes[-1] + 1) * (length + marks) <= most_tokens:
            sizes[-1] += 1
        else:
            sizes.append(1)
    return sizes


def _taken_tables(network: nn.Module) -> list[tuple[nn.Module, str]]:
    """Make the network's tables of whole numbers (positions) plain attributes.

    Weight averaging takes the mean of all buffers, and rounds a mean of two equal whole numbers down now and then.
    """
    found = [
        (part, name)
        for part in network.modules()
        for name, table in part.named_buffers(recurse=False)
        if not table.is_floating_point()
    ]
    for part, name in found:
        table = getattr(part, name)
        delattr(part, name)
        setattr(part, name, table)
    return found
