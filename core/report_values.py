"""Values of the manifest as people read them: positions, durations, numbers with their units, links."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

UNITS = {
    **{"per_s": "per second", "per_min": "per minute", "wpm": "words per minute", "cps": "characters per second"},
    **{"s": "s", "ms": "ms", "hours": "h", "lufs": "LUFS", "lu": "LU", "dbfs": "dBFS", "dbtp": "dBTP", "db": "dB"},
    **{"hz": "Hz", "fps": "frames per second", "px": "px", "gb": "GB", "bytes": "bytes", "percent": "%", "share": "%"},
}
"""Units that the end of a name stands for. A share is shown as a percentage."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value as people read it."""

    label: str
    value: str
    bar: tuple[float, float, float] | None
    """Left edge, width and place of zero in percent, where the value can be compared between clips."""
    long: bool


def clock(seconds: float) -> str:
    """A position: 0:07, 12:34, 1:02:03, rounded to the second."""
    minutes, second = divmod(round(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def length_of(seconds: float) -> str:
    """A duration in words: 46 s, 12 min 5 s, 10 h 2 min."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    parts = ((hours, "h"), (minute, "min"), (0 if hours else second, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def seconds_of(seconds: float) -> str:
    """A short duration to a tenth of a second: 0.4 s, 12.0 s."""
    return f"{seconds:.1f} s"


def number(value: object) -> str:
    """A value of the manifest for people: about three digits, yes and no, a true minus sign; text as it stands."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if isinstance(value, float):
        digits = 0 if abs(value) >= 1_000 else 1 if abs(value) >= 10 else 2
        value = f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")
    elif isinstance(value, int):
        value = f"{value:,}".replace("-", "−")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def day(created: str) -> str:
    """An ISO time as "5 March 2026, 14:02 UTC"; anything else as it stands."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()


def href(path: str) -> str:
    """A relative link to a file beside the page: whatever the name holds, it can name no scheme and no host."""
    return "./" + quote(path)


def facts(values: Mapping[str, object], scales: Mapping[str, tuple[float, float]]) -> list[Fact]:
    """Named values as people read them, bars first. `scales` has (lowest, highest) of those that are drawn as a bar."""
    found = []
    for name, value in values.items():
        suffix = unit_of(name) if isinstance(value, int | float) and not isinstance(value, bool) else ""
        shown = 100.0 * value if suffix == "share" and isinstance(value, int | float) else value
        text = f"{number(shown)} {UNITS.get(suffix, '')}".strip().replace(" %", "%")
        label = name.removesuffix("_" + suffix).replace("_", " ")
        bar = _bar(value, *scales[name]) if name in scales and isinstance(value, float) else None
        found.append(Fact(label[:1].upper() + label[1:], text, bar, long=len(text) > 18 and not bar))
    return sorted(found, key=lambda fact: (fact.bar is None, fact.long))


def unit_of(name: str) -> str:
    """The unit that a name ends in, "" where it ends in none."""
    return next((suffix for suffix in UNITS if name.endswith("_" + suffix)), "")


def _bar(value: float, lowest: float, highest: float) -> tuple[float, float, float] | None:
    if not math.isfinite(value):
        return None
    zero, end = (round(100 * (place - lowest) / (highest - lowest), 1) for place in (0.0, value))
    return min(zero, end), round(abs(end - zero), 1), zero
