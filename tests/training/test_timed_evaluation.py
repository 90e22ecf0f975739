"""Final clips against truths with times, with values worked out by hand."""

import json
from pathlib import Path

import pytest

from core.errors import RefusedInput
from core.manifest import ClipEntry, ClipFiles, Manifest
from training.timed_evaluation import evaluate_clips

SHA = "a" * 64


def clip(rank: int, start_s: float, end_s: float) -> ClipEntry:
    return ClipEntry.model_construct(
        rank=rank, start_s=start_s, end_s=end_s, score=0.5, title="", text="", reasons={}, words=[], render_key="k",
        files=ClipFiles(video="c.mp4", poster="c.jpg", srt=None, vtt=None), framing=[], tightening=[], intro_s=0.0,
        writing={"description": "", "tags": [], "writer": "offline", "note": None}, captions=None,
        checks={"measures": {}, "warnings": [], "repairs": []},
    )  # fmt: skip


def published(folder: Path, *clips: ClipEntry, vtt: str | None = None, duration_s: float = 60.0) -> Path:
    """A manifest of 60 s; clips in the recording's order."""
    if vtt is not None:
        (folder / "talk.vtt").write_text(vtt)
    source = {"name": "talk.mp4", "sha256": SHA, "bytes": 1, "duration_s": duration_s, "width": None, "height": None,
              "frame_rate": None, "has_video": False, "has_audio": True, "title": None}  # fmt: skip
    manifest = Manifest.model_construct(
        winnow="0", created="", source=source, tools={}, stages=[], settings={}, clips=list(clips), rejected=[],
        models={"highlight": {"name": "m", "version": "3", "sha256": "b"}}, runners_up=[], silences=[], transcript=None,
        files={"report": "r.html", "reel": None, "srt": None, "vtt": "talk.vtt" if vtt else None}, warnings=[],
    )  # fmt: skip
    path = folder / "manifest.json"
    path.write_text(manifest.model_dump_json(warnings=False))
    return path


def truth(folder: Path, **given) -> Path:
    path = folder / "truth.json"
    path.write_text(json.dumps(given))
    return path


def spans(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"start_s": start_s, "end_s": end_s} for start_s, end_s in pairs]


TENS = spans(*((10.0 * i, 10.0 * i + 10) for i in range(6)))


def test_sentences_are_counted_where_at_least_half_of_them_overlaps(tmp_path):
    # Of six sentences of 10 s the clips hold 1, 2 (half of it) and 5; the highlights are 2, 3 and 5.
    run = published(tmp_path, clip(1, 10, 25), clip(2, 50, 60))
    figures = evaluate_clips(run, truth(tmp_path, sentences=TENS, highlights=spans((20, 40), (50, 56))))
    assert (figures["precision"], figures["recall"]) == pytest.approx((200 / 3, 200 / 3), abs=1e-4)
    assert figures["f1"] == pytest.approx(200 / 3, abs=1e-4)
    assert figures["counts"]["sentences_in_both"] == 2
    assert (figures["units"], figures["models"]) == ("truth", {"highlight": "m@3"})


def test_labels_of_sentences_say_the_same_and_nulls_do_not_count(tmp_path):
    marks = [0, 0, 1, None, 1, 1]
    rows = [row | {"highlight": mark} for row, mark in zip(TENS, marks, strict=True)]
    # In the clips: 2, 3 (not judged) and 4. Highlights: 2, and 4 with 5, which is half held.
    figures = evaluate_clips(published(tmp_path, clip(1, 20, 50)), truth(tmp_path, sentences=rows[::-1]))
    assert (figures["precision"], figures["recall"]) == pytest.approx((100, 200 / 3), abs=1e-4)
    assert figures["counts"]["sentences"] == 5
    assert figures["counts"]["highlights"] == 2
    assert figures["top3_recall"] == 100


def test_clips_are_counted_best_first_by_rank(tmp_path):
    # Ranks 1 to 3 are the clips at 40, 0 and 20; only those at 40 and at 10 lie in a highlight.
    run = published(tmp_path, clip(2, 0, 5), clip(4, 10, 15), clip(3, 20, 25), clip(1, 40, 45))
    figures = evaluate_clips(run, truth(tmp_path, highlights=spans((10, 18), (40, 60)), sentences=TENS))
    assert (figures["top3_precision"], figures["top3_recall"]) == pytest.approx((100 / 3, 0), abs=1e-4)
    assert (figures["top5_precision"], figures["top5_recall"]) == pytest.approx((50, 50), abs=1e-4)


def test_a_long_clip_is_right_if_it_holds_half_of_a_highlight(tmp_path):
    figures = evaluate_clips(published(tmp_path, clip(1, 0, 60)), truth(tmp_path, highlights=spans((30, 40))))
    assert figures["top3_precision"] == figures["top3_recall"] == 100


def test_edges_are_inside_a_word_only_strictly(tmp_path):
    # Edges 10, 20, 30, 45.5: of these 20 and 45.5 cut a word; at 10 one ends and at 30 one begins.
    run = published(tmp_path, clip(1, 10, 20), clip(2, 30, 45.5))
    words = spans((9.5, 10), (19.9, 20.1), (30, 30.4), (45, 46), (45.4, 45.6))
    figures = evaluate_clips(run, truth(tmp_path, highlights=TENS, words=words))
    assert figures["edges_in_words"] == 50


def test_without_words_nothing_is_said_of_edges(tmp_path):
    figures = evaluate_clips(published(tmp_path, clip(1, 10, 20)), truth(tmp_path, highlights=TENS))
    assert figures["edges_in_words"] is None


def test_published_captions_are_the_sentences_where_the_truth_has_none(tmp_path):
    vtt = "WEBVTT\n\n00:00.000 --> 00:10.000\nThe moon pulls.\n\n00:10.000 --> 00:20.000\nThe sea rises.\n"
    run = published(tmp_path, clip(1, 0, 10), vtt=vtt)
    figures = evaluate_clips(run, truth(tmp_path, highlights=spans((0, 20))))
    assert (figures["units"], figures["counts"]["sentences"]) == ("captions", 2)
    assert (figures["precision"], figures["recall"]) == (100, 50)


def test_seconds_are_counted_where_nothing_is_said(tmp_path):
    run = published(tmp_path, clip(1, 0, 10), duration_s=59.5)
    figures = evaluate_clips(run, truth(tmp_path, highlights=spans((5, 15), (8, 25))))
    assert (figures["units"], figures["counts"]["sentences"]) == ("seconds", 60)
    assert (figures["precision"], figures["recall"]) == (50, 25)


def test_a_run_without_clips_has_no_precision_and_finds_nothing(tmp_path):
    figures = evaluate_clips(published(tmp_path), truth(tmp_path, highlights=TENS, words=TENS))
    assert figures["precision"] is figures["f1"] is figures["top3_precision"] is figures["edges_in_words"] is None
    assert figures["recall"] == figures["top3_recall"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "not neither"),
        ({"highlights": TENS, "sentences": [TENS[0] | {"highlight": 1}]}, "not both"),
        ({"highlights": spans((5, 5))}, r"highlights\[0\] must have 0 <= start_s < end_s"),
        ({"highlights": [{"start": 1, "end": 2}]}, "must be a list of objects with start_s and end_s"),
        ({"highlights": None}, "must be a list of objects"),
        ({"sentences": [TENS[0] | {"highlight": 0.5}]}, "must be 1, 0 or null, got 0.5"),
        ({"highlights": TENS, "sha256": "c" * 64}, "is about the recording cccccccc"),
    ],
    ids=["no highlights", "two kinds", "an empty span", "other names", "null", "half a label", "another recording"],
)
def test_truths_that_cannot_be_used_are_refused_with_the_reason(tmp_path, given, said):
    with pytest.raises(RefusedInput, match=said):
        evaluate_clips(published(tmp_path, clip(1, 10, 20)), truth(tmp_path, **given))


@pytest.mark.parametrize("content", ["[]", "{", "\x00"], ids=["a list", "half a file", "no text"])
def test_files_that_are_no_truth_are_refused(tmp_path, content):
    (tmp_path / "truth.json").write_text(content)
    with pytest.raises(RefusedInput, match="Reading the truth"):
        evaluate_clips(published(tmp_path, clip(1, 10, 20)), tmp_path / "truth.json")


def test_a_manifest_that_is_none_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(RefusedInput, match="Reading the manifest"):
        evaluate_clips(tmp_path / "manifest.json", truth(tmp_path, highlights=TENS))
