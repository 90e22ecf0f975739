"""`winnow status`: what runs, what waits, how the last nightly ended, and what the disk holds, as files tell it."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from core.home import home
from core.nightly_page import summary
from core.status import Status, status


def add_status(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--store", default=None, metavar="URI", help="the store whose last nightly is told")
    parser.add_argument("--json", action="store_true", help="print JSON")


def status_command(given: argparse.Namespace) -> int:
    """Say what Winnow does on this machine, and what the store's last nightly did. Returns the exit code."""
    found = status(home(), given.store)
    if given.json:
        print(json.dumps(_plain(found), indent=1))
    else:
        _show(found)
    return 1 if found.trouble else 0


def _plain(found: Status) -> dict[str, object]:
    return {
        "running": [asdict(mark) for mark in found.running],
        "waiting": found.waiting,
        "nightlies": [asdict(mark) for mark in found.nightlies],
        "last": found.last.model_dump(mode="json") if found.last else None,
        "disk": asdict(found.disk) if found.disk else None,
        "trouble": list(found.trouble),
    }


def _show(found: Status) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=f"{len(found.running)} at work, {found.waiting} waiting", title_justify="left")
    for heading in ("recording", "stage", "done", "since"):
        table.add_column(heading, justify="left" if heading in ("recording", "stage") else "right")
    for mark in found.running:
        table.add_row(mark.name, mark.stage or "", f"{mark.fraction:.0%}", f"{time.time() - mark.began:.0f} s")
    console.print(table)
    if found.last:
        console.print(f"Last nightly, {found.last.began}: {summary(found.last)}", markup=False, highlight=False)
        for end in found.failures:
            console.print(f"  failed: {end.name}: {end.reason}", markup=False, highlight=False)
    if found.disk:
        console.print(f"Disk: {found.disk.used / 1e9:.1f} GB used by Winnow, {found.disk.free / 1e9:.1f} GB free.")
    for trouble in found.trouble:
        console.print(trouble, markup=False, highlight=False)
