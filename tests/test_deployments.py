from pathlib import Path

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint

from core.settings import Settings
from flows.options import fields

DEPLOYMENTS = yaml.safe_load(Path("prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_entrypoint_loads_and_knows_its_parameters(deployment):
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert set(deployment.get("parameters", {})) <= set(flow.parameters.properties)
    assert deployment["work_pool"]["name"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_every_field_of_the_form_is_described(deployment):
    form = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False).parameters.model_dump()
    for name, spec in form["properties"].items():
        group = form["definitions"].get(spec.get("$ref", "").rpartition("/")[2], {})
        assert spec.get("description") or group.get("description"), name
    assert deployment["enforce_parameter_schema"]


def test_retraining_waits_for_somebody_to_switch_its_schedule_on():
    (retraining,) = (deployment for deployment in DEPLOYMENTS if deployment["name"] == "retrain")
    (weekly,) = retraining["schedules"]
    assert CronSchedule(cron=weekly["cron"], timezone=weekly["timezone"])
    assert len(weekly["cron"].split()) == 5
    assert weekly["cron"].split()[4] != "*"
    assert weekly["active"] is False


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
