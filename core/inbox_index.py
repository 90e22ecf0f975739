"""Which recording each object of an inbox is, remembered so that only what is new is fetched and hashed.

Under `<store>/inbox/` lie Parquet files, none of which is ever changed: whoever identifies objects adds a file of its
own, so that two writers never meet, and a reader takes them all together. Many small files are merged into one now
and then: the merged one is written before the others are removed, so a reader finds each line at least once.
"""

import contextlib
import hashlib
import io
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from core import bucket
from core.errors import StoreError
from core.files import to_path, write_atomically
from core.sources import InboxObject

Answer = TypeVar("Answer")
SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("bytes", pa.int64()),
        ("tag", pa.string()),
        ("sha256", pa.string()),
        ("seen_at", pa.timestamp("us", tz="UTC")),
    ]
)
MERGE_FROM = 32
"""Files from which on adding merges them: a reader's requests stay few."""


ROWS = 8_192
"""Read at a time, so that reading needs little memory beside what is kept."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an inbox's objects."""

    by_fingerprint: dict[bytes, str]
    files: int

    def sha256_of(self, found: InboxObject) -> str | None:
        """The recording an object holds; None where the object is new or has changed since."""
        return self.by_fingerprint.get(_fingerprint(found.uri, found.bytes, found.tag))


def split_new(objects: Iterable[InboxObject], seen: Seen) -> tuple[list[InboxObject], dict[str, str]]:
    """Objects to fetch and hash, and URI -> sha256 of all others."""
    new, known = [], {}
    for found in objects:
        sha256 = seen.sha256_of(found)
        if sha256 is None:
            new.append(found)
        else:
            known[found.uri] = sha256
    return new, known


class InboxIndex:
    """The index under one store, a folder or a bucket."""

    def __init__(self, store_uri: str | Path) -> None:
        uri = str(store_uri)
        self.local = not bucket.is_s3(uri)
        self.fs = LocalFileSystem() if self.local else bucket.file_system()
        root = to_path(uri).expanduser().absolute() if self.local else PurePosixPath(*bucket.split(uri))
        self.folder = str(root / "inbox")

    def read(self) -> Seen:
        """All that is known; nothing where no index is. Raises StoreError where it cannot be read."""
        return self._trying("Reading", self._read)

    def add(self, identified: Iterable[tuple[InboxObject, str]]) -> None:
        """Remember which recording (sha256) each object holds. Raises StoreError where that cannot be written."""
        now = time.time_ns() // 1000
        rows = [(o.uri, o.bytes, o.tag, sha256, now) for o, sha256 in identified]
        if rows:
            self._write(pa.table(list(zip(*rows, strict=True)), schema=SCHEMA))
            if len(self._trying("Listing", self._names)) >= MERGE_FROM:
                self.merge()

    def merge(self) -> None:
        """Put all files into one. Two may do so at once; each line then stands in both results."""
        names = self._trying("Listing", self._names)
        if len(names) > 1:
            tables = {name: self._trying("Reading", lambda name=name: self._table(name)) for name in names}
            present = {name: table for name, table in tables.items() if table is not None}
            if len(present) > 1:
                rows = pa.concat_tables(present.values())
                latest = rows.group_by(SCHEMA.names[:4]).aggregate([("seen_at", "max")])
                self._write(latest.rename_columns(SCHEMA.names).cast(SCHEMA))
                self._remove(present)

    def forget(self, sha256: str) -> int:
        """Remove what is known of a recording, so that objects that hold it are new again. Returns how many they were.

        Not for use while another process adds or merges: what that one has read it may write back.
        """
        forgotten = 0
        for name in self._trying("Listing", self._names):
            table = self._trying("Reading", lambda name=name: self._table(name))
            if table is not None:
                kept = table.filter(pc.field("sha256") != sha256)
                if kept.num_rows < table.num_rows:
                    forgotten += table.num_rows - kept.num_rows
                    if kept.num_rows:
                        self._write(kept)
                    self._remove([name])
        return forgotten

    def _read(self) -> Seen:
        while True:
            known: dict[bytes, str] = {}
            names = self._names()
            if all(self._take(name, known) for name in names):
                return Seen(known, len(names))
            # one was merged into another meanwhile: look again, or its lines would be missing

    def _take(self, name: str, known: dict[bytes, str]) -> bool:
        """Add what one file holds, some rows at a time. False if it is gone."""
        file = self._open(name)
        for rows in file.iter_batches(ROWS, columns=SCHEMA.names[:4], use_threads=False) if file else ():
            for uri, size, tag, sha256 in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                known[_fingerprint(uri, size, tag)] = sha256
        return file is not None

    def _names(self) -> list[str]:
        self.fs.invalidate_cache()
        try:
            return sorted(name for name in map(str, self.fs.ls(self.folder, detail=False)) if name.endswith(".parquet"))
        except FileNotFoundError:
            return []

    def _table(self, name: str) -> pa.Table | None:
        file = self._open(name)
        return file.read(columns=SCHEMA.names) if file else None

    def _open(self, name: str) -> pq.ParquetFile | None:
        try:
            content: Any = self.fs.cat_file(name)
            return pq.ParquetFile(io.BytesIO(content))
        except FileNotFoundError:
            return None
        except pa.ArrowException as error:
            raise StoreError(f"Reading {name}: it is no part of an index ({error}); remove it.") from error

    def _write(self, table: pa.Table) -> None:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        target = f"{self.folder}/{time.time_ns():020}-{uuid.uuid4().hex[:12]}.parquet"
        if self.local:
            self._trying("Writing", lambda: write_atomically(Path(target), buffer.getvalue()))
        else:
            self._trying("Writing", lambda: self.fs.pipe_file(target, buffer.getvalue()))

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # another one merged it too
                self._trying("Tidying", lambda name=name: self.fs.rm_file(name))

    def _trying(self, doing: str, call: Callable[[], Answer]) -> Answer:
        what = f"{doing} the inbox index in {self.folder}"
        if not self.local:
            return bucket.patiently(call, what=what)
        try:
            return call()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"{what} failed: {error.strerror or error}. Is the disk full?") from error


def _fingerprint(uri: str, size: int, tag: str) -> bytes:
    return hashlib.blake2b(f"{size}\n{tag}\n{uri}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
