"""Lines and areas of the report's timeline, as SVG paths: x in seconds of the recording, y from 0 (top) to 100."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from core.records import ChangeKind, SlideSpan
from core.sights import Layout, LayoutSpan

TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
Curve = Sequence[tuple[float, float, float]]
"""(start_s, end_s, value) of stretches in order."""
LAYOUT_NAMES: dict[Layout, str] = {
    "slides": "Slides",
    "camera": "Camera",
    "pip": "Picture-in-picture (PiP)",
    "side": "Side by side",
    "board": "Board",
    "other": "Other",
}
SHORT_NAMES: dict[Layout, str] = {"pip": "PiP"}
MAX_LABELS = 150
"""So many spans of layout get a name and a tooltip: the longest, as the others are too narrow to be read."""


@dataclass(frozen=True, slots=True)
class LayoutKind:
    """One layout as the lane shows it: all its stretches as one path, and its share of the recording (0..1)."""

    layout: Layout
    label: str
    path: str
    share: float


@dataclass(frozen=True, slots=True)
class Layouts:
    """The lane of layouts: the kinds that occur, every span in order, and the spans that are labelled."""

    kinds: tuple[LayoutKind, ...]
    spans: tuple[LayoutSpan, ...]
    labelled: tuple[tuple[LayoutSpan, str, str], ...]
    """With its name and with its short one."""


def ticks(duration_s: float) -> list[tuple[float, float]]:
    """Places in percent and round times in seconds: at most 8, and none so late that its label would be cut off."""
    step = next((step for step in TICK_STEPS_S if duration_s / step <= 8), TICK_STEPS_S[-1])
    return [(100 * at_s / duration_s, at_s) for at_s in range(0, math.ceil(duration_s * 0.96), step)]


def score_range(curve: Curve) -> tuple[float, float]:
    """Lowest and highest value of the score axis, which always has 0 on it."""
    scores = [0.0, *(score for _, _, score in curve)]
    return min(scores), max(scores) if any(scores) else 1.0


def paths(
    duration_s: float,
    curve: Curve,
    about: Curve,
    slides: Sequence[SlideSpan],
    envelope: Sequence[float],
    silences: list[Any],
) -> dict[str, str]:
    """Every path by name. `about` is drawn as a line, relative to its own greatest value."""
    lowest, highest = score_range(curve)
    zero, *levels = (_short(100 - 94 * (s - lowest) / (highest - lowest)) for s in (0.0, *(row[2] for row in curve)))
    area, last_s = [], -math.inf
    for (start_s, end_s, _), level in zip(curve, levels, strict=True):
        # Pauses too short to be seen would turn the area into a comb.
        pause = "" if start_s - last_s < duration_s / 500 else f"V{zero}M{_short(start_s)} {zero}"
        area.append(f"{pause}V{level}H{_short(end_s)}")
        last_s = end_s
    tops = [((i + 0.5) * duration_s / len(envelope), 48 * min(max(e, 0), 1) + 0.5) for i, e in enumerate(envelope)]
    outline = [(x, 50 - y) for x, y in tops] + [(x, 50 + y) for x, y in reversed(tops)]
    return {
        "score": "".join([*area, f"V{zero}"]).removeprefix(f"V{zero}"),
        "zero": zero,
        "about": _line(about),
        "wave": "".join(f"{'L' if i else 'M'}{_short(x)} {_short(y)}" for i, (x, y) in enumerate(outline)),
        "quiet": "".join("M{0} 0H{1}V100H{0}Z".format(_short(s["start_s"]), _short(s["end_s"])) for s in silences),
        **{c: "".join(f"M{_short(s.start_s)} 0V100" for s in slides if s.kind == c) for c in get_args(ChangeKind)},
    }


def layout_lane(duration_s: float, spans: Sequence[LayoutSpan]) -> Layouts | None:
    """The lane of layouts; None where nothing is known of them. Raises ValueError for a time that is not finite."""
    spans = sorted(spans, key=lambda span: span.start_s)
    if not spans:
        return None
    if not all(math.isfinite(time_s) for span in spans for time_s in (span.start_s, span.end_s)):
        raise ValueError("Drawing the report: a layout begins or ends at no usable time.")
    kinds = []
    for layout, label in LAYOUT_NAMES.items():
        own = [span for span in spans if span.layout == layout]
        if own:
            path = "".join(f"M{_short(s.start_s)} 0H{_short(s.end_s)}V100H{_short(s.start_s)}Z" for s in own)
            kinds.append(LayoutKind(layout, label, path, sum(s.end_s - s.start_s for s in own) / duration_s))
    longest = sorted(spans, key=lambda span: span.start_s - span.end_s)[:MAX_LABELS]
    longest.sort(key=lambda span: span.start_s)
    labelled = [(s, LAYOUT_NAMES[s.layout], SHORT_NAMES.get(s.layout, LAYOUT_NAMES[s.layout])) for s in longest]
    return Layouts(tuple(kinds), tuple(spans), tuple(labelled))


def _line(curve: Curve) -> str:
    """A line of steps over the whole height, its greatest value at the top."""
    top = max((value for _, _, value in curve), default=0.0)
    if top <= 0:
        return ""
    level = [_short(100 - 94 * value / top) for _, _, value in curve]
    steps = (f"V{y}H{_short(end_s)}" for (_, end_s, _), y in zip(curve, level, strict=True))
    return f"M{_short(curve[0][0])} {level[0]}" + "".join(steps)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
