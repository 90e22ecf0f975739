"""VT-SSum (Lv et al. 2021): lectures cut into the segments of their slides, with the summary sentences of some of them.

A clip is a segment whose sentences were labelled. Its number is not the segment's: clips are found among the segments
by their sentences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import RefusedInput
from training.lectures import LabelledLecture
from training.splits import normalised
from training.vt_ssum_tables import Rows, ids_of, in_order, read_table

SOURCE = "vt_ssum"
Given = tuple[int, tuple[str, ...], tuple[int, ...]]
"""A clip as the file gives it: number, sentences, labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A labelled clip."""

    number: int
    """As in the file, where a number may stand for several clips; LabelledLecture.clip has the clip's index."""
    sentences: tuple[str, ...]
    label: NDArray[np.int8]
    """[n] 1 where the sentence is part of the summary, else 0."""
    first_row: int | None
    """Sentence of the lecture with which it begins; None where no segment has these sentences."""


@dataclass(frozen=True, slots=True, eq=False)
class Lecture:
    """A lecture of VT-SSum with its clips in order of their numbers."""

    labelled: LabelledLecture
    clips: tuple[Clip, ...]
    repeated: int
    """Clips of the file that were left out because they repeat another one's number, sentences and labels."""


def read_split(folder: Path, split: str, limit: int | None = None) -> list[Lecture]:
    """The lectures of a split in the order of its videos; one without sentences is there, and empty.

    Args:
        limit: Only that many lectures, the first.

    Raises RefusedInput where the folder, a file or a column is missing or cannot be used.
    """
    if not folder.is_dir():
        raise RefusedInput(f"Reading VT-SSum: there is no folder {folder}; give the one with the Parquet files.")
    tables = {what: read_table(folder, split, what) for what in ("videos", "segments", "clips")}
    ids = ids_of(*tables.values())[:limit]
    segments = in_order(tables["segments"], "segment", ids)
    clips = in_order(tables["clips"], "clip", ids)
    del tables
    said, judged = segments.text.to_pylist(), clips.text.to_pylist()
    segments_of, clips_of = _by_video(segments, len(ids)), _by_video(clips, len(ids))
    return [
        _lecture(recording, said, segments_of[video], list(_clips(clips, judged, clips_of[video])))
        for video, recording in enumerate(ids.to_pylist())
    ]


def read_labelled(folder: Path, split: str, limit: int | None = None) -> list[LabelledLecture]:
    """A split as labelled lectures. A clip that is no segment of its lecture becomes a lecture of its own, same id."""
    found = []
    for lecture in read_split(folder, split, limit):
        found.append(lecture.labelled)
        found += [_alone(lecture.labelled.recording, clip) for clip in lecture.clips if clip.first_row is None]
    return found


def part_texts(folder: Path, split: str) -> Iterator[str]:
    """The normalised text of every segment and every clip of a split: what may not be measured on after training."""
    for what, part in (("segments", "segment"), ("clips", "clip")):
        table = read_table(folder, split, what)
        rows = in_order(table, part, ids_of(table))
        texts = normalised(rows.text)
        for first, end in rows.parts():
            yield " ".join(text for text in texts[first:end] if text)


def _by_video(rows: Rows, videos: int) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = [[] for _ in range(videos)]
    for first, end in rows.parts():
        found[rows.video[first]].append((first, end))
    return found


def _clips(rows: Rows, texts: Sequence[str], parts: Sequence[tuple[int, int]]) -> Iterator[Given]:
    """Number, sentences and labels of each clip; a part in which every number stands m times holds m clips."""
    assert rows.label is not None
    for first, end in parts:
        numbers, counts = np.unique(rows.sentence[first:end], return_counts=True)
        copies = int(counts[0]) if len(numbers) > 1 and (counts == counts[0]).all() else 1
        for copy in range(copies):
            taken = range(first + copy, end, copies)  # rows with equal numbers stand together
            yield int(rows.part[first]), tuple(texts[i] for i in taken), tuple(int(rows.label[i]) for i in taken)


def _lecture(recording: str, texts: Sequence[str], parts: Sequence[tuple[int, int]], given: Sequence[Given]) -> Lecture:
    start = parts[0][0] if parts else 0
    spans = [(first - start, end - start) for first, end in parts]
    sentences = tuple(texts[start : parts[-1][1]]) if parts else ()
    segment = np.repeat(np.arange(len(spans)), [end - first for first, end in spans]).astype(np.int32)
    label, clip_of = np.full(len(sentences), -1, np.int8), np.full(len(sentences), -1, np.int32)
    distinct = list(dict.fromkeys(given))
    places = _places(sentences, spans, [said for _, said, _ in distinct])
    clips = []
    for index, ((number, said, labels), row) in enumerate(zip(distinct, places, strict=True)):
        clips.append(Clip(number, said, np.array(labels, np.int8), row))
        if row is not None and clip_of[row] < 0:
            clip_of[row : row + len(said)] = index
            label[row : row + len(said)] = labels
    labelled = LabelledLecture(recording, SOURCE, sentences, label, segment, clip_of)
    return Lecture(labelled, tuple(clips), len(given) - len(distinct))


def _places(
    sentences: tuple[str, ...], spans: Sequence[tuple[int, int]], wanted: Sequence[tuple[str, ...]]
) -> list[int | None]:
    """First row of the segment that each clip is: word for word, else but for case, marks and spaces.

    Clips with the same sentences take the segments with these in turn, and share the last when there are no more.
    """
    exact = _segments_by({span: sentences[slice(*span)] for span in spans})
    loose: dict[tuple[str, ...], list[int]] | None = None
    found: list[int | None] = []
    for said in wanted:
        rows = exact.get(said)
        if rows is None:
            if loose is None:
                words = normalised(sentences)
                loose = _segments_by({span: tuple(words[slice(*span)]) for span in spans})
            rows = loose.get(tuple(normalised(said)), [None])
        found.append(rows.pop(0) if len(rows) > 1 else rows[0])
    return found


def _segments_by(texts: dict[tuple[int, int], tuple[str, ...]]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for (first, _), said in texts.items():
        found.setdefault(said, []).append(first)
    return found


def _alone(recording: str, clip: Clip) -> LabelledLecture:
    zeros = np.zeros(len(clip.sentences), np.int32)
    return LabelledLecture(recording, SOURCE, clip.sentences, clip.label, zeros, zeros)
