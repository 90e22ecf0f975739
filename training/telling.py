"""What a fit tells of its progress to whoever started it as a process: one small JSON file, replaced as it goes."""

import json
import time
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from core.files import write_atomically

EVERY_S = 1.0


class TellSteps(Callback):
    """Keeps `{"first_step", "step", "of", "seconds", "measured_at", "figures"}` in a file.

    `first_step` is where this process began (0, or the checkpoint it goes on from), `seconds` how long it has trained
    since; `figures` are the last ones of the dev split, in percent, of step `measured_at`.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.told: dict[str, Any] = {}
        self.began_s = self.told_s = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.told = {"first_step": trainer.global_step, "measured_at": 0, "figures": {}}
        self.began_s = time.monotonic()
        self._tell(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if time.monotonic() - self.told_s >= EVERY_S:
            self._tell(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.told and not trainer.sanity_checking:
            figures = {name: float(value) for name, value in trainer.callback_metrics.items() if "dev/" in name}
            self.told |= {"measured_at": trainer.global_step, "figures": figures}
            self._tell(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell(trainer)

    def _tell(self, trainer: Trainer) -> None:
        if trainer.is_global_zero:
            self.told_s = time.monotonic()
            took_s = self.told_s - self.began_s
            told = {**self.told, "step": trainer.global_step, "of": trainer.max_steps, "seconds": round(took_s, 1)}
            write_atomically(self.path, json.dumps(told))
