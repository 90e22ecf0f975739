"""The Timeline says where each sentence stands, and survives a file."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import timeline
from core.errors import StoreError
from core.records import Sentence, Silence, SlideSpan, Word
from core.sights import LayoutSpan, Slide


@dataclass(frozen=True)
class Sound:
    hop_s: float
    level_dbfs: np.ndarray
    centroid_hz: np.ndarray


def said(start_s: float, end_s: float, text: str = "two words") -> Sentence:
    middle_s = (start_s + end_s) / 2
    first, second = text.split()
    return Sentence(start_s, end_s, text, (Word(first, start_s, middle_s), Word(second, middle_s, end_s, 0.5)))


SENTENCES = (said(2, 6), said(9, 11), said(11, 15))


def test_pauses_and_their_silences_are_measured_between_the_words():
    silences = [Silence(0.5, 2.5, -60), Silence(7, 9, -60), Silence(18, 20, -60)]
    rows = timeline.rows(timeline.build_timeline(SENTENCES, silences=silences, duration_s=20))
    assert [row["pause_before_s"] for row in rows] == [2, 3, 0]
    assert [row["pause_after_s"] for row in rows] == [3, 0, 5]
    assert [row["silence_before_s"] for row in rows] == [1.5, 2, 0]
    assert [row["silence_after_s"] for row in rows] == [2, 0, 2]


def test_rate_position_and_words_come_from_the_sentence():
    row = timeline.rows(timeline.build_timeline(SENTENCES, duration_s=20))[0]
    assert row["speech_rate_wps"] == pytest.approx(0.5)
    assert row["position"] == pytest.approx(0.2)
    assert row["words"][1] == {"text": "words", "start_s": 4, "end_s": 6, "probability": 0.5}


def test_slide_is_the_one_at_the_middle_and_a_change_inside_the_row_is_seen():
    slides = [SlideSpan(0, 9, "start"), SlideSpan(9, 14, "slide"), SlideSpan(14, 16, "shot")]
    sentences = (*SENTENCES, said(17, 19))
    rows = timeline.rows(timeline.build_timeline(sentences, slides=slides, duration_s=20))
    assert [row["slide"] for row in rows] == [0, 1, 1, None]
    assert [row["slide_kind"] for row in rows] == ["start", "slide", "slide", None]
    assert [row["slide_start_s"] for row in rows] == [0, 9, 9, None]
    assert [row["slide_end_s"] for row in rows] == [9, 14, 14, None]
    # A slide that comes up exactly with the first word, or with the end, does not change within.
    assert [row["slide_change_within"] for row in rows] == [False, False, True, False]


def test_sound_is_measured_over_each_row_alone():
    level = np.full(2_000, -60, np.float32)
    level[200:600] = -20
    level[900:1_100] = -30
    sound = Sound(0.01, level, np.where(level == -20, 500, 2_000).astype(np.float32))
    pitch = np.where(level == -20, 120, np.nan).astype(np.float32)
    rows = timeline.rows(timeline.build_timeline(SENTENCES, levels=sound, pitch_hz=pitch, duration_s=20))
    assert [row["level_dbfs"] for row in rows] == pytest.approx([-20, -30, -60])
    assert [row["spectral_centroid_hz"] for row in rows] == pytest.approx([500, 2_000, 2_000])
    assert [row["pitch_hz"] for row in rows] == [pytest.approx(120), None, None]


@pytest.mark.parametrize(
    ("made", "empty"),
    [
        pytest.param(
            timeline.build_timeline(SENTENCES),
            {"silences", "sound", "pitch", "picture", "layout", "slide_text"},
            id="captions alone",
        ),
        pytest.param(
            timeline.build_text_timeline(["One.", "Two."]),
            {"times", "silences", "sound", "pitch", "picture", "layout", "slide_text"},
            id="text without times",
        ),
        pytest.param(
            timeline.build_timeline(SENTENCES, silences=[], slides=[SlideSpan(0, 20, "start")]),
            {"sound", "pitch", "layout", "slide_text"},
            id="no sound was measured",
        ),
    ],
)
def test_groups_that_are_missing_are_null_throughout(made: pa.Table, empty: set[str]):
    for column in timeline.COLUMNS:
        missing = made[column.name].null_count == made.num_rows
        assert missing == (column.group in empty), column.name


def test_a_row_knows_its_layout_and_how_much_of_it_stands_on_its_slide():
    slides = [SlideSpan(0, 8, "start"), SlideSpan(8, 20, "slide")]
    first = SENTENCES[0].text
    read = [Slide(0, 8, "A title", first, False, None, ()), Slide(8, 20, None, "", False, None, ())]
    layouts = [LayoutSpan(0, 8, "slides"), LayoutSpan(8, 20, "camera")]
    table = timeline.build_timeline(SENTENCES, slides=slides, layouts=layouts, read=read, duration_s=20)
    rows = timeline.rows(table)
    assert rows[0]["layout"] == "slides" and rows[0]["slide_title"] == "A title"
    assert rows[-1]["layout"] == "camera" and rows[-1]["slide_title"] is None and rows[-1]["slide_share"] is None


def test_sentences_out_of_order_are_sorted_and_overlaps_leave_no_negative_pause():
    sentences = [said(9, 11), said(2, 12), said(11.5, 13)]
    table = timeline.build_timeline(sentences, silences=[Silence(0, 13, -70)], duration_s=13)
    rows = timeline.rows(table)
    assert [row["start_s"] for row in rows] == [2, 9, 11.5]
    assert [row["index"] for row in rows] == [0, 1, 2]
    for name in ("pause_before_s", "pause_after_s", "silence_before_s", "silence_after_s"):
        assert all(row[name] >= 0 for row in rows)


def test_a_sentence_that_ends_after_the_recording_stays_within_it():
    rows = timeline.rows(timeline.build_timeline([said(9, 12)], duration_s=10))
    assert rows[0]["position"] <= 1
    assert rows[0]["pause_after_s"] == 0


def test_overlapping_silences_count_once():
    silences = [Silence(0, 1.5, -60), Silence(1, 2, -60), Silence(0.5, 0.7, -60)]
    assert timeline.rows(timeline.build_timeline(SENTENCES, silences=silences))[0]["silence_before_s"] == 2


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(timeline.build_timeline(SENTENCES, silences=[], duration_s=20), id="sentences"),
        pytest.param(timeline.build_text_timeline(["Ünïcode 講義", ""]), id="text alone"),
        pytest.param(timeline.build_timeline([], silences=[], slides=[], duration_s=20), id="no rows"),
        pytest.param(timeline.build_timeline([replace(SENTENCES[0], words=(), text="")]), id="a unit without speech"),
    ],
)
def test_a_file_gives_back_the_same_table(table: pa.Table, tmp_path: Path):
    timeline.write(table, tmp_path / "t.parquet")
    found = timeline.read(tmp_path / "t.parquet")
    assert found.schema.equals(timeline.SCHEMA, check_metadata=True)
    assert found.equals(table)
    assert pq.read_schema(tmp_path / "t.parquet").metadata[b"winnow.timeline"] == timeline.VERSION.encode()


def test_files_that_are_no_timeline_of_this_version_are_refused(tmp_path: Path):
    table = timeline.build_text_timeline(["One."])
    path = tmp_path / "t.parquet"
    pq.write_table(table.replace_schema_metadata({b"winnow.timeline": b"99"}), path)
    with pytest.raises(StoreError, match="version is 99"):
        timeline.read(path)
    pq.write_table(table.drop_columns(["layout"]), path)
    with pytest.raises(StoreError, match="exact columns"):
        timeline.read(path)
    path.write_bytes(b"PAR1 cut off")
    with pytest.raises(StoreError, match="failed"):
        timeline.read(path)
    with pytest.raises(StoreError, match="failed"):
        timeline.read(tmp_path / "missing.parquet")


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_duration_that_is_none_is_refused(duration_s: float):
    with pytest.raises(ValueError, match="duration_s"):
        timeline.build_timeline(SENTENCES, duration_s=duration_s)


def test_every_column_says_what_it_means():
    for field in timeline.SCHEMA:
        assert field.metadata[b"meaning"].endswith(b".")
