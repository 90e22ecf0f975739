from datetime import UTC, datetime, timedelta

import pytest

from core.catalog import record
from core.disk_cache import DiskCache
from core.leases import working_on
from core.retention import RetentionPolicy, apply, expired
from core.store import Store
from tests.core.catalog_samples import A, manifest, run
from tests.core.retention_samples import ALL, NOTHING, NOW, age, entry, paths, publication


def test_a_dry_run_lists_what_goes_with_its_bytes_and_removes_nothing(home):
    old, young = entry(home), entry(home, "audio", days=3)
    plan = expired(home, None, RetentionPolicy(), NOW)
    assert paths(plan) == [f"analysis/{A}/transcript/k1"]
    assert plan.bytes == sum(f.stat().st_size for f in old.iterdir()) > 0
    assert plan.as_table() == [{"kind": "intermediates", "items": 1, "files": 2, "bytes": plan.bytes}]
    assert old.exists() and young.exists()


def test_applying_removes_what_is_planned_and_again_does_nothing(home):
    old, young = entry(home), entry(home, "audio", days=3)
    plan = expired(home, None, RetentionPolicy(), NOW)
    assert apply(plan).bytes == plan.bytes
    assert not old.exists() and young.exists()
    again = apply(plan)
    assert not again.removed and not again.skipped
    assert not expired(home, None, RetentionPolicy(), NOW).items


def test_the_last_entry_of_a_recording_takes_its_empty_folders_along(home):
    entry(home)
    apply(expired(home, None, RetentionPolicy(), NOW))
    assert not list((home / "analysis").iterdir())


@pytest.mark.parametrize(("days", "goes"), [(13.9, False), (14.1, True)])
def test_renderings_have_an_age_of_their_own(home, days, goes):
    entry(home, "render", days=days)
    entry(home, "audio", days=days)
    assert paths(expired(home, None, RetentionPolicy(), NOW)) == ([f"analysis/{A}/render/k1"] if goes else [])


def test_what_is_kept_for_ever_is_kept(home, tmp_path):
    root = str(tmp_path)
    entry(home, days=10_000)
    publication(root)
    record(root, run(), manifest())
    assert not expired(home, root, NOTHING, NOW).items


def test_nothing_of_a_recording_goes_while_a_run_works_on_it(home):
    old = entry(home)
    plan = expired(home, None, RetentionPolicy(), NOW)
    with working_on(home, A):
        busy = expired(home, None, RetentionPolicy(), NOW)
        assert not busy.items and busy.spared[0].why == "a run works on the recording"
        assert apply(plan).skipped[0].why == "a run works on the recording"
        assert old.exists()
    apply(plan)
    assert not old.exists()


def test_what_was_written_again_since_the_plan_stays(home):
    old = entry(home)
    plan = expired(home, None, RetentionPolicy(), NOW)
    age(old, 0)
    assert apply(plan).skipped[0].why == "it was written again"
    assert old.exists()


def test_what_was_written_within_the_hour_stays_whatever_the_policy(home):
    entry(home, days=0.01)
    assert not expired(home, None, RetentionPolicy(intermediates_days=0), NOW).items


def test_a_removal_that_is_killed_leaves_no_half_entry(home, monkeypatch):
    entry(home)
    plan = expired(home, None, RetentionPolicy(), NOW)
    with monkeypatch.context() as patch:
        patch.setattr("core.retention_home.shutil.rmtree", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            apply(plan)
    assert not (home / "analysis" / A / "transcript" / "k1").exists()
    left = expired(home, None, RetentionPolicy(), datetime.now(UTC) + timedelta(days=300))
    assert [item.why for item in left.items] == ["scratch of a run that is over"]
    apply(left)
    assert not list((home / "scratch").iterdir())


def test_incomplete_entries_and_old_cache_files_go(home):
    broken = entry(home, days=3)
    (broken / "files.json").unlink()
    age(broken, 3)
    vector = home / "embeddings" / "id" / "x.npy"
    vector.parent.mkdir(parents=True)
    vector.write_bytes(b"1")
    age(vector, 40)
    plan = expired(home, None, RetentionPolicy(), NOW)
    assert {item.kind: item.path for item in plan.items} == {
        "caches": "embeddings/id/x.npy", "leftovers": f"analysis/{A}/transcript/k1",
    }  # fmt: skip
    apply(plan)
    assert not vector.exists() and not broken.exists()


def test_a_rendering_that_a_publication_names_stays_until_the_publication_goes(home, tmp_path):
    root = str(tmp_path)
    named, old = entry(home, "render", "k1"), entry(home, "render", "k2")
    publication(root, key="k1")
    plan = expired(home, root, RetentionPolicy(), NOW)
    assert paths(plan) == [f"analysis/{A}/render/k2"]
    assert [stays.why for stays in plan.spared] == ["a manifest names it"]
    apply(expired(home, root, RetentionPolicy(clips_days=30), NOW))
    assert not named.exists() and not old.exists()


def test_a_manifest_that_cannot_be_read_protects_all_it_may_name(home, tmp_path):
    root = str(tmp_path)
    folder = publication(root, extra=["clips/old.mp4"])
    entry(home, "render", "k2")
    Store(root).fs.pipe_file(f"{folder}/manifest.json", b'{"version": 99}')
    assert not expired(home, root, RetentionPolicy(), datetime.now(UTC) + timedelta(days=60)).items


def test_fetched_recordings_go_by_their_last_use_and_stay_while_they_are_used(home):
    cache = DiskCache(home / "inbox", max_bytes=1_000)
    with cache.arriving("key", 4) as part:
        part.write_bytes(b"talk")
        path = cache.keep(part, A)
    age(path.parent, 31)
    plan = expired(home, None, RetentionPolicy(), NOW)
    assert paths(plan) == [f"inbox/objects/ab/{A}"]
    with cache.pinned(A):  # which also counts as use
        assert [stays.why for stays in apply(plan).skipped] == ["it was used again"]
        age(path.parent, 31)
        assert [stays.why for stays in apply(plan).skipped] == ["a run works on the recording"]
    assert len(apply(plan).removed) == 1 and cache.known("key") is None


def test_what_cannot_be_removed_is_told_and_the_rest_goes(home, tmp_path):
    entry(home, days=200)
    entry(home, "audio", days=100)
    root = str(tmp_path / "store")
    publication(root)
    plan = expired(home, root, ALL, NOW)
    (home / "scratch").rmdir()
    (home / "scratch").write_text("a file where entries are moved to before they go")
    done = apply(plan)
    assert [stays.item.kind for stays in done.failed] == ["intermediates", "intermediates"]
    assert [item.kind for item in done.removed] == ["clips"]


def test_where_nothing_can_be_removed_no_more_is_tried(home):
    for number in range(5):
        entry(home, key=f"k{number}", days=100 + number)
    plan = expired(home, None, RetentionPolicy(), NOW)
    (home / "scratch").rmdir()
    (home / "scratch").write_text("a file")
    whys = [stays.why for stays in apply(plan).failed]
    assert len(whys) == 5 and whys[3:] == ["not tried after 3 failures in a row"] * 2
