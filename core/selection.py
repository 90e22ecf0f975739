"""Choose the clips: the set of windows with the greatest total value, exactly, and why each was chosen or lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.edges import Edges
from core.reasons import best_first, cut_reasons, unit_reasons
from core.records import Highlight, RunnerUp, Selection
from core.slide_talk import agreement
from core.subject import closeness, turned
from core.titles import names_subject, quote_from, titles_for
from core.windows import ScoredUnit, Windows, candidate_windows, gather_evidence, window_parts, window_values

NEAR_DUPLICATE_IOU = 0.5
"""Runners-up that share more than this (intersection over union) with a pick or a better runner-up are left out."""
LEAST_RUNNERS_UP = 8
WITHOUT_SPACES = ("zh", "ja", "th", "lo", "my", "km")
"""Languages whose sentences are joined without a space."""

Rows = NDArray[np.intp]
Whole = NDArray[np.int64]


def select(
    units: Sequence[ScoredUnit],
    edges: Edges,
    *,
    clips: int,
    min_s: float,
    max_s: float,
    duration_s: float,
    gap_s: float = 0.0,
    language: str | None = None,
    slide_titles: Mapping[int, str] | None = None,
) -> Selection:
    """The at most `clips` windows of whole units with the greatest total value.

    Args:
        units: In timeline order, none too long for a clip (`windows.split_long_units`).
        edges: Their cuts, from `edges.find_edges`.
        min_s, max_s: A clip's length, cut to cut, lies in [min_s, max_s].
        duration_s: Length of the recording. Where no window has an admissible length but the whole recording has, the
            whole becomes the one clip.
        gap_s: Least time between two clips. Clips never overlap and never share a unit.
        slide_titles: Titles of slides by index, to name clips after.

    Of choices with the same total, the one whose first clip starts earliest wins, then is shortest; then the second …
    Raises ValueError if edges do not match the units or a score is not a number.
    """
    if len(edges.begins) != len(units):
        raise ValueError(f"edges must be those of the units: got {len(edges.begins)} for {len(units)} units")
    if not np.isfinite([unit.score for unit in units]).all():
        raise ValueError("Every unit's score must be a number: the scoring model gave one that is not finite")
    windows = candidate_windows(edges, min_s=min_s, max_s=max_s)
    if not len(windows) and units and min_s <= duration_s <= max_s:
        whole = np.array([0], dtype=np.int32), np.array([len(units) - 1], dtype=np.int32)
        windows = Windows(*whole, np.array([0.0]), np.array([float(duration_s)]))
    if not len(windows):
        return Selection((), (), 0.0)
    evidence = gather_evidence(units, edges, language=language)
    values, about = window_values(evidence, windows, min_s=min_s, max_s=max_s), closeness(units, windows)
    on_slide = agreement(units, windows)
    for factor in (on_slide, about):
        if factor is not None:
            values = turned(values, factor)
    chosen = best_choice(windows, values, clips=clips, gap_s=gap_s)
    parts = window_parts(evidence, windows.take(chosen.rows), min_s=min_s, max_s=max_s)
    for name, factor in (("on_slide", on_slide), ("about", about)):
        if factor is not None:
            parts[name] = factor[chosen.rows]
    highlights = _highlights(
        units, edges, windows.take(chosen.rows), values[chosen.rows], parts, language, slide_titles
    )
    others = _runners_up(windows, values, chosen.rows, max(LEAST_RUNNERS_UP, 2 * clips))
    runners_up = tuple(
        RunnerUp(
            start_s=float(windows.start_s[row]),
            end_s=float(windows.end_s[row]),
            score=float(values[row]),
            first_sentence=_row(units, windows.first[row]),
            last_sentence=_row(units, windows.last[row]),
            text=_text(units[windows.first[row] : windows.last[row] + 1], language),
            lost=why_lost(int(row), windows, values, chosen, clips=clips, gap_s=gap_s),
        )
        for row in others
    )
    return Selection(highlights, runners_up, chosen.total)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Best totals over the windows that begin at or after each place, for 0, 1, … clips."""

    first: Whole
    """Where the windows begin: the distinct first units, in order."""
    start_us: Whole
    best: NDArray[np.float64]
    """Shape (places + 1, clips + 1); the last place has no windows."""
    choice: Rows
    """Same shape: the row to take at that place, or -1 to go on to the next one."""
    gap_us: int

    def place_after(self, last: NDArray[np.integer], end_us: NDArray[np.int64]) -> Rows:
        """The first place that a clip may begin at after one that ends with unit `last` at `end_us`."""
        free = np.searchsorted(self.first, last, side="right")
        return np.maximum(free, np.searchsorted(self.start_us, end_us + self.gap_us))


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The best set of windows: their rows in timeline order, their total, and what it takes to weigh another one."""

    rows: Rows
    total: float
    later: Table
    earlier: Table
    """The table of the recording seen from its end."""


def best_choice(windows: Windows, values: NDArray[np.float64], *, clips: int, gap_s: float = 0.0) -> Choice:
    """Weighted interval scheduling by dynamic programming, O(windows * clips); rows may come in any order.

    `values` are positive. See `select` for how ties are broken.
    """
    gap_us = int(_us(np.array(gap_s)))
    first, last = windows.first.astype(np.int64), windows.last.astype(np.int64)
    start_us, end_us = _us(windows.start_s), _us(windows.end_s)
    later = _table(first, last, start_us, end_us, values, clips, gap_us)
    rows: list[int] = []
    place, left = 0, clips
    while place < len(later.first) and left:
        row = int(later.choice[place, left])
        if row < 0:
            place += 1
            continue
        rows.append(row)
        place, left = int(later.place_after(last[row], end_us[row])), left - 1
    earlier = _table(-last, -first, -end_us, -start_us, values, clips, gap_us)
    return Choice(np.array(rows, dtype=np.intp), float(values[rows].sum()), later, earlier)


def _us(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole microseconds: distances between them are exact, forwards and backwards."""
    return np.round(times_s * 1e6).astype(np.int64)


def _table(
    first: Whole, last: Whole, start_us: Whole, end_us: Whole, values: NDArray[np.float64], clips: int, gap_us: int
) -> Table:
    order = np.lexsort((last, first))
    places, begins = np.unique(first[order], return_index=True)
    bounds = np.append(begins, len(order))
    best = np.zeros((len(places) + 1, clips + 1))
    choice = np.full((len(places) + 1, clips + 1), -1, dtype=np.intp)
    table = Table(places, start_us[order][begins], best, choice, gap_us)
    after = table.place_after(last[order], end_us[order])
    ordered_values = values[order]
    for place in range(len(places) - 1, -1, -1):
        low, high = bounds[place], bounds[place + 1]
        totals = ordered_values[low:high, None] + best[after[low:high], :-1]
        # The first of equal totals is the shortest window; taking one here beats an equal total that begins later.
        top = totals.argmax(axis=0)
        gained = totals[top, np.arange(clips)]
        taken = gained >= best[place + 1, 1:]
        best[place, 1:] = np.where(taken, gained, best[place + 1, 1:])
        choice[place, 1:] = np.where(taken, order[low + top], -1)
    return table


def total_with(row: int, windows: Windows, values: NDArray[np.float64], choice: Choice) -> float:
    """The greatest total of any admissible choice that has window `row` in it."""
    first, last = windows.first[row].astype(np.int64), windows.last[row].astype(np.int64)
    start_us, end_us = _us(windows.start_s[row]), _us(windows.end_s[row])
    behind = choice.later.best[choice.later.place_after(last, end_us)]
    before = choice.earlier.best[choice.earlier.place_after(-first, -start_us)]
    return float(values[row] + (before[:-1] + behind[:-1][::-1]).max())


def why_lost(
    row: int, windows: Windows, values: NDArray[np.float64], chosen: Choice, *, clips: int, gap_s: float
) -> str:
    """Why window `row`, which is not among the picks, is not: one sentence that is true of this very choice."""
    picks, value = chosen.rows, values[row]
    between_s = np.maximum(windows.start_s[row] - windows.end_s[picks], windows.start_s[picks] - windows.end_s[row])
    shared = (windows.first[row] <= windows.last[picks]) & (windows.first[picks] <= windows.last[row])
    near = np.flatnonzero(shared | (_us(between_s) < _us(np.array(gap_s))))
    if not len(near):
        lowest = values[picks].min()
        manner = "score more" if lowest > value else "score at least as much"
        asked = "the clip asked for scores" if clips == 1 else f"the {clips} clips asked for all score"
        return f"{asked} {manner.removeprefix('score ')} (lowest {lowest:.2f})"
    ranks = _ranks(windows.start_s[picks], values[picks])[near]
    place = "overlaps" if shared[near].all() else f"is less than {gap_s:g} s from"
    if len(near) == 1:
        better = "scores more" if values[picks[near[0]]] > value else "scores as much and comes first"
        return f"{place} pick {ranks[0]} ({values[picks[near[0]]]:.2f}), which {better}"
    listed = " and ".join([", ".join(str(r) for r in sorted(ranks)[:-1]), str(max(ranks))])
    loss = chosen.total - total_with(row, windows, values, chosen)
    by = (
        "not raise the total" if loss <= 0 else f"lower the total by {f'{loss:.2f}' if loss >= 0.005 else 'under 0.01'}"
    )
    return f"{place} picks {listed}; taking it instead would {by}"


def _ranks(start_s: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """1 for the greatest value; of equal ones the earlier is better."""
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.lexsort((start_s, -values))] = np.arange(1, len(values) + 1)
    return ranks


def _runners_up(windows: Windows, values: NDArray[np.float64], picks: Rows, most: int) -> list[int]:
    """Rows of the best windows that are not picks, near-duplicates left out, best first. Rows must be in order."""
    left = values.copy()
    longest_s = float((windows.end_s - windows.start_s).max())

    def drop_like(row: int) -> None:
        start_s, end_s = windows.start_s[row], windows.end_s[row]
        low, high = np.searchsorted(windows.start_s, [start_s - longest_s, end_s])
        starts, ends = windows.start_s[low:high], windows.end_s[low:high]
        both = np.minimum(ends, end_s) - np.maximum(starts, start_s)
        left[low:high][both > NEAR_DUPLICATE_IOU * (ends - starts + end_s - start_s - both)] = 0.0

    for row in picks:
        drop_like(int(row))
    found: list[int] = []
    while len(found) < most and left.max() > 0:
        found.append(int(left.argmax()))
        drop_like(found[-1])
    return found


def _row(units: Sequence[ScoredUnit], index: int) -> int:
    row = units[index].row
    return int(index) if row is None else row


def _text(units: Sequence[ScoredUnit], language: str | None) -> str:
    space = "" if language and language.lower().startswith(WITHOUT_SPACES) else " "
    return space.join(text for unit in units if (text := unit.text.strip()))


def _slide_title(units: Sequence[ScoredUnit], titles: Mapping[int, str]) -> str | None:
    """The title of the slide that is longest on screen, if it names a subject and stands for half of the clip."""
    seconds: dict[int | None, float] = {}
    for unit in units:
        seconds[unit.slide] = seconds.get(unit.slide, 0.0) + unit.end_s - unit.start_s
    longest = max(seconds, key=lambda slide: seconds[slide])
    title = titles.get(longest) if longest is not None and 2 * seconds[longest] >= sum(seconds.values()) else None
    return title if names_subject(title) else None


def _highlights(
    units: Sequence[ScoredUnit],
    edges: Edges,
    picks: Windows,
    values: NDArray[np.float64],
    parts: Mapping[str, NDArray[np.float64]],
    language: str | None,
    slide_titles: Mapping[int, str] | None,
) -> tuple[Highlight, ...]:
    inside = [units[a : b + 1] for a, b in zip(picks.first, picks.last, strict=True)]
    texts = [_text(members, language) for members in inside]
    named = [_slide_title(m, slide_titles or {}) or quote_from([u.text for u in best_first(m)]) for m in inside]
    titles = titles_for(texts, starts_s=picks.start_s.tolist(), slide_titles=named, language=language or "en")
    ranks = _ranks(picks.start_s, values)
    return tuple(
        Highlight(
            rank=int(ranks[k]),
            start_s=float(picks.start_s[k]),
            end_s=float(picks.end_s[k]),
            score=float(values[k]),
            first_sentence=_row(units, picks.first[k]),
            last_sentence=_row(units, picks.last[k]),
            title=titles[k],
            text=texts[k],
            reasons={name: round(float(part[k]), 4) for name, part in parts.items()}
            | cut_reasons(edges, picks, k)
            | unit_reasons(inside[k]),
        )
        for k in range(len(picks))
    )
