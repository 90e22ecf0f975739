"""What Lightning trains: the highlight network, its losses and what is logged."""

import math
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor

from core.errors import RefusedInput
from models import encoders, text
from models.highlight import Batch, HighlightConfig, HighlightNetwork
from training.data import Example, LectureData
from training.encoder import SentenceEncoder
from training.losses import boundary_loss, highlight_loss, teacher_loss
from training.metrics import top_k_hits
from training.starting import begin_with

TOP_K = 3
BEGUN_WITH = "winnow_encoder"
"""In a checkpoint: sha256 of the encoder whose frozen weights go with the learned ones."""
COUNTS = ("clips", "hits", "recall", "ends", "right")


class HighlightModule(LightningModule):
    """Fits a `HighlightNetwork`.

    Args:
        size, layers, heads, reader_size, word_size, dropout, word_dropout: Sizes of the network, as in HighlightConfig.
        vocabulary: Token numbers of the text encoder that cuts words lie below it; a command fills it in.
        vector_size: Length of the sentence vectors that the data module or `encoder` gives; 0 for none.
        learning_rate: Highest rate; it rises over `warm_up` of the steps and falls as a cosine to a hundredth.
        weight_decay: On everything but the word embeddings.
        listwise: Weight of the ranking loss beside cross-entropy.
        boundary: Weight of the loss on topic ends.
        teacher: Weight of the loss against a teacher, where the data has one.
        train_words: Whether word embeddings learn. If not, they stay what the text encoder has for each word piece,
            brought to `word_size`, so that words which the data does not hold still mean something.
        encoder: Text encoder that is trained along; "" where vectors come frozen from the data, if at all.
        encoder_learning_rate: Its highest rate.
        frozen_layers: So many of its lowest layers stay as they are; its word embeddings always do.
        recompute: Compute the inside of the encoder twice rather than keep it: slower, in far less memory.
        start: Version in the registry whose weights to begin with; "" for fresh ones.
    """

    def __init__(
        self, size: int = 192, layers: int = 3, heads: int = 6, reader_size: int = 96, word_size: int = 48,
        vector_size: int = 384, dropout: float = 0.15, word_dropout: float = 0.2, learning_rate: float = 1.5e-3,
        weight_decay: float = 0.02, warm_up: float = 0.05, listwise: float = 0.5, boundary: float = 1.0,
        teacher: float = 0.0, train_words: bool = True, vocabulary: int = 30_522, encoder: str = "",
        encoder_learning_rate: float = 1e-4, frozen_layers: int = 0, recompute: bool = False, start: str = "",
    ) -> None:  # fmt: skip
        super().__init__()
        self.save_hyperparameters()
        self.network = HighlightNetwork(
            HighlightConfig(
                vocabulary=vocabulary, word_size=word_size, reader_size=reader_size, vector_size=vector_size,
                size=size, layers=layers, heads=heads, dropout=dropout, word_dropout=word_dropout,
            )
        )  # fmt: skip
        self.encoder = SentenceEncoder(encoder, frozen_layers, recompute=recompute) if encoder else None
        if self.encoder:
            _check_size(vector_size, self.encoder.dimension, encoder)
        self.just_read: tuple[Tensor, Tensor] | None = None
        self.counts = dict.fromkeys(COUNTS, 0.0)

    def check_data(self, data: LectureData) -> None:
        """Raises RefusedInput where this module cannot learn from that data, before anything long is begun."""
        encoder, size = self.hparams["encoder"], self.hparams["vector_size"]
        if encoder and data.with_vectors:
            raise RefusedInput(f"model.encoder {encoder} makes the vectors itself: set data.with_vectors to false.")
        if encoder and encoders.resolve(encoder) != encoders.resolve(data.encoder):
            raise RefusedInput(
                f"model.encoder is {encoder}, but words are cut by data.encoder {data.encoder}: name the same for both."
            )
        if size and not encoder:
            if not data.with_vectors:
                raise RefusedInput(
                    f"model.vector_size is {size}, but data.with_vectors is false: set the size to 0, or name the "
                    "encoder to fine-tune as model.encoder."
                )
            _check_size(size, encoders.shape(encoders.resolve(data.encoder)).dimension, data.encoder)

    def on_fit_start(self) -> None:
        rarity = torch.from_numpy(self.trainer.datamodule.rarity)  # pyright: ignore[reportAttributeAccessIssue]
        self.network.rarity.copy_(rarity)
        if not self.hparams["train_words"]:
            self.network.reader.words.weight.requires_grad_(False)
            self.network.reader.words.weight.copy_(
                reduced_words(self.trainer.datamodule.encoder, self.hparams["word_size"])  # pyright: ignore[reportAttributeAccessIssue]
            )
        if self.hparams["start"] and not self.trainer.ckpt_path:
            begin_with(self.network, self.hparams["start"])

    def heard(self, batch: Batch) -> Batch:
        """The batch with the vectors that the encoder makes of its sentences, where one is trained along."""
        return batch._replace(vectors=self.encoder(batch)) if self.encoder else batch

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of highlight [n] and of topic end [n]."""
        return self.network(self.heard(batch))

    def loss(self, examples: list[Example]) -> Tensor:
        """Mean loss of the lectures of a step."""
        total = torch.zeros((), device=self.device)
        for batch, targets in examples:
            highlight, boundary = self(batch)
            total = total + highlight_loss(highlight, targets, self.hparams["listwise"])
            total = total + self.hparams["teacher"] * teacher_loss(highlight, targets)
            total = total + self.hparams["boundary"] * boundary_loss(boundary, targets)
        return total / len(examples)

    def training_step(self, examples: list[Example]) -> Tensor:
        loss = self.loss(examples)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(examples))
        return loss

    def validation_step(self, example: Example) -> None:
        batch, targets = example
        if self.just_read and torch.equal(self.just_read[0], batch.tokens):  # the same lecture, shown another way
            batch = batch._replace(vectors=self.just_read[1])
        else:
            batch = self.heard(batch)
            self.just_read = (batch.tokens, batch.vectors)
        highlight, boundary = self.network(batch)
        label = targets.label.cpu().numpy().astype(np.int8)
        judged = label >= 0
        if batch.has_slides and judged.any():
            _, segment = np.unique(targets.segment.cpu().numpy()[judged], return_inverse=True)
            hits = top_k_hits(highlight.float().cpu().numpy()[judged], label[judged], segment, TOP_K)
            positives = np.bincount(segment, label[judged] > 0)
            self.counts["clips"] += len(hits)
            self.counts["hits"] += float(hits.sum()) / TOP_K
            self.counts["recall"] += float((hits / np.maximum(positives, 1)).sum())
        last = targets.last
        self.counts["ends"] += float((last >= 0).sum())
        self.counts["right"] += float(((boundary > 0) == (last > 0))[last >= 0].sum())

    def on_validation_epoch_end(self) -> None:
        values = torch.tensor([self.counts[name] for name in COUNTS], dtype=torch.float64, device=self.device)
        if self.trainer.world_size > 1:  # each process has seen its own lectures
            values = self.all_gather(values).sum(0)  # pyright: ignore[reportAttributeAccessIssue]
        clips, hits, recall, ends, right = values.tolist()
        precision, recall = hits / max(clips, 1), recall / max(clips, 1)
        f1 = 200 * precision * recall / (precision + recall) if precision + recall else 0.0
        accuracy = 100 * right / max(ends, 1)
        shown: dict[str, Any] = {"dev/top3_f1": f1, "dev/segmentation_accuracy": accuracy, "dev/sum": f1 + accuracy}
        self.log_dict(shown, prog_bar=True, rank_zero_only=False)
        self.counts = dict.fromkeys(COUNTS, 0.0)
        self.just_read = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self.encoder:
            checkpoint[BEGUN_WITH] = self.encoder.base.sha256

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self.encoder and checkpoint[BEGUN_WITH] != self.encoder.base.sha256:
            base = self.encoder.base
            raise RefusedInput(
                f"The checkpoint began with a text encoder {base.name} of sha256 {checkpoint[BEGUN_WITH]}, and the one "
                f"in {base.folder} has {base.sha256}: put the former back, or begin anew."
            )

    def configure_optimizers(self) -> Any:
        words = list(self.network.reader.words.parameters())
        others = [value for name, value in self.network.named_parameters() if "reader.words" not in name]
        groups: list[dict[str, Any]] = [{"params": words, "weight_decay": 0.0}, {"params": others}]
        if self.encoder:
            learning = list(self.encoder.learning().values())
            groups.append({"params": learning, "lr": self.hparams["encoder_learning_rate"]})
        rate, decay = self.hparams["learning_rate"], self.hparams["weight_decay"]
        optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=decay, betas=(0.9, 0.98))
        steps = int(self.trainer.estimated_stepping_batches)
        warm = max(1, int(self.hparams["warm_up"] * steps))

        def share(step: int) -> float:
            return min(1.0, (step + 1) / warm) * max(0.01, (1 + math.cos(math.pi * min(step, steps) / steps)) / 2)

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _check_size(vector_size: int, dimension: int, encoder: str) -> None:
    if vector_size != dimension:
        raise RefusedInput(
            f"model.vector_size is {vector_size}, but the vectors of {encoder} have {dimension} numbers: "
            f"set it to {dimension}."
        )


def reduced_words(encoder: str, size: int) -> Tensor:
    """The encoder's word embeddings on their `size` main axes, of standard deviation 0.1, and zeros for padding."""
    table = (
        text.load(encoders.resolve(encoder).folder, threads=1).network.get_input_embeddings().weight.detach().float()
    )
    _, _, axes = torch.pca_lowrank(table, q=size, niter=4)
    found = (table - table.mean(0)) @ axes
    return torch.cat([0.1 * found / found.std(), found.new_zeros(1, size)])
