import re
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from core.catalog import read, record
from core.catalog_files import CatalogFiles
from core.catalog_rows import rows_of, without_secrets
from core.catalog_schema import TABLES, as_markdown, read_schema, schema
from core.compaction import compact
from core.errors import StoreError
from core.tombstones import allow_again, bury, is_forgotten
from tests.core.catalog_samples import MONDAY, A, B, manifest, run

DOC = Path(__file__).parents[2] / "docs/catalog.md"
TUESDAY = MONDAY + timedelta(days=1)


def test_a_done_recording_has_rows_in_every_table_but_failures():
    rows = rows_of(manifest(), run(), {"clips/01-a.mp4": 10, "clips/01-a.jpg": 2, "clips/01-a.srt": 1})
    assert {table: len(of) for table, of in rows.items()} == {
        "videos": 1, "highlights": 4, "clips": 2, "failures": 0, "runs": 1,
    }  # fmt: skip
    first, second = rows["clips"]
    assert (first["bytes"], first["loudness_lufs"], first["true_peak_dbtp"]) == (13, -14.0, None)
    assert second["bytes"] is None, "a sum over files of unknown size would be too small"
    assert first["folder"] == f"s3://store/clips/{MONDAY}/ab/{A}"
    assert [row["kind"] for row in rows["highlights"]] == ["clip", "clip", "rejected", "runner_up"]
    assert rows["runs"][0]["stages"][1] == {"name": "render", "seconds": 9.0, "cached": True}


def test_a_failure_before_the_content_is_known_is_a_row_without_hash():
    rows = rows_of(None, run(None, status="failed", reason="S3 is away", error="StoreError", stage="fetch"))
    assert not rows["clips"] and not rows["videos"]
    assert rows["failures"][0]["sha256"] is None and rows["failures"][0]["reason"] == "S3 is away"
    assert rows["runs"][0]["status"] == "failed"


def test_a_manifest_of_another_recording_is_refused():
    with pytest.raises(ValueError, match="the manifest is of"):
        rows_of(manifest(B), run(A))


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("s3://key:secret@bucket/a.mp4", "s3://bucket/a.mp4"),
        ("https://host/a.mp4?X-Amz-Signature=1#t", "https://host/a.mp4"),
        ("/data/50% off?.mp4", "/data/50% off?.mp4"),
        ("file:///data/a.mp4", "file:///data/a.mp4"),
    ],
)
def test_credentials_and_signatures_do_not_get_into_the_catalog(uri, kept):
    assert without_secrets(uri) == kept


def test_what_is_recorded_is_read_at_once_and_the_same_after_compaction(tmp_path):
    root = tmp_path
    record(root, run(), manifest())
    before = read(root, "clips")
    assert before["title"].to_pylist() == ["Titel 1 – ü", "Titel 2 – ü"]
    assert before["day"].to_pylist() == [MONDAY, MONDAY]
    compact(root)
    assert read(root, "clips").equals(before)
    assert not CatalogFiles(root).pending("clips")


def test_recording_twice_changes_nothing_also_after_compaction(root):
    record(root, run(), manifest())
    record(root, run(), manifest())
    compact(root)
    record(root, run(), manifest())
    assert read(root, "clips").num_rows == 2
    compact(root)
    assert {table: read(root, table).num_rows for table in TABLES} == {
        "videos": 1, "highlights": 4, "clips": 2, "failures": 0, "runs": 1,
    }  # fmt: skip
    assert not CatalogFiles(root).pending("clips")


@pytest.mark.parametrize("compacted", [False, True])
def test_rows_of_a_run_that_was_lost_make_way_for_those_of_who_takes_it_over(root, compacted):
    record(root, run(B), manifest(B))
    record(root, run(), manifest(clips=3))
    if compacted:
        compact(root)
    for _ in range(2):
        record(root, run(), manifest(clips=2, key="k2"), replace=True)
        found = read(root, "clips", columns=["sha256", "render_key"]).to_pylist()
        kept = sorted((row["sha256"], row["render_key"]) for row in found)
        assert kept == [(A, "k2")] * 2 + [(B, "k1")] * 2
        compact(root)
    assert read(root, "clips").num_rows == 4 and not CatalogFiles(root).pending("clips")
    record(root, run(status="rejected", reason="too short"), replace=True)
    assert read(root, "clips")["sha256"].to_pylist() == [B, B]
    assert sorted(read(root, "runs")["status"].to_pylist()) == ["done", "rejected"]


@pytest.mark.parametrize("clips", [1, 0])
def test_a_compaction_that_has_read_the_former_rows_does_not_put_them_back(bucket, tmp_path, monkeypatch, clips):
    root, whole = f"{bucket}/{tmp_path.name}", CatalogFiles.rows
    record(root, run(), manifest(clips=3))

    def late(files: CatalogFiles, path: str) -> pa.Table | None:
        rows = whole(files, path)
        monkeypatch.setattr(CatalogFiles, "rows", whole)
        if clips:
            record(root, run(), manifest(clips=clips), replace=True)
        else:
            record(root, run(status="rejected", reason="too short"), replace=True)
        return rows

    monkeypatch.setattr(CatalogFiles, "rows", late)
    compact(root, tables=["clips"])
    assert CatalogFiles.rows is whole, "the compaction has read them"
    assert read(root, "clips").num_rows == clips


def test_two_runs_of_a_recording_both_count(tmp_path):
    root = tmp_path
    record(root, run(), manifest())
    record(root, run(id="r2"), manifest())
    compact(root)
    assert read(root, "runs")["run_id"].to_pylist() == ["r1", "r2"]
    assert read(root, "clips").num_rows == 4


def test_only_the_days_asked_for_are_opened(tmp_path):
    record(tmp_path, run(), manifest())
    record(tmp_path, run(B, day=TUESDAY), manifest(B))
    compact(tmp_path)
    Path(CatalogFiles(tmp_path).part("clips", TUESDAY)).write_bytes(b"no parquet")
    assert set(read(tmp_path, "clips", days=(MONDAY, TUESDAY))["sha256"].to_pylist()) == {A}
    with pytest.raises(StoreError, match="clips"):
        read(tmp_path, "clips")


def test_rows_and_columns_are_chosen(tmp_path):
    record(tmp_path, run(), manifest())
    found = read(tmp_path, "clips", columns=["title", "day"], where=pc.field("score") > 0.85)
    assert found.to_pylist() == [{"title": "Titel 1 – ü", "day": MONDAY}]
    with pytest.raises(KeyError, match="no column loudness"):
        read(tmp_path, "clips", columns=["loudness"])


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_catalog_has_all_columns_and_no_rows(tmp_path, table):
    assert read(tmp_path, table).schema.names == read_schema(table).names
    assert read(tmp_path, table).num_rows == 0


def old_and_new_files(root, table="runs"):
    """A day written by a version that knew fewer columns, and one by a version that knows one more."""
    files, day = CatalogFiles(root), MONDAY
    rows = pa.Table.from_pylist(rows_of(manifest(), run())[table], schema=schema(table))
    for content, when in ((rows.drop(["priority", "tags"]), day), (rows.append_column("gpu_s", [[1.5]]), TUESDAY)):
        path = Path(files.part(table, when))
        path.parent.mkdir(parents=True)
        pq.write_table(content, path)


def test_files_with_fewer_and_with_more_columns_are_read(tmp_path):
    old_and_new_files(tmp_path)
    assert read(tmp_path, "runs")["priority"].to_pylist() == [None, "normal"]
    frame = pd.read_parquet(CatalogFiles(tmp_path).table_folder("runs"), schema=read_schema("runs"))
    assert frame["priority"].isna().tolist() == [True, False], "the docs say that a schema brings all columns"


def test_compaction_brings_an_old_file_to_date_and_keeps_columns_it_does_not_know(tmp_path):
    old_and_new_files(tmp_path)
    for day in (MONDAY, TUESDAY):
        record(tmp_path, run(B, "r9", day=day), manifest(B))
    compact(tmp_path)
    assert read(tmp_path, "runs").num_rows == 4
    part = CatalogFiles(tmp_path).part
    assert pq.read_schema(part("runs", MONDAY)).names == schema("runs").names
    assert pq.read_table(part("runs", TUESDAY))["gpu_s"].to_pylist() == [1.5, None]


def test_a_forgotten_recording_is_not_recorded_until_it_is_allowed_again(tmp_path):
    root = tmp_path
    bury(root, A, at=run().began)
    assert is_forgotten(root, A) and not is_forgotten(root, B)
    record(root, run(), manifest())
    assert read(root, "runs").num_rows == 0
    assert allow_again(root, A) and not allow_again(root, A)
    record(root, run(), manifest())
    assert read(root, "runs").num_rows == 1


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "catalog").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="Writing .*failed"):
        record(tmp_path, run(), manifest())


def test_every_column_is_explained_in_the_docs_with_type_and_unit():
    text = DOC.read_text()
    for table in TABLES:
        assert as_markdown(table) in text, f"docs/catalog.md: the columns of {table} are not those of the schema"


def test_the_queries_in_the_docs_run(root, monkeypatch):
    for n in range(3):
        record(root, run(B, f"r{n}", day=date(2026, 11, 16) + timedelta(days=n)), manifest(B))
    record(root, run(None, "r9", day=date(2026, 11, 17), status="failed", reason="away"))
    compact(root)
    monkeypatch.setenv("WINNOW_STORE", root)
    blocks = re.findall(r"^```python\n(.*?)^```", DOC.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    names = {}
    for block in blocks:
        exec(compile(block, str(DOC), "exec"), names)
    assert names["best"]["score"].tolist() == sorted(names["best"]["score"], reverse=True) and len(names["best"])
    assert names["per_day"].to_pydict() == {"day": [date(2026, 11, d) for d in (16, 17, 18)], "clips": [2, 2, 2]}
    assert names["failed"]["reason"].to_pylist() == ["away"]
    assert names["stages"].loc["render"] == 27.0
    assert names["newest"].num_rows == 4
    assert names["outcomes"] == [("done", 3), ("failed", 1)]
    best = [
        sorted(zip(found["score"], found["title"], found["day"].astype(str).str[:10], found["folder"], strict=True))
        for found in (names["best"], names["best_sql"])
    ]
    assert best[0] == best[1]
    assert names["per_day_sql"] == [(date(2026, 11, d), 2) for d in (16, 17, 18)]
    assert dict(names["stages_sql"]) == names["stages"].to_dict()


def test_pandas_pyarrow_and_duckdb_give_the_same_also_while_new_files_wait(root):
    record(root, run(), manifest())
    record(root, run(B, day=TUESDAY), manifest(B, clips=3))
    compact(root)
    compacted = read(root, "clips", columns=SHOWN).to_pylist()
    record(root, run(B, "r2", day=TUESDAY), manifest(B))  # a run since the compaction, of a day that has a file
    record(root, run(A, "r3", day=TUESDAY + timedelta(days=1)), manifest(A))  # and of one that has none
    answers = [by_pandas(root), by_pyarrow(root), by_duckdb(root)]
    assert answers[0] == answers[1] == answers[2] == ordered(compacted)
    now = read(root, "clips", columns=SHOWN)
    assert duckdb.sql("SELECT count(*) FROM now").fetchall() == [(len(compacted) + 4,)]
    compact(root)
    assert by_pandas(root) == by_pyarrow(root) == by_duckdb(root) == ordered(now.to_pylist())


SHOWN = ["day", "sha256", "run_id", "clip", "score", "title", "tags", "true_peak_dbtp"]


def ordered(rows):
    return sorted(
        ({**row, "day": str(row["day"])[:10]} for row in rows), key=lambda row: [str(v) for v in row.values()]
    )


def by_pandas(root):
    frame = pd.read_parquet(f"{root}/catalog/v1/clips", columns=SHOWN, dtype_backend="pyarrow")
    return ordered(pa.Table.from_pandas(frame).select(SHOWN).to_pylist())


def by_pyarrow(root):
    files = CatalogFiles(root)
    dataset = pads.dataset(files.table_folder("clips"), filesystem=files.fs, partitioning="hive")
    return ordered(dataset.to_table(columns=SHOWN).to_pylist())


def by_duckdb(root):
    with duckdb.connect() as duck:
        if root.startswith("s3://"):
            duck.register_filesystem(CatalogFiles(root).fs)
        files = f"read_parquet('{root}/catalog/v1/clips/*/part.parquet', hive_partitioning = true)"
        found = duck.sql(f"SELECT {', '.join(SHOWN)} FROM {files}").to_arrow_table()
    return ordered(found.to_pylist())


def test_pandas_and_pyarrow_read_the_days_files_without_winnow(root):
    record(root, run(), manifest())
    record(root, run(B, day=TUESDAY), manifest(B))
    compact(root)
    frame = pd.read_parquet(f"{root}/catalog/v1/clips")
    assert sorted(frame["day"].astype(str)) == [str(MONDAY)] * 2 + [str(TUESDAY)] * 2
    files = CatalogFiles(root)
    dataset = pads.dataset(files.table_folder("clips"), filesystem=files.fs, partitioning="hive")
    assert dataset.count_rows(filter=pc.field("day") == str(MONDAY)) == 2
