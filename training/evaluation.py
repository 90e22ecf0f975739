"""How well a model does on a split of VT-SSum, as published, and without the clips that its training has seen.

Highlights: the model reads each lecture with its segments as slides, and its scores are ranked inside each clip.
Segmentation: it reads the same sentences without slides; `boundary` of 0.5 or more says "the last of its segment".
Every sentence is asked, the last of a lecture too (the right answer there is yes): so counted, always saying no is
right for as many sentences as published. Pk and WindowDiff are means over lectures.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.errors import RefusedInput, WinnowError
from models.scores import Scores
from training import metrics
from training.lectures import text_timeline
from training.splits import normalised
from training.vt_ssum import Clip, Lecture, part_texts, read_split
from training.vt_ssum_tables import splits_in

TOP = (3, 5)
BOUNDARY_AT = 0.5
TRAIN = "train"
Predict = Callable[[pa.Table], Scores]
OnProgress = Callable[[int, int, float], None]
"""Told lectures done, lectures in all, and the share of the work done in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What was measured on a split."""

    figures: dict[str, Any]
    """As `evaluate_vt_ssum` returns them."""
    clips: pa.Table
    """A row a clip: recording, clip, sentences, positives, hits_at_3, hits_at_5, in_segments (whether it was scored
    inside its lecture) and in_train (null where there is no training split)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """The sentences of all clips, one after the other."""

    score: NDArray[np.float64]
    label: NDArray[np.int8]
    clip: NDArray[np.int64]
    """[n] index of the clip."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """Where one lecture's segments end, in truth and as found."""

    last: NDArray[np.bool_]
    found: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    """Which sentences count: all, or those of no clip that training has seen."""


def evaluate_vt_ssum(
    path: Path,
    split: str,
    predict: Predict,
    *,
    train: str | None = None,
    lectures: int | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Figures of a model on a split, fit for JSON.

    Keys, in percent, null where nothing could be measured: top3_precision, top3_recall, top3_f1, the same for top5,
    segmentation_accuracy, pk, windowdiff, ece; `without_train_duplicates` has them again without the clips whose text
    is that of a segment or clip in the training split, or is null with `without_train_duplicates_reason`; `counts`,
    `split`, `train` (the split that duplicates were looked for in) and `seconds`.

    Args:
        path: Folder with `{split}_videos.parquet`, `{split}_segments.parquet` and `{split}_clips.parquet`.
        predict: Called twice for each lecture, with slides and without, and once for a clip that is no segment.
        train: Name of the training split in `path`, or another folder that has one named "train"; None takes "train"
            in `path` where it is there.
        lectures: Only that many lectures, the first.

    Raises RefusedInput where the data cannot be used, and WinnowError where the model's scores cannot.
    """
    return measure_vt_ssum(path, split, predict, train=train, lectures=lectures, on_progress=on_progress).figures


def measure_vt_ssum(
    path: Path,
    split: str,
    predict: Predict,
    *,
    train: str | None = None,
    lectures: int | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """As `evaluate_vt_ssum`, with the table of clips that comparisons of two models need."""
    began = time.monotonic()
    read = read_split(path, split, lectures)
    training, why_not = _training_split(path, split, train)
    clips = [(lecture.labelled.recording, clip) for lecture in read for clip in lecture.clips]
    seen = _seen([clip for _, clip in clips], training)
    judged, cuts = _predicted(read, seen, predict, on_progress)
    hits = {k: metrics.top_k_hits(judged.score, judged.label, judged.clip, k) for k in TOP}
    positives = np.bincount(judged.clip, weights=judged.label, minlength=len(clips)).astype(np.int64)
    figures = {
        **_figures(judged, hits, positives, [replace(cut, kept=np.ones_like(cut.kept)) for cut in cuts]),
        "without_train_duplicates": None,
        "without_train_duplicates_reason": why_not,
        "counts": _counts(read, positives, seen if training else None, len(cuts)),
        "split": split,
        "train": f"{training[0]}/{training[1]}" if training else None,
    }
    if training:
        kept = _without(judged, ~seen)
        figures["without_train_duplicates"] = {
            **_figures(kept, {k: found[~seen] for k, found in hits.items()}, positives[~seen], cuts),
            "clips": int((~seen).sum()),
        }
    figures["seconds"] = round(time.monotonic() - began, 3)
    return Evaluation(figures, _table(clips, positives, hits, seen if training else None))


def _training_split(path: Path, split: str, train: str | None) -> tuple[tuple[Path, str] | None, str | None]:
    """Folder and name of the training split, or why there is none."""
    folder, name = (path, train or TRAIN)
    if train and train not in splits_in(path):
        if not Path(train).is_dir():
            raise RefusedInput(f"There is no training split {train!r} in {path}, and no folder of that name.")
        folder, name = Path(train), TRAIN
    if train is None and name not in splits_in(path):
        return None, f"there is no split {TRAIN!r} in {path}; name one with --train"
    if name == split and folder.resolve() == path.resolve():
        return None, f"{split!r} is itself the training split"
    return (folder, name), None


def _seen(clips: Sequence[Clip], training: tuple[Path, str] | None) -> NDArray[np.bool_]:
    """For each clip, whether its normalised text is that of a segment or clip of the training split."""
    if training is None:
        return np.zeros(len(clips), dtype=bool)
    words = iter(normalised([sentence for clip in clips for sentence in clip.sentences]))
    texts = [" ".join(filter(None, (next(words) for _ in clip.sentences))) for clip in clips]
    wanted = set(texts) - {""}
    found = {text for text in part_texts(*training) if text in wanted}
    return np.array([text in found for text in texts], dtype=bool)


def _predicted(
    lectures: Sequence[Lecture], seen: NDArray[np.bool_], predict: Predict, on_progress: OnProgress | None
) -> tuple[_Judged, list[_Cut]]:
    total = max(1, sum(len(lecture.labelled.sentences) for lecture in lectures))
    scores: list[NDArray[np.float64]] = []
    cuts: list[_Cut] = []
    done = 0
    if on_progress:
        on_progress(0, len(lectures), 0.0)
    for number, lecture in enumerate(lectures):
        first_clip = len(scores)
        scores += _clip_scores(lecture, predict)
        labelled = lecture.labelled
        if on_progress:
            on_progress(number, len(lectures), (done + len(labelled.sentences) / 2) / total)
        found = _checked(predict(text_timeline(labelled.sentences)), labelled.sentences).boundary
        if found is not None and len(found):
            kept = _unseen(lecture, seen[first_clip : len(scores)])
            cuts.append(_Cut(labelled.last_of_segment, found >= BOUNDARY_AT, kept))
        done += len(labelled.sentences)
        if on_progress:
            on_progress(number + 1, len(lectures), done / total)
    labels = [clip.label for lecture in lectures for clip in lecture.clips]
    index = np.repeat(np.arange(len(scores)), [len(label) for label in labels])
    return _Judged(np.concatenate([*scores, []]), np.concatenate([*labels, np.zeros(0, np.int8)]), index), cuts


def _clip_scores(lecture: Lecture, predict: Predict) -> Iterator[NDArray[np.float64]]:
    """The scores of each clip's sentences: from its lecture, else from the clip as a lecture of one segment."""
    labelled, whole = lecture.labelled, None
    for clip in lecture.clips:
        if clip.first_row is None:
            alone = text_timeline(clip.sentences, np.zeros(len(clip.sentences), np.int32))
            yield _checked(predict(alone), clip.sentences).highlight
            continue
        if whole is None:
            timeline = text_timeline(labelled.sentences, labelled.segment)
            whole = _checked(predict(timeline), labelled.sentences).highlight
        yield whole[clip.first_row : clip.first_row + len(clip.sentences)]


def _checked(scores: Scores, sentences: Sequence[str]) -> Scores:
    for name, values in (("highlight", scores.highlight), ("boundary", scores.boundary)):
        if values is not None and not (values.shape == (len(sentences),) and np.isfinite(values).all()):
            raise WinnowError(
                f"Evaluating: the model's {name} must be {len(sentences)} finite numbers, a sentence each, and has the "
                f"shape {values.shape} with {int((~np.isfinite(values)).sum())} that are not finite. Use another model."
            )
    return scores


def _unseen(lecture: Lecture, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.ones(len(lecture.labelled.sentences), dtype=bool)
    for clip, known in zip(lecture.clips, seen, strict=True):
        if known and clip.first_row is not None:
            found[clip.first_row : clip.first_row + len(clip.sentences)] = False
    return found


def _without(judged: _Judged, kept: NDArray[np.bool_]) -> _Judged:
    rows = kept[judged.clip]
    return _Judged(judged.score[rows], judged.label[rows], judged.clip[rows])


def _figures(
    judged: _Judged,
    hits: dict[int, NDArray[np.int64]],
    positives: NDArray[np.int64],
    cuts: Sequence[_Cut],
) -> dict[str, float | None]:
    found: dict[str, float] = {}
    for k, hit in hits.items():
        top = metrics.top_k(hit, positives, k)
        found |= {f"top{k}_precision": top.precision, f"top{k}_recall": top.recall, f"top{k}_f1": top.f1}
    last, guess = (np.concatenate([getattr(c, name)[c.kept] for c in cuts] or [[]]) for name in ("last", "found"))
    found["segmentation_accuracy"] = metrics.segmentation_accuracy(last, guess)
    for name, measure in (("pk", metrics.pk), ("windowdiff", metrics.windowdiff)):
        found[name] = _mean(np.array([measure(cut.last, cut.found, cut.kept) for cut in cuts]))
    found["ece"] = metrics.expected_calibration_error(judged.score, judged.label)
    return {name: round(100 * value, 4) if np.isfinite(value) else None for name, value in found.items()}


def _mean(values: NDArray[np.floating]) -> float:
    """The mean of those that are numbers; NaN without any."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _counts(
    lectures: Sequence[Lecture], positives: NDArray[np.int64], seen: NDArray[np.bool_] | None, cut: int
) -> dict[str, int | None]:
    clips = [clip for lecture in lectures for clip in lecture.clips]
    return {
        "lectures": len(lectures),
        "lectures_empty": sum(not lecture.labelled.sentences for lecture in lectures),
        "lectures_segmented": cut,
        "sentences": sum(len(lecture.labelled.sentences) for lecture in lectures),
        "segments": sum(int(lecture.labelled.last_of_segment.sum()) for lecture in lectures),
        "clips": len(clips),
        "clips_without_positive": int((positives == 0).sum()),
        "clips_not_a_segment": sum(clip.first_row is None for clip in clips),
        "clips_repeated": sum(lecture.repeated for lecture in lectures),
        "clips_in_train": None if seen is None else int(seen.sum()),
        "judged_sentences": sum(len(clip.sentences) for clip in clips),
    }


def _table(
    clips: Sequence[tuple[str, Clip]],
    positives: NDArray[np.int64],
    hits: dict[int, NDArray[np.int64]],
    seen: NDArray[np.bool_] | None,
) -> pa.Table:
    return pa.table(
        {
            "recording": pa.array([recording for recording, _ in clips], pa.string()),
            "clip": pa.array([clip.number for _, clip in clips], pa.int64()),
            "sentences": pa.array([len(clip.sentences) for _, clip in clips], pa.int64()),
            "positives": positives,
            **{f"hits_at_{k}": found for k, found in hits.items()},
            "in_segments": pa.array([clip.first_row is not None for _, clip in clips], pa.bool_()),
            "in_train": pa.nulls(len(clips), pa.bool_()) if seen is None else pa.array(seen),
        }
    )
