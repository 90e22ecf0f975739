"""`python -m training fit --config training/configs/debug.yaml`: train, and register the best checkpoint.

The same command again goes on where a stopped run was.
"""

import os
import sys
from pathlib import Path

from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from core.errors import WinnowError
from models import encoders
from training.data import LectureData
from training.export import register_checkpoint
from training.module import HighlightModule


class TrainingCLI(LightningCLI):
    """LightningCLI that registers what it trained."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--name", type=str, default="", help="register the best checkpoint under this name")
        parser.add_argument("--registry", type=str, default="", help="root of the registry; empty: the user's own")
        parser.add_argument("--description", type=str, default="A trained highlight model.", help="for its card")
        parser.add_argument(
            "--border_passes", type=int, default=0, help="passes to fit an n-gram model of topic ends in"
        )
        parser.add_argument(
            "--prior_weight", type=float, default=0.0, help="what the baseline weighs beside the network"
        )

    def before_instantiate_classes(self) -> None:
        chosen = self.config[str(self.subcommand)]
        chosen["model"]["vocabulary"] = encoders.shape(encoders.resolve(chosen["data"]["encoder"])).vocabulary

    def before_fit(self) -> None:
        if isinstance(self.model, HighlightModule) and isinstance(self.datamodule, LectureData):
            self.model.check_data(self.datamodule)

    def after_fit(self) -> None:
        from models.registry import user_root

        chosen = self.config["fit"]
        best = getattr(self.trainer.checkpoint_callback, "best_model_path", "")
        if not (chosen["name"] and best and self.trainer.is_global_zero and isinstance(self.datamodule, LectureData)):
            return
        root = chosen["registry"] or user_root()
        ref = register_checkpoint(
            Path(best), self.datamodule, chosen["name"], root, chosen["description"],
            border_passes=chosen["border_passes"], prior_weight=chosen["prior_weight"],
        )  # fmt: skip
        print(f"registered {ref.name}@{ref.version} at {ref.uri}")


def main() -> int:
    """Run the command; a user's mistake is one line."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        TrainingCLI(HighlightModule, LectureData, save_config_kwargs={"overwrite": True}, seed_everything_default=0)
    except WinnowError as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
