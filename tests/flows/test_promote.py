"""The flow `promote`, with a model that was really trained on made-up lectures against the baseline that ships."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import aliases, registering, registry
from training.made_up import made_up_lectures

LECTURES = 8


def write_split(folder, split):
    """Made-up lectures in VT-SSum's format: every slide a segment, and a clip."""
    lectures = made_up_lectures("test", LECTURES)
    rows = []
    for lecture in lectures:
        first = 0
        for row, slide in enumerate(lecture.segment.tolist()):
            first = row if row and slide != lecture.segment[row - 1] else first
            rows.append({"video_id": lecture.recording, "segment": slide, "clip": slide, "sentence": row - first,
                         "text": lecture.sentences[row], "label": int(lecture.label[row])})  # fmt: skip
    for what, columns in (
        ("videos", ["video_id"]),
        ("segments", ["video_id", "segment", "sentence", "text"]),
        ("clips", ["video_id", "clip", "sentence", "text", "label"]),
    ):
        given = [{"video_id": lecture.recording} for lecture in lectures] if what == "videos" else rows
        table = pa.Table.from_pylist([{name: row[name] for name in columns} for row in given])
        pq.write_table(table, folder / f"{split}_{what}.parquet")


@pytest.fixture(scope="module")
def home(retraining, tmp_path_factory):
    """A home folder with the model `trial` that a retraining made."""
    folder = tmp_path_factory.mktemp("promoting")
    shutil.copytree(retraining.home / "models", folder / "models")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Labelled lectures that nobody has learned from."""
    folder = tmp_path_factory.mktemp("data")
    write_split(folder, "dev")
    return folder


@pytest.fixture(autouse=True)
def as_shipped(home, monkeypatch):
    """Every test begins with the champion that ships, and with `trial` as challenger."""
    monkeypatch.setenv("WINNOW_HOME", str(home))
    monkeypatch.delenv("WINNOW_REGISTRY", raising=False)
    pointing = {"champion": "baseline@1", "challenger": "trial@1"}
    Path(registry.user_root(), registry.ALIASES).write_text(json.dumps(pointing))


def promoted(data, **parameters):
    """The state that a run ends in."""
    from flows.promote import promote

    return promote(data=str(data), **parameters, return_state=True)


def champion():
    found = registry.resolve("champion", registry.roots())
    return f"{found.name}@{found.version}"


def test_the_better_one_becomes_champion_and_can_be_rolled_back(data):
    state = promoted(data)
    assert (state.type.value, state.name) == ("COMPLETED", "Promoted")
    assert "trial@1 replaces baseline@1: it is better by" in state.message
    outcome = state.result()
    assert outcome.how == "promoted"
    assert outcome.comparison.low > 0
    assert outcome.comparison.lectures == LECTURES
    assert champion() == "trial@1"
    assert aliases.rollback(registry.user_root()).name == "baseline"
    assert champion() == "baseline@1"


def test_the_evidence_is_an_artifact(data, artifacts_of):
    state = promoted(data)
    found, outcome = artifacts_of(state), state.result()
    rows = {row["percent"]: row for row in json.loads(found["comparison"].data)}
    assert rows["best 3, F1"]["trial@1"] == f"{outcome.comparison.challenger_f1:.2f}"
    assert rows["best 3, F1"]["baseline@1"] == f"{outcome.comparison.champion_f1:.2f}"
    page = found["promotion"].data
    assert page.startswith("# Promoted")
    for said in (outcome.challenger.sha256, outcome.champion.sha256, "fingerprint of the set", "seed 0"):
        assert said in page
    assert "`winnow models rollback` returns to baseline@1" in page


def test_a_gain_under_the_margin_changes_nothing(data, artifacts_of):
    state = promoted(data, margin=90)
    assert (state.type.value, state.name) == ("COMPLETED", "Kept")
    assert "less than the margin of 90.00" in state.message
    assert champion() == "baseline@1"
    assert artifacts_of(state)["promotion"].data.startswith("# Kept")


def test_a_worse_one_stays_challenger(data):
    aliases.set_alias(registry.user_root(), "champion", registry.resolve("trial", registry.roots()))
    state = promoted(data, challenger="baseline@1")
    assert (state.type.value, state.name) == ("COMPLETED", "Kept")
    assert "trial@1 stays; baseline@1 does not replace it: it is worse by" in state.message
    assert champion() == "trial@1"


def test_few_lectures_prove_nothing(data):
    state = promoted(data, lectures=3)
    assert state.name == "Kept"
    assert "on 3 lectures; to tell takes 6 or more" in state.message
    assert champion() == "baseline@1"


def test_a_version_is_not_compared_with_itself(data):
    state = promoted(data, challenger="baseline")
    assert (state.name, state.result().comparison) == ("Kept", None)
    assert "are the same version" in state.message


def test_a_licence_that_asks_for_consent_is_asked_for(data, artifacts_of):
    version = registry.read_version(registry.resolve("trial", registry.roots()))
    told = {key: version.manifest[key] for key in ("kind", "description", "encoder")}
    asking = {**told, "licence": "CC-BY-NC-ND-4.0", "consent": "For research only."}
    files = {name: data for name, data in version.files.items() if name != registry.CARD}
    made = registering.register(registry.user_root(), "strict", files, asking)
    state = promoted(data, challenger="strict")
    assert (state.type.value, state.name) == ("COMPLETED", "Refused")
    assert f"strict@{made.version} asks for consent to its licence (CC-BY-NC-ND-4.0)" in state.message
    assert "> For research only." in artifacts_of(state)["promotion"].data
    assert champion() == "baseline@1"
    agreed = promoted(data, challenger="strict", accept_licence=True)
    assert agreed.name == "Promoted"
    assert "Accepted by whoever started this run" in artifacts_of(agreed)["promotion"].data
    assert champion() == f"strict@{made.version}"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        pytest.param({"challenger": "nobody"}, "There is no model 'nobody'", id="an unknown challenger"),
        pytest.param({"champion": "trial"}, "only an alias can be moved", id="a champion that is no alias"),
        pytest.param({"split": "test"}, "there is no file .*test_videos.parquet", id="a split that is not there"),
        pytest.param({"split": "train"}, "is what models learn from", id="the training split"),
        pytest.param({"margin": -1}, "margin", id="a negative margin"),
    ],
)
def test_what_cannot_be_compared_fails_with_the_reason(data, parameters, says):
    state = promoted(data, **parameters)
    assert (state.type.value, champion()) == ("FAILED", "baseline@1")
    with pytest.raises(Exception, match=says):
        state.result()
