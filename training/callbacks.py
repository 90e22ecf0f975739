"""Callbacks of a training run: randomness that survives a stop, and the learning curves as a picture."""

from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

CURVES = {"train/loss": "loss", "dev/top3_f1": "Top-3 F1, %", "dev/segmentation_accuracy": "segmentation accuracy, %"}


class KeepRandomness(Callback):
    """Puts the state of the random numbers into each checkpoint, so that a resumed run goes on as it would have."""

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["winnow_randomness"] = torch.get_rng_state()

    def __init__(self) -> None:
        self.found: torch.Tensor | None = None

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.found = checkpoint.get("winnow_randomness")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.found is not None:
            torch.set_rng_state(self.found)


class LearningCurves(Callback):
    """Draws `curves.png` from the CSV log after each validation.

    Args:
        path: The picture.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and not trainer.sanity_checking:
            for logger in trainer.loggers:
                logger.save()
                folder = Path(logger.log_dir or "")
                if (folder / "metrics.csv").is_file():
                    draw(sorted(folder.parent.glob("*/metrics.csv")), self.path)


def draw(tables: list[Path], target: Path) -> None:
    """The learning curves of CSV logs, of a run and its resumptions, as one picture."""
    import matplotlib
    import pandas as pd

    matplotlib.use("Agg")
    from matplotlib import pyplot

    frame = pd.concat([pd.read_csv(path) for path in tables]).sort_values("step")
    figure, axes = pyplot.subplots(1, len(CURVES), figsize=(13, 3.6), constrained_layout=True)
    for axis, (column, title) in zip(axes, CURVES.items(), strict=True):
        if column in frame:
            known = frame[["step", column]].dropna()
            axis.plot(known["step"], known[column], linewidth=1.4)
        axis.set(title=title, xlabel="step")
        axis.grid(alpha=0.3)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    pyplot.close(figure)
