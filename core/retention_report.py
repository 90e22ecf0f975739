"""What retention did, or would do, as rows for a table and as JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from core.retention import Applied, Plan, RetentionPolicy
from core.retention_items import Item, Stays

Outcome = Literal["goes", "removed", "spared", "failed"]


def rows(plan: Plan, applied: Applied | None = None) -> list[dict[str, Any]]:
    """One row a thing: what could not be removed first, then what went (or goes, where nothing was applied) and what
    was spared, each with the reason."""
    going = applied.removed if applied else plan.items
    stays = (*plan.spared, *(applied.skipped if applied else ()))
    return [
        *(_row("failed", one.item, one.why) for one in (applied.failed if applied else ())),
        *(_row("removed" if applied else "goes", item, item.why) for item in going),
        *(_row("spared", one.item, one.why) for one in stays),
    ]


def _row(outcome: Outcome, item: Item, why: str) -> dict[str, Any]:
    written = datetime.fromtimestamp(item.modified_s, UTC).isoformat(timespec="seconds")
    return {
        "outcome": outcome,
        "kind": item.kind,
        "where": item.place,
        "path": item.path,
        "files": item.files,
        "bytes": item.bytes,
        "written": written,
        "why": why,
    }


def summary(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each outcome and kind; where things stayed, also for each reason."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in found:
        why = "" if row["outcome"] in ("goes", "removed") else row["why"]
        groups.setdefault((row["outcome"], row["kind"], why), []).append(row)
    return [
        {"outcome": outcome, "kind": kind, "items": len(same), "files": _sum(same, "files"),
         "bytes": _sum(same, "bytes"), "why": why}
        for (outcome, kind, why), same in groups.items()
    ]  # fmt: skip


def as_data(plan: Plan, policy: RetentionPolicy, applied: Applied | None = None) -> dict[str, Any]:
    """All of it for programs. `dry_run` says that nothing was removed."""
    found = rows(plan, applied)
    return {
        "home": str(plan.home),
        "store": plan.store,
        "policy": policy.model_dump(mode="json"),
        "dry_run": applied is None,
        "bytes": _sum((row for row in found if row["outcome"] in ("goes", "removed")), "bytes"),
        "items": found,
    }


def unremoved(applied: Applied) -> str:
    """What to say where something could not be removed."""
    first: Stays = applied.failed[0]
    return f"{len(applied.failed)} things could not be removed; {first.item.path}: {first.why}"


def _sum(found: Iterable[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in found)
