"""The catalog of a store: what every night's runs made, as Parquet tables that any tool reads.

`record` adds what one recording's run made. `read` sees it at once, tools that read the days' files see it after the
next `compaction.compact`. Rows of one recording and run are written once: recording them again changes nothing, unless
it is to replace what a run left that never came to the recording's end.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from core.catalog_files import RESTORE, CatalogFiles, Days, Lying, decode, encode, together
from core.catalog_rows import Rows, Run, rows_of
from core.catalog_schema import DAY, ENTRY, TABLES, read_schema, schema
from core.errors import StoreError
from core.manifest import Manifest
from core.tombstones import is_forgotten

READ_TRIES = 5


def record(
    store: str | Path,
    run: Run,
    manifest: Manifest | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    replace: bool = False,
) -> Rows:
    """Add what one recording's run made, and return the rows. Recording it again changes nothing without `replace`.

    The row in `runs` is written last: who finds it finds the others. A forgotten recording adds nothing.

    Args:
        store: Folder or URI; the catalog is the folder `catalog` in it.
        manifest: What was published; None where the recording is not done.
        sizes: Bytes of the published files by their names in the manifest, as far as they are known.
        replace: Rows of the same recording and run that are there already make way, each table's in one step: they
            are of a run that was lost, maybe with other settings. The new rows go where readers read at once.

    Raises StoreError if the store cannot be written; doing it again is then safe.
    """
    if run.sha256 and is_forgotten(store, run.sha256):
        return {table: [] for table in TABLES}
    files = CatalogFiles(store)
    rows = rows_of(manifest, run, sizes)
    for table in TABLES:
        added = pa.Table.from_pylist(rows[table], schema=schema(table))
        if replace:
            _replace(files, table, run, added)
        elif rows[table]:
            files.create(files.new(table, run.day, run.entry), encode(added, table))
    return rows


def _replace(files: CatalogFiles, table: str, run: Run, added: pa.Table) -> None:
    """Put an entry's rows into the day's file in the place of all that it has. The file is written even if it stays the
    same: a compaction that has read the entry's former rows meanwhile begins again, and finds these."""
    path, waiting = files.part(table, run.day), files.new(table, run.day, run.entry)

    def compute(content: bytes | None) -> bytes:
        before = schema(table).empty_table() if content is None else decode(content, path)
        return encode(together([before.filter(pc.field(ENTRY) != run.entry), added], table), table)

    if not added.num_rows:
        files.remove([waiting])  # before, so that no compaction can find it after
    files.swap(path, compute)
    files.remove([waiting])


def read(
    store: str | Path,
    table: str,
    *,
    days: Days | None = None,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
) -> pa.Table:
    """Rows of a table as of now, also those that compaction has not moved yet; none twice.

    Args:
        days: First day and the day after the last; only their files are opened. All days if None.
        columns: Names, in order; all columns and the day if None.
        where: Which rows, as a pyarrow expression over the columns and `day`.

    Raises StoreError where files cannot be read, KeyError for no such table or column.
    """
    files, wanted = CatalogFiles(store), list(columns or read_schema(table).names)
    unknown = [name for name in wanted if name not in read_schema(table).names]
    if unknown:
        raise KeyError(f"the table {table} has no column {', '.join(unknown)}")
    for attempt in range(READ_TRIES):
        try:
            return _once(files, table, days, wanted, where)
        except (OSError, pa.ArrowInvalid) as error:  # compaction moved or replaced a file under our eyes
            if attempt == READ_TRIES - 1:
                advice = f" {RESTORE}" if isinstance(error, pa.ArrowInvalid) else ""
                raise StoreError(f"Reading the table {table} of {files.root} failed: {error}{advice}") from error
    raise AssertionError("the last attempt returns or raises")


def _once(
    files: CatalogFiles, table: str, days: Days | None, wanted: list[str], where: pc.Expression | None
) -> pa.Table:
    names = wanted if ENTRY in wanted else [*wanted, ENTRY]
    # New files first: what compaction moves meanwhile is then found in the day's file as well, never in neither.
    new = _rows(files, table, files.pending(table, days), f"{files.root}/_new/{table}", names, where)
    moved = _rows(files, table, files.parts(table, days), files.table_folder(table), names, where)
    if new.num_rows:
        new = new.filter(~pc.field(ENTRY).isin(moved[ENTRY].unique()))
    return pa.concat_tables([moved, new]).select(wanted)


def _rows(
    files: CatalogFiles, table: str, found: list[Lying], base: str, names: list[str], where: pc.Expression | None
) -> pa.Table:
    whole = read_schema(table)
    if not found:
        return pa.schema([whole.field(name) for name in names]).empty_table()
    dataset = pads.dataset(
        [file.path for file in found],
        schema=whole,
        format="parquet",
        filesystem=None if files.local else files.fs,
        partitioning=pads.partitioning(pa.schema([(DAY, pa.date32())]), flavor="hive"),
        partition_base_dir=base,
    )
    return dataset.to_table(columns=names, filter=where).replace_schema_metadata(None)
