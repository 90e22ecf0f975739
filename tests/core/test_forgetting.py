import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.catalog import read, record
from core.catalog_schema import TABLES
from core.compaction import compact
from core.disk_cache import DiskCache
from core.errors import RefusedInput, StoreError
from core.forgetting import NO_TIMELINE, forget
from core.inbox_index import InboxIndex
from core.leases import working_on
from core.sources import InboxObject
from core.store import Store
from core.tombstones import is_forgotten
from tests.core.catalog_samples import A, B, manifest, run
from tests.core.retention_samples import entry, publication


def vectors(home, texts):
    digest = hashlib.sha256(json.dumps(["enc-f32", *texts]).encode()).hexdigest()
    path = home / "embeddings" / "enc-f32" / f"{digest}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((len(texts), 2), np.float16))
    return path


def worked_on(home, root, sha256, says):
    """What a nightly leaves of a recording in all places."""
    folder = entry(home, "merge", "k1", sha256)
    pq.write_table(pa.table({"text": [f" {says} ", "…", None]}), folder / "timeline.parquet")
    entry(home, "render", "k1", sha256)
    copy = home / "copies" / sha256 / "audio" / "k" / "a.pcm"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"1")
    publication(root, sha256)
    record(root, run(sha256), manifest(sha256))
    compact(root)
    record(root, run(sha256, "r2", status="failed", reason="full disk"))
    found = InboxObject(uri=f"s3://inbox/{sha256[:4]}.mp4", bytes=5, tag="t", modified_s=1.0)
    InboxIndex(root).add([(found, sha256)])
    return vectors(home, [says])


def test_everything_of_the_recording_goes_and_nothing_of_another(home, root, tmp_path):
    own, others = worked_on(home, root, A, "the sea"), worked_on(home, root, B, "the moon")
    cache = DiskCache(tmp_path / "cache", 10**9)
    with cache.arriving("o1", 3) as part:
        part.write_bytes(b"abc")
        cache.keep(part, A)
    before = {table: read(root, table).num_rows for table in TABLES}
    told = forget(A, home=home, store=root, caches=[cache])
    assert told.proven and not told.left
    assert not own.exists() and others.exists() and not cache.path(A).exists()
    assert told.rows == {"videos": 1, "highlights": 4, "clips": 2, "failures": 1, "runs": 2}
    for table in TABLES:
        rows = read(root, table)
        assert set(rows["sha256"].to_pylist()) == {B}
        assert rows.num_rows == before[table] - told.rows[table]
    names = [str(p) for p in [*tmp_path.rglob("*"), *Store(root).fs.find(Store(root).root)]]
    assert not [name for name in names if A in name] and [name for name in names if B in name]
    assert set(InboxIndex(root).read().by_fingerprint.values()) == {B}
    assert is_forgotten(root, A) and not is_forgotten(root, B)
    assert "No file name, row of the catalog or line of the inbox's index" in told.as_text()


def test_forgetting_again_finds_nothing_and_proves_the_same(home, tmp_path):
    root = tmp_path / "store"
    worked_on(home, root, A, "the sea")
    forget(A, home=home, store=root)
    again = forget(A, home=home, store=root)
    assert again.proven and not any(again.removed.values()) and not any(again.rows.values())
    assert "there was nothing" in again.as_text()


def test_a_failure_from_before_the_content_was_known_goes_with_the_object(home, tmp_path):
    unread = run(None, "r0", status="failed", reason="away")
    record(tmp_path, run(A), manifest(A))
    record(tmp_path, replace(unread, uri=run(A).uri))
    record(tmp_path, unread)
    assert forget(A, home=home, store=tmp_path).rows["failures"] == 1
    assert read(tmp_path, "failures")["uri"].to_pylist() == [unread.uri]


def test_a_recording_in_work_is_not_forgotten(home, tmp_path):
    kept = entry(home)
    with working_on(home, A), pytest.raises(StoreError, match="a run works on it"):
        forget(A, home=home, store=tmp_path)
    assert kept.exists() and not is_forgotten(tmp_path, A)


@pytest.mark.parametrize("words", ["", "abcd", A.upper(), A + "0", "../" + A[3:]])
def test_only_a_whole_hash_is_taken(home, tmp_path, words):
    with pytest.raises(RefusedInput, match="64 hexadecimal digits"):
        forget(words, home=home, store=tmp_path)


def test_without_a_timeline_it_is_said_that_vectors_cannot_be_told_apart(home, tmp_path):
    entry(home, "audio")
    kept = vectors(home, ["the sea"])
    told = forget(A, home=home, store=tmp_path)
    assert NO_TIMELINE in told.not_reached and kept.exists()


def test_what_was_published_elsewhere_is_told_and_stays(home, tmp_path):
    store, out = tmp_path / "store", tmp_path / "out" / "talk-abababab"
    out.mkdir(parents=True)
    (out / "manifest.json").write_text("{}")
    record(store, replace(run(A), manifest=str(out / "manifest.json")), manifest(A))
    told = forget(A, home=home, store=store)
    assert told.elsewhere == (str(out / "manifest.json"),) and (out / "manifest.json").exists()


def test_what_is_left_is_told_and_nothing_is_proven(home, tmp_path, monkeypatch):
    worked_on(home, tmp_path, A, "the sea")
    monkeypatch.setattr("core.forgotten_rows.remove", lambda store, sha256: {})
    monkeypatch.setattr("core.forgetting._at_home", lambda home, sha256: 0)
    told = forget(A, home=home, store=tmp_path)
    assert not told.proven
    assert str(home / "analysis" / A) in told.left and "2 rows in the catalog's table runs" in told.left
    assert f"STILL THERE: {home / 'analysis' / A}" in told.as_text()


def test_a_killed_forgetting_is_finished_by_the_next(home, tmp_path, monkeypatch):
    root = tmp_path / "store"
    worked_on(home, root, A, "the sea")
    for killed_in in ("core.forgetting._vectors", "core.forgetting.vanish", "core.forgotten_rows._clear_day"):
        with monkeypatch.context() as patch:
            patch.setattr(killed_in, lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                forget(A, home=home, store=root)
        assert is_forgotten(root, A)
    assert forget(A, home=home, store=root).proven
    assert not list(Path(home).rglob("*.npy"))
