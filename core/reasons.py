"""Why a moment was picked, as data: its cuts, and what the model said of the units inside."""

from collections.abc import Sequence

import numpy as np

from core.edges import Edges
from core.titles import first_words
from core.windows import ScoredUnit, Windows

Reasons = dict[str, bool | int | float | str | None]


def cut_reasons(edges: Edges, picks: Windows, k: int) -> Reasons:
    """Length and edges of the pick in row `k`."""
    begin, end = edges.begins[picks.first[k]], edges.ends[picks.last[k]]
    return {
        "length_s": round(float(picks.end_s[k] - picks.start_s[k]), 3),
        "start_clean": begin.clean,
        "end_clean": end.clean,
        "start_pause_s": round(begin.pause_s, 3),
        "end_pause_s": round(end.pause_s, 3),
    }


def unit_reasons(units: Sequence[ScoredUnit]) -> Reasons:
    """What the model said of the units inside: plain means by duration, and the three best of them."""
    seconds = np.array([max(unit.end_s - unit.start_s, 1e-3) for unit in units])
    reasons: Reasons = {
        "first_words": first_words(units[0].text),
        "slide": units[0].slide,
        "mean_score": round(float(np.average([unit.score for unit in units], weights=seconds)), 4),
    }
    if units[0].about is not None:
        about = float(np.average([unit.about or 0.0 for unit in units], weights=seconds))
        reasons["about_probability"] = round(about, 4)
    for name in units[0].parts:
        given = np.array([unit.parts.get(name, np.nan) for unit in units], dtype=np.float64)
        known = np.isfinite(given)
        mean = float(np.average(given[known], weights=seconds[known])) if known.any() else None
        reasons[f"model_{name}"] = None if mean is None else round(mean, 4)
    for k, best in enumerate(best_first(units)[:3], start=1):
        reasons |= {f"best_{k}": best.text.strip() or None, f"best_{k}_score": round(best.score, 4)}
    return reasons


def best_first(units: Sequence[ScoredUnit]) -> list[ScoredUnit]:
    """Units by falling score; of equals the earlier first."""
    return sorted(units, key=lambda unit: -unit.score)
