"""Figures of an evaluation against values worked out by hand, with a model whose scores are written down here."""

import json

import numpy as np
import pytest

from core.errors import RefusedInput, WinnowError
from models.scores import Scores
from training.evaluation import evaluate_vt_ssum, measure_vt_ssum

LECTURES = {
    "a": [["a one", "a two", "a three"], ["b one", "b two", "b three"]],
    "b": [["c one", "c two"]],
}
CLIPS = [
    ("a", 5, ["b one", "b two", "b three"], [0, 0, 1]),
    ("b", 0, ["c one", "c two"], [1, 1]),
    ("b", 1, ["d one", "d two", "d three", "d four"], [0, 0, 0, 1]),
]
SCORE = {"b one": 0.5, "b two": 0.5, "b three": 0.9, "c one": 0.2, "c two": 0.8, "d four": 0.1}
ENDS = {"a three", "b one", "b three"}


class Written:
    """A model with the scores above, 0.3 for what they do not name; it remembers the timelines that it was shown."""

    def __init__(self) -> None:
        self.shown = []

    def __call__(self, timeline):
        self.shown.append(timeline)
        said = timeline["text"].to_pylist()
        score = np.array([SCORE.get(text, 0.3) for text in said], dtype=float)
        return Scores(score, np.array([0.5 if text in ENDS else 0.49 for text in said]), {})


@pytest.fixture
def folder(write_split):
    return write_split("dev", LECTURES, CLIPS)


def test_figures_are_those_worked_out_by_hand(folder):
    figures = evaluate_vt_ssum(folder, "dev", Written())
    # Best 3 of the clips: all of "b …" (1 of 1 positive), both "c …" (2 of 2), "d one/two/three" (0 of 1).
    assert figures["top3_precision"] == pytest.approx(100 * (1 / 3 + 2 / 3 + 0) / 3, abs=1e-4)
    assert figures["top3_recall"] == pytest.approx(100 * 2 / 3, abs=1e-4)
    assert figures["top3_f1"] == pytest.approx(100 * 2 * (1 / 3) * (2 / 3) / (1 / 3 + 2 / 3), abs=1e-4)
    # Best 5: everything, divided by 5.
    assert figures["top5_precision"] == pytest.approx(100 * (1 / 5 + 2 / 5 + 1 / 5) / 3, abs=1e-4)
    assert figures["top5_recall"] == 100
    # Of 8 sentences "b one" is wrongly an end, "c two" wrongly none.
    assert figures["segmentation_accuracy"] == 75
    # a: k = round(6 / 4) = 2, true ends in windows 0 1 1 0, found 0 1 2 1: Pk 1/4, WindowDiff 2/4; b: k = 1, 0 and 0.
    assert (figures["pk"], figures["windowdiff"]) == (12.5, 25)
    # Sums of score less label by bins of 1/15: 0.5 + 0.5; 0.9 - 1; 0.2 - 1; 0.8 - 1; three times 0.3; 0.1 - 1
    assert figures["ece"] == pytest.approx(100 * (1.0 + 0.1 + 0.8 + 0.2 + 0.9 + 0.9) / 9, abs=1e-4)


def test_segments_are_shown_as_slides_for_highlights_and_hidden_for_segmentation(folder):
    model = Written()
    evaluate_vt_ssum(folder, "dev", model)
    slides = [(len(timeline), timeline["slide"].to_pylist()) for timeline in model.shown]
    assert slides == [
        (6, [0, 0, 0, 1, 1, 1]),
        (6, [None] * 6),
        (2, [0, 0]),
        (4, [0, 0, 0, 0]),  # the clip that is no segment, by itself
        (2, [None, None]),
    ]


def test_counts_say_what_was_measured(folder):
    counts = evaluate_vt_ssum(folder, "dev", Written())["counts"]
    assert counts == {
        "lectures": 2, "lectures_empty": 0, "lectures_segmented": 2, "sentences": 8, "segments": 3, "clips": 3,
        "clips_without_positive": 0, "clips_not_a_segment": 1, "clips_repeated": 0, "clips_in_train": None,
        "judged_sentences": 9,
    }  # fmt: skip


def test_without_a_training_split_duplicates_are_null_with_the_reason(folder):
    figures = evaluate_vt_ssum(folder, "dev", Written())
    assert figures["without_train_duplicates"] is None
    assert "no split 'train'" in figures["without_train_duplicates_reason"]


def test_clips_whose_text_stands_in_train_are_left_out(folder, write_split):
    write_split("train", {"t": [["B one. B two.", "B three!"], ["c one"]]}, [("t", 0, ["d one", "else"], [0, 1])])
    figures = evaluate_vt_ssum(folder, "dev", Written())
    unseen = figures["without_train_duplicates"]
    assert (figures["counts"]["clips_in_train"], unseen["clips"]) == (1, 2)
    assert unseen["top3_recall"] == 50
    # Left are "a one/two/three" and "c one/two": only "c two" is wrong. The windows of a: (0, 2) alone, rightly 0.
    assert unseen["segmentation_accuracy"] == 80
    assert unseen["pk"] == 0
    assert unseen["ece"] == pytest.approx(100 * (0.8 + 0.2 + 0.9 + 0.9) / 6, abs=1e-4)
    assert figures["without_train_duplicates_reason"] is None


def test_another_training_split_or_folder_can_be_named(folder, write_split, tmp_path):
    write_split("seen", {"t": LECTURES["b"]})
    write_split("train", {"t": [*LECTURES["a"], *LECTURES["b"]]}, folder=tmp_path / "elsewhere")
    by_name = evaluate_vt_ssum(folder, "dev", Written(), train="seen")
    by_folder = evaluate_vt_ssum(folder, "dev", Written(), train=str(tmp_path / "elsewhere"))
    assert (by_name["counts"]["clips_in_train"], by_folder["counts"]["clips_in_train"]) == (1, 2)


def test_a_training_split_that_was_named_must_be_there(folder):
    with pytest.raises(RefusedInput, match="no training split 'nowhere'"):
        evaluate_vt_ssum(folder, "dev", Written(), train="nowhere")


def test_the_training_split_itself_has_no_figures_without_duplicates(write_split):
    figures = evaluate_vt_ssum(write_split("train", LECTURES, CLIPS), "train", Written())
    assert figures["without_train_duplicates"] is None
    assert "itself the training split" in figures["without_train_duplicates_reason"]


def test_the_table_of_clips_holds_what_a_comparison_needs(folder):
    table = measure_vt_ssum(folder, "dev", Written()).clips
    assert table.select(["recording", "clip", "positives", "hits_at_3", "hits_at_5", "in_segments"]).to_pylist() == [
        {"recording": "a", "clip": 5, "positives": 1, "hits_at_3": 1, "hits_at_5": 1, "in_segments": True},
        {"recording": "b", "clip": 0, "positives": 2, "hits_at_3": 2, "hits_at_5": 2, "in_segments": True},
        {"recording": "b", "clip": 1, "positives": 1, "hits_at_3": 0, "hits_at_5": 1, "in_segments": False},
    ]
    assert table["in_train"].null_count == 3


def test_a_limit_of_lectures_is_kept(folder):
    assert evaluate_vt_ssum(folder, "dev", Written(), lectures=1)["counts"]["clips"] == 1


def test_figures_of_nothing_are_null_and_still_json(write_split):
    figures = evaluate_vt_ssum(write_split("dev", {"empty": []}), "dev", Written())
    assert figures["top3_f1"] is figures["segmentation_accuracy"] is figures["pk"] is figures["ece"] is None
    assert json.loads(json.dumps(figures, allow_nan=False))["counts"]["lectures_empty"] == 1


def test_a_model_that_cannot_tell_topic_ends_has_no_figures_of_them(folder):
    figures = evaluate_vt_ssum(folder, "dev", lambda timeline: Scores(np.zeros(len(timeline)), None, {}))
    assert figures["segmentation_accuracy"] is figures["windowdiff"] is None
    assert figures["top3_f1"] is not None


@pytest.mark.parametrize("wrong", [np.array([np.nan]), np.zeros(0)], ids=["not finite", "too few"])
def test_scores_that_are_none_are_refused(folder, wrong):
    with pytest.raises(WinnowError, match="finite numbers"):
        evaluate_vt_ssum(folder, "dev", lambda timeline: Scores(np.resize(wrong, len(wrong) * 6), None, {}))


def test_progress_rises_to_the_end(folder):
    told = []
    evaluate_vt_ssum(folder, "dev", Written(), on_progress=lambda *progress: told.append(progress))
    shares = [share for _, _, share in told]
    assert shares == sorted(shares)
    assert (told[0], told[-1]) == ((0, 2, 0.0), (2, 2, 1.0))
