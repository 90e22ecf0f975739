"""Where the catalog's files lie, and how each comes to be in one step.

`<store>/catalog/v1/<table>/day=YYYY-MM-DD/part.parquet` is what readers read: one file a day, replaced as a whole.
`<store>/catalog/v1/_new/<table>/day=YYYY-MM-DD/<entry>.parquet` is what runs leave: small, never changed, and moved
into the day's file by compaction. Only one file is ever replaced in one step, on a disk as in a bucket, so a reader of
the days' files can see no row twice and miss none that was there.
"""

import fcntl
import io
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq

from core import once
from core.catalog_schema import DAY, ENTRY, MAJOR, TABLES, schema
from core.errors import StoreError
from core.files import write_atomically
from core.patience import asked, is_local, opened

PART = "part.parquet"
SUFFIX = ".parquet"
REVISION_KEY = b"winnow.revision"
RESTORE = "Remove the file, and restore it from a backup if you can."
TRIES = 12
ROW_GROUP = 100_000
Answer = TypeVar("Answer")
Days = tuple[date, date]
"""Half-open: the first day, and the day after the last."""


@dataclass(frozen=True, slots=True)
class Lying:
    """One Parquet file of the catalog."""

    path: str
    table: str
    day: date
    bytes: int

    @property
    def entry(self) -> str:
        return PurePosixPath(self.path).stem


class CatalogFiles:
    """The catalog of one store, a local folder or a bucket.

    Args:
        store_uri: The store; the catalog is the folder `catalog` in it.
    """

    def __init__(self, store_uri: str | Path) -> None:
        self.fs, root = opened(store_uri)
        self.local = is_local(self.fs)
        self.root = f"{root}/catalog/v{MAJOR}"

    def table_folder(self, table: str) -> str:
        """Where the files lie that readers read. Raises KeyError for no such table."""
        return f"{self.root}/{_known(table)}"

    def part(self, table: str, day: date) -> str:
        return f"{self.table_folder(table)}/{DAY}={day.isoformat()}/{PART}"

    def new(self, table: str, day: date, entry: str) -> str:
        return f"{self.root}/_new/{_known(table)}/{DAY}={day.isoformat()}/{entry}{SUFFIX}"

    def parts(self, table: str, days: Days | None = None) -> list[Lying]:
        """The days' files, in order of days."""
        return self._below(self.table_folder(table), table, days)

    def pending(self, table: str, days: Days | None = None) -> list[Lying]:
        """What runs left and compaction has not yet moved, in order of days."""
        return self._below(f"{self.root}/_new/{_known(table)}", table, days)

    def _below(self, folder: str, table: str, days: Days | None) -> list[Lying]:
        found = []
        for path, info in self._try(f"Listing {folder}", partial(self._find, folder)).items():
            day = _day_of(path)
            if path.endswith(SUFFIX) and day and not PurePosixPath(path).name.startswith("."):
                found.append(Lying(str(path), table, day, int(info["size"] or 0)))
        return sorted((f for f in found if _within(f.day, days)), key=lambda f: (f.day, f.path))

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        return cast(dict[str, dict[str, Any]], self.fs.find(folder, detail=True))

    def create(self, path: str, content: bytes) -> bool:
        """Write a file, complete or not there at all; False, and nothing changed, where it already is."""
        return once.create(self.fs, path, content)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; those gone already are no error."""

        def one(path: str) -> None:
            with suppress(FileNotFoundError):
                self.fs.rm_file(path)

        for path in paths:
            self._try(f"Removing {path}", partial(one, path))

    def content(self, path: str) -> bytes | None:
        """The bytes of a file; None if it is not there."""
        return once.read(self.fs, path)

    def rows(self, path: str) -> pa.Table | None:
        """All rows of one file with all its columns, or None if it is gone. Raises StoreError if it is damaged."""
        content = self.content(path)
        return None if content is None else decode(content, path)

    def swap(self, path: str, compute: Callable[[bytes | None], bytes | None]) -> bytes | None:
        """Replace a file by `compute(content)`, where content is None without one; return what was written.

        Nobody's change in between is lost: `compute` is asked again where another writer came first. It returns None
        to leave the file as it is. Raises StoreError where the storage cannot be written, or others always win.
        """
        if self.local:
            with self._locked():
                new = compute(self.content(path))
                if new is not None:
                    self._try(f"Changing {path}", partial(write_atomically, Path(path), new))
                return new
        for attempt in range(TRIES):
            tag = self._try(f"Looking at {path}", partial(self._tag, path))
            current = self.content(path) if tag else None
            if tag and current is None:
                continue  # removed in between
            new = compute(current)
            if new is None or self._put_if(path, tag, new):
                return new
            time.sleep(random.uniform(0.02, 0.05) * min(2**attempt, 32))
        raise StoreError(
            f"Changing {path} failed {TRIES} times: it had changed each time. Is somebody changing it all the time, or "
            "does the bucket's server not know conditional writes? Try again."
        )

    def _tag(self, path: str) -> str | None:
        try:
            return self.fs.info(path)["ETag"]
        except FileNotFoundError:
            return None

    def _put_if(self, path: str, tag: str | None, new: bytes) -> bool:
        """Write if the file is still the one that `tag` names, or still not there; False if it is not."""
        from core.bucket import status

        if tag is None:
            return once.create(self.fs, path, new)

        def put() -> bool:
            try:
                self.fs.pipe_file(path, new, IfMatch=tag)
                return True
            except Exception as error:
                if status(error) in once.TAKEN:
                    return self.fs.cat_file(path) == new  # ours, if an answer was lost and the request sent twice
                raise

        return self._try(f"Changing {path}", put)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of a local catalog. The system lets it go when the process ends, however it ends."""
        folder = Path(self.root, "_new")
        self._try(f"Writing into {folder}", lambda: folder.mkdir(parents=True, exist_ok=True))
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _try(self, doing: str, call: Callable[[], Answer]) -> Answer:
        return asked(self.fs, doing, call)


def encode(rows: pa.Table, table: str) -> bytes:
    """A Parquet file of `rows`, unlike any other, even with the same rows: its bytes name this very writing."""
    marks = {**(schema(table).metadata or {}), REVISION_KEY: uuid.uuid4().hex.encode()}
    target = io.BytesIO()
    pq.write_table(
        rows.replace_schema_metadata(marks),
        target,
        compression="zstd",
        row_group_size=ROW_GROUP,
        write_page_checksum=True,
    )
    return target.getvalue()


def decode(content: bytes, path: str) -> pa.Table:
    """The rows of a Parquet file. Raises StoreError, naming `path`, where it is none."""
    try:
        return pq.read_table(io.BytesIO(content), page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(f"Reading {path} of the catalog failed: {error}. {RESTORE}") from error


def together(tables: Sequence[pa.Table], table: str) -> pa.Table:
    """Rows of several files in today's columns, those that only other versions know after them; each entry once.

    Of an entry that stands in more than one of `tables` the first counts.
    """
    seen: set[str] = set()
    kept = [schema(table).empty_table()]
    for rows in tables:
        entries = rows[ENTRY].to_pylist()
        fresh = set(entries) - seen
        if fresh:
            whole = len(fresh) == len(set(entries))
            kept.append(rows if whole else rows.filter(pa.array([entry in fresh for entry in entries])))
            seen |= fresh
    return pa.concat_tables(kept, promote_options="permissive")


def _known(table: str) -> str:
    if table not in TABLES:
        raise KeyError(f"the catalog has no table {table!r}, only {', '.join(TABLES)}")
    return table


def _day_of(path: str) -> date | None:
    name = PurePosixPath(path).parent.name
    try:
        return date.fromisoformat(name.removeprefix(f"{DAY}=")) if name.startswith(f"{DAY}=") else None
    except ValueError:
        return None


def _within(day: date, days: Days | None) -> bool:
    return days is None or days[0] <= day < days[1]
