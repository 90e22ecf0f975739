"""Make a model: the data made ready, the fit in a process of its own, and the alias that offers the new version."""

import fcntl
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger

from core.errors import RefusedInput, WeightsError, WinnowError
from core.home import home
from core.records import ModelRef
from models import aliases, registry
from tasks.artifacts import Shown
from tasks.processes import ProcessEnded, run_training
from training.plans import PROGRESS, Plan, placed, run_key, write_config

LOG = "log.txt"
CURVES = "curves.png"
LOCK = "lock"
READY = re.compile(r"(embedding|teacher): (\d+) of (\d+) \w+(?:, (\d+) s left)?")
REGISTERED = re.compile(r"^registered (?P<name>\S+)@(?P<version>\S+) at (?P<uri>.+)$", re.MULTILINE)
"""What `python -m training fit` says at its end."""


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """A corpus made ready."""

    fingerprint: str
    lectures: int
    sentences: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit that has ended, and the version that its best checkpoint became."""

    model: ModelRef
    folder: str
    """Checkpoints, logs, learning curves."""
    steps: int
    """0 where not even the first was told."""
    first_step: int
    """Where the last process began: 0, or the checkpoint it went on from."""
    known: bool
    """True if nothing had to be fitted: the same data met the same configuration before."""


def training_folder() -> Path:
    """Where fits and corpora are kept."""
    return home() / "training"


def run_folder(plan: Plan, corpora: dict[str, CorpusFacts]) -> Path:
    """The folder of the fit that this plan makes with this data: the same one each time."""
    key = run_key(plan, {split: facts.fingerprint for split, facts in corpora.items()})
    return training_folder() / "runs" / f"{plan.label}-{key[:12]}"


@task(name="build data", task_run_name="build data for {plan.label}", cache_policy=NO_CACHE, persist_result=False)
def build_data(plan: Plan) -> dict[str, CorpusFacts]:
    """Make the corpora ready. Not cached as a task: what is ready is kept by content, and the content is asked here."""
    shown = Shown("build-data", f"Data for {plan.label}")

    def look(said: str) -> None:
        for doing, done, of, left_s in READY.findall(said)[-1:]:
            shown.show(int(done) / int(of), f"{doing}, {done} of {of}", float(left_s) if left_s else None)

    with tempfile.TemporaryDirectory(prefix="winnow-data-") as scratch:
        config, out = Path(scratch, "config.yaml"), Path(scratch, "corpora.json")
        write_config(plan.config, config)
        run_training(
            ["training.preparing", config, out],
            Path(scratch, LOG),
            what=f"Building the data for {plan.label}",
            while_running=look,
        )
        found = {split: CorpusFacts(**facts) for split, facts in json.loads(out.read_bytes()).items()}
    told = ", ".join(
        f"{split} {facts.lectures} lectures, {facts.sentences} sentences" for split, facts in found.items()
    )
    shown.end(told)
    get_run_logger().info("Data: %s", told)
    return found


def was_killed(task: Any, run: TaskRun, state: State[Any]) -> bool:
    """A process that was killed goes on from its checkpoint; one that failed would fail again."""
    try:
        state.result(raise_on_failure=True)
    except ProcessEnded:
        return True
    except Exception:
        return False
    return False


@task(
    name="fit",
    task_run_name="fit {plan.label} as {plan.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=1,
    retry_delay_seconds=5,
    retry_condition_fn=was_killed,
)
def fit(plan: Plan, folder: Path, root: str) -> Fitted:
    """Fit the plan in its folder, going on where a stopped fit was, and register the best checkpoint in `root`.

    A fit that has ended and whose version is still in the registry is not done again.
    """
    with _holding(folder) as lock:
        known = _registered(folder, plan.name, root)
        if known:
            told = _progress(folder)
            return Fitted(known, str(folder), told.get("step", 0), told.get("first_step", 0), True)
        write_config(placed(plan, folder), folder / "config.yaml")
        (folder / PROGRESS).unlink(missing_ok=True)
        command = ["training", "fit", "--config", folder / "config.yaml", "--name", plan.name, "--registry", root]
        described = ["--description", plan.description] if plan.description else []
        shown = Shown("fit", f"Fitting {plan.label}")
        run_training(
            [*command, *described],
            folder / LOG,
            what=f"Fitting {plan.label}",
            keep=[lock],
            while_running=_Watch(folder, shown).look,
        )
        made = _registered(folder, plan.name, root)
        if made is None:
            raise WinnowError(
                f"Fitting {plan.label} ended without a version of {plan.name} in {root}; {folder / LOG} says why."
            )
        told = _progress(folder)
        shown.end(f"step {told.get('step', plan.max_steps)}, registered as {made.name}@{made.version}")
        return Fitted(made, str(folder), told.get("step", 0), told.get("first_step", 0), False)


@task(name="register", task_run_name="register as {alias}", cache_policy=NO_CACHE, persist_result=False)
def point_alias(root: str, alias: str, model: ModelRef, expected: ModelRef | None = None) -> None:
    """Point an alias to a version; with `expected`, only if it still means that one."""
    aliases.set_alias(root, alias, model, expected)


def forget(folder: Path) -> None:
    """Let the next fit in `folder` begin anew. What it registered stays."""
    with _holding(folder):
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != LOCK:
                entry.unlink()


class _Watch:
    """Follows a fit by the file it tells its progress in: an artifact with an estimate, a log line a measurement."""

    def __init__(self, folder: Path, shown: Shown) -> None:
        self._folder, self._shown, self._measured_at = folder, shown, 0
        self._log = get_run_logger()
        self._began_s = time.monotonic()

    def look(self, said: str) -> None:
        told = _progress(self._folder)
        if not told:
            self._shown.show(0.0, f"starting for {time.monotonic() - self._began_s:.0f} s")
            return
        step, of, first = told["step"], told["of"], told["first_step"]
        if told["measured_at"] > self._measured_at:
            self._measured_at = told["measured_at"]
            figures = ", ".join(f"{name} {value:.2f}" for name, value in told["figures"].items())
            self._log.info("Step %d of %d: %s", self._measured_at, of, figures)
        if step >= of:
            self._shown.show(1.0, f"step {step}: calibrating, measuring, registering")
            return
        pace_s = told["seconds"] / (step - first) if step > first else None
        on = f" (from step {first})" if first else ""
        self._shown.show(step / of, f"step {step} of {of}{on}", pace_s and pace_s * (of - step))


def _progress(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / PROGRESS).read_bytes())
    except FileNotFoundError:
        return {}


def _registered(folder: Path, name: str, root: str) -> ModelRef | None:
    """The version that a fit in this folder became under that name in that registry, if it is there."""
    log = folder / LOG
    said = log.read_text(errors="replace") if log.is_file() else ""
    for found in reversed(list(REGISTERED.finditer(said))):
        if (found["name"], found["uri"]) == (name, registry.in_root(root, name, found["version"])):
            try:
                return registry.resolve(f"{name}@{found['version']}", (root,))
            except (RefusedInput, WeightsError):
                return None  # removed meanwhile: it is made again from the checkpoint
    return None


@contextmanager
def _holding(folder: Path) -> Iterator[int]:
    """Hold the folder of a fit; the file descriptor of the lock is for the process that works in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RefusedInput(f"Another run is at this very fit, in {folder}. Wait for it, or stop it.") from error
        yield lock.fileno()
