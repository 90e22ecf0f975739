"""VT-SSum's tables become lectures whose clips stand where their sentences do; odd tables are read or refused."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import RefusedInput
from training.vt_ssum import part_texts, read_labelled, read_split

A = {"a": [["Hello.", "Welcome."], ["Tides are slow.", "They come twice.", "Why?"]]}


def test_a_clip_is_found_by_its_sentences_and_not_by_its_number(write_split):
    folder = write_split("dev", A, [("a", 0, ["Tides are slow.", "They come twice.", "Why?"], [0, 1, 0])])
    (lecture,) = read_labelled(folder, "dev")
    assert lecture.sentences == ("Hello.", "Welcome.", "Tides are slow.", "They come twice.", "Why?")
    assert lecture.segment.tolist() == [0, 0, 1, 1, 1]
    assert lecture.label.tolist() == [-1, -1, 0, 1, 0]
    assert lecture.clip.tolist() == [-1, -1, 0, 0, 0]


def test_a_clip_that_is_no_segment_becomes_a_lecture_of_its_own(write_split):
    folder = write_split("dev", A, [("a", 7, ["Something else.", "Unheard of."], [1, 0])])
    whole, alone = read_labelled(folder, "dev")
    assert whole.label.tolist() == [-1] * 5
    assert (alone.recording, alone.label.tolist(), alone.segment.tolist()) == ("a", [1, 0], [0, 0])


def test_a_clip_may_differ_from_its_segment_in_case_and_marks(write_split):
    folder = write_split("dev", A, [("a", 0, ["hello", " Welcome! "], [1, 0])])
    assert read_labelled(folder, "dev")[0].label.tolist() == [1, 0, -1, -1, -1]


def test_clips_with_the_same_sentences_take_the_segments_in_turn(write_split):
    twice = {"a": [["Thanks.", "Any questions?"], ["More."], ["Thanks.", "Any questions?"]]}
    clips = [("a", number, ["Thanks.", "Any questions?"], [number, 1 - number]) for number in (0, 1)]
    (lecture,) = read_split(write_split("dev", twice, clips), "dev")
    assert [clip.first_row for clip in lecture.clips] == [0, 3]
    assert lecture.labelled.label.tolist() == [0, 1, -1, 1, 0]


def test_a_clip_written_twice_counts_once(write_split):
    clip = ("a", 3, ["Hello.", "Welcome."], [1, 0])
    (lecture,) = read_split(write_split("dev", A, [clip, clip]), "dev")
    assert len(lecture.clips) == lecture.repeated == 1
    assert lecture.clips[0].label.tolist() == [1, 0]


def test_two_clips_under_one_number_are_two(write_split):
    clips = [("a", 3, ["Hello.", "Welcome."], [1, 0]), ("a", 3, ["Odd.", "Ends."], [0, 1])]
    (lecture,) = read_split(write_split("dev", A, clips), "dev")
    assert [clip.sentences for clip in lecture.clips] == [("Hello.", "Welcome."), ("Odd.", "Ends.")]


def test_rows_may_stand_in_any_order(write_split):
    clips = [("a", 1, ["Tides are slow.", "They come twice.", "Why?"], [0, 1, 0])]
    folder = write_split("dev", A | {"b": [["Else."]]}, clips)
    before = read_labelled(folder, "dev")
    for what in ("segments", "clips"):
        path = folder / f"dev_{what}.parquet"
        table = pq.read_table(path)
        pq.write_table(table.take(list(range(len(table)))[::-1]), path)
    assert [(one.sentences, one.label.tolist()) for one in read_labelled(folder, "dev")] == [
        (one.sentences, one.label.tolist()) for one in before
    ]


def test_a_lecture_without_sentences_is_there_and_empty(write_split):
    empty, whole = read_split(write_split("dev", {"empty": [], **A}), "dev")
    assert (empty.labelled.sentences, empty.clips, empty.labelled.segment.shape) == ((), (), (0,))
    assert len(whole.labelled.sentences) == 5


@pytest.mark.parametrize("odd", ["", "ünï/../x y", "0", "a\nb", "x" * 300], ids=repr)
def test_any_text_may_be_a_videos_id(write_split, odd):
    (lecture,) = read_split(write_split("dev", {odd: A["a"]}, [(odd, 0, ["Hello.", "Welcome."], [1, 0])]), "dev")
    assert (lecture.labelled.recording, lecture.clips[0].first_row) == (odd, 0)


def test_ids_may_be_numbers_and_labels_truth_values(write_split):
    folder = write_split("dev", {"12": A["a"]}, [("12", 0, ["Hello.", "Welcome."], [1, 0])])
    for what in ("videos", "segments", "clips"):
        table = pq.read_table(folder / f"dev_{what}.parquet")
        table = table.set_column(0, "video_id", table["video_id"].cast(pa.int64()))
        if what == "clips":
            table = table.set_column(table.schema.get_field_index("label"), "label", table["label"].cast(pa.bool_()))
        pq.write_table(table, folder / f"dev_{what}.parquet")
    (lecture,) = read_labelled(folder, "dev")
    assert (lecture.recording, lecture.label.tolist()) == ("12", [1, 0, -1, -1, -1])


def test_missing_text_is_an_empty_sentence(write_split):
    folder = write_split("dev", {"a": [["Hello.", None]]})
    assert read_labelled(folder, "dev")[0].sentences == ("Hello.", "")


def test_videos_that_only_the_segments_name_are_read_too(write_split):
    folder = write_split("dev", A | {"b": [["Else."]]})
    pq.write_table(pa.table({"video_id": pa.array(["b"])}), folder / "dev_videos.parquet")
    assert [lecture.recording for lecture in read_labelled(folder, "dev")] == ["b", "a"]


def test_a_limit_takes_the_first_lectures(write_split):
    folder = write_split("dev", A | {"b": [["Else."]]}, [("b", 0, ["Else."], [1])])
    (lecture,) = read_split(folder, "dev", limit=1)
    assert (lecture.labelled.recording, lecture.clips) == ("a", ())


def test_texts_of_a_split_are_those_of_its_segments_and_clips(write_split):
    folder = write_split("train", A, [("a", 0, ["Heard, only here."], [1])])
    assert list(part_texts(folder, "train")) == [
        "hello welcome", "tides are slow they come twice why", "heard only here",
    ]  # fmt: skip


def _drop(name):
    return lambda table: table.drop_columns([name])


def _relabel(value):
    return lambda table: table.set_column(4, "label", pa.array([value] * len(table)))


@pytest.mark.parametrize(
    ("what", "change", "said"),
    [
        ("clips", _drop("label"), "lacks label; it has video_id, sentence, text, clip"),
        ("segments", _drop("segment"), "lacks segment"),
        ("videos", lambda table: table.rename_columns(["id"]), "lacks video_id; it has id"),
        ("clips", _relabel(2), "labels other than 0 and 1"),
        ("clips", _relabel("yes"), "cannot be used"),
        ("clips", _relabel(None), "rows without label"),
    ],
    ids=["no label", "no segment", "no video_id", "a label of 2", "labels in words", "labels missing"],
)
def test_tables_that_cannot_be_used_are_refused_with_the_reason(write_split, what, change, said):
    folder = write_split("dev", A, [("a", 0, ["Hello.", "Welcome."], [1, 0])])
    path = folder / f"dev_{what}.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(RefusedInput, match=said):
        read_split(folder, "dev")


def test_a_split_that_is_not_there_is_refused_with_those_that_are(write_split):
    with pytest.raises(RefusedInput, match=r"no file .*test_videos.parquet. Splits in that folder: dev, train"):
        read_split(write_split("dev", A) and write_split("train", A), "test")


def test_a_file_that_is_no_parquet_is_refused(write_split):
    folder = write_split("dev", A)
    (folder / "dev_clips.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(RefusedInput, match=r"dev_clips.parquet cannot be used"):
        read_split(folder, "dev")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RefusedInput, match="there is no folder"):
        read_split(tmp_path / "none", "dev")
