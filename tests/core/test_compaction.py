import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.dataset as pads
import pytest

from core import forgotten_rows
from core.catalog import read, record
from core.catalog_files import CatalogFiles
from core.compaction import compact
from core.errors import StoreError
from core.tombstones import bury
from tests.core.catalog_samples import MONDAY, A, B, run


def seen_plainly(root, table="runs"):
    """Runs that a reader finds who knows nothing of Winnow: all Parquet files below the table's folder."""
    files = CatalogFiles(root)
    if not files.fs.exists(files.table_folder(table)):
        return []
    dataset = pads.dataset(files.table_folder(table), filesystem=files.fs, partitioning="hive")
    return dataset.to_table(columns=["run_id"])["run_id"].to_pylist() if dataset.files else []


def watched(look, work):
    """Every answer that `look` gave while `work` went on, and one after it."""
    over, answers = threading.Event(), []

    def loop():
        while not over.is_set():
            answers.append(look())

    with ThreadPoolExecutor() as pool:
        looping = pool.submit(loop)
        try:
            work()
        finally:
            over.set()
        looping.result()
    return [*answers, look()]


def check(answers, recorded, reader):
    """No answer has a run twice, and none lacks one that an earlier answer had."""
    before = set()
    for answer in answers:
        assert len(answer) == len(set(answer)), f"{reader} saw a row twice"
        assert before <= set(answer), f"{reader} missed a row that it had seen"
        before = set(answer)
    assert before == recorded


def test_readers_that_do_not_know_winnow_see_each_row_once_while_runs_record_and_days_are_compacted(tmp_path):
    def work():
        for n in range(24):
            record(tmp_path, run(id=f"r{n}"))
            if n % 2:
                compact(tmp_path, tables=["runs"])

    check(watched(lambda: seen_plainly(tmp_path), work), {f"r{n}" for n in range(24)}, "pyarrow")


def test_our_reader_sees_each_row_once_and_at_once_while_days_are_compacted(root):
    rounds = 15 if Path(root).is_absolute() else 2
    done = []

    def look():
        least = set(done)
        found = read(root, "runs", columns=["run_id"])["run_id"].to_pylist()
        assert least <= set(found), "a row that was recorded before the reader looked is not seen"
        return found

    def work():
        for n in range(rounds):
            record(root, run(id=f"r{n}"))
            done.append(f"r{n}")
            compact(root, tables=["runs"])

    check(watched(look, work), {f"r{n}" for n in range(rounds)}, "read")


def test_a_reader_of_a_bucket_sees_one_version_of_a_day_or_an_error(bucket, tmp_path):
    root = f"{bucket}/{tmp_path.name}"
    record(root, run(id="r0"))
    compact(root, tables=["runs"])
    files = CatalogFiles(root)
    with files.fs.open(files.part("runs", MONDAY), "rb", block_size=16, cache_type="none") as opened:
        assert opened.read(4) == b"PAR1"
        record(root, run(id="r1"))
        compact(root, tables=["runs"])
        with pytest.raises(OSError, match="no longer exists"):
            opened.read(64)
    assert sorted(seen_plainly(root)) == ["r0", "r1"]


def test_compactions_at_the_same_time_lose_nothing(root):
    for n in range(4):
        record(root, run(id=f"r{n}"))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: compact(root, tables=["runs"]), range(2)))
    assert sorted(seen_plainly(root)) == [f"r{n}" for n in range(4)]
    assert not CatalogFiles(root).pending("runs")


def test_one_that_comes_between_makes_the_other_begin_again(root, monkeypatch):
    record(root, run(id="r0"))
    files, path = CatalogFiles(root), CatalogFiles(root).part("runs", MONDAY)
    calls = []

    def compute(content):
        calls.append(content)
        if len(calls) == 1 and not files.local:
            files.fs.pipe_file(path, b"another's")
        return (content or b"") + b" and ours"

    assert files.swap(path, compute) == files.content(path)
    assert calls == [None] if files.local else calls == [None, b"another's"]


def test_killed_before_the_small_files_are_removed_no_row_stands_twice(tmp_path, monkeypatch):
    root = tmp_path
    record(root, run(id="r0"))

    def killed(self, paths):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(CatalogFiles, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            compact(root, tables=["runs"])
    assert seen_plainly(root) == ["r0"] and read(root, "runs").num_rows == 1
    compact(root, tables=["runs"])
    assert seen_plainly(root) == ["r0"] and not CatalogFiles(root).pending("runs")


def test_without_new_rows_nothing_is_written(tmp_path):
    record(tmp_path, run())
    assert [c.table for c in compact(tmp_path)] == ["runs"]
    before = Path(CatalogFiles(tmp_path).part("runs", MONDAY)).stat().st_mtime_ns
    assert compact(tmp_path) == []
    assert Path(CatalogFiles(tmp_path).part("runs", MONDAY)).stat().st_mtime_ns == before


def test_a_damaged_small_file_is_told_and_stops_no_other(tmp_path):
    record(tmp_path, run(id="r0"))
    bad = CatalogFiles(tmp_path).new("runs", MONDAY, "bad")
    Path(bad).write_bytes(b"PAR1 nothing PAR1")
    (compacted,) = compact(tmp_path, tables=["runs"])
    assert compacted.unreadable == (bad,) and compacted.rows == 1
    assert seen_plainly(tmp_path) == ["r0"] and Path(bad).exists()


def test_a_damaged_days_file_is_not_overwritten(tmp_path):
    record(tmp_path, run(id="r0"))
    part = Path(CatalogFiles(tmp_path).part("runs", MONDAY))
    part.parent.mkdir(parents=True)
    part.write_bytes(b"damaged")
    with pytest.raises(StoreError, match="restore it from a backup"):
        compact(tmp_path)
    assert part.read_bytes() == b"damaged" and CatalogFiles(tmp_path).pending("runs")


@pytest.mark.parametrize("published_before", [False, True], ids=["new day", "old day"])
def test_what_is_forgotten_during_a_compaction_is_not_put_back(bucket, tmp_path, published_before, monkeypatch):
    root = f"{bucket}/{tmp_path.name}"  # in a folder a lock keeps the two apart
    if published_before:
        record(root, run(B, "r1"))
        compact(root, tables=["runs"])
    record(root, run(A))
    whole, done = CatalogFiles.swap, []

    def swap(self, path, compute):
        def forgetting(content):
            result = compute(content)
            if not done:
                done.append(True)
                bury(root, A, at=run().began)
                forgotten_rows.remove(root, A)
            return result

        return whole(self, path, compute if done else forgetting)

    monkeypatch.setattr(CatalogFiles, "swap", swap)
    compact(root, tables=["runs"])
    assert seen_plainly(root) == (["r1"] if published_before else [])
    assert read(root, "runs").num_rows == published_before
