from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.catalog import record
from core.catalog_files import CatalogFiles
from core.compaction import compact
from core.nightly_plan import LEAST_RUNS, RECENT, plan_night
from tests.core.catalog_samples import manifest, run

TODAY = datetime.now(UTC).date()
A_BYTE_S = 12.5 / 1_000
"""What the samples of the catalog took."""


@pytest.fixture
def inbox(tmp_path: Path) -> str:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "talk.mp4").write_bytes(bytes(400))
    return str(folder)


def known(store: str, runs: int, age: timedelta = timedelta()) -> None:
    for n in range(runs):
        sha256 = f"{n:02x}" * 32
        record(store, run(sha256, day=TODAY - age), manifest(sha256))


def test_time_is_estimated_by_the_bytes_from_what_recent_runs_took(inbox, tmp_path):
    store = str(tmp_path / "store")
    known(store, LEAST_RUNS)
    assert plan_night(inbox, store, settle_s=0).estimate_s == pytest.approx(400 * A_BYTE_S)


@pytest.mark.parametrize(("runs", "age"), [(LEAST_RUNS - 1, timedelta()), (LEAST_RUNS, RECENT + timedelta(days=1))])
def test_few_or_old_runs_are_no_ground_for_an_estimate(inbox, tmp_path, runs, age):
    store = str(tmp_path / "store")
    known(store, runs, age)
    plan = plan_night(inbox, store, settle_s=0)
    assert plan.estimate_s is None and plan.notes == () and len(plan.new) == 1


def test_a_catalog_that_cannot_be_read_costs_the_estimate_and_not_the_night(inbox, tmp_path):
    store = str(tmp_path / "store")
    known(store, LEAST_RUNS)
    compact(store)
    (part,) = CatalogFiles(store).parts("videos")
    Path(part.path).write_bytes(Path(part.path).read_bytes()[:-9])
    plan = plan_night(inbox, store, settle_s=0)
    assert plan.estimate_s is None and len(plan.new) == 1
    (note,) = plan.notes
    assert part.path in note and "restore it from a backup" in note


def test_nothing_new_takes_no_time(inbox, tmp_path):
    (tmp_path / "inbox/talk.mp4").unlink()
    assert plan_night(inbox, str(tmp_path / "store"), settle_s=0).estimate_s == 0
