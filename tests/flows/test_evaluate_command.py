"""`winnow evaluate` prints figures as JSON or as a table, progress to stderr, and refuses what it cannot measure."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.cli import main

SENTENCES = [
    "Good morning, and welcome to this lecture.",
    "Today we ask why there are two high tides every day.",
    "The Moon pulls the near side of the Earth more strongly than the far side.",
    "That difference stretches the oceans on both sides.",
    "Now to something else.",
    "Harbours resonate, which makes some tides very high.",
    "In the Bay of Fundy the water rises by sixteen metres.",
]
SEGMENT = [0, 0, 0, 0, 1, 1, 1]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """One lecture of two segments, the second of them labelled, in VT-SSum's format."""
    folder = tmp_path_factory.mktemp("data")
    places = [0, 1, 2, 3, 0, 1, 2]
    text = {"video_id": ["tides"] * 7, "segment": SEGMENT, "sentence": places, "text": SENTENCES}
    judged = {name: values[4:] for name, values in text.items()}
    judged["clip"] = judged.pop("segment")
    pq.write_table(pa.table({"video_id": ["tides"]}), folder / "dev_videos.parquet")
    pq.write_table(pa.table(text), folder / "dev_segments.parquet")
    pq.write_table(pa.table({**judged, "label": [0, 0, 1]}), folder / "dev_clips.parquet")
    return folder


def test_a_model_is_measured_on_a_split(data, capsys):
    assert main(["evaluate", "vt-ssum", str(data), "--split", "dev", "--model", "baseline", "--json"]) == 0
    out, err = capsys.readouterr()
    figures = json.loads(out)
    # One positive among the three sentences of the one clip: the best 3 hold it.
    assert figures["top3_precision"] == pytest.approx(100 / 3, abs=1e-4)
    assert figures["top3_recall"] == figures["top5_recall"] == 100
    assert figures["top5_precision"] == 20
    assert {"top3_f1", "top5_f1", "segmentation_accuracy", "pk", "windowdiff", "ece", "seconds"} <= figures.keys()
    assert figures["model"]["name"] == "baseline"
    assert figures["split"] == "dev"
    assert figures["counts"]["clips"] == 1
    assert figures["without_train_duplicates"] is None
    assert "0 of 1 lectures" in err


def test_people_get_a_table(data, capsys):
    assert main(["evaluate", "vt-ssum", str(data), "--split", "dev"]) == 0
    out = capsys.readouterr().out
    assert "best 3, precision" in out
    assert "33.33" in out
    assert "1 clips" in out
    assert "not left out: there is no split 'train'" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split", "test"], "Splits in that folder: dev"),
        (["--split", "dev", "--train", "none"], "no training split 'none'"),
        (["--split", "dev", "--lectures", "0"], "--lectures"),
        (["--split", "dev", "--model", "nobody"], "no model 'nobody'"),
    ],
    ids=["a split that is not there", "no such training split", "no lectures", "an unknown model"],
)
def test_what_cannot_be_measured_is_refused(data, capsys, arguments, said):
    assert main(["evaluate", "vt-ssum", str(data), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_missing_columns_are_refused(data, tmp_path, capsys):
    for path in data.iterdir():
        table = pq.read_table(path)
        pq.write_table(table.drop_columns([name for name in ("label",) if name in table.column_names]),
                       tmp_path / path.name)  # fmt: skip
    assert main(["evaluate", "vt-ssum", str(tmp_path), "--split", "dev"]) == 2
    assert "lacks label" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_refused(tmp_path, capsys):
    given = ["evaluate", "lecture", str(tmp_path / "manifest.json"), "--truth", str(tmp_path / "truth.json")]
    assert main(given) == 2
    assert "Give the manifest.json of a run" in capsys.readouterr().err
