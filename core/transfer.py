"""Bring an object of an inbox to this machine, hashed as it comes; a transfer that broke off goes on where it was."""

import hashlib
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from core import bucket
from core.backoff import Backoff, delays_s
from core.disk_cache import DiskCache
from core.errors import StoreError
from core.files import display_name, to_path
from core.identity import HASH_BLOCK_BYTES, sha256_of
from core.sources import InboxObject

Progress = Callable[[int], None]
"""Told the bytes that are here so far."""
MOST_CHANGES = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording on this machine."""

    path: Path
    sha256: str
    found: InboxObject
    """What was fetched: as listed, or as it was found when it had changed since."""
    received_bytes: int
    """What came over the network: less than the whole after a broken transfer, 0 where it was here already."""


class _Changed(Exception):
    """The object is not the one that was listed."""


@contextmanager
def fetch(
    found: InboxObject, cache: DiskCache, *, on_progress: Progress | None = None, backoff: Backoff = bucket.PATIENCE
) -> Iterator[Fetched]:
    """A recording's file and its sha256. It stays in place while the block runs.

    A local file is hashed where it lies. An object of a bucket comes through `cache`; where it changed since the
    listing, the present one is fetched. Trouble that may pass is tried again, for as long as every few attempts bring
    the transfer on.

    Raises StoreError where it is gone, may not be read, keeps changing, does not fit, or the server stays away.
    """
    if not bucket.is_s3(found.uri):
        yield _in_place(found, on_progress)
        return
    received = 0
    for _ in range(MOST_CHANGES):
        try:
            key = _key(found)
            while True:
                with cache.pinned(cache.known(key) or "none") as path:
                    if path and path.stat().st_size == found.bytes:
                        yield Fetched(path, path.name, found, received)
                        return
                received = _through(cache, key, found, on_progress, backoff)
        except _Changed:
            log.info("changed since it was listed", extra={"uri": found.uri})
            found = _as_it_is(found)
    raise StoreError(f"Fetching {found.uri}: it changes faster than it can be fetched. A later run takes it.")


def _key(found: InboxObject) -> str:
    name = f"{found.bytes}\n{found.tag}\n{found.uri}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(name, digest_size=16).hexdigest()


def _in_place(found: InboxObject, on_progress: Progress | None) -> Fetched:
    path = to_path(found.uri)
    what = f"Reading {display_name(path)}"
    try:
        sha256 = sha256_of(path, on_progress=on_progress)
        now = path.stat()
    except OSError as error:
        raise StoreError(f"{what} failed: {error.strerror}; check the file and its permissions.") from error
    if (now.st_size, f"{now.st_mtime_ns:x}-{now.st_ctime_ns:x}") != (found.bytes, found.tag):
        raise StoreError(f"{what}: it has changed since it was listed. A later run takes it.")
    return Fetched(path, sha256, found, 0)


def _through(cache: DiskCache, key: str, found: InboxObject, on_progress: Progress | None, backoff: Backoff) -> int:
    """Bring an object into the cache and return the bytes that came."""
    with cache.arriving(key, found.bytes) as part:
        known = cache.known(key)
        if known and cache.path(known).is_file() and cache.path(known).stat().st_size == found.bytes:
            cache.abandon(part)  # another process brought it while we waited
            return 0
        began_s, resumed_at = time.monotonic(), part.stat().st_size
        try:
            sha256, received = _Transfer(found, part, on_progress or (lambda _: None), backoff).run()
        except _Changed:
            cache.abandon(part)
            raise
        except OSError as error:
            raise StoreError(
                f"Fetching {found.uri} into {part.parent} failed: {error.strerror or error}; free some space."
            ) from error
        cache.keep(part, sha256)
        seconds = round(time.monotonic() - began_s, 3)
        about = {"uri": found.uri, "sha256": sha256, "resumed_at": resumed_at, "received_bytes": received}
        log.info("fetched", extra={**about, "seconds": seconds})
        return received


def _as_it_is(found: InboxObject) -> InboxObject:
    name, key = bucket.split(found.uri)
    head = bucket.ask("head_object", what=f"Looking at {found.uri}", Bucket=name, Key=key)
    modified_s = head["LastModified"].timestamp()
    return replace(found, bytes=head["ContentLength"], modified_s=modified_s, tag=bucket.tag(head))


@dataclass(slots=True)
class _Transfer:
    """One object on its way into one file."""

    found: InboxObject
    part: Path
    on_progress: Progress
    backoff: Backoff
    received: int = 0

    def run(self) -> tuple[str, int]:
        """SHA-256 of the whole file, and the bytes that came over the network."""
        draw = random.Random()
        waits, since = delays_s(self.backoff, draw), 0
        with self.part.open("r+b") as file:
            digest = self._resumed(file)
            while file.tell() < self.found.bytes:
                try:
                    self._stream(file, digest)
                    continue
                except (StoreError, _Changed):
                    raise
                except Exception as error:
                    if self.received - since >= HASH_BLOCK_BYTES:  # it comes, if slowly: be as patient as at first
                        waits, since = delays_s(self.backoff, draw), self.received
                    wait_s = self._wait_s(error, waits)
                time.sleep(wait_s)
            file.flush()
            os.fsync(file.fileno())  # a whole file is never read again to be checked
        return digest.hexdigest(), self.received

    def _resumed(self, file: BinaryIO) -> "hashlib._Hash":
        """The hash of what an earlier transfer left; the file stands behind it."""
        digest = hashlib.sha256()
        if self.part.stat().st_size > self.found.bytes:
            file.truncate(0)
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
        return digest

    def _stream(self, file: BinaryIO, digest: "hashlib._Hash") -> None:
        answer = self._open(file.tell())
        try:
            while block := bucket.read_block(answer, min(HASH_BLOCK_BYTES, self.found.bytes - file.tell() + 1)):
                if file.tell() + len(block) > self.found.bytes:
                    raise _Changed
                file.write(block)
                digest.update(block)
                self.received += len(block)
                self.on_progress(file.tell())
        finally:
            bucket.close(answer)

    def _open(self, start: int) -> dict[str, Any]:
        """The object's bytes from `start`, of the version that was listed. Raises _Changed where it is another."""
        name, key = bucket.split(self.found.uri)
        more = {"Range": f"bytes={start}-"} if start else {}
        if self.found.tag != f"{self.found.modified_s:.3f}":
            more["IfMatch"] = f'"{self.found.tag}"'
        answer = bucket.ask_once("get_object", Bucket=name, Key=key, **more)
        if start + answer["ContentLength"] != self.found.bytes or (
            start and not str(answer.get("ContentRange", "")).startswith(f"bytes {start}-")
        ):
            bucket.close(answer)
            raise _Changed
        return answer

    def _wait_s(self, error: Exception, waits: Iterator[float]) -> float:
        """How long to wait before the next attempt. Raises where there is to be none."""
        if bucket.status(error) in (412, 416):
            raise _Changed from None
        if isinstance(error, OSError) and error.errno and not bucket.passing(error) and bucket.status(error) is None:
            raise error  # this machine's disk
        wait_s = next(waits, None) if bucket.passing(error) else None
        if wait_s is None:
            raise bucket.failure(f"Fetching {self.found.uri}", error) from None
        told = {"uri": self.found.uri, "error": type(error).__name__, "status": bucket.status(error)}
        log.warning(
            "transfer broke off and goes on", extra={**told, "bytes": self.received, "wait_s": round(wait_s, 3)}
        )
        return wait_s
