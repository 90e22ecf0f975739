"""Plans: the same configuration and data are the same fit, and what could not be resumed is refused."""

from pathlib import Path

import pytest
import yaml

from core.errors import RefusedInput
from training.plans import CONFIGS, placed, read_plan, run_key

CORPORA = {"train": "a", "dev": "b"}
DEBUG = yaml.safe_load((CONFIGS / "debug.yaml").read_text())


def plan(tmp_path, **parameters):
    return read_plan(**{"config": "debug", "cache": tmp_path, **parameters})


def written(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return str(path)


def strings(value):
    if isinstance(value, dict):
        return [found for item in value.values() for found in strings(item)]
    if isinstance(value, list):
        return [found for item in value for found in strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_that_ships_can_be_planned(config, tmp_path):
    found = read_plan(config.stem, cache=tmp_path, data=str(tmp_path))
    assert found.name
    folder = tmp_path / "run"
    moved = placed(found, folder)
    assert not [text for text in strings(moved) if text.startswith("runs/")]
    assert moved["trainer"]["default_root_dir"] == str(folder)
    assert moved["trainer"]["callbacks"][-1]["init_args"]["path"] == str(folder / "progress.json")
    assert moved["ckpt_path"] == "last"


def test_where_things_lie_and_what_they_are_called_does_not_make_another_fit(tmp_path):
    key = run_key(plan(tmp_path), CORPORA)
    elsewhere = yaml.safe_dump(DEBUG | {"name": "other"}).replace("runs/debug", "/somewhere/else")
    assert run_key(plan(tmp_path / "cache", name="another", data="/data"), CORPORA) == key
    assert run_key(plan(tmp_path, config=written(tmp_path, elsewhere)), CORPORA) == key


@pytest.mark.parametrize(
    ("parameters", "corpora"),
    [
        pytest.param({"max_steps": 61}, CORPORA, id="other steps"),
        pytest.param({}, {"train": "a2", "dev": "b"}, id="other training lectures"),
        pytest.param({}, {"train": "a", "dev": "b2"}, id="other dev lectures"),
        pytest.param({"config": "lecture", "data": "/x"}, CORPORA, id="another configuration"),
    ],
)
def test_what_changes_the_weights_makes_another_fit(tmp_path, parameters, corpora):
    assert run_key(plan(tmp_path, **parameters), corpora) != run_key(plan(tmp_path), CORPORA)


def test_the_name_is_what_was_asked_for_else_the_configurations_else_the_files(tmp_path):
    assert plan(tmp_path, name="mine").name == "mine"
    assert plan(tmp_path, config="lecture", data="/x").name == "lecture"
    assert plan(tmp_path).name == "debug"


def test_data_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plan(tmp_path, config="lecture", data="talks").data_path == str(tmp_path / "talks")
    assert Path(plan(tmp_path).config["data"]["cache"]) == tmp_path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda c: c["trainer"].update(max_steps=-1), "must say how long to train", id="no end"),
        pytest.param(lambda c: c["trainer"].update(callbacks=[]), "could not be resumed", id="no checkpoints"),
        pytest.param(lambda c: c["trainer"].pop("default_root_dir"), "could not be resumed", id="no folder"),
        pytest.param(
            lambda c: c["trainer"]["callbacks"][0]["init_args"].update(dirpath="/tmp/elsewhere"),
            "could not be resumed", id="checkpoints elsewhere",
        ),
        pytest.param(lambda c: c["data"].update(source="vt_ssum"), "say in which folder", id="no data"),
        pytest.param(lambda c: c.pop("trainer"), "has no `trainer`", id="no trainer"),
    ],
)  # fmt: skip
def test_what_could_not_be_resumed_is_refused(tmp_path, change, says):
    config = yaml.safe_load(yaml.safe_dump(DEBUG))
    change(config)
    with pytest.raises(RefusedInput, match=says):
        plan(tmp_path, config=written(tmp_path, yaml.safe_dump(config)))


@pytest.mark.parametrize("text", ["[", "just words", ""], ids=["no YAML", "a string", "nothing"])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    with pytest.raises(RefusedInput, match="mine.yaml"):
        plan(tmp_path, config=written(tmp_path, text))
    with pytest.raises(RefusedInput, match="no configuration 'none'.*debug, .*lecture"):
        plan(tmp_path, config="none")
