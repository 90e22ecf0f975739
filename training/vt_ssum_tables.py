"""The Parquet tables of VT-SSum as plain columns, checked and in order.

A split is three files: `{split}_videos.parquet` (video_id, title, …), `{split}_segments.parquet` (video_id, segment,
sentence, text) and `{split}_clips.parquet` (video_id, clip, sentence, text, label). Any data in that shape can be read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.errors import RefusedInput

VIDEO = {"video_id": pa.large_string()}
SENTENCE = {"sentence": pa.int64(), "text": pa.large_string()}
COLUMNS = {
    "videos": VIDEO,
    "segments": {**VIDEO, "segment": pa.int64(), **SENTENCE},
    "clips": {**VIDEO, "clip": pa.int64(), **SENTENCE, "label": pa.int64()},
}
"""What is read of each file; what else it holds is passed over."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table in order of video, then part (segment or clip), then sentence; parts are runs of rows."""

    video: NDArray[np.int64]
    """[n] index into the split's video ids."""
    part: NDArray[np.int64]
    """[n] number of the segment or clip, as in the file."""
    sentence: NDArray[np.int64]
    text: pa.ChunkedArray
    label: NDArray[np.int64] | None

    def parts(self) -> Iterator[tuple[int, int]]:
        """[first row, row after the last) of each part, in order."""
        new = (np.diff(self.video) != 0) | (np.diff(self.part) != 0)
        edges = np.concatenate([[0], np.flatnonzero(new) + 1, [len(self.video)]]) if len(self.video) else np.zeros(1)
        yield from zip(edges[:-1].astype(int).tolist(), edges[1:].astype(int).tolist(), strict=True)


def splits_in(folder: Path) -> list[str]:
    """Names of the splits that a folder holds, sorted."""
    return sorted(path.name.removesuffix("_segments.parquet") for path in folder.glob("*_segments.parquet"))


def read_table(folder: Path, split: str, what: str) -> pa.Table:
    """One of a split's three files, its columns cast to those of COLUMNS. Raises RefusedInput saying what is wrong."""
    path = folder / f"{split}_{what}.parquet"
    doing = f"Reading VT-SSum's {what} of the split {split!r}"
    if not path.is_file():
        there = ", ".join(splits_in(folder)) or "none"
        raise RefusedInput(f"{doing}: there is no file {path}. Splits in that folder: {there}.")
    wanted = COLUMNS[what]
    try:
        file = pq.ParquetFile(path)
        missing = [name for name in wanted if name not in file.schema_arrow.names]
        if missing:
            has = ", ".join(file.schema_arrow.names)
            raise RefusedInput(f"{doing}: {path} lacks {', '.join(missing)}; it has {has}. Is it in the right format?")
        table = file.read(columns=list(wanted)).select(list(wanted)).cast(pa.schema(list(wanted.items())))
    except (OSError, pa.ArrowException) as error:
        raise RefusedInput(f"{doing}: {path} cannot be used: {error}") from error
    for name in wanted:
        if name != "text" and table[name].null_count:
            raise RefusedInput(f"{doing}: {path} has rows without {name}; every row needs one.")
    if "label" in wanted and not set(pc.unique(table["label"]).to_pylist()) <= {0, 1}:  # pyright: ignore[reportAttributeAccessIssue]
        raise RefusedInput(f"{doing}: {path} has labels other than 0 and 1.")
    return table


def in_order(table: pa.Table, part: str, ids: pa.Array) -> Rows:
    """The rows whose video is among `ids`, sorted; rows with equal numbers keep the file's order, null text is ""."""
    place = pc.index_in(table["video_id"], value_set=ids)  # pyright: ignore[reportAttributeAccessIssue]
    table = table.filter(place.is_valid())
    video = place.drop_null().to_numpy().astype(np.int64)
    numbers = [table[name].to_numpy() for name in ("sentence", part)]
    order = np.lexsort((*numbers, video))
    table = table.take(order)
    return Rows(
        video=video[order],
        part=table[part].to_numpy(),
        sentence=table["sentence"].to_numpy(),
        text=table["text"].fill_null(""),
        label=table["label"].to_numpy() if "label" in table.column_names else None,
    )


def ids_of(*tables: pa.Table) -> pa.Array:
    """All video ids of the tables, each once, in order of appearance."""
    chunks = [chunk for table in tables for chunk in table["video_id"].chunks]
    return pa.chunked_array(chunks, type=pa.large_string()).unique()
