"""What is to be fitted: a configuration file with the data, the steps and the name that somebody asked for.

Everything that a configuration writes must lie below its `trainer.default_root_dir`, which a plan moves to a folder
that is the same whenever the same configuration meets the same data: so a fit that was stopped is found again.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import RefusedInput
from core.files import write_atomically
from core.identity import key_of

CONFIGS = Path(__file__).parent / "configs"
TELLER = "training.telling.TellSteps"
PROGRESS = "progress.json"
NOT_IDENTITY = {
    "": ("name", "description", "registry"),
    "data": ("path", "cache", "threads"),
    "trainer": ("enable_progress_bar",),
}
"""What of a configuration changes neither the weights nor what they are measured on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration that only lacks the folder it writes into."""

    label: str
    """The file's stem."""
    name: str
    """Under which the model is registered."""
    description: str
    config: dict[str, Any]
    outputs: str
    """The folder that stands in `config` for that of the run."""

    @property
    def source(self) -> str:
        return str(self.config.get("data", {}).get("source", "sample"))

    @property
    def data_path(self) -> str:
        return str(self.config.get("data", {}).get("path", ""))

    @property
    def max_steps(self) -> int:
        return int(self.config["trainer"]["max_steps"])


def read_plan(
    config: str, *, cache: Path, data: str | None = None, name: str | None = None, max_steps: int | None = None
) -> Plan:
    """The plan that a configuration makes with what replaces parts of it.

    Args:
        config: A name under `training/configs`, or the path of another YAML file.
        cache: Where corpora are kept if the configuration does not say.
        data: Folder with the data; None for what the configuration names.
        name: To register under; None for the configuration's own, else its stem.

    Raises RefusedInput for a file that cannot be used, and for one whose fit could not be resumed.
    """
    path = _found(config)
    try:
        given = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RefusedInput(f"Reading the configuration {path} failed: {error}") from error
    if not isinstance(given, dict) or not isinstance(given.get("trainer"), dict):
        raise RefusedInput(f"{path} is no configuration of `python -m training fit`: it has no `trainer`.")
    chosen = {key: str(given.pop(key, "") or "") for key in NOT_IDENTITY[""]}
    trainer = given["trainer"]
    if max_steps is not None:
        trainer["max_steps"] = max_steps
    given["data"] = {**(given.get("data") or {})}
    given["data"]["path"] = _absolute(data or given["data"].get("path", ""))
    given["data"]["cache"] = _absolute(given["data"].get("cache") or str(cache))
    source = given["data"].get("source", "sample")
    if source != "sample" and not given["data"]["path"]:
        raise RefusedInput(f"{path} learns from {source}: say in which folder that lies (data).")
    given["ckpt_path"] = "last"
    trainer["enable_progress_bar"] = False
    _check_resumable(path, trainer)
    label = path.stem
    return Plan(label, name or chosen["name"] or label, chosen["description"], given, str(trainer["default_root_dir"]))


def run_key(plan: Plan, corpora: Mapping[str, str]) -> str:
    """What a fit is: its configuration and the fingerprints of its corpora, wherever these lie."""
    config = copy.deepcopy(plan.config)
    for section, names in NOT_IDENTITY.items():
        for name in names:
            (config[section] if section else config).pop(name, None)
    return key_of(_moved(config, plan.outputs, ""), dict(corpora))


def placed(plan: Plan, folder: Path) -> dict[str, Any]:
    """The configuration with its outputs in `folder`, where it also tells its progress."""
    config = _moved(plan.config, plan.outputs, str(folder))
    teller = {"class_path": TELLER, "init_args": {"path": str(folder / PROGRESS)}}
    config["trainer"]["callbacks"] = [*config["trainer"]["callbacks"], teller]
    return config


def write_config(config: Mapping[str, Any], path: Path) -> None:
    """Leave a configuration where a fit can read it."""
    write_atomically(path, yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True))


def _found(config: str) -> Path:
    named = CONFIGS / f"{config}.yaml"
    path = named if "/" not in config and named.is_file() else Path(config).expanduser()
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.yaml")))
        raise RefusedInput(f"There is no configuration {config!r}. Give a YAML file, or one of: {known}.")
    return path


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute()) if path else ""


def _check_resumable(path: Path, trainer: Mapping[str, Any]) -> None:
    """A fit needs an end, and checkpoints below its own folder, or a stopped one would begin again or never end."""
    root, steps = str(trainer.get("default_root_dir") or ""), trainer.get("max_steps")
    if not (isinstance(steps, int) and steps > 0):
        raise RefusedInput(f"{path} must say how long to train: trainer.max_steps, an integer above 0, got {steps!r}.")
    for callback in trainer.get("callbacks") or ():
        if str(callback.get("class_path", "")).endswith("ModelCheckpoint"):
            options = callback.get("init_args") or {}
            inside = root and str(options.get("dirpath", "")).startswith(f"{root}/")
            if inside and options.get("save_last") and options.get("monitor"):
                return
    raise RefusedInput(
        f"{path} could not be resumed: it needs trainer.default_root_dir, and in trainer.callbacks a ModelCheckpoint "
        "with `monitor`, `save_last: true` and a `dirpath` below that folder, as training/configs/debug.yaml has."
    )


def _moved(value: Any, old: str, new: str) -> Any:
    """`value` with every string that is the path `old`, or lies below it, led to `new`."""
    if isinstance(value, dict):
        return {key: _moved(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, old, new) for item in value]
    if isinstance(value, str) and (value == old or value.startswith(f"{old}/")):
        return new + value[len(old) :]
    return value
