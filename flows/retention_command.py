"""`winnow retention`: remove what a policy no longer keeps, or say what would go, as tables or JSON."""

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from core.errors import BadSetting
from core.home import home
from core.logs import switch_on
from core.retention import RetentionPolicy, apply, expired
from core.retention_report import as_data, rows, summary, unremoved
from flows.options import problems
from flows.places import checked_store

NEVER = "never"
MOST_ROWS = 40


def add_retention(parser: argparse.ArgumentParser) -> None:
    """Its options: one for each field of the policy."""
    parser.add_argument(
        "--store", default=None, metavar="URI", help="also in this store, a folder or s3://bucket/prefix"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    days = parser.add_argument_group(
        "For how many days things are kept",
        "N may be a fraction, 0 for no longer than a run needs them, or never: they are kept for ever. What a run "
        "works on, and what was written here within the hour, stays in any case.",
    )
    for name, field in RetentionPolicy.model_fields.items():
        default = NEVER if field.default is None else f"{field.default:g}"
        text = f"{(field.description or '').rstrip('.')} (default: {default})".replace("%", "%%")
        days.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="N", default=None, help=text)


def retention_command(given: argparse.Namespace) -> int:
    """Do what the command line asks. Returns the exit code: 1 where something could not be removed."""
    switch_on()
    policy, store = policy_from(given), checked_store(given.store)
    plan = expired(home(), store, policy, datetime.now(UTC))
    applied = None if given.dry_run else apply(plan)
    if given.json:
        print(json.dumps(as_data(plan, policy, applied), indent=1))
    else:
        _show(rows(plan, applied), dry_run=given.dry_run)
    if applied and applied.failed:
        print(f"winnow: {unremoved(applied)}", file=sys.stderr)
        return 1
    return 0


def policy_from(given: argparse.Namespace) -> RetentionPolicy:
    """The policy that a command line gives. Raises BadSetting with one sentence for each value that is wrong."""
    values: dict[str, str | None] = {}
    for name in RetentionPolicy.model_fields:
        text = getattr(given, name)
        if text is not None:
            values[name] = None if text.strip().lower() == NEVER else text
    try:
        return RetentionPolicy.model_validate(values)
    except ValidationError as error:
        raise BadSetting(problems(error)) from error


def _show(found: list[dict[str, Any]], *, dry_run: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    gone = [row for row in found if row["outcome"] in ("goes", "removed")]
    freed = sum(row["bytes"] for row in gone)
    title = f"{len(gone)} things {'would go' if dry_run else 'went'}, {freed / 1e6:,.1f} MB"
    table = Table(title=title, title_justify="left")
    for heading in ("outcome", "kind", "items", "files", "MB", "why"):
        table.add_column(heading, justify="right" if heading in ("items", "files", "MB") else "left")
    for row in summary(found):
        table.add_row(
            row["outcome"], row["kind"], str(row["items"]), str(row["files"]), f"{row['bytes'] / 1e6:,.1f}", row["why"]
        )
    console.print(table)
    for row in found[:MOST_ROWS]:
        line = f"{row['outcome']:<8}{row['where']}: {row['path']} ({row['written'][:10]}): {row['why']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if len(found) > MOST_ROWS:
        console.print(f"and {len(found) - MOST_ROWS} more; --json has all.")
