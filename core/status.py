"""What Winnow is doing on this machine and how the last night went, as far as files tell.

Not told here: what waits in work queues and what other machines' workers do. Only Prefect's API knows that.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.backoff import Backoff
from core.errors import StoreError
from core.markers import Mark, marks
from core.nightly_files import last_report
from core.nightly_report import NightlyReport, RecordingEnd

IMPATIENT = Backoff(attempts=2)
"""Somebody waits for the answer."""
AT_HOME = ("analysis", "scratch", "copies", "models", "weights", "embeddings", "prefect")
"""Folders of the home folder whose size is told apart."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Use of the disk that the home folder is on, in bytes."""

    parts: dict[str, int]
    """Folder of the home folder -> size; what else is in it is "other"."""
    free: int
    total: int

    @property
    def used(self) -> int:
        """By Winnow."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Status:
    """What files tell. `trouble` says what could not be looked at, and why."""

    running: tuple[Mark, ...]
    """Recordings being worked on."""
    nightlies: tuple[Mark, ...]
    """Nightlies under way."""
    waiting: int
    """Recordings that the nightlies under way have not begun."""
    last: NightlyReport | None
    disk: Disk | None
    trouble: tuple[str, ...] = ()

    @property
    def failures(self) -> list[RecordingEnd]:
        """Recordings that failed in the last nightly."""
        return self.last.of("failed") if self.last else []


def status(home: Path, store_uri: str | None = None) -> Status:
    """Look at the home folder and, where one is named, the store. Nothing is changed; what is missing is no error."""
    found, trouble, last = marks(home), [], None
    if store_uri:
        try:
            last = last_report(store_uri, backoff=IMPATIENT)
        except StoreError as error:
            trouble.append(str(error))
    nightlies = tuple(mark for mark in found if mark.kind == "nightly")
    return Status(
        running=tuple(mark for mark in found if mark.kind == "recording"),
        nightlies=nightlies,
        waiting=sum(mark.waiting for mark in nightlies),
        last=last,
        disk=_disk(home) if home.is_dir() else None,
        trouble=tuple(trouble),
    )


def _disk(home: Path) -> Disk:
    parts = {name: _size(home / name) for name in AT_HOME if (home / name).is_dir()}
    others = [entry for entry in home.iterdir() if entry.name not in parts]
    space = shutil.disk_usage(home)
    return Disk({**parts, "other": sum(map(_size, others))}, space.free, space.total)


def _size(path: Path) -> int:
    """Bytes of a file or of all files below a folder; links are not followed, what vanishes is not counted."""
    if path.is_symlink():
        return 0
    if path.is_file():
        return _bytes((path,))
    return sum(_bytes(Path(parent, name) for name in names) for parent, _, names in os.walk(path))


def _bytes(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        try:
            total += file.lstat().st_size
        except FileNotFoundError:
            continue
    return total
