"""Recordings that failed: which are tried again, and which were given up until somebody says to try them again.

What failed is in the catalog. A recording that failed so often in a row is a dead letter: nightlies leave it. A pardon
(a small file in the store) lets failures before it count no more, and so does a change of the object in the inbox.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core import catalog, once
from core.errors import RefusedInput
from core.patience import asked, opened

FOLDER = "pardons"
MOST_ATTEMPTS = 3
OUTSIDE = frozenset(
    {"StoreError", "OSError", "PermissionError", "TimeoutError", "ConnectionError", "PrefectHTTPStatusError"}
    | {
        "BadSetting",
        "MachineTrouble",
        "MediaKilled",
        "ConnectError",
        "ConnectTimeout",
        "ReadError",
        "ReadTimeout",
        "RemoteProtocolError",
        "PoolTimeout",
    }
)
"""Errors that say nothing about the recording, by a rule of thumb: the store, the network, the disk, the server, a
setting. Some nights of an outage must not make dead letters of everything."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A recording that failed and has not come to an end since."""

    uri: str
    name: str
    sha256: str | None
    attempts: int
    """Failures that count: since it last ended, was pardoned, or changed; none that came from outside it."""
    last: datetime
    reason: str
    error: str
    stage: str | None
    look: str | None
    tried: int
    """Failures in all."""

    def given_up(self, most_attempts: int) -> bool:
        """Whether nightlies leave it."""
        return self.attempts >= most_attempts

    def as_row(self, most_attempts: int) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"last": self.last.isoformat(), "given_up": self.given_up(most_attempts)}


def failures(store_uri: str) -> dict[str, Failure]:
    """Every recording whose last turn failed, by its URI, the latest first. Raises StoreError if it cannot be read."""
    columns = ["uri", "name", "sha256", "at", "reason", "error", "stage", "log"]
    rows = catalog.read(store_uri, "failures", columns=columns).to_pylist()
    if not rows:
        return {}
    ended, found = _ended(store_uri), dict[str, list[dict[str, Any]]]()
    for row in rows:
        if row["uri"] not in ended or row["at"] > ended[row["uri"]]:
            found.setdefault(row["uri"], []).append(row)
    pardoned = _pardons(store_uri)
    alive = [_failure(rows, pardoned.get(uri)) for uri, rows in found.items()]
    return {failure.uri: failure for failure in sorted(alive, key=lambda failure: failure.last, reverse=True)}


def _ended(store_uri: str) -> dict[str, datetime]:
    """URI -> when it last came to an end that was no failure."""
    ended = dict[str, datetime]()
    for row in catalog.read(store_uri, "runs", columns=["uri", "status", "began", "seconds"]).to_pylist():
        if row["status"] in ("done", "rejected"):
            at: datetime = row["began"] + timedelta(seconds=row["seconds"] or 0.0)
            ended[row["uri"]] = max(at, ended.get(row["uri"], at))
    return ended


def _failure(rows: Sequence[dict[str, Any]], pardoned: datetime | None) -> Failure:
    rows = sorted(rows, key=lambda row: row["at"])
    last = rows[-1]
    counted = [row for row in rows if (pardoned is None or row["at"] > pardoned) and row["error"] not in OUTSIDE]
    return Failure(
        uri=last["uri"],
        name=last["name"],
        sha256=last["sha256"],
        attempts=len(counted),
        last=last["at"],
        reason=last["reason"] or "",
        error=last["error"] or "",
        stage=last["stage"],
        look=last["log"],
        tried=len(rows),
    )


def chosen(found: Iterable[Failure], names: Sequence[str]) -> list[Failure]:
    """Those that are named by URI, file name or SHA-256 (or its beginning, of 8 digits and more).

    Raises RefusedInput for a name that fits none.
    """
    every, taken = list(found), dict[str, Failure]()
    for name in names:
        fits = [f for f in every if name in (f.uri, f.name) or (len(name) >= 8 and (f.sha256 or "").startswith(name))]
        if not fits:
            raise RefusedInput(f"No recording that failed is called {name}; `winnow failures list` has their names.")
        taken |= {failure.uri: failure for failure in fits}
    return list(taken.values())


def pardon(store_uri: str, uris: Sequence[str], *, at: datetime | None = None) -> None:
    """Let the failures of these recordings so far count no more. Raises StoreError if the store cannot be written."""
    fs, root = opened(store_uri)
    at = at or datetime.now(UTC)
    content = json.dumps({"at": at.isoformat(), "uris": list(uris)})
    once.create(fs, f"{root}/{FOLDER}/{at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.json", content.encode())


def _pardons(store_uri: str) -> dict[str, datetime]:
    """URI -> when it was pardoned last."""
    fs, root = opened(store_uri)
    folder, found = f"{root}/{FOLDER}", dict[str, datetime]()
    for path in asked(fs, f"Listing {folder}", lambda: fs.find(folder)):
        content = once.read(fs, str(path))
        if content is not None and str(path).endswith(".json"):
            told = json.loads(content)
            at = datetime.fromisoformat(told["at"])
            found |= {uri: max(at, found.get(uri, at)) for uri in told["uris"]}
    return found
