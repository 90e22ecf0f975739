"""What Lightning trains: the highlight network, its losses and what is logged."""

import math
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor

from models import pretrained, text
from models.highlight import HighlightConfig, HighlightNetwork
from training.data import Example
from training.losses import boundary_loss, highlight_loss, teacher_loss
from training.metrics import top_k_hits

TOP_K = 3
COUNTS = ("clips", "hits", "recall", "ends", "right")


class HighlightModule(LightningModule):
    """Fits a `HighlightNetwork`.

    Args:
        size, layers, heads, reader_size, word_size, dropout, word_dropout: Sizes of the network, as in HighlightConfig.
        vector_size: Length of the sentence vectors that the data module gives; 0 for none.
        learning_rate: Highest rate; it rises over `warm_up` of the steps and falls as a cosine to a hundredth.
        weight_decay: On everything but the word embeddings.
        listwise: Weight of the ranking loss beside cross-entropy.
        boundary: Weight of the loss on topic ends.
        teacher: Weight of the loss against a teacher, where the data has one.
        train_words: Whether word embeddings learn. If not, they stay what the text encoder has for each word piece,
            brought to `word_size`, so that words which the data does not hold still mean something.
    """

    def __init__(
        self, size: int = 192, layers: int = 3, heads: int = 6, reader_size: int = 96, word_size: int = 48,
        vector_size: int = 384, dropout: float = 0.15, word_dropout: float = 0.2, learning_rate: float = 1.5e-3,
        weight_decay: float = 0.02, warm_up: float = 0.05, listwise: float = 0.5, boundary: float = 1.0,
        teacher: float = 0.0, train_words: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.save_hyperparameters()
        self.network = HighlightNetwork(
            HighlightConfig(
                word_size=word_size, reader_size=reader_size, vector_size=vector_size, size=size, layers=layers,
                heads=heads, dropout=dropout, word_dropout=word_dropout,
            )
        )  # fmt: skip
        self.counts = dict.fromkeys(COUNTS, 0.0)

    def on_fit_start(self) -> None:
        rarity = torch.from_numpy(self.trainer.datamodule.rarity)  # pyright: ignore[reportAttributeAccessIssue]
        self.network.rarity.copy_(rarity)
        if not self.hparams["train_words"]:
            self.network.reader.words.weight.requires_grad_(False)
            self.network.reader.words.weight.copy_(
                reduced_words(self.trainer.datamodule.encoder, self.hparams["word_size"])  # pyright: ignore[reportAttributeAccessIssue]
            )

    def loss(self, examples: list[Example]) -> Tensor:
        """Mean loss of the lectures of a step."""
        total = torch.zeros((), device=self.device)
        for batch, targets in examples:
            highlight, boundary = self.network(batch)
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

    def configure_optimizers(self) -> Any:
        words = list(self.network.reader.words.parameters())
        others = [value for name, value in self.network.named_parameters() if "reader.words" not in name]
        groups = [{"params": words, "weight_decay": 0.0}, {"params": others}]
        rate, decay = self.hparams["learning_rate"], self.hparams["weight_decay"]
        optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=decay, betas=(0.9, 0.98))
        steps = int(self.trainer.estimated_stepping_batches)
        warm = max(1, int(self.hparams["warm_up"] * steps))

        def share(step: int) -> float:
            return min(1.0, (step + 1) / warm) * max(0.01, (1 + math.cos(math.pi * min(step, steps) / steps)) / 2)

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def reduced_words(encoder: str, size: int) -> Tensor:
    """The encoder's word embeddings on their `size` main axes, of standard deviation 0.1, and zeros for padding."""
    table = text.load(pretrained.locate(encoder), threads=1).network.get_input_embeddings().weight.detach().float()
    _, _, axes = torch.pca_lowrank(table, q=size, niter=4)
    found = (table - table.mean(0)) @ axes
    return torch.cat([0.1 * found / found.std(), found.new_zeros(1, size)])
