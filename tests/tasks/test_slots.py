"""Limits that hold across processes: who works waits for a slot, who finds a result does not."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from core.admission import identify
from core.records import MediaRef
from core.settings import AdmissionSettings
from tasks import slots
from tasks.slots import slot
from tasks.stage import STAGE, Entry, kept

ROOT = Path(__file__).parents[2]
KIND, MACHINE = "winnow-test-work", "desk-2"
OTHER_RUN = f"""
import sys, time
from prefect import flow, task
from tasks.slots import slot

@task
def work():
    print("waits", flush=True)
    with slot({KIND!r}):
        print(time.time(), flush=True)

@flow
def run():
    work()

run()
"""


@task(name="worked", cache_policy=STAGE, result_serializer="json")
def work(recording: MediaRef):
    entry = Entry()
    with slot(KIND), entry.writing() as at:
        (at.folder / "done").write_text("done")
    return entry.ref


@flow(timeout_seconds=60)
def run(recording: MediaRef) -> str:
    return kept(work)(recording, return_state=True).name


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, winnow_home: Path) -> None:
    monkeypatch.setenv("WINNOW_MACHINE", MACHINE)
    monkeypatch.setattr(slots, "_looked", {})  # as in a process that has just begun


@pytest.fixture
def recording(tmp_path: Path) -> MediaRef:
    (tmp_path / "talk.mp4").write_bytes(b"a talk")
    return identify(tmp_path / "talk.mp4", AdmissionSettings())


@pytest.fixture
def limit(prefect_here: None) -> Iterator[str]:
    """One at a time on this machine."""
    name = f"{KIND}@{MACHINE}"
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))
        yield name
        client.delete_global_concurrency_limit_by_name(name)


def taken(name: str) -> int:
    with get_client(sync_client=True) as client:
        return client.read_global_concurrency_limit_by_name(name).active_slots


def test_a_run_in_another_process_waits_until_the_slot_is_free(limit, prefect_server):
    env = {**os.environ, **prefect_server, "PREFECT_LOGGING_LEVEL": "WARNING"}
    with slot(KIND):
        assert taken(limit) == 1
        other = subprocess.Popen(
            [sys.executable, "-c", OTHER_RUN], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE
        )
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "waits"
        time.sleep(1)  # long enough to get what is free
        freed = time.time()
    got = float(other.stdout.readline())
    assert other.wait(60) == 0
    assert got >= freed
    assert taken(limit) == 0


def test_a_result_that_is_there_waits_for_nobody(limit, recording):
    assert run(recording) == "Completed"
    with slot(KIND):
        assert run(recording) == "Cached"


def test_a_slot_is_free_again_after_a_failure(limit):
    with pytest.raises(ValueError), slot(KIND):
        raise ValueError
    assert taken(limit) == 0


def test_without_a_limit_work_begins_at_once_and_nothing_is_said(prefect_here, recording, caplog):
    with caplog.at_level(logging.INFO):
        assert run(recording) == "Completed"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_server_that_cannot_be_asked_holds_no_work_up(prefect_here, caplog):
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(nowhere), slot(KIND):
        pass
    assert "Going on without" in caplog.text
