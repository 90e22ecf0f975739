"""Retention as a command and as a flow: what goes, what is spared and why, on real files and on an S3 server."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest

from core.errors import BadSetting
from core.leases import working_on
from core.retention import RetentionPolicy
from flows.retention_command import add_retention, policy_from, retention_command
from tests.core.catalog_samples import A, B
from tests.core.retention_samples import entry, publication
from tests.s3 import own_bucket

ROOT = Path(__file__).parents[2]


def asked(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_retention(parser)
    return parser.parse_args(arguments)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert retention_command(asked(*arguments, "--json")) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "days"),
    [
        pytest.param([], 30.0, id="the default"),
        pytest.param(["--intermediates-days", "1.5"], 1.5, id="a fraction"),
        pytest.param(["--intermediates-days", "0"], 0.0, id="none at all"),
        pytest.param(["--intermediates-days", "Never"], None, id="for ever"),
    ],
)
def test_days_are_numbers_or_never(arguments, days):
    policy = policy_from(asked(*arguments))
    assert policy.intermediates_days == days
    assert policy.renderings_days == RetentionPolicy().renderings_days


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--clips-days", "-1"], "--clips-days", id="days below none"),
        pytest.param(["--clips-days", "nan"], "--clips-days", id="days that are no number"),
        pytest.param(["--leftovers-days", "0.5"], "--leftovers-days", id="leftovers that may still be arriving"),
        pytest.param(["--catalog-days", "soon"], "--catalog-days", id="words"),
        pytest.param(["--store", "/nowhere/at/all"], "/nowhere/at/all", id="a store that is not there"),
        pytest.param(["--store", "ftp://host/x"], "ftp://host/x", id="a store of another kind"),
    ],
)
def test_settings_that_cannot_be_are_refused(winnow_home, arguments, said):
    with pytest.raises(BadSetting, match=said):
        retention_command(asked(*arguments))


def test_a_dry_run_says_what_would_go_and_the_run_removes_the_same(winnow_home, capsys):
    old, busy = entry(winnow_home, days=10_000), entry(winnow_home, sha256=B, days=10_000)
    with working_on(winnow_home, B):
        would = told(capsys, "--dry-run")
        assert old.exists() and would["dry_run"]
        did = told(capsys)
        assert not old.exists() and busy.exists() and not did["dry_run"]
    outcomes = [[(row["outcome"], row["path"], row["why"]) for row in each["items"]] for each in (would, did)]
    assert outcomes[0] == [
        ("goes", f"analysis/{A}/transcript/k1", f"transcript of {A[:8]}"),
        ("spared", f"analysis/{B}/transcript/k1", "a run works on the recording"),
    ]
    assert [row[1:] for row in outcomes[0]] == [row[1:] for row in outcomes[1]] and outcomes[1][0][0] == "removed"
    assert would["bytes"] == did["bytes"] > 0


def test_the_table_tells_what_went_and_what_could_not(winnow_home, capsys):
    entry(winnow_home, days=10_000)
    (winnow_home / "scratch").rmdir()
    (winnow_home / "scratch").write_text("a file where entries are moved to before they go")
    assert retention_command(asked()) == 1
    shown = capsys.readouterr()
    assert "0 things went" in shown.out and "failed" in shown.out
    assert "1 things could not be removed; analysis/" in shown.err


@pytest.fixture(scope="module")
def bucket():
    with own_bucket("retained") as uri:
        yield uri


def test_the_flow_removes_from_a_bucket_and_leaves_tables_of_it(winnow_home, bucket, prefect_here):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
    from prefect.client.schemas.sorting import ArtifactSort

    from flows.retention import retention

    old = publication(bucket)
    entry(winnow_home, "render", days=1)
    sums = retention(bucket, RetentionPolicy(clips_days=0, renderings_days=0))
    assert [(row["outcome"], row["kind"], row["items"]) for row in sums] == [
        ("removed", "clips", 1),
        ("removed", "renderings", 1),
    ]
    assert old.split("/", 1)[1] not in "".join(_keys(bucket))
    with get_client(sync_client=True) as client:
        named = ArtifactFilter(key=ArtifactFilterKey(any_=["retention-items"]))
        (found,) = client.read_artifacts(artifact_filter=named, sort=ArtifactSort.CREATED_DESC, limit=1)
    rows = json.loads(str(found.data))
    assert {(row["where"], row["outcome"]) for row in rows} == {("store", "removed"), ("home", "removed")}


def _keys(bucket: str) -> list[str]:
    import s3fs

    return s3fs.S3FileSystem(use_listings_cache=False).find(bucket)


def test_a_run_of_a_worker_logs_events_and_prefect_gets_its_own(winnow_home, prefect_server, prefect_here, monkeypatch):
    """A worker begins a process such as this one for each run."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
    from prefect.deployments.runner import RunnerDeployment

    entry(winnow_home, days=10_000)
    env = {**os.environ, **prefect_server}
    monkeypatch.chdir(ROOT)
    deployment = RunnerDeployment.from_entrypoint("flows/retention.py:retention", name="logged").apply()
    with get_client(sync_client=True) as client:
        id = str(client.create_flow_run_from_deployment(deployment).id)
    ran = subprocess.run(
        [sys.executable, "-m", "prefect.engine"],
        cwd=ROOT,
        env={**env, "PREFECT__FLOW_RUN_ID": id, "WINNOW_LOG": "json", "PREFECT_LOGGING_EXTRA_LOGGERS": "core"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    (removed,) = [event for event in events if event["event"] == "removed"]
    assert (removed["run_id"], removed["sha256"], removed["logger"]) == (id, A, "core.retention")
    assert any(event["logger"] == "prefect.flow_runs" and event["flow_run_id"] == id for event in events)
    of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[UUID(id)]))
    end_s = time.monotonic() + 30
    kept: list[str] = []
    with get_client(sync_client=True) as client:
        while not (any("What went" in message for message in kept) and "removed" in kept):
            assert time.monotonic() < end_s, f"Prefect's own handler goes on working, and takes our events: {kept}"
            kept = [line.message for line in client.read_logs(log_filter=of_run)]
            time.sleep(0.2)
