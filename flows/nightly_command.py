"""`winnow nightly`: everything new in an inbox, or what that would be, as tables or JSON."""

import argparse
import json
import sys
from typing import cast

from rich.console import Console
from rich.table import Table

from core.kit import load_kit
from core.nightly_page import took
from core.nightly_plan import Plan, plan_night
from core.nightly_report import NightlyReport, to_json
from flows.display import RunView, shown
from flows.embedded import prefect_api
from flows.highlight_command import ending_children
from flows.options import settings_from


def nightly_command(given: argparse.Namespace) -> int:
    """Run the nightly that the command line names, or say what it would do. Returns the exit code."""
    settings = settings_from(given)
    load_kit(settings)
    patterns = {"include": given.include or [], "exclude": given.exclude or []}
    if given.dry_run:
        show_plan(plan_night(given.inbox, given.store, **patterns, settle_s=given.settle_s), as_json=given.json)
        return 0
    with ending_children(), prefect_api(), shown(RunView(), Console(stderr=True), quiet=given.json):
        from flows.nightly import NightlyFailed, local, nightly

        places = {"inbox": local(given.inbox), "store_uri": local(given.store)}
        limits = {"most_failed": given.most_failed, "cache_gb": given.cache_gb, "settle_s": given.settle_s}
        try:
            report = cast(NightlyReport, nightly(**places, **patterns, settings=settings, **limits))
            code = 0
        except NightlyFailed as failed:
            report, code = failed.report, 1
            print(f"winnow: {failed}", file=sys.stderr)
    show_report(report, as_json=given.json)
    return code


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """What a nightly would do."""
    if as_json:
        rows = [{"uri": each.found.uri, "bytes": each.found.bytes} for each in plan.new]
        told = {"new": rows, "known": plan.known, "requests": plan.requests, "estimate_s": plan.estimate_s}
        print(json.dumps({**told, "notes": list(plan.notes)}, indent=1))
        return
    table = Table(title=f"{len(plan.new)} new, {plan.known} done before", title_justify="left")
    table.add_column("recording")
    table.add_column("MB", justify="right")
    table.add_column("captions")
    for each in plan.new:
        beside = each.captions.name if each.captions else ""
        table.add_row(each.found.name, f"{each.found.bytes / 1e6:,.1f}", beside)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    if plan.estimate_s is not None:
        console.print(f"About {took(plan.estimate_s)} of work, by what earlier runs took.")
    for note in plan.notes:
        console.print(note, markup=False, highlight=False)


def show_report(report: NightlyReport, *, as_json: bool) -> None:
    """How each recording ended."""
    if as_json:
        print(to_json(report))
        return
    table = Table(title=f"Nightly {report.run_id}", title_justify="left")
    for heading in ("outcome", "recording", "clips", "took", "why or where"):
        table.add_column(heading, justify="right" if heading in ("clips", "took") else "left")
    for end in report.ordered:
        table.add_row(end.status, end.name, str(end.clips), took(end.seconds), end.reason or end.manifest or "")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for note in report.notes:
        console.print(note, markup=False, highlight=False)
