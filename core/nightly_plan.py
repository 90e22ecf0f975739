"""What a nightly would do: what of an inbox is new, and how long that may take, told before anything is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from urllib.parse import unquote

from core import catalog
from core.bucket import is_s3
from core.catalog_rows import without_secrets
from core.dead_letters import MOST_ATTEMPTS, Failure, failures
from core.errors import RefusedInput, StoreError
from core.files import to_path, to_uri
from core.inbox_index import InboxIndex, split_new
from core.patterns import matcher
from core.sources import SETTLE_S, InboxObject, Listing, captions_beside, list_inbox

LEAST_RUNS = 3
"""From so many runs in the catalog on, time is estimated."""
RECENT = timedelta(days=90)
"""Estimates look at runs since then: machines and settings change, and the catalog grows for years."""


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
    given_up: tuple[InboxObject, ...]
    """Dead letters: they failed too often."""
    requests: int
    """Asked of the server for the listing."""
    estimate_s: float | None
    """Of the work, from recent runs by their bytes; None where there are too few, or the catalog cannot be read."""
    notes: tuple[str, ...]
    """What was left for later and why, and what could not be told."""


def plan_night(
    inbox: str,
    store_uri: str,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    settle_s: float = SETTLE_S,
    only: Sequence[str] = (),
    most_attempts: int = MOST_ATTEMPTS,
) -> Plan:
    """What is new in `inbox` for the store. Costs one listing and the index; opens no recording.

    Args:
        only: URIs to take, and nothing else; only their folders are then listed.
        most_attempts: What failed so often in a row is left.

    Raises RefusedInput and BadSetting for an inbox or patterns that cannot be, StoreError where a server stays away.
    """
    if only:
        listing = _only(inbox, only, include, exclude, settle_s)
    else:
        listing = list_inbox(inbox, include=include, exclude=exclude, settle_s=settle_s)
    seen = InboxIndex(store_uri).read()
    new, known = split_new(listing.objects, seen)
    failed = failures(store_uri) if new else {}
    dead = [found for found in new if _is_dead(found, failed.get(without_secrets(found.uri)), most_attempts)]
    beside = captions_beside(listing)
    notes = [f"{each.name} may still be being written; a later nightly takes it." for each in listing.unsettled]
    notes += [f"{place} could not be looked into." for place in listing.unreadable]
    notes += [f"{each.name} failed {most_attempts} times and is left: `winnow failures list`." for each in dead]
    new = [found for found in new if found not in dead]
    estimate_s = None
    try:
        estimate_s = _estimate_s(store_uri, sum(found.bytes for found in new), datetime.now(UTC).date())
    except StoreError as error:  # nothing that the work needs
        notes.append(f"The time of the work could not be estimated. {error}")
    ordered = sorted(new, key=lambda found: (found.modified_s, found.uri))
    return Plan(
        new=tuple(Planned(found, beside.get(found.uri)) for found in ordered),
        known=len(known),
        given_up=tuple(dead),
        requests=listing.requests,
        estimate_s=estimate_s,
        notes=tuple(notes),
    )


def _only(inbox: str, only: Sequence[str], include: Sequence[str], exclude: Sequence[str], settle_s: float) -> Listing:
    """The named objects, of listings of their folders. Raises RefusedInput for one outside the inbox."""
    base = inbox.rstrip("/") if is_s3(inbox) else to_uri(to_path(inbox).expanduser()).rstrip("/")
    taken, wanted = matcher(include, exclude), set()
    for uri in (uri if "://" in uri else to_uri(to_path(uri).expanduser()) for uri in only):
        if not uri.startswith(f"{base}/"):
            raise RefusedInput(f"{uri} is not in the inbox {inbox}.")
        key = uri[len(base) + 1 :]
        if taken(key if is_s3(inbox) else unquote(key)):
            wanted.add(uri)
    folders = sorted({uri.rpartition("/")[0] for uri in wanted})
    parts = [list_inbox(folder, settle_s=settle_s) for folder in folders]
    return Listing(
        objects=tuple(o for part in parts for o in part.objects if o.uri in wanted),
        unsettled=tuple(o for part in parts for o in part.unsettled if o.uri in wanted),
        captions=tuple(o for part in parts for o in part.captions),
        unreadable=tuple(place for part in parts for place in part.unreadable),
        requests=sum(part.requests for part in parts),
    )


def _is_dead(found: InboxObject, failure: Failure | None, most_attempts: int) -> bool:
    """Whether it failed too often, and is still what it was then."""
    if failure is None or not failure.given_up(most_attempts):
        return False
    return found.modified_s <= failure.last.timestamp()


def _estimate_s(store_uri: str, new_bytes: int, today: date) -> float | None:
    """Seconds a byte of recordings that were done, at the median, times the bytes. A rough guess, and named so."""
    if not new_bytes:
        return 0.0
    days = (today - RECENT, today + timedelta(days=2))  # another machine's clock may be ahead
    sizes = catalog.read(store_uri, "videos", days=days, columns=["entry", "bytes"]).to_pylist()
    runs = catalog.read(store_uri, "runs", days=days, columns=["entry", "seconds"]).to_pylist()
    took_s = {run["entry"]: run["seconds"] for run in runs}
    rates = [took_s[each["entry"]] / each["bytes"] for each in sizes if each["bytes"] and each["entry"] in took_s]
    return median(rates) * new_bytes if len(rates) >= LEAST_RUNS else None
