"""Splits go by recording and hold on every machine; what stands on both sides is found."""

import numpy as np
import pyarrow as pa
import pytest

from training.lectures import LabelledLecture
from training.splits import find_duplicates, normalised, report, split_by_recording, split_of


def lecture(recording: str, *sentences: str, clip: tuple[int, ...] = ()) -> LabelledLecture:
    clips = np.array(clip or [-1] * len(sentences), np.int32)
    return LabelledLecture(
        recording, "vt_ssum", sentences, (clips >= 0).astype(np.int8) - 1, np.zeros(len(sentences), np.int32), clips
    )


def test_the_split_of_a_recording_is_fixed_for_ever():
    assert [split_of(f"lecture {i}") for i in (0, 3, 10)] == ["train", "test", "dev"]


def test_splits_have_about_the_shares_asked_for():
    names = [split_of(str(i), {"a": 3, "b": 1}) for i in range(2_000)]
    assert 0.72 < names.count("a") / 2_000 < 0.78


def test_another_salt_gives_another_split():
    assert [split_of(str(i)) for i in range(50)] != [split_of(str(i), salt="two") for i in range(50)]


def test_shares_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        split_of("a", {"train": 1, "dev": 0})


def test_lectures_with_one_key_are_never_parted():
    lectures = [lecture(f"ES20{series:02}{part}", "A.") for series in range(20) for part in "abcd"]
    splits = split_by_recording(lectures, key_of=lambda recording: recording[:-1])
    homes = {name: {one.recording[:-1] for one in found} for name, found in splits.items()}
    assert sum(map(len, homes.values())) == 20
    assert sum(map(len, splits.values())) == 80


def test_every_split_is_there_though_empty():
    assert split_by_recording([]) == {"train": [], "dev": [], "test": []}


@pytest.mark.parametrize("given", [["  So, it's 5_5 — ÜBER! "], pa.chunked_array([["  So, it's 5_5 — ÜBER! "]])])
def test_case_marks_and_spaces_do_not_make_another_text(given):
    assert normalised(given) == ["so it s 5 5 über"]


def test_the_same_words_in_two_splits_are_found_in_recordings_and_in_clips():
    splits = {
        "train": [lecture("a", "Hello, all.", "The moon.", clip=(-1, 3)), lecture("b", "Other.")],
        "dev": [lecture("c", "hello all", "the moon"), lecture("d", "Begin.", "The  moon!", clip=(-1, 0))],
        "test": [lecture("b", "Something else.")],
    }
    found = {(one.kind, one.splits, one.places) for one in find_duplicates(splits)}
    assert found == {
        ("recording", ("train", "dev"), ("vt_ssum/a", "vt_ssum/c")),
        ("clip", ("train", "dev"), ("vt_ssum/a/3", "vt_ssum/d/0")),
        ("id", ("train", "test"), ("vt_ssum/b", "vt_ssum/b")),
    }


def test_recordings_without_a_word_are_no_duplicates():
    assert not find_duplicates({"train": [lecture("a", "…")], "dev": [lecture("b")]})


def test_the_report_counts_and_names_examples():
    found = find_duplicates({"train": [lecture("a", "One.")], "dev": [lecture("b", "one")]})
    assert report(found) == "the same recording in train and dev: 1, such as vt_ssum/a and vt_ssum/b"
    assert report([]) == "the splits share nothing"
