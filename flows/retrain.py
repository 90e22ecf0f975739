"""Train a model anew on the data there is now, and offer it as challenger: what a schedule or a data scientist runs."""

import base64
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed
from pydantic import Field

from core.errors import RefusedInput
from core.records import ModelRef
from flows.secret_block import take_secrets
from flows.versions import figure_rows, markdown_table, registry_root, told
from models import registry
from tasks.evaluating import Measured, evaluate_model, freeze_set
from tasks.stage import kept
from tasks.training import (
    CURVES,
    CorpusFacts,
    Fitted,
    build_data,
    fit,
    forget,
    point_alias,
    run_folder,
    training_folder,
)
from training.plans import Plan, read_plan

CHALLENGER = "challenger"
DEV = "dev"

ConfigName = Annotated[str, Field(min_length=1, description="A name under training/configs, or a YAML file.")]
DataFolder = Annotated[str | None, Field(description="Folder with the data; empty: what the configuration names.")]
ModelName = Annotated[str | None, Field(description="Name to register under; empty: the configuration's own.")]
Root = Annotated[str | None, Field(description="Registry: a folder or any fsspec URI; empty: the user's own.")]
Alias = Annotated[str, Field(min_length=1, description="Alias that the new version gets.")]
Steps = Annotated[int | None, Field(ge=1, description="Train so many steps; empty: as the configuration says.")]
Fresh = Annotated[bool, Field(description="Begin anew even if this fit was begun or done before.")]


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a retraining made: `model` is what the alias means now."""

    model: ModelRef
    fitted: Fitted
    measured: Measured
    moved: bool
    """False if the alias pointed there before."""


@flow(name="retrain", flow_run_name="retrain {config}", persist_result=False)
def retrain(
    config: ConfigName = "lecture",
    data: DataFolder = None,
    name: ModelName = None,
    registry_uri: Root = None,
    challenger: Alias = CHALLENGER,
    max_steps: Steps = None,
    fresh: Fresh = False,
) -> Retrained:
    """Build the data, fit, register, evaluate on the dev split, and point `challenger` to the new version.

    The fit's folder under WINNOW_HOME/training/runs depends on the configuration and the content of the data alone: a
    run that was stopped goes on from its last checkpoint, and one that meets the same data again has nothing to fit.
    The run ends Completed, named Registered, or Unchanged where the alias had that version already.

    Args:
        config: Name of a configuration under training/configs, or the path of another.
        data: Folder with the data that the configuration's source is read from.
        name: Name to register under.
        registry_uri: Root of the registry.
        challenger: Alias that the new version gets.
        max_steps: Steps to train, instead of the configuration's.
        fresh: Begin anew even if this fit was begun or done before.

    Raises RefusedInput for a configuration or data that cannot be used, before anything is fitted.
    """
    _check_installed()
    take_secrets()
    root = registry_root(registry_uri)
    plan = read_plan(config, cache=training_folder() / "corpora", data=data, name=name, max_steps=max_steps)
    _check_names(root, plan.name, challenger)
    corpora = build_data(plan)
    folder = run_folder(plan, corpora)
    if fresh and folder.exists():
        forget(folder)
    fitted = fit(plan, folder, root)
    frozen = freeze_set(plan.source, plan.data_path, DEV, int(plan.config["data"].get("dev_lectures") or 0) or None)
    measured = cast(Measured, kept(evaluate_model)(fitted.model, frozen))
    moved = registry.aliases(root).get(challenger) != told(fitted.model)
    point_alias(root, challenger, fitted.model)
    _show(plan, corpora, fitted, measured, challenger)
    done = Retrained(fitted.model, fitted, measured, moved)
    message = f"{told(fitted.model)} is {challenger}{'' if moved else ' already'}; {_short(measured.figures)}"
    # Prefect makes the run's end of a state; the caller gets what it carries.
    return cast(Retrained, Completed(name="Registered" if moved else "Unchanged", message=message, data=done))


def _check_installed() -> None:
    if find_spec("lightning") is None:
        raise RefusedInput("Training needs Lightning, which is not installed: pip install 'winnow[training]'.")


def _check_names(root: str, name: str, alias: str) -> None:
    """Refuse now what the registry would refuse after hours of fitting."""
    places = (root, registry.BUILTIN)
    if not registry.NAME.fullmatch(name) or any(name in registry.aliases(place) for place in places):
        raise RefusedInput(f"A model cannot be called {name!r}: that is an alias, or no plain name. Give another name.")
    if not registry.NAME.fullmatch(alias) or alias == name or any(registry.versions(p, alias) for p in places):
        raise RefusedInput(f"{alias!r} cannot be an alias: it is the name of a model, or no plain name.")


def _short(figures: dict[str, Any]) -> str:
    top3 = figures.get("top3_f1")
    return "nothing could be measured" if top3 is None else f"Top-3 F1 {top3:.2f} on {figures['split']}"


def _show(plan: Plan, corpora: dict[str, CorpusFacts], fitted: Fitted, measured: Measured, challenger: str) -> None:
    """The run's page, with the learning curves in it."""
    page = _page(plan, corpora, fitted, measured, challenger)
    picture = Path(fitted.folder, CURVES)
    if picture.is_file():
        inline = base64.b64encode(picture.read_bytes()).decode()
        page += f"\n![learning curves](data:image/png;base64,{inline})\n"
    create_markdown_artifact(markdown=page, key="retrained", description=f"{told(fitted.model)} is {challenger}")


def _page(plan: Plan, corpora: dict[str, CorpusFacts], fitted: Fitted, measured: Measured, challenger: str) -> str:
    figures, unseen = measured.figures, measured.figures.get("without_train_duplicates")
    how = f"step {fitted.steps} of at most {plan.max_steps}"
    if fitted.known:
        how = "not fitted again: this configuration has met this data before"
    elif fitted.first_step:
        how += f", resumed at step {fitted.first_step}"
    data = [
        {"corpus": split, "lectures": facts.lectures, "sentences": facts.sentences, "fingerprint": facts.fingerprint}
        for split, facts in corpora.items()
    ]
    columns = [("all clips", figures), *([("not in train", unseen)] if unseen else [])]
    parts = [
        f"# {told(fitted.model)} is `{challenger}`",
        f"Configuration `{plan.label}`, {how}. Checkpoints, logs and curves: `{fitted.folder}`.",
        markdown_table(data),
        f"Measured on the split `{figures['split']}`, by which the best checkpoint was chosen:",
        markdown_table(figure_rows(columns)),
        f"Next: the flow `promote` compares `{challenger}` with the champion; `winnow models list` shows both.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
