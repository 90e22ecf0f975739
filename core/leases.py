"""Which recordings are being worked on here, so that nothing is removed under a run's hands.

A run holds a shared lock, removal an exclusive one. The system lets a lock go when its process ends, however it ends.
Recordings share a fixed number of lock files: two may, rarely, be taken for one, which only makes one wait.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DIGITS = 3


@contextmanager
def working_on(home: Path, sha256: str) -> Iterator[None]:
    """Nothing of the recording is removed during the block; waits while something is."""
    with _lock_file(home, sha256).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def alone_with(home: Path, sha256: str) -> Iterator[None]:
    """No other run of this machine makes the same recording during the block; waits while one does."""
    with _lock_file(home, sha256, "making-").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def removing_from(home: Path, sha256: str) -> Iterator[bool]:
    """True if no run works on the recording, and none begins during the block; False if one does."""
    with _lock_file(home, sha256).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _lock_file(home: Path, sha256: str, kind: str = "") -> Path:
    folder = home / "leases"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{kind}{hashlib.sha256(sha256.encode()).hexdigest()[:DIGITS]}.lock"
