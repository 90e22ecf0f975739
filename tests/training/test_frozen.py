"""Frozen sets: known by their content, refused when they change, and counted alike whatever they are read from."""

import numpy as np
import pytest

from core.errors import RefusedInput, StoreError
from models.scores import Scores
from training.frozen import freeze, measure
from training.made_up import made_up_lectures


def predict(timeline):
    """Longer sentences are better: right about some of the made-up highlights and wrong about others."""
    length = np.array([len(text) for text in timeline["text"].to_pylist()], dtype=np.float64)
    return Scores(length / max(length.max(initial=1), 1), None, {})


@pytest.fixture
def folder(write_split):
    """The made-up dev lectures in VT-SSum's format."""
    segments, clips = {}, []
    for lecture in made_up_lectures("dev"):
        rows = [np.flatnonzero(lecture.segment == slide) for slide in np.unique(lecture.segment)]
        segments[lecture.recording] = [[lecture.sentences[row] for row in part] for part in rows]
        clips += [
            (lecture.recording, number, [lecture.sentences[row] for row in part], lecture.label[part].tolist())
            for number, part in enumerate(rows)
        ]
    return write_split("dev", segments, clips)


def test_figures_do_not_depend_on_how_the_lectures_are_kept(folder, tmp_path):
    told = []
    one = measure(freeze("sample", tmp_path, "dev"), predict, lambda *at: told.append(at))
    other = measure(freeze("vt_ssum", folder, "dev"), predict)
    names = [f"top{k}_{name}" for k in (3, 5) for name in ("precision", "recall", "f1")]
    assert {name: one.figures[name] for name in names} == {name: other.figures[name] for name in names}
    assert 10 < one.figures["top3_f1"] < 65
    columns = ["recording", "clip", "sentences", "positives", "hits_at_3", "hits_at_5"]
    assert one.clips.select(columns).equals(other.clips.select(columns))
    assert told[-1] == (12, 12, 1.0)


def test_only_the_first_lectures_are_measured_where_that_is_asked(folder):
    for source in ("sample", "vt_ssum"):
        found = measure(freeze(source, folder, "dev", 2), predict)
        assert found.figures["counts"]["lectures"] == 2


def test_content_decides_what_a_set_is(folder, write_split, tmp_path):
    first = freeze("vt_ssum", folder, "dev")
    (tmp_path / "elsewhere").mkdir()
    for file in folder.glob("*.parquet"):
        (tmp_path / "elsewhere" / file.name).write_bytes(file.read_bytes())
    moved = freeze("vt_ssum", tmp_path / "elsewhere", "dev")
    assert moved.fingerprint == first.fingerprint
    write_split("train", {"a": [["Something that was learned."]]})
    assert freeze("vt_ssum", folder, "dev").fingerprint != first.fingerprint
    with pytest.raises(StoreError, match="has changed since the run began"):
        measure(first, predict)


@pytest.mark.parametrize(
    ("source", "split", "says"),
    [
        pytest.param("vt_ssum", "train", "is what models learn from", id="the training split"),
        pytest.param("vt_ssum", "test", "there is no file .*test_videos", id="a split that is not there"),
        pytest.param("rumours", "dev", "no data source 'rumours'", id="an unknown source"),
    ],
)
def test_what_cannot_be_measured_on_is_refused(folder, source, split, says):
    with pytest.raises(RefusedInput, match=says):
        freeze(source, folder, split)
