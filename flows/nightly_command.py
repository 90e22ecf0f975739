"""`winnow nightly`: everything new in an inbox, or what that would be, as tables or JSON."""

import argparse
import json
import sys
from typing import Any, cast, get_args

from rich.console import Console
from rich.table import Table

from core.dead_letters import MOST_ATTEMPTS
from core.errors import BadSetting
from core.jobs import Engine, Queue
from core.kit import load_kit
from core.nightly_page import took
from core.nightly_plan import Plan, plan_night
from core.nightly_report import NightlyReport, Priority, to_json
from flows.display import RunView, shown
from flows.embedded import configured, prefect_api
from flows.highlight_command import ending_children
from flows.night_display import NightView
from flows.options import add_options, settings_from
from flows.places import local


def add_nightly(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--inbox", required=True, metavar="URI", help="a folder or s3://bucket/prefix")
    parser.add_argument("--store", required=True, metavar="URI", help="a folder or s3://bucket/prefix")
    parser.add_argument("--include", action="append", metavar="PATTERN", help="take only these, such as talks/**/*.mp4")
    parser.add_argument("--exclude", action="append", metavar="PATTERN", help="leave these")
    parser.add_argument("--only", action="append", metavar="URI", help="take this object of the inbox, nothing else")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    add_night(parser)
    add_options(parser)


def add_night(parser: argparse.ArgumentParser) -> None:
    """How a night goes: options that all commands have that begin one."""
    group = parser.add_argument_group("How the night goes")

    def number(flag: str, kind: type, default: float | None, help: str) -> None:
        shown = "" if default is None else f" (default: {default:g})"
        group.add_argument(flag, type=kind, default=default, metavar="N", help=help + shown)

    def choice(flag: str, kind: Any, default: str, help: str) -> None:
        group.add_argument(flag, choices=get_args(kind), default=default, help=f"{help} (default: {default})")

    choice("--engine", Engine, "threads", "what works: this process, Ray, Dask, or workers that poll a pool")
    number("--at-once", int, 1, "recordings at work at once on threads, Ray or Dask")
    choice("--queue", Queue, "cpu", "for workers: the pool, of machines without or with a GPU")
    choice("--priority", Priority, "normal", "for workers: the queue that the recordings wait in")
    group.add_argument("--tag", action="append", metavar="TEXT", help="carried by runs, report and catalog")
    number("--most-failed", float, 0.2, "share of failures that is let pass")
    number("--most-attempts", int, MOST_ATTEMPTS, "leave what failed so often in a row")
    number("--cache-gb", float, 50.0, "disk for fetched recordings, in GB")
    number("--settle-s", float, 60.0, "leave local files written this recently for later, in seconds")
    number("--price-per-hour", float, None, "what an hour of one worker costs, for the report")


def nightly_command(given: argparse.Namespace) -> int:
    """Run the nightly that the command line names, or say what it would do. Returns the exit code."""
    settings = settings_from(given)
    load_kit(settings)
    patterns = {"include": given.include or [], "exclude": given.exclude or [], "only": given.only or []}
    if given.dry_run:
        most = given.most_attempts
        plan = plan_night(given.inbox, given.store, **patterns, settle_s=given.settle_s, most_attempts=most)
        show_plan(plan, as_json=given.json)
        return 0
    return run_night(given, given.inbox, {**patterns, "settings": settings})


def run_night(given: argparse.Namespace, inbox: str, parameters: dict[str, Any]) -> int:
    """Run a nightly with the options of `add_night` and these parameters, and show how it ended: the exit code."""
    check_night(given)
    single = given.engine == "threads" and given.at_once == 1
    view = RunView() if single else NightView()
    with ending_children(), prefect_api(), shown(view, Console(stderr=True), quiet=given.json):
        from flows.nightly import NightlyFailed, nightly

        limits = ("engine", "at_once", "queue", "priority", "most_failed", "most_attempts", "cache_gb", "settle_s")
        rest = {name: getattr(given, name) for name in (*limits, "price_per_hour")}
        places = {"inbox": local(inbox), "store_uri": local(given.store)}
        try:
            report = cast(NightlyReport, nightly(**places, tags=given.tag or [], **rest, **parameters))
            code = 0
        except NightlyFailed as failed:
            report, code = failed.report, 1
            print(f"winnow: {failed}", file=sys.stderr)
    show_report(report, as_json=given.json)
    return code


def check_night(given: argparse.Namespace) -> None:
    """Raises BadSetting for what would make the night fail late."""
    if given.engine == "workers" and not configured():
        raise BadSetting("--engine workers needs a Prefect server with workers: set PREFECT_API_URL to its address.")
    if not 0 <= given.most_failed <= 1:
        raise BadSetting(f"--most-failed is a share from 0 to 1, got {given.most_failed:g}.")
    for name in ("at_once", "most_attempts"):
        if getattr(given, name) < 1:
            raise BadSetting(f"--{name.replace('_', '-')} must be at least 1, got {getattr(given, name)}.")
    for name in ("cache_gb", "settle_s", "price_per_hour"):
        value = getattr(given, name)
        if value is not None and (value < 0 or name == "cache_gb" and value == 0):
            raise BadSetting(f"--{name.replace('_', '-')} must not be {value:g}.")


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """What a nightly would do."""
    if as_json:
        rows = [{"uri": each.found.uri, "bytes": each.found.bytes} for each in plan.new]
        left = [found.uri for found in plan.given_up]
        told = {"new": rows, "known": plan.known, "given_up": left, "requests": plan.requests}
        print(json.dumps({**told, "estimate_s": plan.estimate_s, "notes": list(plan.notes)}, indent=1))
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
    if plan.new and plan.estimate_s is not None:
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
        table.add_column(heading, justify="right" if heading in ("clips", "took") else "left", overflow="fold")
    for end in report.ordered:
        table.add_row(end.status, end.name, str(end.clips), took(end.seconds), end.reason or end.manifest or "")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for note in report.notes:
        console.print(note, markup=False, highlight=False)
