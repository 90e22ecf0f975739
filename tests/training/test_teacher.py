import numpy as np

from training import teacher
from training.lectures import LabelledLecture
from training.made_up import made_up_lectures


def meeting(count=120, topics=(50, 120)):
    segment = np.searchsorted(topics, np.arange(count), "right").astype(np.int32)
    unknown = np.full(count, -1, np.int8)
    return LabelledLecture(
        "m", "qmsum", tuple(f"Sentence {k}." for k in range(count)), unknown, segment, unknown.astype(np.int32)
    )


def test_meetings_are_cut_as_slides_are_and_never_across_topics():
    (cut,), _ = teacher.cut_into_slides([meeting()], threads=1)
    lengths = np.bincount(cut.segment)
    assert len(lengths) > 5
    assert lengths.min() >= teacher.SHORTEST
    assert cut.segment[49] != cut.segment[50]
    assert np.array_equal(np.unique(cut.segment), np.arange(len(lengths)))


def test_the_same_meeting_is_cut_the_same_way_each_time():
    first, again = (teacher.cut_into_slides([meeting()], threads=1)[0][0] for _ in range(2))
    assert np.array_equal(first.segment, again.segment)


def test_topic_ends_stay_those_of_the_topics_and_the_teacher_scores_every_sentence():
    given = made_up_lectures("dev", 1)
    (cut,), more = teacher.cut_into_slides(given, threads=1)
    found = more()
    assert np.array_equal(found["ends"][0], given[0].last_of_segment)
    assert found["teacher"][0].shape == cut.label.shape
    assert len(np.unique(found["teacher"][0])) > 3
