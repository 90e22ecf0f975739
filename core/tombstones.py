"""Recordings that were forgotten: remembered only so that they are not taken again.

A tombstone is named by the hash of the recording's hash. Who holds the recording can tell that it was forgotten; a
search of the store for the recording's own hash finds nothing.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path, PurePosixPath

import fsspec

from core import once
from core.patience import asked, opened

FOLDER = "forgotten"


def mark_of(sha256: str) -> str:
    """What stands for a forgotten recording."""
    return hashlib.sha256(f"forgotten {sha256}".encode()).hexdigest()


def bury(store: str | Path, sha256: str, *, at: datetime) -> None:
    """Leave a tombstone; one that is there already stays as it is."""
    fs, path = _place(store, sha256)
    once.create(fs, path, json.dumps({"forgotten": at.isoformat(timespec="seconds")}).encode())


def is_forgotten(store: str | Path, sha256: str) -> bool:
    """True if the recording was forgotten and not allowed again since."""
    fs, path = _place(store, sha256)
    return asked(fs, f"Looking for {path}", lambda: bool(fs.exists(path)))


def allow_again(store: str | Path, sha256: str) -> bool:
    """Remove the tombstone, so that the recording may be taken again; False where there was none."""
    return once.remove(*_place(store, sha256))


def all_marks(store: str | Path) -> frozenset[str]:
    """The marks of all forgotten recordings, to compare with `mark_of`."""
    fs, root = opened(store)
    folder = f"{root}/{FOLDER}"
    return frozenset(PurePosixPath(path).stem for path in asked(fs, f"Listing {folder}", lambda: fs.find(folder)))


def _place(store: str | Path, sha256: str) -> tuple[fsspec.AbstractFileSystem, str]:
    fs, root = opened(store)
    return fs, f"{root}/{FOLDER}/{mark_of(sha256)}.json"
