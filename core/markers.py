"""Marks that running work leaves on its machine, so that another process can tell what runs and what waits.

A mark is a small file under `<home>/running`. It counts only while the process that wrote it lives, so that a killed
run needs no cleaning up; marks of other machines that share the folder count while they are fresh.
"""

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Literal

from core.files import write_atomically
from core.progress import Event, RecordingEvent, StageEvent

RUNNING = "running"
EVERY_S = 2.0
"""Progress is written at most this often."""
FRESH_S = 600.0
"""A mark of another machine that is older is taken for left behind."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a process does: a nightly with so many recordings waiting, or one recording."""

    kind: Literal["nightly", "recording"]
    run_id: str
    name: str
    began: float
    """Seconds since 1970, as `updated`."""
    updated: float
    pid: int
    process_began: str
    """Tells the process from a later one of the same number; "" where the system does not say."""
    host: str
    sha256: str | None = None
    stage: str | None = None
    fraction: float = 0.0
    """Of the stage, 0..1."""
    duration_s: float | None = None
    waiting: int = 0


class Marker:
    """Keeps one mark up to date. Its methods may be called from any thread."""

    def __init__(self, path: Path, mark: Mark) -> None:
        self._path, self._mark, self._lock = path, mark, Lock()
        self._write(mark)

    @property
    def stage(self) -> str | None:
        """The stage that was heard of last."""
        return self._mark.stage

    def waiting(self, count: int) -> None:
        """So many recordings have not begun."""
        with self._lock:
            self._write(replace(self._mark, waiting=count))

    def hear(self, event: Event) -> None:
        """A listener for `core.progress`: events of other recordings are passed over."""
        if event.recording != self._mark.name:
            return
        with self._lock:
            if isinstance(event, RecordingEvent):
                if event.duration_s is not None:
                    self._write(replace(self._mark, duration_s=event.duration_s))
            elif isinstance(event, StageEvent):
                changed = replace(self._mark, stage=event.stage, fraction=event.fraction)
                if event.stage != self._mark.stage or time.time() - self._mark.updated >= EVERY_S:
                    self._write(changed)

    def _write(self, mark: Mark) -> None:
        self._mark = replace(mark, updated=time.time())
        write_atomically(self._path, json.dumps(asdict(self._mark)))


@contextmanager
def marked(
    home: Path, kind: Literal["nightly", "recording"], *, run_id: str, name: str, sha256: str | None = None
) -> Iterator[Marker]:
    """Leave a mark while the block runs. `name` is the recording's, or whatever the nightly is called."""
    token = re.sub(r"[^A-Za-z0-9_-]", "-", f"{run_id[:40]}-{sha256 or kind}")
    path = home / RUNNING / f"{socket.gethostname()}-{os.getpid()}-{token}.json"
    now = time.time()
    mark = Mark(
        kind, run_id, name, now, now, os.getpid(), _process_began(os.getpid()), socket.gethostname(), sha256=sha256
    )
    marker = Marker(path, mark)
    try:
        yield marker
    finally:
        path.unlink(missing_ok=True)


def marks(home: Path) -> list[Mark]:
    """What runs, in the order in which it began."""
    found = []
    for path in sorted((home / RUNNING).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # gone meanwhile, or no mark of ours
            mark = Mark(**json.loads(path.read_bytes()))
            if _holds(mark):
                found.append(mark)
    return sorted(found, key=lambda mark: mark.began)


def sweep(home: Path) -> None:
    """Remove marks of processes of this machine that are gone, and marks of other machines left behind."""
    for path in (home / RUNNING).glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            if not _holds(Mark(**json.loads(path.read_bytes()))):
                path.unlink(missing_ok=True)


def _holds(mark: Mark) -> bool:
    if mark.host != socket.gethostname():
        return time.time() - mark.updated < FRESH_S
    if mark.process_began:
        return _process_began(mark.pid) == mark.process_began
    try:
        os.kill(mark.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_began(pid: int) -> str:
    """When a process began, in the kernel's own count since boot, and which boot (Linux); "" where it is not told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if stat[0] in "ZX" else f"{boot}/{stat[19]}"  # 22nd field: starttime; a zombie no longer works
