"""What `winnow setup` makes on a real server, and what it leaves alone."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from core.errors import BadSetting, WinnowError
from core.pools import CPU, DEFAULT, GPU, POOLS, PRIORITIES, limits_of
from flows.job_templates import job_template, tagged
from flows.lost_runs import silences
from flows.setup_command import Step, add_setup, setup, setup_command

MACHINE = "desk-1"
LIMITS = {limit.name: limit.slots for limit in limits_of(MACHINE)}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_MACHINE", MACHINE)


@pytest.fixture(scope="module")
def client(prefect_here: None) -> Iterator[SyncPrefectClient]:
    """The session's server, which loses what the tests made on it."""
    with get_client(sync_client=True) as client:
        yield client
        for pool in POOLS:
            client.delete_work_pool(pool.name)
        for silence in silences():
            for automation in client.read_automations_by_name(silence.name):
                client.delete_automation(automation.id)
        for name in LIMITS:
            client.delete_global_concurrency_limit_by_name(name)


@pytest.fixture(scope="module")
def first(client: SyncPrefectClient) -> list[Step]:
    """What the first setup of a server told, after a dry run that told the same and did nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_MACHINE", MACHINE)
        told = setup("process", dry_run=True)
        assert not {pool.name for pool in client.read_work_pools()} & {pool.name for pool in POOLS}
        made = setup("process")
    assert [(step.kind, step.name) for step in told] == [(step.kind, step.name) for step in made]
    return made


def given(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_setup(parser)
    return parser.parse_args(options)


def priorities(client: SyncPrefectClient, pool: str) -> dict[str, int | None]:
    return {queue.name: queue.priority for queue in client.read_work_queues(work_pool_name=pool)}


def slots(client: SyncPrefectClient) -> dict[str, int]:
    return {name: client.read_global_concurrency_limit_by_name(name).limit for name in LIMITS}


def test_a_bare_server_gets_pools_whose_queues_are_served_in_order_and_limits(first, client):
    assert {step.how for step in first} == {"made"}
    for pool in (CPU, GPU):
        assert priorities(client, pool) == {name: place for place, name in enumerate((*PRIORITIES, DEFAULT), 1)}
    assert {pool.type for pool in client.read_work_pools() if pool.name.startswith("winnow")} == {"process"}
    assert slots(client) == LIMITS


def test_a_second_setup_changes_nothing(first, client):
    assert {step.how for step in setup("process")} == {"as wanted"}


def test_what_is_missing_is_added(first, client):
    queues = {queue.name: queue.id for queue in client.read_work_queues(work_pool_name=CPU)}
    client.delete_work_queue_by_id(queues["high"])
    assert [step.name for step in setup("process") if step.how == "made"] == [f"{CPU}/high"]
    assert priorities(client, CPU)["high"] == 2


def test_what_somebody_changed_is_left_and_told_until_a_reset(first, client, capsys, prefect_server, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", prefect_server["PREFECT_API_URL"])
    encoding = next(name for name in LIMITS if "encoding" in name)
    client.update_global_concurrency_limit(encoding, GlobalConcurrencyLimitUpdate(limit=7, active_slots=5))
    low = next(queue.id for queue in client.read_work_queues(work_pool_name=GPU) if queue.name == "low")
    client.update_work_queue(low, priority=1)
    before = priorities(client, GPU)

    assert setup_command(given("--json")) == 0
    left = {step["name"]: step["why"] for step in json.loads(capsys.readouterr().out) if step["how"] == "left as it is"}
    assert "7" in left[encoding] and f"{GPU}/low" in left
    assert priorities(client, GPU) == before and slots(client)[encoding] == 7

    assert setup_command(given("--reset")) == 0
    assert "reset" in capsys.readouterr().out
    assert priorities(client, GPU) == {name: place for place, name in enumerate((*PRIORITIES, DEFAULT), 1)}
    assert slots(client) == LIMITS
    assert client.read_global_concurrency_limit_by_name(encoding).active_slots == 0
    assert {step.how for step in setup("process")} == {"as wanted"}


def test_how_long_a_run_may_be_silent_can_be_set_and_is_set_back_by_a_reset(first, client):
    def waits() -> list[timedelta]:
        found = [client.read_automations_by_name(silence.name) for silence in silences()]
        return [automation.trigger.within for (automation,) in found]

    assert waits() == [timedelta(minutes=10), timedelta(minutes=30)]
    told = [step for step in setup("process", lost_after_min=4) if step.how == "left as it is"]
    assert [step.kind for step in told] == ["automation"] * 2 and "10 min, not 4 min" in told[0].why
    setup("process", lost_after_min=4, reset=True)
    assert waits() == [timedelta(minutes=4), timedelta(minutes=12)]
    setup("process", reset=True)
    assert waits() == [timedelta(minutes=10), timedelta(minutes=30)]


@pytest.mark.parametrize("minutes", ["0", "0.1", "nan", "inf", "1e300"])
def test_a_time_that_cannot_be_waited_is_refused_before_anything_is_made(monkeypatch, minutes):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(BadSetting, match="--lost-after-min"):
        setup_command(given("--lost-after-min", minutes))


def test_a_pool_of_another_type_is_left_and_cannot_be_reset(first, client):
    assert "process" in next(step.why for step in setup("docker") if step.name == CPU)
    with pytest.raises(BadSetting, match="prefect work-pool delete"):
        setup("docker", reset=True)


def test_without_a_server_it_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSetting, match="prefect server start"):
        setup_command(given())


def test_a_server_that_does_not_answer_is_told_in_a_line(prefect_here, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(nowhere), pytest.raises(WinnowError, match="PREFECT_API_URL"):
        setup_command(given())


def test_a_process_has_no_image(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(BadSetting, match="--image"):
        setup_command(given("--image", "winnow"))


def test_an_image_without_a_tag_is_tagged_by_what_it_runs_on():
    assert tagged("host:5000/winnow", "cuda") == "host:5000/winnow:cuda"
    assert tagged("host:5000/winnow:1.2", "cuda") == "host:5000/winnow:1.2"
    assert tagged("winnow@sha256:0", "cpu") == "winnow@sha256:0"


@pytest.mark.parametrize("pool", [pool.name for pool in POOLS])
def test_containers_run_without_rights_as_another_user(pool, prefect_here):
    from prefect_docker.worker import DockerWorkerJobConfiguration

    job = _configured(DockerWorkerJobConfiguration, job_template("docker", pool, "host/winnow"))
    limits = job.container_create_kwargs
    assert job.image == f"host/winnow:{'cuda' if pool == GPU else 'cpu'}"
    assert not job.privileged and limits["user"] == "10001:10001" and limits["cap_drop"] == ["ALL"]
    assert bool(limits.get("device_requests")) == (pool == GPU)
    assert job.mem_limit and any(volume.endswith(":/var/lib/winnow") for volume in job.volumes)


@pytest.mark.parametrize("pool", [pool.name for pool in POOLS])
def test_pods_run_without_rights_and_only_those_with_a_gpu_ask_for_one(pool, prefect_here):
    from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

    job = _configured(KubernetesWorkerJobConfiguration, job_template("kubernetes", pool))
    pod = job.job_manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == (1 if pool == GPU else 0)
    assert bool(pod.get("nodeSelector")) == bool(pod.get("tolerations")) == (pool == GPU)
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    assert job.job_manifest["spec"]["activeDeadlineSeconds"] >= 3_600
    assert "{{" not in json.dumps(pod).replace("{{ctx", "")


def _configured(configuration: Any, template: dict[str, Any]) -> Any:
    """What a worker would start, by the class that the worker itself uses."""
    return asyncio.run(configuration.from_template_and_values(template, {"command": "true", "name": "run"}))
