"""Retention in a home folder: entries of stages, caches, and what killed processes left."""

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from os import getpid
from pathlib import Path

from core.disk_cache import DiskCache
from core.leases import removing_from
from core.records import StageRef
from core.retention_items import RENDERINGS, Item, Kind, older
from core.store import Store

CACHES = ("embeddings", "copies")
FETCHED = "inbox"
"""The disk cache of recordings from buckets; it knows itself which of them are in use."""
FRESH_S = 3_600.0
"""Whatever the policy says: nothing goes that was written within this time."""


def old_entries(
    home: Path, kept_days: Callable[[str], float | None], leftovers_days: float | None, now_s: float
) -> list[Item]:
    """Entries of stages older than their stage is kept, and incomplete ones that nobody writes any more."""
    store, found = Store(home), []
    for folder in sorted(home.glob("analysis/*/*/*")):
        sha256, stage, key = folder.relative_to(home / "analysis").parts
        if not folder.is_dir():
            continue
        whole = store.complete(StageRef(sha256, stage, key))
        days = kept_days(stage) if whole else leftovers_days
        kind: Kind = "leftovers" if not whole else "renderings" if stage in RENDERINGS else "intermediates"
        item = _item(home, folder, kind, f"{stage} of {sha256[:8]}" if whole else "incomplete", sha256, key)
        if older(item.modified_s, days, now_s) and now_s - item.modified_s > FRESH_S:
            found.append(item)
    return found


def old_caches(home: Path, days: float | None, now_s: float) -> Iterator[Item]:
    """Single files of the caches, by when they were written."""
    for name in CACHES:
        for path in sorted((home / name).rglob("*")):
            if path.is_file() and older(_modified(path), days, now_s) and now_s - _modified(path) > FRESH_S:
                yield _item(home, path, "caches", name)


def old_fetched(home: Path, days: float | None, now_s: float) -> Iterator[Item]:
    """Recordings that were fetched from a bucket, by when they were last used."""
    for path in sorted((home / FETCHED / "objects").rglob("*")):
        used_s = _modified(path)
        if path.is_file() and older(used_s, days, now_s) and now_s - used_s > FRESH_S:
            yield _item(home, path, "caches", FETCHED)


def old_scratch(home: Path, days: float | None, now_s: float) -> Iterator[Item]:
    """What lies in the scratch folder untouched."""
    for path in sorted((home / "scratch").glob("*")):
        item = _item(home, path, "leftovers", "scratch of a run that is over")
        if older(item.modified_s, days, now_s):
            yield item


def busy(home: Path, recordings: Iterable[str]) -> set[str]:
    """Those of the recordings that a run works on just now."""
    found = set()
    for sha256 in recordings:
        with removing_from(home, sha256) as free:
            if not free:
                found.add(sha256)
    return found


def remove(home: Path, item: Item) -> str:
    """Remove it: "removed", "gone" if it was already, or why it stays."""
    path = home / item.path
    if item.why == FETCHED:
        return _remove_fetched(home, path, item)
    if not item.sha256:
        return _remove(home, path, item)
    with removing_from(home, item.sha256) as free:
        return _remove(home, path, item) if free else "a run works on the recording"


def _remove(home: Path, path: Path, item: Item) -> str:
    if not path.exists():
        return "gone"
    if _newest(path) > item.modified_s:
        return "it was written again"
    vanish(home, path)
    return "removed"


def _remove_fetched(home: Path, path: Path, item: Item) -> str:
    if not path.exists():
        return "gone"
    if _modified(path) > item.modified_s:
        return "it was used again"
    free = DiskCache(home / FETCHED, max_bytes=0).drop(path.name)
    return "removed" if free else "a run works on the recording"


def vanish(home: Path, path: Path) -> None:
    """Take a file or folder out of its place in one step, then remove it, and the folders that are empty then."""
    if path.is_file():
        path.unlink(missing_ok=True)
    else:
        # Named as a scratch folder of this process: if it is killed now, the next sweep of the store removes it.
        aside = home / "scratch" / f"expired-{getpid()}-{uuid.uuid4().hex}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        path.rename(aside)
        shutil.rmtree(aside)
    with suppress(OSError):  # not empty
        for parent in path.relative_to(home).parents[:-2]:
            (home / parent).rmdir()


def _item(home: Path, path: Path, kind: Kind, why: str, sha256: str = "", key: str = "") -> Item:
    sizes = [file.stat().st_size for file in _files(path)]
    newest = _newest(path)
    return Item(kind, "home", str(path.relative_to(home)), len(sizes), sum(sizes), newest, why, sha256, key)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [inside for inside in path.rglob("*") if inside.is_file()]


def _newest(path: Path) -> float:
    return max((_modified(inside) for inside in (path, *path.rglob("*"))), default=0.0)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
