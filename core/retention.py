"""What is kept for how long, and what goes: first a plan that lists it, then, if wanted, the removal.

Nothing goes that a run is working on, that a manifest names, or that was written again since the plan. Each thing goes
in an order that leaves nothing half-visible if the removal is killed: an entry is moved out of its place before its
files go, a publication loses its manifest first, a day of the catalog is one file. What is left by such a removal is
found by the next plan.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core import retention_home, retention_store
from core.errors import StoreError
from core.retention_items import RENDERINGS, Item, Place, Stays

log = logging.getLogger(__name__)
MOST_FAILURES = 3
"""A bucket is asked with patience each time: one that stays away must not be asked for every item."""
Keep = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class RetentionPolicy(BaseModel):
    """Days for which things are kept: 0 is no longer than a run needs them, none given (null) is for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intermediates_days: Annotated[Keep, Field(description="What stages left of a recording: sound, words, …")] = 30.0
    renderings_days: Annotated[Keep, Field(description="Stored renderings, of which published clips are copies.")] = (
        14.0
    )
    caches_days: Annotated[
        Keep,
        Field(description="Sentence vectors and copies, since they were made; fetched recordings, since their use."),
    ] = 30.0
    clips_days: Annotated[Keep, Field(description="Published recordings in the store, by their day.")] = None
    leftovers_days: Annotated[
        Keep, Field(ge=1, description="What killed runs left, and files that no manifest names.")
    ] = 2.0
    failures_days: Annotated[Keep, Field(description="Failures in the catalog, and their logs, by their day.")] = 180.0
    catalog_days: Annotated[Keep, Field(description="The catalog's other tables, by their day.")] = None

    def kept_days(self, stage: str) -> float | None:
        """How long the entry of a stage is kept."""
        return self.renderings_days if stage in RENDERINGS else self.intermediates_days


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes, first in the store, then at home, each the oldest first; and what stays although it is old enough."""

    home: Path
    store: str | None
    items: tuple[Item, ...]
    spared: tuple[Stays, ...]

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.items)

    def as_table(self) -> list[dict[str, str | int | float]]:
        """One row a kind: how many, how much."""
        kinds = list(dict.fromkeys(item.kind for item in self.items))
        return [
            {"kind": kind, "items": len(same), "files": sum(i.files for i in same), "bytes": sum(i.bytes for i in same)}
            for kind in kinds
            if (same := [item for item in self.items if item.kind == kind])
        ]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a removal did; `skipped` says why something on the plan stayed, `failed` what could not be removed."""

    removed: tuple[Item, ...]
    skipped: tuple[Stays, ...]
    failed: tuple[Stays, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.removed)


def expired(home: Path, store: str | Path | None, policy: RetentionPolicy, now: datetime) -> Plan:
    """What the policy lets go. Nothing is changed.

    Args:
        home: The home folder of this machine.
        store: The store with clips and catalog; None looks at the home folder alone.
        now: With its time zone.

    Raises StoreError where the store cannot be read.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    at_s = now.timestamp()
    entries = retention_home.old_entries(home, policy.kept_days, policy.leftovers_days, at_s)
    found: list[Item] = [
        *retention_home.old_caches(home, policy.caches_days, at_s),
        *retention_home.old_fetched(home, policy.caches_days, at_s),
        *retention_home.old_scratch(home, policy.leftovers_days, at_s),
    ]
    spared: list[Stays] = []
    if store is not None:
        clips = retention_store.Published(store)
        found += clips.old(policy.clips_days, policy.leftovers_days, now)
        found += retention_store.old_asides(store, policy.leftovers_days, now)
        found += retention_store.old_days(store, policy.failures_days, policy.catalog_days, now)
        found += retention_store.old_logs(store, policy.failures_days, now)
        going = {item.path for item in found if item.kind == "clips"}
        named = {item.path for item in entries if item.key and clips.names_rendering(item.sha256, item.key, going)}
        spared += [Stays(item, "a manifest names it") for item in entries if item.path in named]
        entries = [item for item in entries if item.path not in named]
    busy = retention_home.busy(home, {item.sha256 for item in entries if item.sha256})
    spared += [Stays(item, "a run works on the recording") for item in entries if item.sha256 in busy]
    found += [item for item in entries if item.sha256 not in busy]
    # A publication goes before the renderings that it names, and of each place the oldest first.
    found.sort(key=lambda item: (item.place == "home", item.modified_s))
    return Plan(home, str(store) if store else None, tuple(found), tuple(spared))


def apply(plan: Plan) -> Applied:
    """Remove what is on the plan, if it is still as it was then. What is gone already counts as neither.

    What cannot be removed is told, and the rest goes; after MOST_FAILURES in a row in the home folder or the store no
    more is tried there. Doing it again is safe.
    """
    removed: list[Item] = []
    skipped: list[Stays] = []
    failed: list[Stays] = []
    in_a_row: dict[Place, int] = {"home": 0, "store": 0}
    for item in plan.items:
        if in_a_row[item.place] >= MOST_FAILURES:
            failed.append(Stays(item, f"not tried after {MOST_FAILURES} failures in a row"))
            continue
        try:
            ending = _remove(plan, item)
        except (OSError, StoreError) as error:
            in_a_row[item.place] += 1
            failed.append(Stays(item, str(error)))
            log.error("not removed", extra={**_about(item), "error": str(error)})
            continue
        in_a_row[item.place] = 0
        if ending == "removed":
            removed.append(item)
            log.info("removed", extra={**_about(item), "bytes": item.bytes, "why": item.why})
        elif ending != "gone":
            skipped.append(Stays(item, ending))
            log.info("spared", extra={**_about(item), "why": ending})
    return Applied(tuple(removed), tuple(skipped), tuple(failed))


def _remove(plan: Plan, item: Item) -> str:
    if item.place == "home":
        return retention_home.remove(plan.home, item)
    if plan.store is None:
        raise ValueError("the plan has something of a store and names none")
    return retention_store.remove(plan.store, item)


def _about(item: Item) -> dict[str, str]:
    of = {"sha256": item.sha256} if item.sha256 else {}
    return {"kind": item.kind, "place": item.place, "path": item.path, **of}
