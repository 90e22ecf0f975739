"""Review decisions are checked, kept without loss, and turned into labels of the timeline that they were made on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import StoreError
from core.records import Sentence, SlideSpan
from core.timeline import build_timeline
from training.decisions import Decision, labelled_lectures, read, write

KEPT = Decision(
    recording_sha256="a" * 64,
    timeline_key="k1",
    start_s=10.0,
    end_s=40.0,
    first_row=1,
    last_row=3,
    rank=1,
    decision="kept",
    reviewer="reviewer-7",
    decided_at=datetime(2026, 3, 1, 12, 30, 0, 123456, UTC),
    model_name="baseline",
    model_version="1",
    model_sha256="b" * 64,
)
TRIMMED = replace(KEPT, decision="trimmed", edited_start_s=20.0, edited_end_s=40.0)


def timeline() -> pa.Table:
    """Six sentences of 10 s each; slides change at 20 s, a camera shot begins at 50 s."""
    sentences = [Sentence(10.0 * i, 10.0 * i + 10, f"Sentence {i}.", ()) for i in range(6)]
    slides = [SlideSpan(0, 20, "start"), SlideSpan(20, 50, "slide"), SlideSpan(50, 60, "shot")]
    return build_timeline(sentences, slides=slides)


def labels(*decisions: Decision) -> list[int]:
    (lecture,) = labelled_lectures(decisions, lambda sha256, key: timeline())
    return lecture.label.tolist()


def by(reviewer: str, **changes) -> Decision:
    return replace(KEPT, reviewer=reviewer, **changes)


def test_what_is_written_is_read_back(tmp_path):
    given = [KEPT, TRIMMED, replace(KEPT, decision="rejected"), replace(KEPT, decision="reordered", edited_rank=3)]
    write(given, tmp_path / "decisions.parquet")
    assert read(tmp_path / "decisions.parquet") == given


def test_no_decisions_are_a_table_too(tmp_path):
    write([], tmp_path / "decisions.parquet")
    assert read(tmp_path / "decisions.parquet") == []


def test_times_are_kept_in_utc(tmp_path):
    there = KEPT.decided_at.astimezone(timezone(timedelta(hours=5)))
    write([replace(KEPT, decided_at=there)], tmp_path / "decisions.parquet")
    (found,) = read(tmp_path / "decisions.parquet")
    assert found.decided_at == there
    assert found.decided_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recording_sha256": "A" * 64}, "recording_sha256"),
        ({"timeline_key": ""}, "timeline_key"),
        ({"start_s": 40.0}, "start_s < end_s"),
        ({"end_s": float("inf")}, "end_s"),
        ({"last_row": 0}, "last_row"),
        ({"first_row": -1}, "last_row"),
        ({"rank": 0}, "rank"),
        ({"decision": "liked"}, "decision"),
        ({"reviewer": "jane.doe@example.org"}, "reviewer"),
        ({"reviewer": "Jane Doe"}, "reviewer"),
        ({"decided_at": datetime(2026, 3, 1)}, "decided_at"),
        ({"model_sha256": ""}, "model_sha256"),
        ({"decision": "trimmed"}, "edited_start_s"),
        ({"decision": "trimmed", "edited_start_s": 10.0, "edited_end_s": 40.0}, "edited_start_s"),
        ({"decision": "trimmed", "edited_start_s": 10.0}, "both edited edges"),
        ({"edited_start_s": 1.0, "edited_end_s": 2.0}, "edited_start_s"),
        ({"decision": "reordered"}, "edited_rank"),
        ({"decision": "reordered", "edited_rank": 1}, "edited_rank"),
        ({"edited_rank": 2}, "edited_rank"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(f"{k}={v}" for k, v in value.items())[:60],
)
def test_what_cannot_be_is_refused_with_the_field(change, said):
    with pytest.raises(ValueError, match=said):
        replace(KEPT, **change)


@pytest.mark.parametrize(
    ("decision", "label"),
    [
        (KEPT, [-1, 1, 1, 1, -1, -1]),
        (replace(KEPT, decision="rejected"), [-1, 0, 0, 0, -1, -1]),
        (replace(KEPT, decision="reordered", edited_rank=2), [-1, 1, 1, 1, -1, -1]),
        (TRIMMED, [-1, 0, 1, 1, -1, -1]),
        (replace(TRIMMED, edited_start_s=16.0, edited_end_s=35.0), [-1, 0, 1, 1, -1, -1]),
        (replace(TRIMMED, edited_start_s=0.0, edited_end_s=58.0), [1, 1, 1, 1, 1, 1]),
    ],
    ids=["kept", "rejected", "reordered", "trimmed closer", "cut inside sentences", "trimmed wider"],
)
def test_one_decision_labels_the_rows_it_is_about(decision, label):
    assert labels(decision) == label


def test_who_decides_again_is_counted_once():
    later = KEPT.decided_at + timedelta(minutes=1)
    assert labels(replace(KEPT, decision="rejected", decided_at=later), KEPT) == [-1, 0, 0, 0, -1, -1]


def test_most_reviewers_decide_and_an_even_vote_decides_nothing():
    no = {"decision": "rejected"}
    assert labels(by("r-1"), by("r-2", **no), by("r-3", **no)) == [-1, 0, 0, 0, -1, -1]
    assert labels(by("r-1"), by("r-2", **no)) == [-1] * 6


def test_judged_rows_are_one_clip_and_segments_are_the_slides():
    (lecture,) = labelled_lectures([KEPT], lambda sha256, key: timeline())
    assert lecture.recording == "a" * 64
    assert lecture.sentences[0] == "Sentence 0."
    assert lecture.clip.tolist() == [-1, 0, 0, 0, -1, -1]
    assert lecture.segment.tolist() == [0, 0, 1, 1, 1, -1]


def test_each_timeline_that_was_decided_on_is_a_lecture_and_is_asked_for_once():
    asked = []

    def stored(sha256: str, key: str) -> pa.Table:
        asked.append((sha256[0], key))
        return timeline()

    given = [KEPT, by("r-2"), replace(KEPT, timeline_key="k2"), replace(KEPT, recording_sha256="c" * 64)]
    assert len(labelled_lectures(given, stored)) == 3
    assert sorted(asked) == [("a", "k1"), ("a", "k2"), ("c", "k1")]


def test_a_decision_about_rows_that_are_not_there_is_an_error():
    with pytest.raises(StoreError, match="names row 6, and its timeline k1 has 6 rows"):
        labels(replace(KEPT, last_row=6))


def test_a_recording_without_slides_has_no_segments():
    bare = build_timeline([Sentence(0.0, 5.0, "Hello.", ())])
    (lecture,) = labelled_lectures([replace(KEPT, first_row=0, last_row=0)], lambda sha256, key: bare)
    assert lecture.segment.tolist() == [-1]


def _table(tmp_path):
    write([KEPT, KEPT], tmp_path / "good.parquet")
    return pq.read_table(tmp_path / "good.parquet")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.replace_schema_metadata({"winnow.decisions": "2"}), "its version is 2"),
        (lambda table: table.replace_schema_metadata({}), "its version is none"),
        (lambda table: table.drop_columns(["rank"]), "exact columns"),
        (
            lambda table: table.set_column(
                8, table.schema.field("decision"), pa.array(["kept", "loved"], type=pa.string())
            ),
            "row 1 is not valid",
        ),
        (
            lambda table: table.set_column(
                0, table.schema.field("schema_version"), pa.array(np.array([1, 9], np.int16))
            ),
            "row 1 is not valid: its schema_version",
        ),
    ],
    ids=["another version", "no version", "a column missing", "an unknown decision", "a row of another version"],
)
def test_tables_that_are_not_of_this_version_are_refused(tmp_path, change, said):
    pq.write_table(change(_table(tmp_path)), tmp_path / "bad.parquet")
    with pytest.raises(StoreError, match=said):
        read(tmp_path / "bad.parquet")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "bad.parquet").write_text("hello")
    with pytest.raises(StoreError, match=r"bad.parquet failed"):
        read(tmp_path / "bad.parquet")
