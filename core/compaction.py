"""Move what runs left in the catalog into the one file a day that readers read.

A day's file is replaced in one step by one with the old and the new rows; only then are the small files removed.
Killed in between, the next compaction finds them again and drops what is already there. Any number may run at once:
of two that change the same day, the later begins again with what the other wrote.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from core.catalog_files import CatalogFiles, Lying, decode, encode, together
from core.catalog_schema import ENTRY, TABLES
from core.errors import StoreError
from core.tombstones import all_marks, mark_of


@dataclass(frozen=True, slots=True)
class Compacted:
    """One day of one table: how many small files went into it, and what its file now holds."""

    table: str
    day: date
    files: int
    rows: int
    bytes: int
    unreadable: tuple[str, ...]
    """Small files that are damaged; they were left where they are."""


def compact(store: str | Path, *, tables: Iterable[str] = tuple(TABLES)) -> list[Compacted]:
    """Move all new rows to where readers look; `runs` comes last. Without new rows it costs one listing a table.

    Raises StoreError if the store cannot be read or written; doing it again is then safe.
    """
    files, marks = CatalogFiles(store), all_marks(store)
    return [
        _move(files, table, day, list(found), marks)
        for table in sorted(tables, key=list(TABLES).index)
        for day, found in groupby(files.pending(table), key=lambda file: file.day)
    ]


def _move(files: CatalogFiles, table: str, day: date, found: list[Lying], marks: frozenset[str]) -> Compacted:
    bad: list[str] = []
    rows = 0

    def compute(current: bytes | None) -> bytes | None:
        nonlocal rows
        bad.clear()
        path = files.part(table, day)
        before = [decode(current, path)] if current is not None else []
        new = [rows for file in found if (rows := _readable(files, file, bad)) is not None]
        new = [each for each in new if not _forgotten(each, marks)]
        known = set(before[0][ENTRY].to_pylist()) if before else set()
        fresh = [each for each in new if not known.issuperset(each[ENTRY].to_pylist())]
        if not fresh:
            rows = before[0].num_rows if before else 0
            return None
        whole = together([*before, *fresh], table)
        rows = whole.num_rows
        return encode(whole, table)

    written = files.swap(files.part(table, day), compute)
    files.remove([file.path for file in found if file.path not in bad])
    return Compacted(table, day, len(found) - len(bad), rows, len(written or b""), tuple(bad))


def _readable(files: CatalogFiles, file: Lying, bad: list[str]) -> pa.Table | None:
    """The rows of a small file, or None if another compaction has moved it or it is damaged."""
    try:
        return files.rows(file.path)
    except StoreError:
        bad.append(file.path)
        return None


def _forgotten(rows: pa.Table, marks: frozenset[str]) -> bool:
    return bool(marks) and any(mark_of(sha) in marks for sha in set(rows["sha256"].to_pylist()) if sha)
