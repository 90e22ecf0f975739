"""`winnow setup`: the work pools, queues and limits that Winnow wants, made on the Prefect server in use."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from core.errors import BadSetting, WinnowError
from core.pools import POOL_TYPES, POOLS, Pool, PoolType, limits_of, machine_name
from flows import lost_runs
from flows.embedded import configured
from flows.job_templates import job_template

How = Literal["made", "as wanted", "left as it is", "reset"]


@dataclass(frozen=True, slots=True)
class Step:
    """What was done about one thing on the server."""

    kind: Literal["pool", "queue", "limit", "automation"]
    name: str
    how: How
    why: str = ""
    """How it differs from what is wanted, where it does."""


def add_setup(parser: argparse.ArgumentParser) -> None:
    """The options of `winnow setup`."""
    parser.description = (
        f"{parser.description} Running it again changes nothing; what somebody has changed is left and told. Run it on "
        "every machine that has workers: limits on recognition and encoding are counted for each machine."
    )
    parser.add_argument("--type", choices=POOL_TYPES, default="process", help="what runs the work (default: process)")
    parser.add_argument(
        "--image",
        default=None,
        metavar="NAME",
        help="image for docker and kubernetes; without a tag, that tagged cpu, and in winnow-gpu that tagged cuda",
    )
    parser.add_argument("--reset", action="store_true", help="set back what somebody has changed, and free all slots")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument(
        "--lost-after-min",
        type=float,
        default=lost_runs.LOST_AFTER_MIN,
        metavar="MINUTES",
        help="call a run crashed that is silent for so long, and one that never began after three times as long; runs "
        f"tell every three minutes that they live (default: {lost_runs.LOST_AFTER_MIN:g})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def setup_command(given: argparse.Namespace) -> int:
    """Set up the server in use. Returns the exit code; raises BadSetting where no server is configured."""
    if not configured():
        raise BadSetting(
            "winnow setup: no Prefect server is configured, and that of a single command is gone with it. Start one "
            "with `prefect server start` and set PREFECT_API_URL, such as http://127.0.0.1:4200/api."
        )
    if given.image and given.type == "process":
        raise BadSetting("--image: the type process runs no image; add --type docker or --type kubernetes.")
    least, most = lost_runs.LOST_AFTER_WITHIN_MIN
    if not least <= given.lost_after_min <= most:
        raise BadSetting(f"--lost-after-min: from {least:g} to {most:g} minutes, not {given.lost_after_min:g}.")
    import httpx

    try:
        steps = setup(
            given.type,
            image=given.image,
            reset=given.reset,
            dry_run=given.dry_run,
            lost_after_min=given.lost_after_min,
        )
    except httpx.HTTPError as error:
        raise WinnowError(
            f"Setting up the Prefect server failed: {type(error).__name__}: {error}. Is it running, and is "
            "PREFECT_API_URL its address with /api at the end? `prefect config view` shows which is used."
        ) from error
    if given.json:
        print(json.dumps([asdict(step) for step in steps], indent=1))
    else:
        _show(steps, dry_run=given.dry_run)
    return 0


def _show(steps: list[Step], *, dry_run: bool) -> None:
    if dry_run:
        print("Nothing is done; without --dry-run:")
    for step in steps:
        print(f"{step.how:13}  {step.kind:5}  {step.name}{': ' if step.why else ''}{step.why}")
    if any(step.how == "left as it is" for step in steps):
        print("What was left differs from what Winnow would make; --reset sets it back.")


def setup(
    kind: PoolType,
    *,
    image: str | None = None,
    reset: bool = False,
    dry_run: bool = False,
    lost_after_min: float = lost_runs.LOST_AFTER_MIN,
) -> list[Step]:
    """Make what is missing on the server in use, and tell what was done about each thing, in order.

    Args:
        kind: The type of the pools.
        image: Of their containers.
        reset: Also set back what differs, and free the slots that are taken.
        dry_run: Do nothing; the steps tell what would be done.
        lost_after_min: Minutes after which a run that no longer tells that it lives is called crashed.

    Raises BadSetting where a pool of another type has the name, which no update can change.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        steps = []
        for pool in POOLS:
            steps += _set_up_pool(client, pool, kind, image, reset, dry_run)
        if kind != "kubernetes":  # a cluster gives each run its own processors
            steps += _set_up_limits(client, reset, dry_run)
        for silence in lost_runs.silences(lost_after_min):
            steps.append(_set_up_automation(client, silence, reset, dry_run))
        return steps


def _set_up_automation(client: Any, silence: lost_runs.Silence, reset: bool, dry_run: bool) -> Step:
    found = lost_runs.find(client, silence)
    if found is None:
        if not dry_run:
            lost_runs.create(client, silence)
        return Step("automation", silence.name, "made")
    mend = partial(lost_runs.set_back, client, found, silence)
    return _mended("automation", silence.name, lost_runs.difference(found, silence), reset, dry_run, mend)


def _set_up_pool(
    client: Any, pool: Pool, kind: PoolType, image: str | None, reset: bool, dry_run: bool
) -> Iterator[Step]:
    from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
    from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

    template = job_template(kind, pool.name, image)
    try:
        found = client.read_work_pool(pool.name)
    except ObjectNotFound:
        yield Step("pool", pool.name, "made", f"type {kind}")
        if dry_run:
            yield from (Step("queue", f"{pool.name}/{queue.name}", "made") for queue in pool.queues)
            return
        wanted = WorkPoolCreate(name=pool.name, type=kind, description=pool.description, base_job_template=template)
        with suppress(ObjectAlreadyExists):  # somebody else is setting up at this moment
            client.create_work_pool(wanted)
        yield from _set_up_queues(client, pool, reset, dry_run, fresh=True)
    else:
        if found.type != kind and reset:
            advice = f"`prefect work-pool delete {pool.name}` first."
            raise BadSetting(f"{pool.name} is of type {found.type}, not {kind}, which cannot be changed: {advice}")
        if found.type != kind:
            yield Step("pool", pool.name, "left as it is", f"its type is {found.type}, not {kind}")
        else:
            update = WorkPoolUpdate(base_job_template=template)
            why = "" if found.base_job_template == template else "it has another job template"
            yield _mended("pool", pool.name, why, reset, dry_run, lambda: client.update_work_pool(pool.name, update))
        yield from _set_up_queues(client, pool, reset, dry_run)


def _set_up_queues(client: Any, pool: Pool, reset: bool, dry_run: bool, *, fresh: bool = False) -> Iterator[Step]:
    """The queues, first served first. A pool is born with `default`, which each queue that is made moves down."""
    from prefect.exceptions import ObjectAlreadyExists

    def there() -> dict[str, Any]:
        return {queue.name: queue for queue in client.read_work_queues(work_pool_name=pool.name)}

    before = there()
    missing = [queue for queue in pool.queues if queue.name not in before]
    for queue in missing if not dry_run else ():
        with suppress(ObjectAlreadyExists):
            client.create_work_queue(queue.name, priority=queue.priority, work_pool_name=pool.name)
    now = before if dry_run or not missing else there()
    for queue in pool.queues:
        name = f"{pool.name}/{queue.name}"
        if fresh or queue in missing:
            yield Step("queue", name, "made", f"priority {queue.priority}")
            continue
        found = now[queue.name]
        why = "" if found.priority == queue.priority else f"its priority is {found.priority}, not {queue.priority}"
        move = partial(client.update_work_queue, found.id, priority=queue.priority)
        yield _mended("queue", name, why, reset, dry_run, move)


def _set_up_limits(client: Any, reset: bool, dry_run: bool) -> Iterator[Step]:
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
    from prefect.exceptions import ObjectNotFound

    for limit in limits_of(machine_name()):
        try:
            found = client.read_global_concurrency_limit_by_name(limit.name)
        except ObjectNotFound:
            if not dry_run:
                client.create_global_concurrency_limit(
                    GlobalConcurrencyLimitCreate(name=limit.name, limit=limit.slots, active=True, active_slots=0)
                )
            yield Step("limit", limit.name, "made", f"{limit.slots} at a time")
            continue
        differs = [
            *([f"it lets {found.limit} at a time, not {limit.slots}"] if found.limit != limit.slots else []),
            *([] if found.active else ["it is switched off"]),
            *([f"{found.active_slots} slots are taken"] if reset and found.active_slots else []),
        ]
        update = GlobalConcurrencyLimitUpdate(limit=limit.slots, active=True, active_slots=0)
        mend = partial(client.update_global_concurrency_limit, limit.name, update)
        yield _mended("limit", limit.name, ", ".join(differs), reset, dry_run, mend)


def _mended(
    kind: Literal["pool", "queue", "limit", "automation"],
    name: str,
    why: str,
    reset: bool,
    dry_run: bool,
    mend: Callable[[], object],
) -> Step:
    """What becomes of a thing that is there: `why` tells how it differs."""
    if not why:
        return Step(kind, name, "as wanted")
    if not reset:
        return Step(kind, name, "left as it is", why)
    if not dry_run:
        mend()
    return Step(kind, name, "reset", why)
