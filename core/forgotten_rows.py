"""Take a recording's rows out of the catalog, and look for any that are left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core.catalog import read
from core.catalog_files import CatalogFiles, decode, encode, together
from core.catalog_schema import DAY, ENTRY, TABLES


@dataclass(frozen=True, slots=True)
class Theirs:
    """Which rows are a recording's: those with its hash, and failures of its objects from before it was known."""

    sha256: str
    uris: frozenset[str]

    def among(self, rows: pa.Table) -> list[bool]:
        of = rows["sha256"].to_pylist()
        at = rows["uri"].to_pylist() if "uri" in rows.column_names else [None] * rows.num_rows
        return [sha == self.sha256 or (sha is None and uri in self.uris) for sha, uri in zip(of, at, strict=True)]

    def where(self, table: str) -> pc.Expression:
        mine = pc.field("sha256") == self.sha256
        if "uri" not in {column.name for column in TABLES[table]}:
            return mine
        return mine | (pc.field("sha256").is_null() & pc.field("uri").isin(pa.array(self.uris, pa.string())))


def manifests(store: str | Path, sha256: str) -> list[str]:
    """Where the recording's manifests lie, as far as the catalog knows."""
    found = read(store, "runs", columns=["manifest"], where=pc.field("sha256") == sha256)
    return [uri for uri in found["manifest"].unique().to_pylist() if uri]


def logs(store: str | Path, sha256: str) -> list[str]:
    """Where the logs of the recording's failures lie, as far as the catalog knows."""
    found = read(store, "failures", columns=["log"], where=pc.field("sha256") == sha256)
    return [uri for uri in found["log"].unique().to_pylist() if uri]


def remove(store: str | Path, sha256: str) -> dict[str, int]:
    """Remove the recording's rows from all tables; how many from each. `runs`, which tells the objects, comes last.

    Each day's file is replaced in one step. A compaction that runs meanwhile begins again: a day whose new rows were
    removed is written anew in any case, even without rows, so that nothing is put back that was read before.
    """
    known = read(store, "runs", columns=["uri"], where=pc.field("sha256") == sha256)["uri"]
    theirs = Theirs(sha256, frozenset(uri for uri in known.to_pylist() if uri))
    files = CatalogFiles(store)
    return {table: _clear(files, store, table, theirs) for table in TABLES}


def _clear(files: CatalogFiles, store: str | Path, table: str, theirs: Theirs) -> int:
    found = read(store, table, columns=[ENTRY, DAY], where=theirs.where(table))
    days = set(found[DAY].to_pylist())
    waiting = {file.path: file.day for file in files.pending(table) if file.day in days}
    rows = {path: files.rows(path) for path in waiting}
    own = [path for path, content in rows.items() if content is not None and any(theirs.among(content))]
    files.remove(own)
    for day in sorted(days):
        _clear_day(files, table, day, theirs, in_any_case=day in {waiting[path] for path in own})
    return found.num_rows


def _clear_day(files: CatalogFiles, table: str, day: date, theirs: Theirs, *, in_any_case: bool) -> None:
    path = files.part(table, day)

    def compute(content: bytes | None) -> bytes | None:
        rows = together([decode(content, path)] if content is not None else [], table)
        mine = theirs.among(rows)
        if not any(mine) and not in_any_case:
            return None
        return encode(rows.filter(pa.array([not each for each in mine], pa.bool_())), table)

    files.swap(path, compute)


def left(store: str | Path, sha256: str) -> Iterator[str]:
    """Tables that still have rows of the recording, with their number."""
    for table in TABLES:
        count = read(store, table, columns=[ENTRY], where=pc.field("sha256") == sha256).num_rows
        if count:
            yield f"{count} rows in the catalog's table {table}"
