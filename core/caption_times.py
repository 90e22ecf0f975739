"""When each caption is shown: long enough to be read, close to its words, never two at once."""

from math import inf

import numpy as np

from core.reading import CaptionRules

STEP_S = 0.05
"""Grid of the start times tried for a caption, around the start of its first word."""
MAX_LEAD_S = 0.3
"""How much before its first word a caption may start."""
CHAIN_S = 0.5
"""A shorter gap between captions would flicker and is closed, as the guide asks."""


def _apart(spoken: list[tuple[float, float]], least_s: float, end_s: float) -> list[tuple[float, float]]:
    """The captions' spoken intervals with starts moved apart where words were given one and the same time."""
    starts = [start for start, _ in spoken]
    for k in range(1, len(starts)):
        starts[k] = max(starts[k], starts[k - 1] + least_s)
    for k in reversed(range(len(starts))):
        starts[k] = max(0.0, min(starts[k], end_s - least_s * (len(starts) - k)))
    return [(start, max(start, stop)) for start, (_, stop) in zip(starts, spoken, strict=True)]


def show_times(
    spoken: list[tuple[float, float]], needed_s: list[float], end_s: float, rules: CaptionRules
) -> list[tuple[float, float]]:
    """(start, end) of each caption, by dynamic programming over start times on a grid around its first word.

    Starts are first put apart by twice the gap, so that showing every caption with its first word is feasible.
    """
    least_s = min(max(0.2, 2 * rules.min_gap_s), end_s / len(spoken))
    gap_s = min(rules.min_gap_s, least_s / 2)
    spoken = _apart(spoken, least_s, end_s)
    offsets = np.arange(-round(MAX_LEAD_S / STEP_S), round(rules.max_lag_s / STEP_S) + 1) * STEP_S
    lateness = 0.5 * np.maximum(offsets, 0) ** 2 + 0.5 * np.maximum(-offsets, 0)
    total = np.where(spoken[0][0] + offsets >= 0, lateness, inf)
    back: list[np.ndarray] = []
    for k, (said_s, done_s) in enumerate(spoken):
        if k + 1 < len(spoken):
            following = spoken[k + 1][0] + offsets
            early = (offsets < 0) & (following < done_s + gap_s)
            entry = np.where(early | (following < 0), inf, lateness)
        else:
            following, entry = np.array([end_s + gap_s]), np.zeros(1)
        starts = (said_s + offsets)[:, None]
        stops = np.minimum(_wanted_stop(starts, done_s, needed_s[k], rules), following - gap_s)
        cost = total[:, None] + _cost_shown(stops - starts, needed_s[k], rules)
        cost += 4 * np.maximum(0, min(done_s, said_s + rules.max_cue_s) - gap_s - stops)
        back.append(np.argmin(cost, axis=0))
        total = np.min(cost, axis=0) + entry
    choice, starts_s = 0, []
    for k in reversed(range(len(spoken))):
        choice = int(back[k][choice])
        starts_s.append(float(spoken[k][0] + offsets[choice]))
    return _stops(starts_s[::-1], [done for _, done in spoken], needed_s, end_s, gap_s, rules)


def _wanted_stop(start_s: np.ndarray, done_s: float, needed_s: float, rules: CaptionRules) -> np.ndarray:
    """When captions shown from `start_s` on may go: read, and spoken, but neither late nor too long on screen."""
    wanted = np.minimum(np.maximum(start_s + needed_s, done_s), done_s + rules.max_lag_s)
    return np.clip(wanted, start_s + STEP_S, start_s + rules.max_cue_s)


def _cost_shown(shown_s: np.ndarray, needed_s: float, rules: CaptionRules) -> np.ndarray:
    """What being shown for `shown_s` costs: nothing when long enough to be read, and for less the more it lacks."""
    with np.errstate(divide="ignore"):
        lack = np.where(shown_s > 0, needed_s / np.maximum(shown_s, 1e-9) - 1, inf)
    hurried = np.where(lack > 1e-6, 1 + 6 * lack, 0.0)
    return hurried + np.where(shown_s < rules.min_cue_s - 1e-6, 2 + 20 * (rules.min_cue_s - shown_s), 0.0)


def _stops(
    starts_s: list[float], done_s: list[float], needed_s: list[float], end_s: float, gap_s: float, rules: CaptionRules
) -> list[tuple[float, float]]:
    """Each start with its end: when read, and on to the next caption where that comes soon."""
    times: list[tuple[float, float]] = []
    for start_s, done, needed, following_s in zip(
        starts_s, done_s, needed_s, [*starts_s[1:], end_s + gap_s], strict=True
    ):
        limit_s = following_s - gap_s
        stop_s = float(_wanted_stop(np.array(start_s), done, needed, rules))
        if limit_s - stop_s < CHAIN_S:
            stop_s = min(limit_s, start_s + rules.max_cue_s, max(stop_s, done + rules.max_lag_s))
        times.append((start_s, stop_s))
    return times
