"""What lies in a home folder and in a store, as old as a test wants it."""

import os
from datetime import UTC, datetime

from core.publishing import named_files
from core.records import StageRef
from core.retention import RetentionPolicy
from core.store import Store
from tests.core.catalog_samples import MONDAY, A, manifest

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALL = RetentionPolicy(clips_days=30, catalog_days=30)
NOTHING = RetentionPolicy(
    intermediates_days=None, renderings_days=None, caches_days=None, clips_days=None, leftovers_days=None,
    failures_days=None, catalog_days=None,
)  # fmt: skip


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


def paths(plan):
    return [item.path for item in plan.items]
