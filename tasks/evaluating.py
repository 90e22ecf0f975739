"""Measure a version on a frozen set, once: the result is kept by the version's hash and the set's fingerprint."""

import json
import time
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.context import TaskRunContext

from core.errors import WinnowError
from core.home import store
from core.identity import key_of
from core.machine import cores, release_memory
from core.records import ModelRef, StageRef
from core.store import RECORD
from tasks.artifacts import Shown
from training.comparison import TOP_K, Comparison, compare
from training.frozen import FrozenSet, freeze, measure

STAGE_NAME = "evaluate"
EVALUATE_VERSION = "1"
FIGURES_NAME = "figures.json"
CLIPS_NAME = "clips.parquet"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a version: the entry in the store that holds it."""

    model: ModelRef
    entry: StageRef

    @property
    def figures(self) -> dict[str, Any]:
        """As `training.evaluation.evaluate_vt_ssum` gives them."""
        return json.loads(store().read_bytes(self.entry, FIGURES_NAME))


def entry_of(model: ModelRef, frozen: FrozenSet, version: str) -> StageRef:
    """Where the figures of a version on a set stand."""
    key = key_of(STAGE_NAME, model, frozen, version, package_version("winnow"))
    return StageRef(sha256=frozen.fingerprint, stage=STAGE_NAME, key=key)


@dataclass
class MeasuredPolicy(CachePolicy):
    """Cache key: the address of the entry. A record whose files are gone or damaged is forgotten first."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        ref, kept = entry_of(inputs["model"], inputs["frozen"], inputs["version"]), store()
        record = f"{kept.folder(ref)}/{RECORD}"
        if not kept.complete(ref) and kept.fs.exists(record):
            kept.fs.rm_file(record)
        return f"{ref.sha256}/{ref.stage}/{ref.key}/{RECORD}"


@task(name="freeze", task_run_name="freeze {split}", cache_policy=NO_CACHE, persist_result=False)
def freeze_set(source: str, path: str, split: str, lectures: int | None) -> FrozenSet:
    """Fix what is measured on by its content, which is asked each time."""
    return freeze(source, Path(path), split, lectures)


@task(
    name="evaluate",
    task_run_name="evaluate {model.name}@{model.version} on {frozen.split}",
    cache_policy=MeasuredPolicy(),
    result_serializer="json",
)
def evaluate_model(model: ModelRef, frozen: FrozenSet, version: str = EVALUATE_VERSION) -> Measured:
    """Every figure of a version on the set, and the hits of each clip for comparisons."""
    from models import registry

    what = f"{model.name}@{model.version} on {frozen.split}"
    shown, began_s = Shown(STAGE_NAME, what), time.monotonic()

    def told(done: int, lectures: int, share: float) -> None:
        left_s = (time.monotonic() - began_s) / share * (1 - share) if share else None
        shown.show(share, f"{done} of {lectures} lectures", left_s)

    ref = entry_of(model, frozen, version)
    found = measure(frozen, registry.load(model, threads=cores()).predict, told)
    with store().writing(ref) as folder:
        (folder / FIGURES_NAME).write_text(json.dumps(found.figures, indent=1, allow_nan=False))
        pq.write_table(found.clips, folder / CLIPS_NAME)
    top3 = found.figures["top3_f1"]
    shown.end("nothing to measure" if top3 is None else f"Top-3 F1 {top3:.2f}")
    release_memory()
    return Measured(model, ref)


@task(name="compare", task_run_name="compare", cache_policy=NO_CACHE, persist_result=False)
def compare_models(champion: Measured, challenger: Measured, confidence: float) -> Comparison:
    """Compare two versions on the clips of one set whose text does not occur in its training split."""
    clips, others = (pq.read_table(store().path(found.entry, CLIPS_NAME)) for found in (champion, challenger))
    same = ("recording", "clip", "sentences", "positives", "in_train")
    if not clips.select(same).equals(others.select(same)):
        raise WinnowError("Comparing two models: they were not measured on the same clips. Run again.")
    unseen = ~clips["in_train"].fill_null(False).to_numpy()
    positives = clips["positives"].to_numpy()[unseen]
    hits = (table[f"hits_at_{TOP_K}"].to_numpy()[unseen] for table in (clips, others))
    lectures = np.array(clips["recording"].to_pylist(), dtype=np.str_)[unseen]
    return compare(lectures, positives, *hits, confidence=confidence)
