"""`winnow failures`: recordings whose last turn failed, and another try for them."""

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from core.bucket import is_s3
from core.dead_letters import Failure, chosen, failures, pardon
from core.errors import BadSetting, RefusedInput
from core.kit import load_kit
from flows.nightly_command import add_night, check_night, run_night
from flows.options import add_options, settings_from
from flows.places import checked_store


def add_failures(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    what = "list recordings whose last turn failed, with the reason and where to look"
    listing = actions.add_parser("list", help=what, description=f"{what.capitalize()}.")
    listing.add_argument("--most-attempts", type=int, default=3, metavar="N", help="given up from here on (default: 3)")
    listing.add_argument("--json", action="store_true", help="print JSON")
    what = "try recordings again that failed, also those that nightlies gave up"
    retry = actions.add_parser("retry", help=what, description=f"{what.capitalize()}.")
    retry.add_argument("names", nargs="*", metavar="NAME", help="a file name, a URI or (the beginning of) a SHA-256")
    retry.add_argument("--all", action="store_true", help="all that failed")
    retry.add_argument("--later", action="store_true", help="only let the next nightly take them")
    retry.add_argument("--json", action="store_true", help="print the nightly's report as JSON, nothing else")
    for each in (listing, retry):
        each.add_argument("--store", required=True, metavar="URI", help="the store whose catalog tells of failures")
    add_night(retry)
    add_options(retry)


def failures_command(given: argparse.Namespace) -> int:
    """List or retry, as the command line says. Returns the exit code."""
    store = checked_store(given.store)
    if store is None:
        raise BadSetting("--store must name a folder or s3://bucket/prefix.")
    found = list(failures(store).values())
    if given.action == "list":
        _show(found, given.most_attempts, as_json=given.json)
        return 0
    return _retry(given, store, found)


def _retry(given: argparse.Namespace, store: str, found: list[Failure]) -> int:
    if bool(given.names) == given.all:
        raise BadSetting("Name the recordings to try again, or give --all.")
    settings = settings_from(given)
    load_kit(settings)
    check_night(given)
    wanted = found if given.all else chosen(found, given.names)
    if not wanted:
        print("No recording's last turn failed.", file=sys.stderr)
        return 0
    uris = [failure.uri for failure in wanted]
    pardon(store, uris)
    if given.later:
        print(f"The next nightly takes {len(uris)} again.", file=sys.stderr)
        return 0
    inbox = common_folder(uris)
    return run_night(given, inbox, {"only": uris, "settings": settings})


def common_folder(uris: list[str]) -> str:
    """The nearest folder that all objects lie in. Raises RefusedInput where they lie in different buckets."""
    parts = [uri.split("/")[:-1] for uri in uris]
    common = []
    for names in zip(*parts, strict=False):
        if len(set(names)) > 1:
            break
        common.append(names[0])
    folder = "/".join(common)
    if len(common) < 3 or (is_s3(folder) and not common[2]):
        raise RefusedInput("These recordings lie in different inboxes: retry those of one at a time, by their names.")
    return folder if common != ["file:", "", ""] else "file:///"


def _show(found: list[Failure], most_attempts: int, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([failure.as_row(most_attempts) for failure in found], indent=1))
        return
    table = Table(title=f"{len(found)} failed", title_justify="left")
    for heading in ("recording", "tried", "last", "what next", "why"):
        table.add_column(heading, justify="right" if heading == "tried" else "left", overflow="fold")
    for failure in found:
        what_next = "given up" if failure.given_up(most_attempts) else "next nightly"
        table.add_row(failure.name, str(failure.tried), f"{failure.last:%Y-%m-%d %H:%M}", what_next, failure.reason)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for failure in found:
        if failure.look:
            console.print(f"{failure.name}: see {failure.look}", markup=False, highlight=False, soft_wrap=True)
