"""What a nightly would do: what of an inbox is new, and how long that may take, told before anything is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from core import catalog
from core.inbox_index import InboxIndex, split_new
from core.sources import SETTLE_S, InboxObject, captions_beside, list_inbox

LEAST_RUNS = 3
"""From so many runs in the catalog on, time is estimated."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A recording that is new, and the caption file beside it."""

    found: InboxObject
    captions: InboxObject | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, oldest first."""

    new: tuple[Planned, ...]
    known: int
    """Objects that earlier nightlies ended with."""
    known_sha256: frozenset[str]
    requests: int
    """Asked of the server for the listing."""
    estimate_s: float | None
    """Of the work, from past runs by their bytes; None where there are too few."""
    notes: tuple[str, ...]
    """What was left for later and why."""


def plan_night(
    inbox: str,
    store_uri: str,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    settle_s: float = SETTLE_S,
) -> Plan:
    """What is new in `inbox` for the store. Costs one listing and the index; opens no recording.

    Raises RefusedInput and BadSetting for an inbox or patterns that cannot be, StoreError where a server stays away.
    """
    listing = list_inbox(inbox, include=include, exclude=exclude, settle_s=settle_s)
    seen = InboxIndex(store_uri).read()
    new, known = split_new(listing.objects, seen)
    beside = captions_beside(listing)
    notes = [f"{each.name} may still be being written; a later nightly takes it." for each in listing.unsettled]
    notes += [f"{place} could not be looked into." for place in listing.unreadable]
    ordered = sorted(new, key=lambda found: (found.modified_s, found.uri))
    return Plan(
        new=tuple(Planned(found, beside.get(found.uri)) for found in ordered),
        known=len(known),
        known_sha256=frozenset(seen.by_fingerprint.values()),
        requests=listing.requests,
        estimate_s=_estimate_s(store_uri, sum(found.bytes for found in new)),
        notes=tuple(notes),
    )


def _estimate_s(store_uri: str, new_bytes: int) -> float | None:
    """Seconds a byte of recordings that were done, at the median, times the bytes. A rough guess, and named so."""
    sizes = catalog.read(store_uri, "videos", columns=["entry", "bytes"]).to_pylist()
    runs = catalog.read(store_uri, "runs", columns=["entry", "seconds"]).to_pylist()
    took_s = {run["entry"]: run["seconds"] for run in runs}
    rates = [took_s[each["entry"]] / each["bytes"] for each in sizes if each["bytes"] and each["entry"] in took_s]
    return median(rates) * new_bytes if len(rates) >= LEAST_RUNS else None
