from datetime import UTC, datetime, timedelta

import pytest

from core import retention_store
from core.catalog import read, record
from core.compaction import compact
from core.retention import RetentionPolicy, apply, expired
from core.store import Store
from tests.core.catalog_samples import MONDAY, A, B, run
from tests.core.retention_samples import NOW, below, paths, publication


def killed_at_the_second(patch):
    """The process ends when it is about to remove a second file from the store."""
    removals = []

    def asked(fs, doing, call):
        if doing.startswith("Removing"):
            removals.append(doing)
            if len(removals) == 2:
                raise KeyboardInterrupt
        return whole(fs, doing, call)

    whole = retention_store.asked
    patch.setattr(retention_store, "asked", asked)


def test_old_publications_go_manifest_first_and_others_stay(home, root, monkeypatch):
    folder, kept = publication(root), publication(root, B, day=NOW.date())
    plan = expired(home, root, RetentionPolicy(clips_days=30), NOW)
    assert paths(plan) == [f"clips/{MONDAY}/ab/{A}"]
    with monkeypatch.context() as patch:
        killed_at_the_second(patch)
        with pytest.raises(KeyboardInterrupt):
            apply(plan)
    assert f"{folder}/manifest.json" not in below(root, folder) and len(below(root, folder)) == 7
    apply(plan)
    assert not below(root, folder) and f"{kept}/manifest.json" in below(root, kept)
    assert not apply(plan).removed


def test_files_that_no_manifest_names_go_once_they_are_old(home, root):
    folder = publication(root, extra=["clips/old-sd.mp4"])
    soon, later = datetime.now(UTC) + timedelta(days=1), datetime.now(UTC) + timedelta(days=3)
    assert not expired(home, root, RetentionPolicy(), soon).items
    plan = expired(home, root, RetentionPolicy(), later)
    assert paths(plan) == [f"clips/{MONDAY}/ab/{A}/clips/old-sd.mp4"]
    apply(plan)
    assert len(below(root, folder)) == 8 and f"{folder}/manifest.json" in below(root, folder)


def test_a_publication_without_manifest_is_left_alone_while_it_may_still_arrive(home, tmp_path):
    root = str(tmp_path)
    folder = publication(root)
    Store(root).fs.rm_file(f"{folder}/manifest.json")
    assert not expired(home, root, RetentionPolicy(), datetime.now(UTC)).items
    plan = expired(home, root, RetentionPolicy(), datetime.now(UTC) + timedelta(days=3))
    assert [(item.kind, item.files) for item in plan.items] == [("leftovers", 7)]


def test_days_of_the_catalog_go_by_table(home, root):
    record(root, run(status="failed", reason="x"), None)
    compact(root)
    record(root, run(B, day=NOW.date(), status="failed", reason="y"))
    plan = expired(home, root, RetentionPolicy(failures_days=30), NOW)
    assert [item.kind for item in plan.items] == ["failures"]
    apply(plan)
    assert read(root, "failures")["sha256"].to_pylist() == [B]
    assert read(root, "runs").num_rows == 2


def test_logs_of_failures_go_with_their_days(home, root):
    store = Store(root)
    for day in (MONDAY, NOW.date()):
        folder = f"{store.root}/failures/{day}"
        store.fs.makedirs(folder, exist_ok=True)
        store.fs.pipe_file(f"{folder}/r1-k.txt", b"Traceback")
    plan = expired(home, root, RetentionPolicy(failures_days=30), NOW)
    assert [(item.kind, item.path, item.files) for item in plan.items] == [("failures", f"failures/{MONDAY}", 1)]
    apply(plan)
    left = below(root, f"{store.root}/failures")
    assert [path.rsplit("/", 2)[1] for path in left] == [str(NOW.date())]


def test_what_a_killed_writer_left_aside_in_the_catalog_goes(home, tmp_path):
    record(tmp_path, run())
    aside = tmp_path / "catalog/v1/_new/runs/day=2026-03-02/.x.part"
    aside.write_bytes(b"PAR")
    assert not expired(home, tmp_path, RetentionPolicy(), datetime.now(UTC)).items
    apply(expired(home, tmp_path, RetentionPolicy(), datetime.now(UTC) + timedelta(days=3)))
    assert not aside.exists() and read(tmp_path, "runs").num_rows == 1
