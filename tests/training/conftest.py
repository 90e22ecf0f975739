"""Data sets in the formats that the readers read, a few sentences each."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Parts = dict[str, list[list[str]]]
"""The segments of each lecture."""
Clips = Sequence[tuple[str, int, list[str], list[int]]]
"""Lecture, number, sentences and labels of each clip."""


@pytest.fixture
def write_split(tmp_path: Path) -> Callable[..., Path]:
    """Write one split in VT-SSum's format and return the folder."""

    def write(split: str, segments: Parts, clips: Clips = (), folder: Path = tmp_path) -> Path:
        folder.mkdir(exist_ok=True)
        said = [
            {"video_id": video, "segment": number, "sentence": place, "text": text}
            for video, parts in segments.items()
            for number, part in enumerate(parts)
            for place, text in enumerate(part)
        ]
        judged = [
            {"video_id": video, "clip": number, "sentence": place, "text": text, "label": label}
            for video, number, sentences, labels in clips
            for place, (text, label) in enumerate(zip(sentences, labels, strict=True))
        ]
        text = {"video_id": pa.string(), "sentence": pa.int32(), "text": pa.string()}
        for what, rows, columns in (
            ("videos", [{"video_id": video} for video in segments], {"video_id": pa.string()}),
            ("segments", said, {**text, "segment": pa.int32()}),
            ("clips", judged, {**text, "clip": pa.int32(), "label": pa.int8()}),
        ):
            table = pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))
            pq.write_table(table, folder / f"{split}_{what}.parquet")
        return folder

    return write
