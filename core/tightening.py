"""Tightening: what is left out of a clip, whole frames of it, and where everything else then lies.

A clip's times count from its start as it lies in the recording; tightened times count from the same start without what
was left out. Picture and sound are cut by the same numbers (`core.tighten_graph`), so that the mapping is exact.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Literal

from core.fillers import ends_sentence
from core.intervals import check_interval
from core.quiet import Interval
from core.records import Word

RemovalKind = Literal["pause", "filler"]
ON_GRID_S = 1e-6
CONTEXT_WORDS = 4
"""So many words before and after a removal are shown in its preview."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A stretch [start_s, end_s) of a clip that is left out; both edges lie at borders of frames."""

    start_s: float
    end_s: float
    kind: RemovalKind
    text: str = ""
    """The fillers that go; empty for a pause."""

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)

    @property
    def saved_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Tightening:
    """What is left out of a clip of `duration_s` at `frame_rate`; nothing, where `removed` is empty.

    Raises ValueError for removals that are out of order, touch, reach the clip's ends, or lie off the grid of frames.
    """

    duration_s: float
    frame_rate: str
    """An exact fraction, such as "30000/1001"."""
    removed: tuple[Removal, ...] = ()

    def __post_init__(self) -> None:
        edges = [time_s for removal in self.removed for time_s in (removal.start_s, removal.end_s)]
        if any(abs(time_s - self._on_grid(time_s)) > ON_GRID_S for time_s in (*edges, self.duration_s)):
            raise ValueError(
                f"A Tightening's times must lie at borders of frames, {self.frame_rate} a second, got {self}"
            )
        cuts = [0, *(self._frame(time_s) for time_s in edges), self.frames]
        if any(a >= b for a, b in pairwise(cuts)):
            raise ValueError(f"Removals must be in order, apart, and inside the clip, got {self}")

    @property
    def rate(self) -> Fraction:
        return Fraction(self.frame_rate)

    @property
    def frames(self) -> int:
        """Frames of the clip before."""
        return self._frame(self.duration_s)

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        """[first, last) frame of each piece that stays, in the clip before; there is one at least."""
        cuts = [0, *(self._frame(t) for removal in self.removed for t in (removal.start_s, removal.end_s)), self.frames]
        return tuple(zip(cuts[::2], cuts[1::2], strict=True))

    @property
    def starts(self) -> list[int]:
        """Frame of the tightened clip at which each piece begins."""
        return [0, *accumulate(end - first for first, end in self.kept[:-1])]

    @property
    def kept_frames(self) -> int:
        """Frames of the clip after."""
        return sum(end - first for first, end in self.kept)

    @property
    def shown_duration_s(self) -> float:
        return float(self.kept_frames / self.rate)

    @property
    def saved_s(self) -> float:
        return self.duration_s - self.shown_duration_s

    @property
    def joins_s(self) -> tuple[float, ...]:
        """Tightened times at which one piece ends and the next begins."""
        return tuple(float(frame / self.rate) for frame in self.starts[1:])

    def shown_s(self, time_s: float) -> float:
        """Where a time of the clip lies in the tightened one; what was left out lies at its join."""
        return self._shown_s(time_s, self._gone_s())

    def source_s(self, shown_s: float) -> float:
        """Which time of the clip is shown at a time of the tightened one; at a join, what comes after it."""
        starts = self.starts
        piece = max(0, bisect_right(starts, shown_s + ON_GRID_S, key=self._time_s) - 1)
        return self._time_s(self.kept[piece][0]) + shown_s - self._time_s(starts[piece])

    def retime(self, words: Sequence[Word]) -> list[Word]:
        """The words that stay, at their tightened times. A capital and a pair of commas go with the filler they hold.

        A word goes if its middle was left out; words are in order.
        """
        gone_s = self._gone_s()
        kept: list[Word] = []
        gone: list[Word] = []
        for word in words:
            if self.holding((word.start_s + word.end_s) / 2) is not None:
                gone.append(word)
                continue
            start_s, end_s = self._shown_s(word.start_s, gone_s), self._shown_s(word.end_s, gone_s)
            text = _mended(kept, gone, word.text) if gone else word.text
            kept.append(replace(word, text=text, start_s=start_s, end_s=end_s))
            gone = []
        return kept

    def retime_spans(self, spans: Sequence[Interval]) -> list[Interval]:
        """The intervals at their tightened times, without those that were left out as a whole."""
        gone_s = self._gone_s()
        found = [(self._shown_s(start_s, gone_s), self._shown_s(end_s, gone_s)) for start_s, end_s in spans]
        return [(start_s, end_s) for start_s, end_s in found if end_s - start_s > ON_GRID_S]

    def _gone_s(self) -> list[float]:
        """How much was left out before each removal, and last in all: frames summed before they become seconds."""
        lengths = (self._frame(removal.end_s) - self._frame(removal.start_s) for removal in self.removed)
        return [self._time_s(frames) for frames in accumulate(lengths, initial=0)]

    def _shown_s(self, time_s: float, gone_s: Sequence[float]) -> float:
        before = bisect_right(self.removed, time_s, key=_start_s)
        if before and time_s < self.removed[before - 1].end_s:
            before -= 1
            time_s = self.removed[before].start_s
        return time_s - gone_s[before]

    def holding(self, time_s: float) -> Removal | None:
        """What is left out at a time of the clip, if anything is."""
        before = bisect_right(self.removed, time_s, key=_start_s)
        return self.removed[before - 1] if before and time_s < self.removed[before - 1].end_s else None

    def _frame(self, time_s: float) -> int:
        return round(time_s * self.rate)

    def _time_s(self, frame: int) -> float:
        return float(frame / self.rate)

    def _on_grid(self, time_s: float) -> float:
        return self._time_s(self._frame(time_s))


def preview(
    tightening: Tightening, words: Sequence[Word], *, clip_start_s: float = 0.0
) -> list[dict[str, str | float]]:
    """What would go, as rows for people and JSON, before anything is cut.

    Args:
        words: Of the clip before, in order.
        clip_start_s: Where the clip begins on the timeline on which `start_s` and `end_s` are to be told: 0 for its
            own, its start in the recording for the recording's.

    Each row has `start_s`, `end_s`, `kind`, `text` (the fillers), `before` and `after` (a few words that stay),
    `saved_s`, `share` of the clip's length, and `join_s`, where the cut lies in the tightened clip.
    """
    stay = [word for word in words if tightening.holding((word.start_s + word.end_s) / 2) is None]
    rows: list[dict[str, str | float]] = []
    for removal in tightening.removed:
        before = [word.text for word in stay if word.end_s + word.start_s <= 2 * removal.start_s][-CONTEXT_WORDS:]
        after = [word.text for word in stay if word.end_s + word.start_s >= 2 * removal.end_s][:CONTEXT_WORDS]
        rows.append(
            {
                "start_s": round(clip_start_s + removal.start_s, 3),
                "end_s": round(clip_start_s + removal.end_s, 3),
                "kind": removal.kind,
                "text": removal.text,
                "before": " ".join(before),
                "after": " ".join(after),
                "saved_s": round(removal.saved_s, 3),
                "share": round(removal.saved_s / tightening.duration_s, 4),
                "join_s": round(tightening.shown_s(removal.start_s), 3),
            }
        )
    return rows


def _start_s(removal: Removal) -> float:
    return removal.start_s


def _mended(kept: list[Word], gone: Sequence[Word], text: str) -> str:
    """The text of the word after fillers that are gone; takes from the last kept word the comma before them."""
    if not kept or ends_sentence(kept[-1].text):
        small = text == text.lower() and gone[0].text[:1].isupper()
        return text[:1].upper() + text[1:] if small else text
    if kept[-1].text.endswith(",") and gone[-1].text.endswith(","):
        kept[-1] = replace(kept[-1], text=kept[-1].text[:-1])
    return text
