"""A nightly's report for people: a Markdown table for the run's artifact, and one HTML page that stands alone."""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from core.nightly_report import NightlyReport, RecordingEnd, Status, masked
from core.records import StageTiming
from core.report_values import clock, day, length_of

ASSETS = Path(__file__).with_name("assets")
STYLES = ("report/style.css", "report/tables.css", "nightly/nightly.css")
"""Parts of one style sheet, joined in this order."""
MARKDOWN_ROWS = 500
"""Longest table in the artifact: those that need a person come first, the page has all."""
MARKS = re.compile(r"[\\`*_{}\[\]|<>~&@]|:(?=//)|(?<=www)\.")
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9:/._~?=&%#-]+")
STAGE_HEADS = ("Stage", "Time", "Share", "Computed", "Kept", "Cost")
WORDS: dict[Status, str] = {"done": "Done", "rejected": "Rejected", "failed": "Failed", "skipped": "Skipped"}


def to_markdown(report: NightlyReport) -> str:
    """Totals, one row a recording (those that failed first), one row a stage. No name or error acts as markup."""
    report = masked(report)
    rows = [
        (r.name, WORDS[r.status], r.clips, took(r.seconds), slowest(r), money(report.cost(r.seconds), report.currency),
         r.priority, ", ".join(r.tags), r.reason or r.manifest or "", r.look or "")
        for r in report.ordered[:MARKDOWN_ROWS]
    ]  # fmt: skip
    heads = ("Recording", "Outcome", "Clips", "Time", "Longest stage", "Cost", "Priority", "Tags", "Reason or result",
             "Where to look")  # fmt: skip
    hidden = len(report.recordings) - len(rows)
    stages = [
        (s.name, took(s.seconds), f"{100 * s.share:.1f} %", s.computed, s.cached, money(s.cost, report.currency))
        for s in sorted(report.stages, key=lambda stage: -stage.seconds)
    ]
    parts = [
        f"## Nightly of {day(report.began)}",
        summary(report),
        _table(heads, rows, always=4, figures={"Clips", "Time", "Cost"}) if rows else "",
        f"… and {hidden} more." if hidden else "",
        _table(STAGE_HEADS, stages, always=5, figures=set(STAGE_HEADS[1:])) if stages else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, always: int, figures: Collection[str]) -> str:
    """A Markdown table. Columns past the first `always` stay only where a row says something in them."""
    keep = [n for n in range(len(heads)) if n < always or any(row[n] not in ("", "normal") for row in rows)]
    lines = [
        "| " + " | ".join(heads[n] for n in keep) + " |",
        "|" + "|".join("---:" if heads[n] in figures else "---" for n in keep) + "|",
        *("| " + " | ".join(_cell(str(row[n])) for n in keep) + " |" for row in rows),
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text inside a Markdown table: one line, marks that mean something escaped; a plain address becomes a link."""
    if address(text) and PLAIN_ADDRESS.fullmatch(text):
        return f"<{text}>"
    return MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def summary(report: NightlyReport) -> str:
    """One sentence: how many of each, clips, how long."""
    totals = report.totals
    counted = [f"{totals.counts[s]} {s}" for s in ("done", "rejected", "failed", "skipped") if totals.counts[s]]
    what = ", ".join(counted) or "nothing new"
    return f"{what}; {totals.clips} clips in {length_of(report.seconds)}."


def to_html(report: NightlyReport) -> str:
    """The page as text. It has no script, loads nothing, and links only to http(s) addresses of runs and logs."""
    report = masked(report)
    text = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in STYLES)
    return _template().render(
        report=report,
        totals=report.totals,
        stages=sorted(report.stages, key=lambda stage: -stage.seconds),
        words=WORDS,
        began=_day_alone(report.began),
        style=(Markup(text), "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()),
    )


@cache
def _template() -> Template:
    jinja = Environment(
        loader=FileSystemLoader(ASSETS / "nightly"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    jinja.filters |= {"clock": clock, "length_of": length_of, "day": day, "took": took, "money": money}
    jinja.filters |= {"slowest": slowest, "address": address, "parts": parts, "factor": factor}
    return jinja.get_template("page.html.j2")


def took(seconds: float) -> str:
    """A duration: 0.4 s, 46 s, 12 min 5 s, 3 h 2 min."""
    return f"{seconds:.1f} s" if seconds < 10 else length_of(seconds)


def money(amount: float | None, currency: str) -> str:
    """An amount with its currency, to a tenth of a cent below one; "" where it is not known."""
    if amount is None:
        return ""
    if 0 < amount < 0.001:
        return f"< 0.001 {currency}"
    return f"{amount:,.{2 if amount >= 1 or amount == 0 else 3}f} {currency}"


def factor(value: float | None) -> str:
    """How many times faster than real time: 12 ×, 0.8 ×."""
    if not value:
        return ""
    return f"{1 / value:,.0f} ×" if 1 / value >= 9.95 else f"{1 / value:.1f} ×"


def slowest(recording: RecordingEnd) -> str:
    """The stage that took longest in this run, with its time."""
    computed = [stage for stage in recording.stages if not stage.cached]
    longest = max(computed, key=lambda stage: stage.seconds, default=None)
    return f"{longest.name} {took(longest.seconds)}" if longest else ""


def parts(recording: RecordingEnd) -> list[tuple[StageTiming, float]]:
    """The stages of a recording, each with its percent of the longest."""
    longest = max((stage.seconds for stage in recording.stages if not stage.cached), default=0.0)
    return [
        (stage, round(100 * stage.seconds / longest, 1) if longest and not stage.cached else 0.0)
        for stage in recording.stages
    ]


def address(text: str | None) -> str | None:
    """The text if it is an http(s) address that a page may link to, else None."""
    try:
        found = urlsplit(text or "")
        return text if found.scheme in ("http", "https") and found.hostname else None
    except ValueError:
        return None


def _day_alone(iso: str) -> str:
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{moment.day} {moment:%B %Y}"
