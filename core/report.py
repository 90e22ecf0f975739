"""The report page of one recording: timeline, clips, runners-up and provenance in one self-contained HTML file."""

import base64
import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.chart import TICK_STEPS_S, Curve, paths, score_range, ticks
from core.records import Sentence, SlideSpan

ASSETS = Path(__file__).with_name("assets") / "report"
MAX_THUMBNAILS = 150
"""More pictures than this are thinned out evenly, so that the page of a 10-hour recording stays below 5 MB."""
WRITTEN_WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo"})
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


def render_report(
    manifest: dict[str, Any],
    *,
    curve: Curve,
    sentences: Sequence[Sentence],
    slides: Sequence[SlideSpan],
    thumbnails: Mapping[str, bytes],
    envelope: Sequence[float],
    about: Curve = (),
) -> str:
    """The page as HTML text. It loads nothing but the clips, posters and captions that lie beside it.

    Args:
        manifest: As it stands in `manifest.json`; needs `source.name`, `source.duration_s`, and `rank`, `start_s` and
            `end_s` of each clip. Everything else may be missing.
        curve: (start_s, end_s, score) of each sentence or window that was scored.
        sentences: The transcript of the recording.
        slides: Slide and shot changes, with the names of their thumbnails.
        thumbnails: JPEG by name, about 200 px wide; at most MAX_THUMBNAILS are embedded.
        envelope: Loudness of equal stretches of the whole recording, 0..1.
        about: (start_s, end_s, probability) of each sentence that it is about the subject, where one was named.

    Raises ValueError if the manifest lacks what it needs, or if a number to be drawn is not finite.
    """
    _need("source", manifest.get("source") or {}, ("name", "duration_s"))
    page: dict[str, Any] = {
        **dict.fromkeys(("created", "winnow")),
        **{part: {} for part in ("models", "settings", "tools", "transcript", "files")},
        **{part: [] for part in ("clips", "rejected", "runners_up", "silences", "stages", "warnings")},
        **{part: value for part, value in manifest.items() if value is not None},
    }
    duration_s = page["source"]["duration_s"]
    drawn = [duration_s, *envelope, *(n for row in (*curve, *about) for n in row)]
    if not (duration_s > 0 and all(map(math.isfinite, drawn))):
        raise ValueError(f"Drawing the report of {page['source']['name']}: duration, score or loudness is not usable.")
    curve = sorted(curve)
    sentences = sorted(sentences, key=lambda sentence: sentence.start_s)
    slides = sorted(slides, key=lambda slide: slide.start_s)
    embedded = _embedded(slides, thumbnails)
    jinja = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    jinja.filters |= {"clock": clock, "length_of": length_of, "number": number, "href": href, "day": day}
    return jinja.get_template("template.html.j2").render(
        page,
        duration_s=duration_s,
        clips=_clips(page, sentences),
        settings_rows=_flat(page["settings"]),
        ticks=[(percent, clock(at_s)) for percent, at_s in ticks(duration_s)],
        paths=paths(duration_s, curve, sorted(about), slides, envelope, page["silences"]),
        score_range=score_range(curve),
        strip=[(slide, base64.b64encode(thumbnails[name]).decode()) for name, slide in embedded.items()],
        style=_inline("style.css"),
        script=_inline("report.js"),
        data=_safe_json(_hover_data(page, curve, sentences, slides, list(embedded))),
    )


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
        suffix = _unit_of(name) if isinstance(value, int | float) and not isinstance(value, bool) else ""
        shown = 100.0 * value if suffix == "share" and isinstance(value, int | float) else value
        text = f"{number(shown)} {UNITS.get(suffix, '')}".strip().replace(" %", "%")
        label = name.removesuffix("_" + suffix).replace("_", " ")
        bar = _bar(value, *scales[name]) if name in scales and isinstance(value, float) else None
        found.append(Fact(label[:1].upper() + label[1:], text, bar, long=len(text) > 18 and not bar))
    return sorted(found, key=lambda fact: (fact.bar is None, fact.long))


def _unit_of(name: str) -> str:
    return next((suffix for suffix in UNITS if name.endswith("_" + suffix)), "")


def _bar(value: float, lowest: float, highest: float) -> tuple[float, float, float] | None:
    if not math.isfinite(value):
        return None
    zero, end = (round(100 * (place - lowest) / (highest - lowest), 1) for place in (0.0, value))
    return min(zero, end), round(abs(end - zero), 1), zero


def _need(part: str, found: Mapping[str, Any], names: Iterable[str]) -> None:
    if missing := [name for name in names if found.get(name) is None]:
        raise ValueError(f"Drawing the report: the manifest has no {part}.{missing[0]}.")


def _clips(page: Mapping[str, Any], sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
    """The manifest's clips in order of rank, with their transcript and their reasons made readable."""
    scales: dict[str, tuple[float, float]] = {}
    for index, clip in enumerate(page["clips"]):
        _need(f"clips[{index}]", clip, ("rank", "start_s", "end_s"))
        for name, value in (clip.get("reasons") or {}).items():
            if isinstance(value, float) and math.isfinite(value) and not _unit_of(name):
                lowest, highest = scales.get(name, (0.0, 1.0))
                scales[name] = (min(lowest, value), max(highest, value))
    return [
        {
            **{"title": None, "text": None, "score": None},
            **clip,
            "length_s": clip["end_s"] - clip["start_s"],
            "files": clip.get("files") or {},
            "checks": {"warnings": [], "repairs": [], **(clip.get("checks") or {})},
            "measures": facts((clip.get("checks") or {}).get("measures") or {}, {}),
            "why": facts(clip.get("reasons") or {}, scales),
            "lines": _lines(clip, sentences),
            "joint": "" if page["transcript"].get("language") in WRITTEN_WITHOUT_SPACES else " ",
        }
        for clip in sorted(page["clips"], key=lambda clip: clip["rank"])
    ]


def _lines(clip: Mapping[str, Any], sentences: Sequence[Sentence]) -> list[list[tuple[float | None, str]]]:
    """(Second in the clip, word) for each sentence: from its own words, else the recording's, else its bare text."""
    from_s, to_s = clip["start_s"], clip["end_s"]
    near = [s for s in sentences if s.start_s < to_s and s.end_s > from_s]
    timed = [(word["start_s"], word["end_s"], word["text"]) for word in clip.get("words") or []] or [
        (word.start_s - from_s, word.end_s - from_s, word.text)
        for sentence in near
        for word in (sentence.words or (sentence,))
        if from_s <= (word.start_s + word.end_s) / 2 < to_s
    ]
    lines: dict[int, list[tuple[float | None, str]]] = {}
    for start_s, end_s, text in timed:
        row = bisect_right(near, from_s + (start_s + end_s) / 2, key=lambda sentence: sentence.start_s)
        lines.setdefault(row, []).append((round(max(start_s, 0.0), 2), text.strip()))
    return list(lines.values()) or ([[(None, clip["text"])]] if clip.get("text") else [])


def _embedded(slides: Sequence[SlideSpan], thumbnails: Mapping[str, bytes]) -> dict[str, SlideSpan]:
    """The first slide of each thumbnail that goes into the page, thinned out evenly where there are too many."""
    first: dict[str, SlideSpan] = {}
    for slide in slides:
        if slide.thumbnail is not None and slide.thumbnail in thumbnails:
            first.setdefault(slide.thumbnail, slide)
    names = list(first)
    kept = min(len(names), MAX_THUMBNAILS)
    return {name: first[name] for name in (names[index * len(names) // kept] for index in range(kept))}


def _hover_data(
    page: Mapping[str, Any], curve: Curve, sentences: Sequence[Sentence], slides: Sequence[SlideSpan], places: list[str]
) -> dict[str, Any]:
    """What the script looks up at a time; a slide ends with the number of its thumbnail in the page, or -1."""
    place = {name: index for index, name in enumerate(places)}
    return {
        "duration": page["source"]["duration_s"],
        "curve": [[round(start, 2), round(end, 2), round(score, 4)] for start, end, score in curve],
        "sentences": [[round(s.start_s, 2), round(s.end_s, 2), s.text] for s in sentences],
        "slides": [[round(s.start_s, 2), s.kind, s.title, place.get(s.thumbnail or "", -1)] for s in slides],
        "silences": [[silence["start_s"], silence["end_s"]] for silence in page["silences"]],
        "steps": TICK_STEPS_S,
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as rows: ("selection.clips", "8")."""
    rows = []
    for name, value in values.items():
        plain = "not set" if value is None else number(value)
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(prefix + name, plain)]
    return rows


def _inline(name: str) -> tuple[Markup, str]:
    """A style sheet or script of ours as it stands in the page, and its hash for the Content-Security-Policy."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    return Markup(text), "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _safe_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in, nor a line of it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate({ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}))
