"""What every stage has in common as a Prefect task: its cache key, its entry in the store, its progress.

A stage's result lies in one folder of the store, the task's own record beside the files. The key hashes the stage's
name and all its inputs (among them its version, its settings, the model's version and the keys of what it was made
from), never a path, so a recording is recognised under any name.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from prefect import Task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext

from core import progress
from core.errors import MediaTimeout, StoreError
from core.home import home, store
from core.identity import key_of
from core.logs import bound, switch_on
from core.records import MediaRef, StageRef
from core.store import RECORD

ARTIFACT_EVERY_S = 2.0
log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def entry_of(stage: str, inputs: dict[str, Any]) -> StageRef:
    """Where the result of `stage` for these inputs stands. The recording is the input of that name."""
    recording = inputs["recording"]
    if not isinstance(recording, MediaRef):
        raise TypeError(f"stage {stage} must take a MediaRef called recording, got {recording!r:.80}")
    return StageRef(sha256=recording.sha256, stage=stage, key=key_of(stage, inputs))


@dataclass
class StagePolicy(CachePolicy):
    """Cache key: the address of the stage's entry. A record whose files are gone or damaged is forgotten first."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        ref, kept = entry_of(task_ctx.task.name, inputs), store()
        record = f"{kept.folder(ref)}/{RECORD}"
        if not kept.complete(ref) and kept.fs.exists(record):
            kept.fs.rm_file(record)
        return f"{ref.sha256}/{ref.stage}/{ref.key}/{RECORD}"


STAGE = StagePolicy()


def worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """A disk or a machine under load may do better next time; broken media and wrong settings will not."""
    try:
        state.result(raise_on_failure=True)
    except (MediaTimeout, StoreError, OSError):
        return True
    except Exception:
        return False
    return False


def kept(task: Task[P, R]) -> Task[P, R]:
    """The same task with its results in the store of this home folder."""
    return task.with_options(result_storage=Path(home(), "analysis"))


@dataclass(frozen=True, slots=True)
class Writing:
    """A stage at work: where it writes, and how it tells its progress."""

    folder: Path
    tell: Callable[[float], None]
    """Told the share that is done, 0..1."""


class Entry:
    """The entry that the running task makes; `ref` is complete once the `writing` block has ended."""

    def __init__(self) -> None:
        context = TaskRunContext.get()
        if context is None:
            raise RuntimeError("a stage's entry exists only inside its task")
        switch_on()  # a task runner may have brought the task into a process of its own
        self._run = context.task_run
        self.ref = entry_of(context.task.name, context.parameters)
        self.recording: MediaRef = context.parameters["recording"]
        self.label = context.task_run.name

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A scratch folder that becomes the entry, while progress goes to the terminal and to the Prefect UI."""
        began_s = time.monotonic()
        with self._logged(), _told(self.recording, self.ref, self.label) as tell, store().writing(self.ref) as folder:
            yield Writing(folder, tell)
        self.ref = replace(self.ref, seconds=round(time.monotonic() - began_s, 3))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        """Events inside carry the ids of recording and stage, whatever process or thread the task is in."""
        began_s, flow_run = time.monotonic(), self._run.flow_run_id
        about = {"key": self.ref.key, "task": self.label}
        with bound(
            sha256=self.ref.sha256,
            recording=self.recording.name,
            stage=self.ref.stage,
            flow_run_id=str(flow_run) if flow_run else None,
        ):
            log.info("stage begun", extra={**about, "attempt": self._run.run_count})
            try:
                yield
            except BaseException as error:
                seconds = round(time.monotonic() - began_s, 3)
                log.warning("stage failed", extra={**about, "seconds": seconds, "error": type(error).__name__})
                raise
            log.info("stage ended", extra={**about, "seconds": round(time.monotonic() - began_s, 3), "cached": False})


@contextmanager
def _told(recording: MediaRef, ref: StageRef, label: str) -> Iterator[Callable[[float], None]]:
    artifact = cast(
        UUID, create_progress_artifact(progress=0.0, key=ref.stage, description=f"{label} of {recording.name}")
    )
    last_s = time.monotonic()

    def event(state: progress.State, fraction: float) -> None:
        progress.tell(progress.StageEvent(recording.name, ref.stage, ref.key, state, fraction))

    def tell(fraction: float) -> None:
        nonlocal last_s
        fraction = min(1.0, max(0.0, fraction))
        event("running", fraction)
        if time.monotonic() - last_s >= ARTIFACT_EVERY_S:
            last_s = time.monotonic()
            update_progress_artifact(artifact, progress=round(100 * fraction, 1))

    event("running", 0.0)
    try:
        yield tell
    except BaseException:
        event("failed", 1.0)
        raise
    update_progress_artifact(artifact, progress=100.0)
    event("done", 1.0)
