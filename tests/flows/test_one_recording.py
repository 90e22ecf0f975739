"""A recording's turn beside what other nightlies have left of it, or do meanwhile."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import catalog, claims
from core.catalog_rows import Run
from core.identity import sha256_of
from core.jobs import Job
from core.sources import list_inbox
from core.transfer import Fetched
from flows.one_recording import take

BEGAN = datetime(2026, 3, 2, 23, tzinfo=UTC)


@pytest.fixture
def job(tmp_path: Path, winnow_home: Path, prefect_here: None) -> Job:
    """A text that is called a film: it is refused."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/notes.mp4").write_text("Bring the projector.")
    found = list_inbox(str(tmp_path / "inbox"), settle_s=0).objects[0]
    return Job(run_id="r1", began=datetime.now(UTC), store_uri=str(tmp_path / "store"), found=found)


def test_who_takes_over_from_a_lost_run_leaves_its_own_rows_under_the_name_of_that_run(job, tmp_path):
    sha256 = sha256_of(tmp_path / "inbox/notes.mp4")
    claims.claim(job.store_uri, sha256, "r0", BEGAN)
    former = Run(id="r0", day=BEGAN.date(), began=BEGAN, status="done", name="old", uri="old", seconds=1, sha256=sha256)
    catalog.record(job.store_uri, former)
    end = take(job)
    (row,) = catalog.read(job.store_uri, "runs").to_pylist()
    told = row["run_id"], row["day"], row["status"], row["name"], row["reason"]
    assert told == ("r0", BEGAN.date(), "rejected", "notes.mp4", end.reason)


def test_what_another_nightly_has_ended_meanwhile_is_left_as_that_one_left_it(job, monkeypatch):
    def meanwhile(fetched: Fetched) -> None:
        claims.claim(job.store_uri, fetched.sha256, "r0", BEGAN)
        claims.conclude(job.store_uri, fetched.sha256, claims.End(run_id="r0", status="done"))

    monkeypatch.setattr("flows.one_recording._infected", meanwhile)
    ends = [take(job) for _ in range(2)]
    assert [(end.status, end.reason) for end in ends] == [
        ("skipped", "Another nightly made it at the same time."),
        ("skipped", "The recording is in the store, from an earlier nightly."),
    ]
    assert catalog.read(job.store_uri, "runs").num_rows == 0
