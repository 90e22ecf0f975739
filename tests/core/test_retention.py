import os
from datetime import UTC, datetime, timedelta

import pytest

from core import retention_store
from core.catalog import read, record
from core.compaction import compact
from core.disk_cache import DiskCache
from core.leases import working_on
from core.publishing import named_files
from core.records import StageRef
from core.retention import RetentionPolicy, apply, expired
from core.store import Store
from tests.core.buckets import one_at_a_time
from tests.core.catalog_samples import MONDAY, A, B, manifest, run

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALL = RetentionPolicy(clips_days=30, catalog_days=30)
NOTHING = RetentionPolicy(
    intermediates_days=None, renderings_days=None, caches_days=None, clips_days=None, leftovers_days=None,
    failures_days=None, catalog_days=None,
)  # fmt: skip


@pytest.fixture(scope="module")
def bucket():
    with one_at_a_time("retention") as uri:
        yield uri


@pytest.fixture(params=["folder", "bucket"])
def root(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "store")
    return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def age(folder, days, now=NOW):
    """As if everything below had been written so many days ago."""
    when = now.timestamp() - days * 86_400
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (when, when))


def entry(home, stage="transcript", key="k1", sha256=A, days=100.0):
    ref = StageRef(sha256, stage, key)
    with Store(home).writing(ref) as folder:
        (folder / "value.json").write_text("[1, 2]")
    path = home / "analysis" / sha256 / stage / key
    age(path, days)
    return path


def publication(root, sha256=A, day=MONDAY, key="k1", extra=()):
    """A published recording in the store, as a nightly leaves it."""
    store = Store(root)
    made = manifest(sha256, key=key)
    folder = f"{store.root}/clips/{day}/{sha256[:2]}/{sha256}"
    for name in (*sorted(named_files(made)), *extra):
        store.fs.makedirs(f"{folder}/{name}".rpartition("/")[0], exist_ok=True)
        store.fs.pipe_file(f"{folder}/{name}", b"video")
    store.fs.pipe_file(f"{folder}/manifest.json", made.model_dump_json().encode())
    return folder


def below(root, folder):
    fs = Store(root).fs
    fs.invalidate_cache()
    return fs.find(folder)


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


def paths(plan):
    return [item.path for item in plan.items]


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
