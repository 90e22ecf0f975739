"""Recordings fetched from a bucket, kept on this machine by content, within a bound.

    objects/<first 2>/<sha256>   a whole recording; when it was last used is its time of modification
    parts/<key>                  one that is arriving, beside <key>.json, which says how large it will be
    origins/<key>                the sha256 of what was fetched for `key`

What is in use is locked (flock: shared by those who use a file, exclusive for whoever removes it). Such a lock is the
kernel's and ends with the process that holds it, however that ends. The folder must be on a local disk.
"""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import StoreError
from core.files import write_atomically

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file of the cache: a whole recording, or a part that may still grow to `bytes_to_be`."""

    path: Path
    bytes_now: int
    bytes_to_be: int
    used_s: float


class DiskCache:
    """A bounded folder shared by all processes of a machine.

    Args:
        max_bytes: What its files may hold together, those that are arriving at their full size.
        reserve_bytes: Free space to leave on the disk for others.
    """

    def __init__(self, root: Path, max_bytes: int, reserve_bytes: int = 0) -> None:
        self.root, self.max_bytes, self.reserve_bytes = root, max_bytes, reserve_bytes

    def path(self, sha256: str) -> Path:
        """Where a recording lies if it is here."""
        return self.root / "objects" / sha256[:2] / sha256

    @contextmanager
    def pinned(self, sha256: str) -> Iterator[Path | None]:
        """The recording's file, which stays while the block runs; None if it is not here."""
        with _locked(self.path(sha256), fcntl.LOCK_SH) as held:
            if held:
                os.utime(self.path(sha256))
            yield self.path(sha256) if held else None

    def known(self, key: str) -> str | None:
        """The sha256 of what was fetched for `key`, whether or not it is still here."""
        try:
            return (self.root / "origins" / key).read_text()
        except FileNotFoundError:
            return None

    @contextmanager
    def arriving(self, key: str, size: int) -> Iterator[Path]:
        """The file that a transfer fills, with what an earlier one left in it; nobody else has it meanwhile.

        Waits while another process fetches the same. The file stays when the block fails, to be resumed.
        Raises StoreError where `size` bytes do not fit.
        """
        part = self.root / "parts" / key
        part.parent.mkdir(parents=True, exist_ok=True)
        while True:
            part.touch()
            with _locked(part, fcntl.LOCK_EX) as held:
                if held:
                    self._make_room(part, size)
                    yield part
                    return

    def keep(self, part: Path, sha256: str) -> Path:
        """Move a part that is whole to its place. Call within `arriving`; its note goes with it."""
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            write_atomically(self.root / "origins" / part.name, sha256)  # first: who waits for the part looks there
            os.utime(part)
            part.replace(target)  # one that lies there has the same bytes; its readers keep it open
            _note(part).unlink(missing_ok=True)
        return target

    def abandon(self, part: Path) -> None:
        """Give up what has arrived. Call within `arriving`."""
        part.unlink()
        _note(part).unlink(missing_ok=True)

    def drop(self, sha256: str) -> bool:
        """Remove a recording and every trace of it. False if it is in use and stays."""
        with self._alone():
            gone = _remove(self.path(sha256))
            self._sweep()
        return gone

    def expire(self, before_s: float) -> int:
        """Remove what was last used before a time (seconds since 1970) and is not in use. Returns the bytes freed."""
        old = [kept for kept in self._kept() if kept.used_s < before_s]
        with self._alone():
            freed = sum(kept.bytes_now for kept in old if _remove(kept.path))
            self._sweep()
        return freed

    def used_bytes(self) -> int:
        """What the files hold together, those that are arriving at their full size."""
        with self._alone():
            return self._used()

    def _make_room(self, part: Path, size: int) -> None:
        """Remove what was not used for longest until `part` can grow to `size`, and say so in its note."""
        if size > self.max_bytes:
            raise StoreError(
                f"A recording of {size / 1e9:.2f} GB does not fit the disk cache of {self.max_bytes / 1e9:.2f} GB in "
                f"{self.root}; allow the cache more."
            )
        with self._alone():  # two could both count on the same room
            _note(part).write_text(json.dumps({"bytes": size}))
            while self._lacking() > 0:
                if not any(_remove(old.path) for old in sorted(self._kept(), key=_age) if old.path != part):
                    _note(part).unlink()
                    raise StoreError(
                        f"The disk cache in {self.root} has no room for {size / 1e9:.2f} GB: {self._why()}. "
                        "Run fewer recordings at once, allow the cache more, or free some space."
                    )
            self._sweep()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else adds to the cache or removes from it meanwhile."""
        gate = self.root / "gate"
        gate.parent.mkdir(parents=True, exist_ok=True)
        gate.touch()
        with _locked(gate, fcntl.LOCK_EX):
            yield

    def _used(self) -> int:
        return sum(kept.bytes_to_be for kept in self._kept())

    def _lacking(self) -> int:
        """Bytes that are too many here, or too few on the disk; none or fewer if all fits."""
        kept = self._kept()
        to_come = sum(file.bytes_to_be - file.bytes_now for file in kept)
        over = sum(file.bytes_to_be for file in kept) - self.max_bytes
        return max(over, self.reserve_bytes + to_come - shutil.disk_usage(self.root).free)

    def _why(self) -> str:
        free = shutil.disk_usage(self.root).free
        return (
            f"{self._used() / 1e9:.2f} GB of {self.max_bytes / 1e9:.2f} GB are in use, {free / 1e9:.2f} GB of the "
            f"disk are free and {self.reserve_bytes / 1e9:.2f} GB are to stay so"
        )

    def _kept(self) -> list[_Kept]:
        kept = []
        for path in (*self._files("objects"), *self._files("parts")):
            try:
                found = path.stat()
                noted = _note(path).is_file() and path.parent.name == "parts"
                to_be = int(json.loads(_note(path).read_text())["bytes"]) if noted else 0
            except (FileNotFoundError, ValueError):  # gone, or its note half written by a process that was killed
                continue
            kept.append(_Kept(path, found.st_size, max(found.st_size, to_be), found.st_mtime))
        return kept

    def _files(self, below: str) -> list[Path]:
        found = (self.root / below).rglob("*")
        return [path for path in found if path.suffix != ".json" and not path.name.startswith(".") and path.is_file()]

    def _sweep(self) -> None:
        """Forget the origins of what is no longer here, and notes without a part."""
        for origin in self._files("origins"):
            if not self.path(origin.read_text()).exists():
                origin.unlink(missing_ok=True)
        for note in (self.root / "parts").glob("*.json"):
            if not note.with_suffix("").exists():
                note.unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _age(kept: _Kept) -> tuple[float, str]:
    return kept.used_s, str(kept.path)


def _remove(path: Path) -> bool:
    """Remove a file that nobody holds. False if somebody does."""
    with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB) as held:
        if held:
            logger.info("evicted", extra={"file": path.name})
            path.unlink()
            _note(path).unlink(missing_ok=True)
        return bool(held) or not path.exists()


@contextmanager
def _locked(path: Path, operation: int) -> Iterator[bool]:
    """Hold a file's lock. False where there is no such file, or where it is held and `operation` does not wait."""
    handle = _lock(path, operation)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            os.close(handle)


def _lock(path: Path, operation: int) -> int | None:
    while True:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, operation)
            if _is_at(handle, path):  # else it was removed or replaced while we waited
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
