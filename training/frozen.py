"""Lectures that models are measured on: fixed by their content, so that two figures are of the same thing or say not.

VT-SSum, and whatever has its format, is measured by `training.evaluation`. The other sources have no clips as published
and get the figures of the best three and five sentences alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.errors import RefusedInput, StoreError
from core.identity import sha256_of
from training import metrics
from training.evaluation import TOP, TRAIN, Evaluation, OnProgress, Predict, measure_vt_ssum
from training.lectures import LabelledLecture, text_timeline

VT_SSUM = "vt_ssum"
TABLES = ("videos", "segments", "clips")


@dataclass(frozen=True, slots=True)
class FrozenSet:
    """A split of labelled lectures as it was when the run began."""

    source: str
    """"vt_ssum", "meetings" or "sample", as for training."""
    split: str
    lectures: int | None
    """Only that many lectures, the first."""
    fingerprint: str
    """sha256 of what figures depend on: the split, and the training split that leaked clips are looked for in."""
    path: str = field(metadata={"identity": False})


def freeze(source: str, path: Path, split: str, lectures: int | None = None) -> FrozenSet:
    """Fix a split by its content. Raises RefusedInput where it cannot be read, or is what models learn from."""
    if split == TRAIN:
        raise RefusedInput(f"The split {TRAIN!r} is what models learn from: measure them on another.")
    return FrozenSet(source, split, lectures, _fingerprint(source, path, split), str(path))


def measure(frozen: FrozenSet, predict: Predict, on_progress: OnProgress | None = None) -> Evaluation:
    """Measure a model on the set. Raises StoreError when it is no longer what was frozen."""
    path = Path(frozen.path)
    found = _fingerprint(frozen.source, path, frozen.split)
    if found != frozen.fingerprint:
        raise StoreError(
            f"Measuring on {frozen.split!r} in {path}: it has changed since the run began, from "
            f"{frozen.fingerprint[:12]}… to {found[:12]}…. Run again when nobody is writing there."
        )
    if frozen.source == VT_SSUM:
        return measure_vt_ssum(path, frozen.split, predict, lectures=frozen.lectures, on_progress=on_progress)
    return _measured(_labelled(frozen.source, path, frozen.split)[: frozen.lectures], frozen, predict, on_progress)


def _fingerprint(source: str, path: Path, split: str) -> str:
    digest = hashlib.sha256(f"{source}\0{split}\0".encode())
    if source == VT_SSUM:
        for name in (split, TRAIN):
            for table in TABLES:
                file = path / f"{name}_{table}.parquet"
                if file.is_file():
                    digest.update(f"{file.name} {sha256_of(file)}\0".encode())
                elif name == split:
                    raise RefusedInput(f"Reading VT-SSum's split {split!r}: there is no file {file}.")
    else:
        from training.corpus import fingerprint

        digest.update(fingerprint(_labelled(source, path, split)).encode())
    return digest.hexdigest()


def _labelled(source: str, path: Path, split: str) -> list[LabelledLecture]:
    if source == "sample":
        from training.made_up import made_up_lectures

        return made_up_lectures(split)
    if source == "meetings":
        from training.meetings import read_meetings

        return read_meetings(path, split)
    raise RefusedInput(f"There is no data source {source!r}: give vt_ssum, meetings or sample.")


def _measured(
    lectures: Sequence[LabelledLecture], frozen: FrozenSet, predict: Predict, on_progress: OnProgress | None
) -> Evaluation:
    """The best k of the judged sentences of each labelled clip, with the lecture's segments shown as slides."""
    recordings, numbers, sizes, positives = [], [], [], []
    hits: dict[int, list[int]] = {k: [] for k in TOP}
    for done, lecture in enumerate(lectures, 1):
        judged = (lecture.label >= 0) & (lecture.clip >= 0)
        if not judged.any():
            continue
        score = predict(text_timeline(lecture.sentences, lecture.segment)).highlight
        clips, index = np.unique(lecture.clip[judged], return_inverse=True)
        recordings += [lecture.recording] * len(clips)
        numbers += clips.tolist()
        sizes += np.bincount(index, minlength=len(clips)).tolist()
        positives += np.bincount(index, lecture.label[judged] == 1, minlength=len(clips)).astype(int).tolist()
        for k, found in hits.items():
            found += metrics.top_k_hits(score[judged], lecture.label[judged], index, k).tolist()
        if on_progress:
            on_progress(done, len(lectures), done / len(lectures))
    figures: dict[str, object] = {}
    for k, found in hits.items():
        top = metrics.top_k(np.array(found), np.array(positives), k)
        shares = {"precision": top.precision, "recall": top.recall, "f1": top.f1}
        figures |= {f"top{k}_{name}": round(100 * v, 4) if np.isfinite(v) else None for name, v in shares.items()}
    figures |= {"counts": {"lectures": len(lectures), "clips": len(numbers)}, "split": frozen.split}
    table = {
        "recording": pa.array(recordings, pa.string()),
        "clip": pa.array(numbers, pa.int64()),
        "sentences": pa.array(sizes, pa.int64()),
        "positives": pa.array(positives, pa.int64()),
        **{f"hits_at_{k}": pa.array(found, pa.int64()) for k, found in hits.items()},
        "in_segments": pa.array([True] * len(numbers), pa.bool_()),
        "in_train": pa.nulls(len(numbers), pa.bool_()),
    }
    return Evaluation(figures, pa.table(table))
