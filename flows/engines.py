"""What does the jobs of a nightly: threads of its process, Ray, Dask, or workers that take runs of a deployment.

Each engine tells the ends of jobs as they come. A job whose process was lost is an end as well: failed, and why.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.futures import as_completed
from prefect.logging import get_run_logger
from prefect.states import Scheduled
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from core import job_ends
from core.errors import BadSetting, Cancelled
from core.jobs import Engine, Job, Queue
from core.nightly_report import RecordingEnd
from flows.one_recording import lost, take

POLL_S = 3.0
ASKED_AT_ONCE = 200
"""Runs whose state is asked for in one request: the server answers with no more."""
AHEAD = timedelta(minutes=5)
"""Clocks of machines that work together may differ by this."""
SILENT_S = 300.0
"""While nothing ends, the log says so this often."""

_work: ContextVar[tuple[Sequence[Job], Callable[[RecordingEnd], None]]] = ContextVar("work")


@task(name="recording of a nightly", task_run_name="{job.found.name}", persist_result=False)
def take_one(job: Job) -> RecordingEnd:
    """One recording, in whatever thread or process the task runner chose."""
    return take(job)


def do(jobs: Sequence[Job], engine: Engine, at_once: int, queue: Queue, on_end: Callable[[RecordingEnd], None]) -> None:
    """Do every job; `on_end` hears how each ended, in the order in which they do.

    Args:
        at_once: Recordings at work at the same time; workers have limits of their own.
        queue: For workers: the pool whose queues the recordings go to.

    Raises BadSetting where the engine is not there, Cancelled where the nightly was told to stop.
    """
    if not jobs:
        return
    if engine == "workers":
        _by_workers(jobs, queue, on_end)
    elif engine == "threads" and at_once == 1:
        for job in jobs:  # one after the other needs no pool
            on_end(take(job))
    else:
        _in_runner(jobs, runner_of(engine, at_once), on_end)


def runner_of(engine: Engine, at_once: int) -> TaskRunner[Any]:
    """The task runner of an engine. Ray and Dask are found by RAY_ADDRESS and DASK_SCHEDULER_ADDRESS; where these are
    not set they are started on this machine for the time of the nightly.

    Raises BadSetting where the engine's package is not installed.
    """
    if engine == "threads":
        return ThreadPoolTaskRunner(max_workers=at_once)
    try:
        if engine == "ray":
            from prefect_ray.task_runners import RayTaskRunner

            address = os.environ.get("RAY_ADDRESS")
            own = {"num_cpus": at_once, "include_dashboard": False, "log_to_driver": False}
            return RayTaskRunner(address=address) if address else RayTaskRunner(init_kwargs=own)
        from prefect_dask.task_runners import DaskTaskRunner

        scheduler = os.environ.get("DASK_SCHEDULER_ADDRESS")
        cluster = {"n_workers": at_once, "threads_per_worker": 1, "dashboard_address": None}
        return DaskTaskRunner(address=scheduler) if scheduler else DaskTaskRunner(cluster_kwargs=cluster)
    except ImportError as error:
        raise BadSetting(f"The engine {engine} is not installed: pip install 'winnow[{engine}]'.") from error


@flow(name="recordings", persist_result=False)
def recordings() -> None:
    """The recordings of a nightly, on the task runner that the nightly chose: a flow's runner is fixed when it begins.

    Jobs and listener are no parameters: the server would keep thousands of jobs, and Ray and Dask send the flow along
    with each. What its body names is sent too, so the work stands in a function, which is sent by name alone.
    """
    _submit_all()


def _submit_all() -> None:
    jobs, on_end = _work.get()
    futures = {take_one.submit(job): job for job in jobs}
    for future in as_completed(list(futures)):
        on_end(_end(future, futures.pop(future)))


def _in_runner(jobs: Sequence[Job], runner: TaskRunner[Any], on_end: Callable[[RecordingEnd], None]) -> None:
    token = _work.set((jobs, on_end))
    try:
        recordings.with_options(task_runner=runner)()  # pyright: ignore[reportArgumentType]
    finally:
        _work.reset(token)


def _end(future: Any, job: Job) -> RecordingEnd:
    try:
        return future.result()
    except Cancelled:
        raise
    except Exception as error:
        return lost(job, f"{type(error).__name__}: {error}")


def _by_workers(jobs: Sequence[Job], queue: Queue, on_end: Callable[[RecordingEnd], None]) -> None:
    """Runs of the deployment `nightly-recording/<queue>`, in the pool's queue of each job's priority."""
    name = f"nightly-recording/{queue}"
    at_work: dict[UUID, Job] = {}
    for job in jobs:
        try:
            run: Any = run_deployment(
                name,
                parameters={"job": job.model_dump(mode="json")},
                flow_run_name=job.found.name,
                tags=job.labels,
                idempotency_key=job.key,
                work_queue_name=job.priority,
                timeout=0,
            )
        except ObjectNotFound as error:
            raise BadSetting(
                f"There is no deployment {name} with a queue {job.priority}: run `winnow setup` and "
                "`prefect deploy --all`."
            ) from error
        at_work[run.id] = job
    ended_s = time.monotonic()
    while at_work:
        time.sleep(POLL_S)
        for run_id, state in _final(list(at_work)):
            job = at_work.pop(run_id)
            ended_s = time.monotonic()
            on_end(job_ends.take_out(job) or lost(job, f"its run ended as {state}, and nobody told how it went"))
        if at_work and time.monotonic() - ended_s > SILENT_S:
            ended_s = time.monotonic()
            get_run_logger().warning(
                "%d recordings wait or are at work, and none has ended for a while. Do workers poll winnow-%s?",
                len(at_work),
                queue,
            )


def _final(run_ids: list[UUID]) -> list[tuple[UUID, str]]:
    """Those of the runs that have ended, and the names of their states. Those that wait for a time that lies ahead,
    since a clock was put back, wait no longer."""
    found = []
    with get_client(sync_client=True) as client:
        for at in range(0, len(run_ids), ASKED_AT_ONCE):
            some = FlowRunFilter(id=FlowRunFilterId(any_=run_ids[at : at + ASKED_AT_ONCE]))
            runs = client.read_flow_runs(flow_run_filter=some, limit=ASKED_AT_ONCE)
            found += [(run.id, run.state.name or "") for run in runs if run.state and run.state.is_final()]
            now = datetime.now(UTC)
            for run in runs:
                if run.state and run.state.is_scheduled() and (run.next_scheduled_start_time or now) > now + AHEAD:
                    client.set_flow_run_state(run.id, Scheduled(scheduled_time=now))
    return found
