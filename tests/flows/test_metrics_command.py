"""`winnow metrics`: what nightlies counted, what is at work, and what waits in the queues of a real Prefect server."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from core.errors import BadSetting
from core.markers import marked
from core.metrics import add, observed
from flows.metrics_command import add_metrics, metrics_command
from tests.core.nightly_samples import done, failed

ROOT = Path(__file__).parents[2]


def asked(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_metrics(parser)
    return parser.parse_args(arguments)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """(name, labels' values …) -> value."""
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in found}


def once(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, ...], float]:
    assert metrics_command(asked("--once")) == 0
    return samples(capsys.readouterr().out)


@pytest.fixture
def nothing_configured(monkeypatch, tmp_path, winnow_home):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    return winnow_home


def test_what_nightlies_counted_and_what_is_at_work_is_told(nothing_configured, capsys):
    home = nothing_configured
    add(home / "metrics", observed(done()))
    add(home / "metrics", observed(failed()))
    with (
        marked(home, "nightly", run_id="n", name="nightly") as night,
        marked(home, "recording", run_id="n", name="talk.mp4", sha256="ab" * 32),
    ):
        night.waiting(5)
        now = once(capsys)
    after = once(capsys)
    assert now["winnow_recordings_total", "done"] == 1
    assert now["winnow_failures_total", "MediaError", "audio"] == 1
    assert now["winnow_real_time_factor_count",] == 1
    assert any(key[0] == "winnow_stage_seconds_sum" for key in now)
    names = ("winnow_recordings_at_work", "winnow_recordings_waiting", "winnow_nightlies_at_work")
    assert [[each[name,] for name in names] for each in (now, after)] == [[1, 5, 1], [0, 0, 0]]
    assert now["winnow_disk_free_bytes",] > 0
    assert not [key for key in now if "prefect" in key[0]], "there is none to ask"


def test_the_queues_of_the_server_are_told_by_state(winnow_home, prefect_here, prefect_server, monkeypatch, capsys):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.states import Pending, Running, Scheduled

    monkeypatch.setenv("PREFECT_API_URL", prefect_server["PREFECT_API_URL"])
    pool = f"winnow-{uuid.uuid4().hex[:6]}"
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        client.create_work_queue("urgent", work_pool_name=pool)
        flow = client.create_flow_from_name(f"counted-{pool}")
        deployment = client.create_deployment(flow, "x", work_pool_name=pool, work_queue_name="urgent")
        for state in (Scheduled(), Scheduled(), Scheduled(name="Late"), Pending(), Running()):
            run = client.create_flow_run_from_deployment(deployment)
            client.set_flow_run_state(run.id, state, force=True)
    found = once(capsys)
    assert found["winnow_prefect_up",] == 1
    assert {key[3]: found[key] for key in found if key[:3] == ("winnow_queue_depth", pool, "urgent")} == {
        "scheduled": 2, "late": 1, "pending": 1,
    }  # fmt: skip
    assert found["winnow_queue_running", pool, "urgent"] == 1
    assert found["winnow_queue_depth", pool, "default", "late"] == 0


def test_a_server_that_does_not_answer_is_a_value_and_no_error(winnow_home, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}):
        found = once(capsys)
    assert found["winnow_prefect_up",] == 0
    assert not [key for key in found if key[0].startswith("winnow_queue")]


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "-1"], ["--host", "no such host"]])
def test_an_address_that_cannot_be_is_refused(nothing_configured, arguments):
    with pytest.raises(BadSetting):
        metrics_command(asked(*arguments))


def test_it_serves_until_it_is_stopped(nothing_configured):
    home = nothing_configured
    add(home / "metrics", observed(done()))
    script = (
        "import argparse, sys\nfrom flows.metrics_command import add_metrics, metrics_command\n"
        "parser = argparse.ArgumentParser()\nadd_metrics(parser)\n"
        "sys.exit(metrics_command(parser.parse_args(['--port', '0'])))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ}, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        request = urllib.request.Request(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            found = samples(answer.read().decode())
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
    assert found["winnow_clips_total",] == 4
