"""The same nightly on threads, on Ray and on two process workers: the same clips, byte for byte."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core import catalog, media
from core.errors import BadSetting
from core.jobs import Engine
from core.nightly_report import NightlyReport
from core.settings import EncodingSettings, RenderSettings, SelectionSettings, Settings

ROOT = Path(__file__).parents[2]
SAID = "WEBVTT\n\n00:00.300 --> 00:04.400\nHalf of the tides are left out.\n\n00:04.900 --> 00:07.400\nGravity fades.\n"
SETTINGS = Settings(
    selection=SelectionSettings(clips=1, min_s=3, max_s=8),
    rendering=RenderSettings(**EncodingSettings(encoder_preset="ultrafast").model_dump()),
    reel=False,
)
POOL = "engines"
MADE_ANEW = ("manifest.json", "report.html")
"""These say when and how long, too."""


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short talk with captions beside it, and something that is no film: one for each of two workers."""
    folder = tmp_path_factory.mktemp("inbox")
    cut = ["-ss", "37.7", "-i", media.file_url(ROOT / "data/samples/tides.mp4"), "-t", "8"]
    smaller = ["-vf", "scale=320:180,fps=12.5", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    media.run_ffmpeg([*cut, *smaller, media.file_url(folder / "talk.mp4")], what="Cutting", timeout_s=60)
    (folder / "talk.vtt").write_text(SAID)
    (folder / "notes.mp4").write_text("Bring the projector.")
    return folder


@pytest.fixture(scope="module")
def on(inbox: Path, tmp_path_factory: pytest.TempPathFactory, prefect_here: None) -> Callable[..., dict[str, Any]]:
    """Run a nightly on an engine, with a home and a store of its own; what it made."""
    from flows.nightly import nightly

    def run(engine: Engine) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(engine)
        with pytest.MonkeyPatch.context() as patch, ExitStack() as held:
            patch.setenv("WINNOW_HOME", str(folder / "home"))
            if engine == "workers":
                held.enter_context(two_workers(folder))
            report: NightlyReport = nightly(
                str(inbox), str(folder / "store"), settings=SETTINGS, settle_s=0, engine=engine,
                at_once=1 if engine == "ray" else 2, tags=["spring"], priority="high", most_failed=0.0,
            )  # fmt: skip
        return made(report, folder / "store")

    return run


@contextmanager
def two_workers(folder: Path) -> Iterator[None]:
    """The deployment that a nightly hands recordings to, and two workers that do one each."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.settings import PREFECT_API_URL

    from flows.one_recording import nightly_recording

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"), overwrite=True)
        client.create_work_queue(name="high", work_pool_name=POOL)
    there: Any = nightly_recording.from_source(str(ROOT), "flows/one_recording.py:nightly_recording")
    there.deploy(name="cpu", work_pool_name=POOL, work_queue_name="high", build=False, print_next_steps=False)
    env = {**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value()), "PREFECT_HOME": str(folder / "prefect")}
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--limit", "1"]
    with (folder / "workers.log").open("w") as log:
        started = [
            subprocess.Popen([*command, "--name", name], cwd=ROOT, env=env, stdout=log, stderr=log)
            for name in ("first", "second")
        ]
        try:
            yield
        finally:
            for worker in started:
                worker.terminate()
            for worker in started:
                worker.wait(60)


def made(report: NightlyReport, store: Path) -> dict[str, Any]:
    """What a nightly made, without what differs from run to run."""
    folders = {str(end.sha256): Path(end.manifest).parent for end in report.recordings if end.sha256 and end.manifest}
    return {
        "ends": sorted((end.name, end.status, end.clips, end.tags, end.priority) for end in report.recordings),
        "files": {
            f"{sha256}/{path.relative_to(folder)}": hashlib.sha256(path.read_bytes()).hexdigest()
            for sha256, folder in folders.items()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in MADE_ANEW
        },
        "clips": rows(store, "clips", "sha256", "start_s", "end_s", "title", "score", "bytes"),
        "runs": rows(store, "runs", "name", "status", "priority", "tags"),
        "left": [str(path) for path in (store / "at-work").rglob("*") if path.is_file()],
    }


def rows(store: Path, table: str, *columns: str) -> list[str]:
    return sorted(map(str, catalog.read(store, table, columns=columns).to_pylist()))


@pytest.fixture(scope="module")
def on_threads(on: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return on("threads")


def test_every_recording_ends_as_it_should(on_threads):
    assert on_threads["ends"] == [
        ("notes.mp4", "rejected", 0, ("spring",), "high"),
        ("talk.mp4", "done", 1, ("spring",), "high"),
    ]
    assert len([name for name in on_threads["files"] if name.endswith(".mp4")]) == 1


@pytest.mark.parametrize("engine", ["ray", "workers"])
def test_another_engine_makes_the_same(on, on_threads, engine):
    assert on(engine) == on_threads


def test_workers_without_their_deployment_are_told_of(inbox, tmp_path, prefect_here, monkeypatch):
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    from flows.nightly import nightly

    monkeypatch.setenv("WINNOW_HOME", str(tmp_path / "home"))
    with get_client(sync_client=True) as client, pytest.raises(ObjectNotFound):
        client.read_deployment_by_name("nightly-recording/gpu")
    with pytest.raises(BadSetting, match="winnow setup"):
        nightly(str(inbox), str(tmp_path / "store"), settings=SETTINGS, settle_s=0, engine="workers", queue="gpu")


def test_a_run_that_lies_ahead_since_a_clock_was_put_back_waits_no_longer(prefect_here):
    from prefect.client.orchestration import get_client
    from prefect.states import Scheduled

    from flows.engines import _final
    from flows.one_recording import nightly_recording

    now = datetime.now(UTC)
    with get_client(sync_client=True) as client:
        for ahead, waits in ((timedelta(days=400), False), (timedelta(minutes=1), True)):
            state = Scheduled(scheduled_time=now + ahead)
            run = client.create_flow_run(nightly_recording, parameters={"job": {}}, state=state)
            assert _final([run.id]) == []
            due = client.read_flow_run(run.id).next_scheduled_start_time
            assert due is not None and (due > now + timedelta(seconds=30)) == waits
