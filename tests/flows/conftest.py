"""A retraining that really happened, for the tests of the flows on models, and ways to look at a run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import Artifact, State

ROOT = Path(__file__).parents[2]
STEPS = 40
SCRIPT = f"from flows.retrain import retrain\nretrain(config='debug', name='trial', max_steps={STEPS})\n"


@dataclass(frozen=True)
class Retraining:
    """A home folder in which a retraining was killed after its first checkpoint and then done again."""

    home: Path
    folder: Path
    """Of the fit that was killed."""
    children: list[psutil.Process]
    """What the killed run had started."""
    retrain: Callable[..., State[Any]]
    """Do it once more there, with these parameters changed."""
    state: State[Any]
    """How the second run ended."""


@pytest.fixture(scope="session")
def retraining(
    prefect_here: None, prefect_server: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Retraining:
    """Killed by SIGKILL as soon as there is a checkpoint, and run again."""
    home = tmp_path_factory.mktemp("retraining")
    own = {"WINNOW_HOME": str(home), "OMP_NUM_THREADS": "1"}

    def retrain(**parameters: Any) -> State[Any]:
        from flows.retrain import retrain as flow

        given = {"config": "debug", "name": "trial", "max_steps": STEPS, **parameters}
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("WINNOW_REGISTRY", raising=False)
            for name, value in own.items():
                patch.setenv(name, value)
            return flow(**given, return_state=True)

    env = {**os.environ, **prefect_server, **own}
    env.pop("WINNOW_REGISTRY", None)
    with subprocess.Popen([sys.executable, "-c", SCRIPT], env=env, cwd=ROOT, stderr=subprocess.PIPE) as run:
        deadline = time.monotonic() + 200
        while not (found := list(home.glob("training/runs/*/checkpoints/last.ckpt"))):
            assert run.poll() is None, run.stderr and run.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        children = psutil.Process(run.pid).children(recursive=True)
        assert any(child.cmdline()[2:4] == ["training", "fit"] for child in children)
        run.send_signal(signal.SIGKILL)
    return Retraining(home, found[0].parents[1], children, retrain, retrain())


@pytest.fixture(scope="session")
def artifacts_of() -> Callable[[State[Any]], dict[str | None, Artifact]]:
    """The artifacts of a run in this process, by their key."""

    def read(state: State[Any]) -> dict[str | None, Artifact]:
        run = ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])  # pyright: ignore[reportArgumentType]
        with get_client(sync_client=True) as client:
            return {
                found.key: found for found in client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=run))
            }

    return read


@pytest.fixture(scope="session")
def tasks_of() -> Callable[[State[Any]], dict[str, str | None]]:
    """The name of each task of a run in this process, and that of the state it ended in."""

    def read(state: State[Any]) -> dict[str, str | None]:
        run = FlowRunFilterId(any_=[state.state_details.flow_run_id])  # pyright: ignore[reportArgumentType]
        with get_client(sync_client=True) as client:
            return {task.name: task.state_name for task in client.read_task_runs(flow_run_filter=FlowRunFilter(id=run))}

    return read
