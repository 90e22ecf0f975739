"""Forget a recording: remove everything derived from it, and prove that nothing is left where Winnow keeps things.

The order is such that a removal that is killed can be done again and ends the same: the tombstone first, so that
nothing new is made; what is known of where things lie (the timelines, the catalog) only after what it leads to.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from core import claims, forgotten_rows, once, tombstones
from core.disk_cache import DiskCache
from core.errors import RefusedInput, StoreError
from core.failure_logs import FOLDER as LOGS
from core.inbox_index import InboxIndex
from core.leases import removing_from
from core.patience import asked, opened
from core.retention_home import vanish
from core.retention_store import Published
from core.store import Store

SHA256 = re.compile(r"[0-9a-f]{64}")
NOT_REACHED = (
    "The recording itself, in the inbox or wherever else it lies.",
    "Copies of clips that were made elsewhere.",
    "The database of the Prefect server: names of runs, parameters and tables of clips stay until the server's own "
    "retention removes them.",
    "Models that were trained with the recording, and data prepared for training.",
    "Backups, and older versions of objects where the bucket keeps versions.",
)
"""What `forget` cannot reach, whatever it finds."""
NO_TIMELINE = (
    "Sentence vectors are kept by the sentences, not by the recording, and no timeline is left to tell which are this "
    "one's. Remove the folder embeddings of the home folder to be sure; it is only a cache."
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, and what a search for the recording found afterwards."""

    sha256: str
    removed: dict[str, int]
    """Files by what they were, and what else went, such as lines of the inbox's index."""
    rows: dict[str, int]
    """Rows removed from each table of the catalog."""
    left: tuple[str, ...]
    """Names that still hold the hash, tables and the index if they still have rows: nothing, where all went well."""
    elsewhere: tuple[str, ...]
    """Manifests outside the store that the catalog knew of: they lie in folders of people's own, which stay."""
    not_reached: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """True if no name, row or line with the hash is left."""
        return not self.left

    def as_text(self) -> str:
        """For people."""
        went = [f"{count} × {what}" for what, count in self.removed.items() if count]
        went += [f"{count} × row of {table}" for table, count in self.rows.items() if count]
        lines = [f"Removed of {self.sha256}: {', '.join(went) or 'nothing; there was nothing'}."]
        lines += [f"STILL THERE: {what}" for what in self.left]
        if self.proven:
            lines.append("No file name, row of the catalog or line of the inbox's index holds the hash any more.")
        lines += [f"Published elsewhere, not removed: {where}" for where in self.elsewhere]
        return "\n".join([*lines, "Not reached:", *(f"- {what}" for what in self.not_reached)])


def forget(
    sha256: str,
    *,
    home: Path,
    store: str | Path,
    catalog: str | Path | None = None,
    caches: Sequence[DiskCache] = (),
    now: datetime | None = None,
) -> Forgotten:
    """Remove everything derived from a recording, and look for what is left. Doing it again is safe.

    Args:
        sha256: The recording's whole hash.
        home: The home folder of this machine; do the same on every machine that has worked on the recording.
        store: Where clips, the inbox's index and tombstones lie.
        catalog: The store whose catalog it stands in; `store` if None.
        caches: Caches of fetched recordings.

    Raises RefusedInput for what is no hash, StoreError if a run works on the recording or something cannot be removed.
    """
    if not SHA256.fullmatch(sha256):
        raise RefusedInput(f"{sha256!r:.80} is no SHA-256: give all 64 hexadecimal digits, in lower case.")
    catalog = store if catalog is None else catalog
    with removing_from(home, sha256) as free:
        if not free:
            raise StoreError(f"Forgetting {sha256}: a run works on it just now. Cancel the run, or wait for its end.")
        tombstones.bury(store, sha256, at=now or datetime.now(UTC))
        try:
            elsewhere = _elsewhere(catalog, sha256, str(store))
            removed = {"file of a publication": _published(store, sha256)}
            told_apart, removed["sentence vectors"] = _vectors(home, sha256)
            removed["file of the home folder"] = _at_home(home, sha256)
            if not all(cache.drop(sha256) for cache in caches):
                raise StoreError(f"Forgetting {sha256}: its copy is in use. Cancel what uses it, and forget again.")
            removed["line of the inbox's index"] = InboxIndex(store).forget(sha256)
            removed["log of a failure"] = _failure_logs(catalog, sha256)
            removed["note of its end"] = claims.reopen(store, sha256)
            rows = forgotten_rows.remove(catalog, sha256)
        except OSError as error:
            raise StoreError(f"Forgetting {sha256} stopped: {error}. What went is gone; do it again.") from error
        places = [home, *(cache.root for cache in caches)]
        lines = sum(known == sha256 for known in InboxIndex(store).read().by_fingerprint.values())
        index = [f"{lines} lines of the inbox's index"] if lines else []
        left = (*_names(places, store, sha256), *index, *forgotten_rows.left(catalog, sha256))
    reached = NOT_REACHED if told_apart else (NO_TIMELINE, *NOT_REACHED)
    return Forgotten(sha256, removed, rows, left, elsewhere, reached)


def _elsewhere(catalog: str | Path, sha256: str, store: str) -> tuple[str, ...]:
    known = forgotten_rows.manifests(catalog, sha256)
    inside = f"{store.removeprefix('file://').rstrip('/')}/"
    return tuple(sorted(uri for uri in known if not uri.removeprefix("file://").startswith(inside)))


def _published(store: str | Path, sha256: str) -> int:
    published = Published(store)
    return sum(published.remove(folder) for folder in published.of(sha256))


def _failure_logs(catalog: str | Path, sha256: str) -> int:
    """Remove the logs of failures that the catalog knows of."""
    fs, root = opened(catalog)
    names = {log[log.rindex(part) :] for log in forgotten_rows.logs(catalog, sha256) if (part := f"/{LOGS}/") in log}
    return sum(once.remove(fs, f"{root}{name}") for name in names)


def _vectors(home: Path, sha256: str) -> tuple[bool, int]:
    """Remove the sentence vectors of the recording's timelines: whether there was one to go by, and how many went.

    They are named by the hash of the encoder's identity, which is their folder, and the sentences that have a word in
    them. A vector of sentences that another recording has as well goes too: it is made again.
    """
    spoken = [_spoken(path) for path in (home / "analysis" / sha256).glob("merge/*/timeline.parquet")]
    gone = 0
    for folder in (home / "embeddings").glob("*"):
        for texts in spoken:
            digest = hashlib.sha256(json.dumps([folder.name, *texts]).encode()).hexdigest()
            if (path := folder / f"{digest}.npy").exists():
                path.unlink(missing_ok=True)
                gone += 1
    empty = not (home / "embeddings").exists() or not (home / "analysis" / sha256).exists()
    return bool(spoken) or empty, gone


def _spoken(timeline: Path) -> list[str]:
    texts = [(text or "").strip() for text in pq.read_table(timeline, columns=["text"])["text"].to_pylist()]
    return [text for text in texts if any(letter.isalnum() for letter in text)]


def _at_home(home: Path, sha256: str) -> int:
    """Everything whose name or folder holds the hash: entries of stages, copies."""
    found = list(_holding(home, sha256))
    files = [sum(inside.is_file() for inside in (path, *path.rglob("*"))) for path in found]
    for path in found:
        vanish(home, path)
    Store(home).sweep()  # what an earlier removal, killed, had already moved aside
    return sum(files)


def _holding(folder: Path, sha256: str) -> Iterator[Path]:
    """Files and folders below whose own name holds the hash, without those inside such a folder."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in [*folders, *files] if sha256 in name)
        folders[:] = [name for name in folders if sha256 not in name]


def _names(folders: Sequence[Path], store: str | Path, sha256: str) -> list[str]:
    fs, root = opened(store)
    below = asked(fs, f"Listing {root}", lambda: fs.find(root))
    here = [str(path) for folder in folders for path in _holding(folder, sha256)]
    return [*here, *(str(path) for path in below if sha256 in str(path))]
