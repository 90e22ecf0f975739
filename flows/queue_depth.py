"""How much waits in the work queues of the Prefect server that is configured, as gauges."""

import time
from collections.abc import Iterator, Mapping
from threading import Lock

from core.metrics import Readings, gauge, merged

TIMEOUT_S = 3.0
"""For one answer of the server."""
TOTAL_S = 6.0
"""For all of them together: collectors give up after ten seconds."""
FRESH_S = 10.0
"""What was asked this recently is not asked again, however many collectors there are."""


class QueueDepths:
    """Asks the server, at most every ten seconds. Safe to call from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked_s, self._last = float("-inf"), Readings()

    def read(self) -> Readings:
        """The gauges; where the server does not answer in time, only `winnow_prefect_up 0`."""
        with self._lock:
            if time.monotonic() - self._asked_s >= FRESH_S:
                self._last = _asked()
                self._asked_s = time.monotonic()
            return self._last


def _asked() -> Readings:
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            return merged(gauge("winnow_prefect_up", 1), *_depths(time.monotonic() + TOTAL_S))
    except Exception:  # of whatever kind: a collector must learn it as a value, not as an error page
        return gauge("winnow_prefect_up", 0)


def _depths(end_s: float) -> Iterator[Readings]:
    from prefect.client.orchestration import SyncPrefectClient, get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateName,
        FlowRunFilterStateType,
        WorkQueueFilter,
        WorkQueueFilterId,
    )
    from prefect.client.schemas.objects import StateType, WorkQueue

    waiting = [StateType.SCHEDULED, StateType.PENDING]
    late = FlowRunFilterState(name=FlowRunFilterStateName(any_=["Late"]))

    def of(*types: StateType) -> FlowRunFilterState:
        return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))

    def count(client: SyncPrefectClient, queue: WorkQueue, state: FlowRunFilterState) -> int:
        if time.monotonic() > end_s:
            raise TimeoutError
        which = WorkQueueFilter(id=WorkQueueFilterId(any_=[queue.id]))
        return client.count_flow_runs(flow_run_filter=FlowRunFilter(state=state), work_queue_filter=which)

    with get_client(httpx_settings={"timeout": TIMEOUT_S}, sync_client=True) as client:
        for queue in client.read_work_queues():
            states = {"scheduled": 0, "late": 0, "pending": 0}
            running = 0
            if count(client, queue, of(*waiting, StateType.RUNNING)):  # most queues are empty: one question does
                running = count(client, queue, of(StateType.RUNNING))
                states["pending"] = count(client, queue, of(StateType.PENDING))
                states["late"] = count(client, queue, late)
                states["scheduled"] = max(0, count(client, queue, of(StateType.SCHEDULED)) - states["late"])
            yield _gauges({"pool": queue.work_pool_name or "", "queue": queue.name}, states, running)


def _gauges(labels: Mapping[str, str], states: Mapping[str, int], running: int) -> Readings:
    depths = (gauge("winnow_queue_depth", number, {**labels, "state": state}) for state, number in states.items())
    return merged(*depths, gauge("winnow_queue_running", running, labels))
