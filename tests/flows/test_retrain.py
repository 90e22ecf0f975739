"""The flow `retrain`, with real fits of made-up lectures: stopped by force, gone on with, and met again."""

import fcntl
import re

import psutil
import pytest

from core.errors import RefusedInput
from models import aliases, registry
from tasks.training import LOCK, forget


@pytest.fixture(scope="module")
def ended(retraining):
    """How the run that went on from the killed one ended."""
    return retraining.state


@pytest.fixture(scope="module")
def again(retraining):
    """The same once more, when all of it is done."""
    return retraining.retrain()


@pytest.fixture(autouse=True)
def at_home(retraining, monkeypatch):
    monkeypatch.setenv("WINNOW_HOME", str(retraining.home))
    monkeypatch.delenv("WINNOW_REGISTRY", raising=False)


def test_a_fit_dies_with_the_run_that_started_it(retraining):
    _, alive = psutil.wait_procs(retraining.children, timeout=10)
    assert not alive


def test_a_stopped_retraining_goes_on_from_its_last_checkpoint(retraining, ended):
    fitted = ended.result().fitted
    assert fitted.folder == str(retraining.folder)
    assert (fitted.first_step, fitted.steps, fitted.known) == (20, 40, False)


def test_the_new_version_is_the_challenger_and_nothing_else_is_moved(ended):
    model = ended.result().model
    assert (model.name, model.version) == ("trial", "1")
    assert registry.resolve("challenger", registry.roots()) == model
    assert registry.resolve("champion", registry.roots()) == registry.resolve("champion", [registry.BUILTIN])
    assert [move.to for move in aliases.history(registry.user_root(), "challenger")] == ["trial@1"]


def test_the_run_says_what_it_made(ended):
    figures = ended.result().measured.figures
    assert (ended.type.value, ended.name) == ("COMPLETED", "Registered")
    assert ended.message == f"trial@1 is challenger; Top-3 F1 {figures['top3_f1']:.2f} on dev"
    assert figures["top3_f1"] > 50
    assert figures["counts"]["lectures"] == 12


def test_the_run_has_progress_and_a_page_with_the_learning_curves(retraining, ended, artifacts_of):
    found = artifacts_of(ended)
    assert found["fit"].description == "Fitting debug: step 40, registered as trial@1"
    assert found["build-data"].data == found["fit"].data == found["evaluate"].data == 100
    page = found["retrained"].data
    assert f"| best 3, F1 | {ended.result().measured.figures['top3_f1']:.2f} |" in page
    assert "step 40 of at most 40, resumed at step 20" in page
    assert re.search(r"\| train \| 48 \| \d+ \| [0-9a-f]{32} \|", page)
    assert str(retraining.folder) in page
    assert "![learning curves](data:image/png;base64,iVBOR" in page


def test_the_tasks_tell_the_story(ended, tasks_of):
    assert tasks_of(ended) == {
        "build data for debug": "Completed", "fit debug as trial": "Completed", "freeze dev": "Completed",
        "evaluate trial@1 on dev": "Completed", "register as challenger": "Completed",
    }  # fmt: skip


def test_the_same_data_again_is_neither_fitted_nor_measured_nor_registered(ended, again, tasks_of):
    assert again.result().fitted.known
    assert again.result().model == ended.result().model
    assert again.name == "Unchanged"
    assert again.message.startswith("trial@1 is challenger already")
    assert tasks_of(again)["evaluate trial@1 on dev"] == "Cached"
    assert registry.versions(registry.user_root(), "trial") == ["1"]


def test_one_fit_is_worked_on_by_one_run_and_can_be_forgotten(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "log.txt").write_text("registered trial@1 at somewhere")
    with (tmp_path / LOCK).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RefusedInput, match="Another run is at this very fit"):
            forget(tmp_path)
    forget(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [LOCK]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        pytest.param({"config": "debbug"}, "no configuration 'debbug'.*debug_finetuned", id="an unknown configuration"),
        pytest.param({"config": "lecture"}, "learns from vt_ssum: say in which folder", id="no data"),
        pytest.param({"name": "champion"}, "cannot be called 'champion'", id="an alias as name"),
        pytest.param({"challenger": "baseline"}, "'baseline' cannot be an alias", id="a model as alias"),
        pytest.param({"name": "same", "challenger": "same"}, "'same' cannot be an alias", id="one name for both"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(retraining, tasks_of, parameters, says):
    state = retraining.retrain(**parameters)
    assert state.is_failed()
    with pytest.raises(RefusedInput, match=says):
        state.result()
    assert not tasks_of(state)
