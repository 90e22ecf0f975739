"""`winnow highlight`: the flow behind a live display, and its outcome as a table or as JSON lines."""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import cast

from rich.console import Console
from rich.table import Table

from core import media
from core.errors import RefusedInput
from core.files import find_sources, to_uri
from core.kit import load_kit
from core.manifest import MANIFEST_NAME
from core.publishing import read_manifest
from flows.display import RunView, clock, shown
from flows.embedded import prefect_api
from flows.options import add_options, flow_parameters, settings_from
from flows.outcomes import Outcome, exit_code
from models.writers import writer_for

PATIENCE_S = 15.0
INTERRUPTED = 130


def add_highlight(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="a recording, or a folder of recordings")
    parser.add_argument("--out", default="clips", metavar="DIR", help="where results go (default: clips)")
    parser.add_argument(
        "--transcript",
        metavar="FILE",
        help="captions (SRT or VTT) to use instead of recognising speech; "
        "a caption file beside the recording with the same stem is used without asking",
    )
    parser.add_argument("--json", action="store_true", help="print the manifests' paths as JSON lines, nothing else")
    add_options(parser)


def highlight_command(given: argparse.Namespace) -> int:
    """Run the flow on what the command line names. Returns the exit code."""
    settings = settings_from(given)
    load_kit(settings)
    writer_for(settings.writing.titles)
    find_sources(given.sources)  # refuse what is not there before anything is started
    if given.transcript and not Path(given.transcript).is_file():
        raise RefusedInput(f"{given.transcript} does not exist; check the name given to --transcript.")
    parameters = {
        "sources": [to_uri(Path(source)) for source in given.sources],
        "out": to_uri(Path(given.out)),
        "transcript": to_uri(Path(given.transcript)) if given.transcript else None,
        **flow_parameters(settings),
    }
    console = Console(stderr=True)
    with ending_children(), prefect_api(), shown(RunView(), console, quiet=given.json):
        from flows.highlight import BatchFailed, highlight

        try:
            outcomes = cast(list[Outcome], highlight(**parameters))
        except BatchFailed as failed:
            outcomes = failed.outcomes
    show(outcomes, as_json=given.json)
    return exit_code(outcomes)


@contextlib.contextmanager
def ending_children() -> Iterator[None]:
    """On SIGINT, SIGTERM or SIGHUP end every media process at once and unwind; on a second signal, exit."""
    asked = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        media.stop_all()
        if asked.is_set():
            os._exit(INTERRUPTED)
        asked.set()
        timer = threading.Timer(PATIENCE_S, os._exit, [INTERRUPTED])
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def show(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print what came out: paths of manifests as JSON lines, or tables for people. Reasons go to stderr."""
    for outcome in outcomes:
        if outcome.status in ("rejected", "failed"):
            print(f"winnow: {outcome.reason}", file=sys.stderr)
        elif outcome.status == "skipped" and not as_json:
            print(f"winnow: passed over: {outcome.reason}", file=sys.stderr)
        elif outcome.manifest and as_json:
            print(json.dumps({"manifest": outcome.manifest}))
        elif outcome.manifest:
            _show_clips(Path(outcome.manifest))


def _show_clips(path: Path) -> None:
    manifest = read_manifest(path.parent)
    if manifest is None:
        return
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=manifest.source.name, title_justify="left", title_style="bold")
    for heading, justify in (
        ("clip", "right"),
        ("at", "right"),
        ("length", "right"),
        ("score", "right"),
        ("title", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for number, clip in enumerate(manifest.clips, 1):
        length = clock(clip.end_s - clip.start_s)
        table.add_row(str(number), clock(clip.start_s), length, f"{clip.score:.2f}", clip.title)
    console.print(table)
    for warning in manifest.warnings:
        console.print(f"Note: {warning}", markup=False, highlight=False)
    folder = path.parent
    for what, name in (("Reel", manifest.files.reel), ("Report", manifest.files.report), ("Manifest", MANIFEST_NAME)):
        if name:
            print(f"{what + ':':<10}{folder / name}")
