"""What is no longer kept goes: intermediates, caches, old renditions, what killed runs left; by a policy in days."""

from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from core.errors import WinnowError
from core.home import home
from core.logs import bound, switch_on
from core.retention import RetentionPolicy, apply, expired
from core.retention_report import rows, summary, unremoved
from flows.places import checked_store
from flows.secret_block import take_secrets

MOST_ROWS = 500
"""Of single things in the artifact; the sums have all."""


class NotAllRemoved(WinnowError):
    """Something that should go could not be removed; the run's artifacts say what and why."""


@flow(name="retention", persist_result=False)
def retention(
    store_uri: str | None = None,
    policy: RetentionPolicy = RetentionPolicy(),  # noqa: B008  frozen
    dry_run: bool = False,
) -> list[dict[str, Any]]:
    """Remove what the policy no longer keeps, on this machine and in a store. What a run works on stays.

    Args:
        store_uri: The store, a folder or s3://bucket/prefix; without one only this machine's home folder is looked at.
        policy: For how many days things are kept.
        dry_run: Only say what would go.

    Returns the sums by outcome and kind, as in the artifact. Raises BadSetting for a store that is none, StoreError
    where it cannot be read, and NotAllRemoved.
    """
    switch_on()
    take_secrets()
    with bound(run_id=flow_run.get_id()):
        plan = expired(home(), checked_store(store_uri), policy, datetime.now(UTC))
        applied = None if dry_run else apply(plan)
    found = rows(plan, applied)
    told = summary(found)
    what = "What would go, and what stays" if dry_run else "What went, and what stays"
    create_table_artifact(key="retention", table=told, description=f"{what}: sums")
    most = f"; the first {MOST_ROWS} of {len(found)}" if len(found) > MOST_ROWS else ""
    create_table_artifact(key="retention-items", table=found[:MOST_ROWS], description=f"{what}{most}")
    get_run_logger().info("%s: %s", what, "; ".join(f"{r['outcome']} {r['items']} {r['kind']}" for r in told) or "none")
    if applied and applied.failed:
        raise NotAllRemoved(unremoved(applied))
    return told
