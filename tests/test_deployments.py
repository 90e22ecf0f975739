from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.flows import load_flow_from_entrypoint

from core.pools import CONTROL, CPU, GPU, POOLS
from core.settings import Settings
from flows.options import fields
from flows.watch_command import ARRIVED

DEPLOYMENTS = yaml.safe_load(Path("prefect.yaml").read_text())["deployments"]
QUEUES = {(pool.name, queue.name) for pool in POOLS for queue in pool.queues}
POOL_OF = {
    "highlight": CPU,
    "nightly": CONTROL,
    "on-upload": CONTROL,
    "cpu": CPU,
    "gpu": GPU,
    "retrain": GPU,
    "promote": GPU,
    "retention": CONTROL,
}


def named(name: str) -> dict[str, Any]:
    (found,) = (deployment for deployment in DEPLOYMENTS if deployment["name"] == name)
    return found


def test_every_deployment_is_there_in_its_pool():
    assert {deployment["name"]: deployment["work_pool"]["name"] for deployment in DEPLOYMENTS} == POOL_OF


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_entrypoint_loads_and_knows_its_parameters(deployment):
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert set(deployment.get("parameters", {})) <= set(flow.parameters.properties)
    pool = deployment["work_pool"]
    assert (pool["name"], pool["work_queue_name"]) in QUEUES
    assert deployment["description"] and "winnow" in deployment["tags"]


def test_an_arrival_starts_a_nightly_of_that_one_recording():
    deployment = named("on-upload")
    (given,) = deployment["triggers"]
    trigger = DeploymentEventTrigger.model_validate(given)
    assert trigger.expect == {ARRIVED} and trigger.threshold == 1 and trigger.enabled
    parameters = given["parameters"]
    assert parameters["only"] == ["{{ event.payload.uri }}"]
    assert (parameters["inbox"], parameters["store_uri"]) == ("{{ event.payload.inbox }}", "{{ event.payload.store }}")
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert set(parameters) <= set(flow.parameters.properties)


def test_what_only_waits_gives_its_work_to_workers():
    for name in ("nightly", "on-upload"):
        assert named(name)["parameters"]["engine"] == "workers"


@pytest.mark.parametrize("name", ["nightly", "retrain", "retention"])
def test_what_is_scheduled_waits_for_somebody_to_switch_it_on(name):
    (schedule,) = named(name)["schedules"]
    assert CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    assert len(schedule["cron"].split()) == 5 and schedule["active"] is False


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_every_field_of_the_form_is_described(deployment):
    form = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False).parameters.model_dump()
    for name, spec in form["properties"].items():
        group = form["definitions"].get(spec.get("$ref", "").rpartition("/")[2], {})
        assert spec.get("description") or group.get("description"), name
    assert deployment["enforce_parameter_schema"]


def test_retraining_is_weekly():
    (weekly,) = named("retrain")["schedules"]
    assert weekly["cron"].split()[4] != "*"


def test_the_forms_of_the_model_flows_bound_what_can_be_wrong():
    retrain, promote = (
        load_flow_from_entrypoint(f"flows/{name}.py:{name}", use_placeholder_flow=False).parameters.model_dump()
        for name in ("retrain", "promote")
    )
    assert not retrain["required"]
    assert promote["required"] == ["data"]
    assert promote["properties"]["margin"]["minimum"] == 0
    assert 0.5 <= promote["properties"]["confidence"]["default"] <= promote["properties"]["confidence"]["maximum"] < 1


def test_the_form_describes_and_bounds_every_setting():
    flow = load_flow_from_entrypoint("flows/highlight.py:highlight", use_placeholder_flow=False)
    form = flow.parameters.model_dump()
    properties = dict(form["properties"])
    assert form["required"] == ["sources"]
    definitions = form["definitions"]
    for name, spec in properties.items():
        group = definitions.get(spec.get("$ref", "").rpartition("/")[2], {})
        assert spec.get("description") or group.get("description"), name
    assert (properties["clips"]["minimum"], properties["clips"]["maximum"], properties["clips"]["default"]) == (
        1,
        100,
        8,
    )
    grouped = {name: spec for group in definitions.values() for name, spec in group["properties"].items()}
    for _, name, field in fields():
        shown = properties.get(name) or grouped[name]
        assert shown["description"]
        default = field.default
        assert shown.get("default") == (list(default) if isinstance(default, tuple) else default)


def test_settings_have_names_of_their_own():
    names = [name for _, name, _ in fields()]
    assert len(names) == len(set(names))
    assert Settings() == Settings.model_validate({})
