"""The report page of one recording: timeline, search, clips, runners-up and provenance in one HTML file."""

import base64
import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from core.chart import TICK_STEPS_S, Curve, Layouts, layout_lane, paths, score_range, ticks
from core.records import Sentence, SlideSpan
from core.report_clips import need, shown_clips
from core.report_values import clock, day, href, length_of, number, seconds_of
from core.sights import LayoutSpan

ASSETS = Path(__file__).with_name("assets") / "report"
STYLES = ("style.css", "timeline.css", "clips.css", "tables.css")
SCRIPTS = ("base.js", "timeline.js", "search.js", "clips.js")
"""Parts of one style sheet and of one script, joined in this order."""
MAX_THUMBNAILS = 150
"""More pictures than this are thinned out evenly, so that the page of a 10-hour recording stays below 5 MB."""


def render_report(
    manifest: dict[str, Any],
    *,
    curve: Curve,
    sentences: Sequence[Sentence],
    slides: Sequence[SlideSpan],
    thumbnails: Mapping[str, bytes],
    envelope: Sequence[float],
    about: Curve = (),
    layouts: Sequence[LayoutSpan] = (),
    builds: Collection[float] = (),
) -> str:
    """The page as HTML text. It loads nothing but the clips, pictures and captions that lie beside it.

    Args:
        manifest: As it stands in `manifest.json`; needs `source.name`, `source.duration_s`, and `rank`, `start_s` and
            `end_s` of each clip. Everything else may be missing.
        curve: (start_s, end_s, score) of each sentence or window that was scored.
        sentences: The transcript of the recording.
        slides: Slide and shot changes, with the names of their thumbnails.
        thumbnails: JPEG by name, about 200 px wide; at most MAX_THUMBNAILS are embedded.
        envelope: Loudness of equal stretches of the whole recording, 0..1.
        about: (start_s, end_s, probability) of each sentence that it is about the subject, where one was named.
        layouts: How slide and speaker share the picture over time.
        builds: `start_s` of those `slides` that only add to the one before.

    Raises ValueError if the manifest lacks what it needs, or if a number to be drawn is not finite.
    """
    need("source", manifest.get("source") or {}, ("name", "duration_s"))
    page: dict[str, Any] = {
        **dict.fromkeys(("created", "winnow", "template")),
        **{part: {} for part in ("models", "settings", "tools", "transcript", "files")},
        **{part: [] for part in ("clips", "rejected", "runners_up", "silences", "stages", "warnings", "corrections")},
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
    lane = layout_lane(duration_s, layouts)
    clips = shown_clips(page, sentences)
    return _template().render(
        page,
        duration_s=duration_s,
        clips=clips,
        settings_rows=_flat(page["settings"]),
        ticks=[(percent, clock(at_s)) for percent, at_s in ticks(duration_s)],
        paths=paths(duration_s, curve, sorted(about), slides, envelope, page["silences"]),
        score_range=score_range(curve),
        lane=lane,
        strip=[
            (slide, slide.start_s in builds, base64.b64encode(thumbnails[name]).decode())
            for name, slide in embedded.items()
        ],
        style=_inline(*STYLES),
        script=_inline(*SCRIPTS, around='(() => {{\n"use strict";\n{}}})();\n'),
        data=_safe_json(
            {
                "duration": duration_s,
                "curve": [[round(start, 2), round(end, 2), round(score, 4)] for start, end, score in curve],
                "sentences": [[round(s.start_s, 2), round(s.end_s, 2), s.text] for s in sentences],
                "slides": _slide_data(slides, builds, list(embedded)),
                "silences": [[silence["start_s"], silence["end_s"]] for silence in page["silences"]],
                "layouts": _layout_data(lane),
                "clips": [_clip_data(clip) for clip in clips],
                "steps": TICK_STEPS_S,
            }
        ),
    )


@cache
def _template() -> Template:
    jinja = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    jinja.filters |= {"clock": clock, "length_of": length_of, "number": number, "href": href, "day": day}
    jinja.filters |= {"seconds_of": seconds_of}
    return jinja.get_template("template.html.j2")


def _embedded(slides: Sequence[SlideSpan], thumbnails: Mapping[str, bytes]) -> dict[str, SlideSpan]:
    """The first slide of each thumbnail that goes into the page, thinned out evenly where there are too many."""
    first: dict[str, SlideSpan] = {}
    for slide in slides:
        if slide.thumbnail is not None and slide.thumbnail in thumbnails:
            first.setdefault(slide.thumbnail, slide)
    names = list(first)
    kept = min(len(names), MAX_THUMBNAILS)
    return {name: first[name] for name in (names[index * len(names) // kept] for index in range(kept))}


def _slide_data(slides: Sequence[SlideSpan], builds: Collection[float], places: list[str]) -> list[list[Any]]:
    """[start, kind, title, number of its thumbnail in the page or -1, text, whether it is a build] of each.

    The text of a build is what it adds.
    """
    place = {name: index for index, name in enumerate(places)}
    rows, before = [], frozenset[str]()
    for slide in slides:
        texts = (slide.text or "").splitlines()
        build = slide.start_s in builds
        added = [line for line in texts if not (build and line in before)]
        shown = place.get(slide.thumbnail or "", -1)
        rows.append([round(slide.start_s, 2), slide.kind, slide.title, shown, "\n".join(added), int(build)])
        before = frozenset(texts)
    return rows


def _layout_data(lane: Layouts | None) -> dict[str, Any]:
    if lane is None:
        return {"names": [], "spans": []}
    kinds = [kind.layout for kind in lane.kinds]
    spans = [[round(s.start_s, 2), round(s.end_s, 2), kinds.index(s.layout)] for s in lane.spans]
    return {"names": [kind.label for kind in lane.kinds], "spans": spans}


def _clip_data(clip: Mapping[str, Any]) -> list[Any]:
    """[rank, start, end, intro, what was removed] on the recording's timeline."""
    playing = clip["playing"]
    return [clip["rank"], playing.start_s, playing.end_s, playing.intro_s, playing.gone]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as rows: ("selection.clips", "8")."""
    rows = []
    for name, value in values.items():
        plain = "not set" if value is None else number(value)
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(prefix + name, plain)]
    return rows


def _inline(*names: str, around: str = "{}") -> tuple[Markup, str]:
    """A style sheet or script of ours as it stands in the page, and its hash for the Content-Security-Policy."""
    text = around.format("\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names))
    return Markup(text), "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _safe_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in, nor a line of it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate({ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}))
