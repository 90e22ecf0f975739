"""A lecture whose sentences somebody judged: what every reader of labelled data gives and every model learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.timeline import build_text_timeline


@dataclass(frozen=True, slots=True, eq=False)
class LabelledLecture:
    """A recording's sentences with what is known of them; all arrays have one value a sentence."""

    recording: str
    """Id within its data set; splits are by this."""
    source: str
    """Data set: "vt_ssum", "ami", "qmsum" or "decisions"."""
    sentences: tuple[str, ...]
    """In order."""
    label: NDArray[np.int8]
    """1 in the highlight, 0 not, -1 nobody judged it."""
    segment: NDArray[np.int32]
    """Index of the slide or topic segment, non-decreasing where known; -1 unknown."""
    clip: NDArray[np.int32]
    """Number of the labelled clip, -1 where none: the sentences that were judged against each other."""

    def __post_init__(self) -> None:
        count = len(self.sentences)
        for name in ("label", "segment", "clip"):
            shape = getattr(self, name).shape
            if shape != (count,):
                raise ValueError(f"{self.recording}: {name} must have shape ({count},), got {shape}")
        if not np.isin(self.label, (-1, 0, 1)).all():
            raise ValueError(f"{self.recording}: labels must be -1, 0 or 1, got {np.unique(self.label).tolist()}")
        known = self.segment[self.segment >= 0]
        if (np.diff(known) < 0).any():
            raise ValueError(f"{self.recording}: segments must not decrease from one sentence to the next")

    @property
    def last_of_segment(self) -> NDArray[np.bool_]:
        """[n] whether a sentence is the last of its segment; the last sentence of a lecture is."""
        return np.append(self.segment[1:] != self.segment[:-1], True) if len(self.segment) else np.zeros(0, bool)


def text_timeline(sentences: Sequence[str], segment: NDArray[np.int32] | None = None) -> pa.Table:
    """The timeline of sentences that have no times, with the segments in its `slide` column.

    Args:
        segment: As in LabelledLecture; shown as the slides of a recording would be. None leaves `slide` null
            throughout, which is what a model that has to find the segments may see.
    """
    table = build_text_timeline(sentences)
    if segment is None or not len(table):
        return table
    known = segment >= 0
    kinds = np.where(segment == segment[known].min(initial=np.iinfo(np.int32).max), "start", "slide")
    for name, values in (("slide", segment), ("slide_kind", kinds)):
        place = table.schema.get_field_index(name)
        column = pa.array(values, type=table.schema.field(place).type, mask=~known)
        table = table.set_column(place, table.schema.field(place), column)
    return table
