"""Labelled lectures refuse what cannot be, and show their segments to models as slides."""

import numpy as np
import pytest

from training.lectures import LabelledLecture, text_timeline


def lecture(label=(0, 1, -1), segment=(0, 0, 1), clip=(0, 0, -1)) -> LabelledLecture:
    arrays = np.array(label, np.int8), np.array(segment, np.int32), np.array(clip, np.int32)
    return LabelledLecture("r", "vt_ssum", ("One.", "Two.", "Three."), *arrays)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"label": (0, 1)}, "label must have shape"),
        ({"label": (0, 1, 2)}, "labels must be"),
        ({"segment": (1, 1, 0)}, "must not decrease"),
        ({"segment": (1, -1, 0)}, "must not decrease"),
    ],
    ids=["a label is missing", "a label of 2", "segments go back", "segments go back behind an unknown one"],
)
def test_refuses_what_cannot_be(wrong, said):
    with pytest.raises(ValueError, match=said):
        lecture(**wrong)


def test_the_last_sentence_of_a_lecture_ends_its_segment():
    assert lecture().last_of_segment.tolist() == [False, True, True]


def test_segments_stand_in_the_slide_column_as_a_recordings_slides_do():
    shown = text_timeline(["One.", "Two.", "Three."], np.array([4, -1, 6], np.int32))
    assert shown["slide"].to_pylist() == [4, None, 6]
    assert shown["slide_kind"].to_pylist() == ["start", None, "slide"]


def test_without_segments_nothing_of_the_picture_is_known():
    assert text_timeline(["One.", "Two."])["slide"].null_count == 2


def test_a_timeline_of_no_sentences_has_no_rows():
    assert len(text_timeline([], np.zeros(0, np.int32))) == 0
