"""The highlight network: a lecture in; for each sentence a highlight score and the chance that a topic ends there.

Words are read by a small convolution over learned word pieces and their counts in the lecture, sentences by a text
encoder, and both by a transformer over the sentences: half its heads see the sentence's slide (or its neighbours,
where slides are unknown), some its neighbours, some the whole lecture.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.lecture_input import EXTRAS, SENTENCE_FEATURES, WORD_FEATURES, LectureInput

READINGS = 5
NEAR_SENTENCES = 8
"""Reach of the local heads, in sentences, on each side."""
ROTARY_BASE = 1_000.0
"""Longest wavelength of the rotary positions (Su et al. 2021, "RoFormer"), for lectures of some thousand sentences."""


@dataclass(frozen=True, slots=True)
class HighlightConfig:
    """Sizes of a network, plain numbers: they are its config.json."""

    vocabulary: int = 30_522
    word_size: int = 48
    reader_size: int = 96
    vector_size: int = 384
    """Length of the text encoder's vectors; 0 for a network that reads words only."""
    size: int = 192
    layers: int = 3
    heads: int = 6
    dropout: float = 0.15
    vector_dropout: float = 0.1
    word_dropout: float = 0.2


class Batch(NamedTuple):
    """A LectureInput as tensors on the network's device."""

    tokens: Tensor
    word_features: Tensor
    places: Tensor
    sentence: Tensor
    sentences: Tensor
    segment: Tensor
    has_slides: bool
    vectors: Tensor
    extras: Tensor

    @classmethod
    def of(cls, found: LectureInput, device: torch.device | str = "cpu") -> "Batch":
        tensors = {
            name: torch.from_numpy(getattr(found, name)).to(device) for name in cls._fields if name != "has_slides"
        }
        return cls(**tensors, has_slides=found.has_slides)


class WordReader(nn.Module):
    """Flat tokens [t] and their features to one vector a sentence [n, READINGS·reader_size]: attention pooled, maximum,
    its last word, its first word and the first of the next sentence (a topic often ends where a sentence breaks off).
    """

    def __init__(self, config: HighlightConfig) -> None:
        super().__init__()
        size = config.reader_size
        self.padding = config.vocabulary
        self.word_dropout = config.word_dropout
        self.words = nn.Embedding(config.vocabulary + 1, config.word_size, padding_idx=config.vocabulary)
        nn.init.normal_(self.words.weight, std=0.1)
        self.enter = nn.Linear(config.word_size + WORD_FEATURES, size)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv1d(size, size, 3, padding=1) for _ in range(2))
        self.leave = nn.LayerNorm(size)
        self.attention = nn.Linear(size, 4)

    def forward(self, batch: Batch) -> Tensor:
        kept = (batch.tokens != self.padding).float()[:, None]
        words = functional.dropout(self.words(batch.tokens), self.word_dropout, self.training)
        states = self.enter(torch.cat([words, batch.word_features], -1)) * kept
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            read = convolution(norm(states).t()[None])[0].t()
            states = (states + functional.gelu(read)) * kept
        states = self.leave(states[batch.places])
        n, size = len(batch.sentences), states.shape[1]
        weight = self.attention(states)
        weight = (weight - weight.amax().detach() if len(weight) else weight).clamp(min=-30).exp()
        total = weight.new_zeros(n, 4).index_add(0, batch.sentence, weight).clamp(min=1e-9)
        heads = weight[:, :, None] * states.view(len(states), 4, size // 4)
        mean = states.new_zeros(n, 4, size // 4).index_add(0, batch.sentence, heads) / total[:, :, None]
        index = batch.sentence[:, None].expand(-1, size)
        best = states.new_zeros(n, size).scatter_reduce(0, index, states, "amax", include_self=False)
        lengths = torch.bincount(batch.sentence, minlength=n)
        ends, said = lengths.cumsum(0), (lengths > 0)[:, None]
        ended = torch.cat([states, states.new_zeros(1, size)])
        last = ended[(ends - 1).clamp(min=0)] * said
        first = ended[(ends - lengths).clamp(max=len(states))] * said
        following = torch.cat([first[1:], states.new_zeros(1, size)])[:n]
        return torch.cat([mean.flatten(1), best, last, first, following], -1)


class Block(nn.Module):
    """A pre-norm transformer block over the sentences of one lecture [n, size]."""

    def __init__(self, config: HighlightConfig) -> None:
        super().__init__()
        size, self.heads = config.size, config.heads
        self.before_attention, self.before_mixing = nn.LayerNorm(size), nn.LayerNorm(size)
        self.queries_keys_values, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.mix = nn.Sequential(
            nn.Linear(size, 3 * size), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(3 * size, size)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor, rotation: tuple[Tensor, Tensor], seen: Tensor) -> Tensor:
        n, size = states.shape
        mixed = self.queries_keys_values(self.before_attention(states)).view(n, 3, self.heads, size // self.heads)
        queries, keys, values = mixed.permute(1, 2, 0, 3)
        heard = functional.scaled_dot_product_attention(
            _rotated(queries, rotation)[None], _rotated(keys, rotation)[None], values[None], attn_mask=seen[None]
        )
        states = states + self.dropout(self.out(heard[0].transpose(0, 1).reshape(n, size)))
        return states + self.dropout(self.mix(self.before_mixing(states)))


class HighlightNetwork(nn.Module):
    """Logits of highlight and of topic end for each sentence of one lecture, calibrated by `scale` and `shift`."""

    scale: Tensor
    shift: Tensor
    rarity: Tensor

    def __init__(self, config: HighlightConfig) -> None:
        super().__init__()
        self.config = config
        self.reader = WordReader(config)
        self.vector_norm = nn.LayerNorm(config.vector_size) if config.vector_size else None
        self.enter = nn.Linear(config.vector_size + READINGS * config.reader_size + SENTENCE_FEATURES, config.size)
        self.extras = nn.Linear(len(EXTRAS), config.size, bias=False)
        nn.init.zeros_(self.extras.weight)  # a group that training never showed has no say
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm, self.out = nn.LayerNorm(config.size), nn.Linear(config.size, 2)
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(self.out.bias, -1.7)  # about the share of positives, 0.15
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("rarity", torch.zeros(config.vocabulary))
        self.register_buffer("scale", torch.ones(2))
        self.register_buffer("shift", torch.zeros(2))

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of highlight [n] and of topic end [n]."""
        read = [batch.sentences, self.dropout(self.reader(batch))]
        if self.vector_norm is not None:
            known = batch.vectors.abs().amax(1, keepdim=True) > 0
            vectors = self.vector_norm(batch.vectors) * known
            read.insert(1, functional.dropout(vectors, self.config.vector_dropout, self.training))
        states = self.enter(torch.cat(read, -1)) + self.extras(batch.extras)
        n = len(states)
        rotation = _rotation(n, self.config.size // self.config.heads, states.device)
        seen = _seen(batch.segment if batch.has_slides else None, n, self.config.heads, states.device)
        for block in self.blocks:
            states = block(states, rotation, seen)
        logits = self.out(self.norm(states)) * self.scale + self.shift
        return logits[:, 0], logits[:, 1]


def _rotation(n: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    rates = ROTARY_BASE ** (-torch.arange(size // 2, device=device) / (size // 2))
    angles = torch.arange(n, device=device)[:, None] * rates[None]
    return angles.cos(), angles.sin()


def _rotated(states: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    cosine, sine = rotation
    left, right = states.chunk(2, -1)
    return torch.cat([left * cosine - right * sine, left * sine + right * cosine], -1)


def _seen(segment: Tensor | None, n: int, heads: int, device: torch.device) -> Tensor:
    """What each head may look at, bool [heads, n, n]: half the slide, a third everything, the rest what is near."""
    at = torch.arange(n, device=device)
    near = (at[:, None] - at[None]).abs() <= NEAR_SENTENCES
    same = near if segment is None else segment[:, None] == segment[None]
    everything = torch.ones_like(near)
    whole = heads // 3
    return torch.stack([same] * (heads // 2) + [near] * (heads - heads // 2 - whole) + [everything] * whole)
