"""Winnow's own review decisions: the table that they are kept in, and the labelled lectures that it makes.

A row is what one reviewer decided about one proposed clip of one run. Rows are only ever added; who decides again adds
a row, and the latest one counts. The reviewer is a pseudonym: nothing in the table names a person.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.errors import StoreError
from core.intervals import check_interval
from core.records import Span
from training.lectures import LabelledLecture

VERSION = 1
VERSION_KEY = b"winnow.decisions"
SHA256 = re.compile(r"[0-9a-f]{64}")
PSEUDONYM = re.compile(r"[a-z0-9][a-z0-9-]{2,63}")
"""No capitals, spaces, dots or @: neither a name as people write it nor an address fits."""
Verdict = Literal["kept", "rejected", "trimmed", "reordered"]
TimelineOf = Callable[[str, str], pa.Table]
"""The stored timeline of a recording's sha256 and a key."""

SCHEMA = pa.schema(
    [
        pa.field("schema_version", pa.int16(), nullable=False),
        pa.field("recording_sha256", pa.string(), nullable=False),
        pa.field("timeline_key", pa.string(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("first_row", pa.int32(), nullable=False),
        pa.field("last_row", pa.int32(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("decision", pa.string(), nullable=False),
        pa.field("edited_start_s", pa.float64()),
        pa.field("edited_end_s", pa.float64()),
        pa.field("edited_rank", pa.int32()),
        pa.field("reviewer", pa.string(), nullable=False),
        pa.field("decided_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("model_name", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("model_sha256", pa.string(), nullable=False),
    ],
    metadata={VERSION_KEY: str(VERSION).encode()},
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reviewer decided about one proposed clip. Raises ValueError, saying which field, when it cannot be."""

    recording_sha256: str
    timeline_key: str
    """Which stored timeline of the recording the rows are of: its entry's key in the stage `merge`."""
    start_s: float
    """The span as proposed, in seconds of the source."""
    end_s: float
    first_row: int
    """Rows of the timeline as proposed, both included."""
    last_row: int
    rank: int
    """As proposed; 1 is the best."""
    decision: Verdict
    """kept as it is; rejected; trimmed: kept with other edges, closer or wider; reordered: kept with another rank."""
    reviewer: str
    decided_at: datetime
    """With a time zone; kept in UTC to the microsecond."""
    model_name: str
    """The version that proposed it."""
    model_version: str
    model_sha256: str
    edited_start_s: float | None = None
    """The edges that the reviewer gave, in seconds of the source; both or neither."""
    edited_end_s: float | None = None
    edited_rank: int | None = None

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)
        edited = _edited(self.edited_start_s, self.edited_end_s)
        moved = edited is not None and (edited.start_s, edited.end_s) != (self.start_s, self.end_s)
        ranked = self.edited_rank is not None and self.edited_rank >= 1 and self.edited_rank != self.rank
        checks = {
            "recording_sha256": bool(SHA256.fullmatch(self.recording_sha256)),
            "timeline_key": bool(self.timeline_key),
            "end_s": isfinite(self.end_s),
            "last_row": 0 <= self.first_row <= self.last_row,
            "rank": self.rank >= 1,
            "decision": self.decision in get_args(Verdict),
            "reviewer": bool(PSEUDONYM.fullmatch(self.reviewer)),
            "decided_at": self.decided_at.tzinfo is not None,
            "model_name": bool(self.model_name) and bool(self.model_version),
            "model_sha256": bool(SHA256.fullmatch(self.model_sha256)),
            "edited_start_s": moved if self.decision == "trimmed" else edited is None,
            "edited_rank": ranked if self.decision == "reordered" else self.edited_rank is None,
        }
        wrong = [name for name, holds in checks.items() if not holds]
        if wrong:
            told = ", ".join(f"{name} = {getattr(self, name)!r}" for name in wrong)
            raise ValueError(f"Decision ({self.decision}) does not allow {told}")


def write(decisions: Iterable[Decision], path: Path) -> None:
    """Write decisions as a new Parquet table. The caller writes beside the place and moves it: this is not atomic."""
    rows = [
        {**asdict(one), "decided_at": one.decided_at.astimezone(UTC), "schema_version": VERSION} for one in decisions
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")


def read(path: Path) -> list[Decision]:
    """Read a table back. Raises StoreError when it is missing, damaged, of another version or holds what cannot be."""
    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"Reading the decisions {path} failed: {error}.") from error
    version = (table.schema.metadata or {}).get(VERSION_KEY, b"none").decode(errors="replace")
    if version != str(VERSION) or not table.schema.equals(SCHEMA, check_metadata=False):
        raise StoreError(
            f"Reading the decisions {path}: its version is {version} and this Winnow reads version {VERSION} with its "
            "exact columns. Update Winnow, or name a table that this version wrote."
        )
    found = []
    for number, row in enumerate(table.to_pylist()):
        try:
            if row.pop("schema_version") != VERSION:
                raise ValueError(f"its schema_version is not {VERSION}")
            found.append(Decision(**row))
        except (TypeError, ValueError) as error:
            raise StoreError(f"Reading the decisions {path}: row {number} is not valid: {error}.") from error
    return found


def labelled_lectures(decisions: Sequence[Decision], timeline_of: TimelineOf) -> list[LabelledLecture]:
    """A lecture for each recording and timeline that was decided on, in order of the first decision.

    A row's label is what most of the reviewers say who saw it in a proposal: 1 if it is in what they kept, 0 if not;
    -1 where they are even, and where nobody saw it. After trimming, a row is kept if at least half of it lies inside
    the new edges. All judged rows are clip 0, since a reviewer weighs them against each other. Segments are the slides,
    unknown where a camera shot is on screen.

    Args:
        timeline_of: Called once for each pair of `recording_sha256` and `timeline_key`; what it raises is passed on.

    Raises StoreError where a decision names rows that its timeline does not have.
    """
    groups: dict[tuple[str, str], dict[tuple[str, int, int], Decision]] = {}
    for one in sorted(decisions, key=lambda decision: decision.decided_at):
        latest = groups.setdefault((one.recording_sha256, one.timeline_key), {})
        latest[one.reviewer, one.first_row, one.last_row] = one
    return [_lecture(sha256, timeline_of(sha256, key), list(of.values())) for (sha256, key), of in groups.items()]


def _edited(start_s: float | None, end_s: float | None) -> Span | None:
    if start_s is None and end_s is None:
        return None
    if start_s is None or end_s is None:
        raise ValueError(f"Decision must have both edited edges or neither, got {start_s} and {end_s}")
    return Span(start_s, end_s)


def _lecture(sha256: str, timeline: pa.Table, decisions: Sequence[Decision]) -> LabelledLecture:
    votes, seen = np.zeros(len(timeline), np.int64), np.zeros(len(timeline), dtype=bool)
    starts, ends = (timeline[name].to_numpy(zero_copy_only=False).astype(float) for name in ("start_s", "end_s"))
    for one in decisions:
        if one.last_row >= len(timeline):
            raise StoreError(
                f"Labelling {sha256[:8]}…: a decision names row {one.last_row}, and its timeline {one.timeline_key} "
                f"has {len(timeline)} rows. Is it another recording's?"
            )
        proposed = np.zeros(len(timeline), dtype=bool)
        proposed[one.first_row : one.last_row + 1] = True
        kept = proposed if one.decision != "rejected" else np.zeros_like(proposed)
        if one.edited_start_s is not None and one.edited_end_s is not None:
            inside_s = np.minimum(ends, one.edited_end_s) - np.maximum(starts, one.edited_start_s)
            kept = inside_s >= (ends - starts) / 2
        votes += kept.astype(np.int64) - (proposed & ~kept)
        seen |= proposed | kept
    label = np.where(seen & (votes != 0), votes > 0, -1).astype(np.int8)
    return LabelledLecture(
        recording=sha256,
        source="decisions",
        sentences=tuple(text or "" for text in timeline["text"].to_pylist()),
        label=label,
        segment=_segments(timeline),
        clip=np.where(label >= 0, 0, -1).astype(np.int32),
    )


def _segments(timeline: pa.Table) -> NDArray[np.int32]:
    """Slides numbered from 0 as they come; -1 where none is known or a camera shot is on screen."""
    slide = timeline["slide"].to_numpy(zero_copy_only=False).astype(float)
    shot = np.array(timeline["slide_kind"].to_pylist(), dtype=object) == "shot"
    known = np.isfinite(slide) & ~shot
    found = np.full(len(slide), -1, np.int32)
    # Rows are in order of their starts and slides were told by their middles, which overlapping rows may turn round.
    found[known] = np.unique(np.maximum.accumulate(slide[known]), return_inverse=True)[1]
    return found
