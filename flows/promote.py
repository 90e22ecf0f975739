"""Make the challenger champion if it is better: what a schedule or a data scientist runs after `retrain`."""

from dataclasses import dataclass
from typing import Annotated, Literal, cast

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.states import Completed
from pydantic import Field

from core.errors import BadSetting
from core.records import ModelRef
from flows.secret_block import take_secrets
from flows.versions import figure_rows, markdown_table, number, registry_root, told
from models import registry
from models.model_cards import told as in_words
from tasks.evaluating import Measured, compare_models, evaluate_model, freeze_set
from tasks.stage import kept
from tasks.training import point_alias
from training.comparison import Comparison, judge
from training.frozen import VT_SSUM, FrozenSet

How = Literal["promoted", "kept", "refused"]

DataFolder = Annotated[str, Field(min_length=1, description="Folder with SPLIT_videos, _segments, _clips .parquet.")]
Split = Annotated[str, Field(min_length=1, description="The split to compare on: dev, test, … but not train.")]
Alias = Annotated[str, Field(min_length=1, description="Alias of the model in use, which may be moved.")]
Reference = Annotated[str, Field(min_length=1, description="The other model: an alias, a name or name@version.")]
Margin = Annotated[float, Field(ge=0, le=100, description="Least gain in Top-3 F1, in percentage points.")]
Confidence = Annotated[float, Field(ge=0.5, le=0.999, description="Confidence of the interval of the gain.")]
Lectures = Annotated[int | None, Field(ge=1, description="Only the first so many lectures; empty: all.")]
Root = Annotated[str | None, Field(description="Registry: a folder or any fsspec URI; empty: the user's own.")]
Accept = Annotated[bool, Field(description="Agree to the licence of a challenger that asks for consent.")]


@dataclass(frozen=True, slots=True)
class Promotion:
    """How a comparison ended. `comparison` is None where nothing had to be, or might be, compared."""

    how: How
    why: str
    champion: ModelRef
    """As it was at the run's start."""
    challenger: ModelRef
    comparison: Comparison | None = None


@flow(name="promote", flow_run_name="promote {challenger} to {champion}", persist_result=False)
def promote(
    data: DataFolder,
    split: Split = "dev",
    champion: Alias = registry.CHAMPION,
    challenger: Reference = "challenger",
    margin: Margin = 0.3,
    confidence: Confidence = 0.95,
    lectures: Lectures = None,
    registry_uri: Root = None,
    accept_licence: Accept = False,
) -> Promotion:
    """Compare champion and challenger on one frozen set and move the alias if the challenger is better.

    Better means: its Top-3 F1 is higher by `margin` points or more, and the whole interval of the difference at
    `confidence` lies above 0 (paired bootstrap over lectures; `training.comparison`). Clips whose text occurs in the
    split `train` of the same folder do not count. What the champion was before is what `winnow models rollback`
    returns to.

    Both are resolved once, at the start. The run ends Completed: named Promoted, Kept or Refused (a licence that
    nobody agreed to), with the reason as its message. It fails only on an error: a model or data that is not there, or
    an alias that somebody moved meanwhile.

    Args:
        data: Folder with the split in VT-SSum's format.
        split: Name of the split.
        champion: Alias of the model in use.
        challenger: The model that may replace it.
        margin: Least gain, in percentage points.
        confidence: Of the interval, two-sided.
        lectures: Only the first so many.
        registry_uri: Root of the registry.
        accept_licence: Agree to the challenger's licence.
    """
    take_secrets()
    root = registry_root(registry_uri)
    places = (root, registry.BUILTIN)
    if not any(champion in registry.aliases(place) for place in places):
        raise BadSetting(f"champion: {champion!r} is no alias in {root}; only an alias can be moved.")
    current, other = registry.resolve_scoring(champion, places), registry.resolve_scoring(challenger, places)
    if current == other:
        return _ended(Promotion("kept", f"{challenger} and {champion} are the same version", current, other))
    consent = registry.read_manifest(other).get("consent")
    if consent and not accept_licence:
        licence = in_words(registry.read_manifest(other).get("licence"))
        why = f"{told(other)} asks for consent to its licence ({licence}); read it, then set accept_licence"
        return _ended(Promotion("refused", why, current, other), f"> {consent}")
    frozen = freeze_set(VT_SSUM, data, split, lectures)
    measured = [cast(Measured, kept(evaluate_model)(model, frozen)) for model in (current, other)]
    found = compare_models(measured[0], measured[1], confidence)
    verdict = judge(found, margin)
    if verdict.better:
        point_alias(root, champion, other, expected=current)
    outcome = Promotion("promoted" if verdict.better else "kept", verdict.why, current, other, found)
    return _ended(outcome, *_evidence(found, frozen, measured, margin), accepted=consent if accept_licence else None)


def _ended(outcome: Promotion, *evidence: str, accepted: str | None = None) -> Promotion:
    """Leave the reason where people look for it, and end the run with it."""
    current, other = told(outcome.champion), told(outcome.challenger)
    message = {
        "promoted": f"{other} replaces {current}: {outcome.why}.",
        "kept": f"{current} stays; {other} does not replace it: {outcome.why}.",
        "refused": f"{current} stays: {outcome.why}.",
    }[outcome.how]
    versions = [
        {"": role, "version": told(ref), "sha256": ref.sha256, "uri": ref.uri}
        for role, ref in (("champion", outcome.champion), ("challenger", outcome.challenger))
    ]
    parts = [f"# {outcome.how.capitalize()}", message, markdown_table(versions), *evidence]
    if accepted:
        parts.append(f"Accepted by whoever started this run:\n\n> {accepted}")
    if outcome.how == "promoted":
        parts.append(f"`winnow models rollback` returns to {current}.")
    create_markdown_artifact(markdown="\n\n".join(parts) + "\n", key="promotion", description=message)
    # Prefect makes the run's end of a state; the caller gets what it carries.
    return cast(Promotion, Completed(name=outcome.how.capitalize(), message=message, data=outcome))


def _evidence(found: Comparison, frozen: FrozenSet, measured: list[Measured], margin: float) -> list[str]:
    """The comparison as a table artifact and as Markdown."""
    figures = [one.figures for one in measured]
    columns = [(told(one.model), shown) for one, shown in zip(measured, figures, strict=True)]
    columns += [
        (f"{heading}, not in train", shown["without_train_duplicates"])
        for heading, shown in columns
        if shown.get("without_train_duplicates")
    ]
    rows = figure_rows(columns)
    create_table_artifact(table=rows, key="comparison", description=f"Champion and challenger on {frozen.split}")
    compared = {
        "Top-3 F1, champion": number(found.champion_f1),
        "Top-3 F1, challenger": number(found.challenger_f1),
        "difference, points": f"{found.difference:+.2f}",
        f"{100 * found.confidence:g} % interval": f"{found.low:+.2f} to {found.high:+.2f}",
        "resamples in which the challenger is better": f"{100 * found.better_share:.1f} %",
        "margin, points": number(margin),
        "lectures, clips that count": f"{found.lectures}, {found.clips}",
        "bootstrap over lectures": f"{found.resamples} resamples, seed {found.seed}",
        "split": f"{frozen.split} in {frozen.path}" + (f", first {frozen.lectures}" if frozen.lectures else ""),
        "fingerprint of the set": frozen.fingerprint,
    }
    return [markdown_table([{"compared": name, "": value} for name, value in compared.items()]), markdown_table(rows)]
