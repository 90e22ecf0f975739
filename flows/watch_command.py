"""`winnow watch`: look into an inbox again and again, and begin work on what arrived.

With a Prefect server configured each arrival becomes an event there, which starts the deployment `nightly/on-upload` on
a worker. Without one this process does the work itself.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from core.errors import BadSetting, StoreError
from core.identity import key_of
from core.kit import load_kit
from core.nightly_plan import plan_night
from core.sources import InboxObject
from flows.embedded import configured, prefect_api
from flows.nightly_command import add_night, check_night, run_night
from flows.options import add_options, settings_from
from flows.places import local

ARRIVED = "winnow.recording.arrived"
"""The event; its payload names inbox, store and the object's URI."""


def add_watch(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--inbox", required=True, metavar="URI", help="a folder or s3://bucket/prefix")
    parser.add_argument("--store", required=True, metavar="URI", help="a folder or s3://bucket/prefix")
    parser.add_argument("--include", action="append", metavar="PATTERN", help="take only these, such as talks/**/*.mp4")
    parser.add_argument("--exclude", action="append", metavar="PATTERN", help="leave these")
    parser.add_argument("--every-s", type=float, default=60.0, metavar="N", help="seconds between looks (default: 60)")
    parser.add_argument("--once", action="store_true", help="look once, and end")
    parser.add_argument("--json", action="store_true", help="print the nightlies' reports as JSON, nothing else")
    add_night(parser)
    add_options(parser)


def watch_command(given: argparse.Namespace) -> int:
    """Watch what the command line names until it is stopped. Returns the exit code of a single look."""
    settings = settings_from(given)
    load_kit(settings)
    check_night(given)
    if given.every_s <= 0:
        raise BadSetting(f"--every-s must be more than 0, got {given.every_s:g}.")
    inbox, store, patterns = local(given.inbox), local(given.store), (given.include or [], given.exclude or [])
    told: set[tuple[str, str]] = set()
    with ExitStack() as held:
        emits = configured()
        if not emits:
            held.enter_context(prefect_api())
        while True:
            fresh = [found for found in _arrived(given, inbox, store, *patterns) if (found.uri, found.tag) not in told]
            told |= {(found.uri, found.tag) for found in fresh}
            code = 0
            if fresh and emits:
                emit(fresh, inbox, store)
            elif fresh:
                only = {"include": patterns[0], "exclude": patterns[1], "only": [found.uri for found in fresh]}
                code = run_night(given, inbox, {**only, "settings": settings})
            if given.once:
                return code
            time.sleep(given.every_s)


def _arrived(
    given: argparse.Namespace, inbox: str, store: str, include: list[str], exclude: list[str]
) -> list[InboxObject]:
    """What is new. While a store stays away there is nothing, which is told; a single look fails instead."""
    try:
        plan = plan_night(
            inbox, store, include=include, exclude=exclude, settle_s=given.settle_s, most_attempts=given.most_attempts
        )
    except StoreError as error:
        if given.once:
            raise
        print(f"winnow: {error} Looking again in {given.every_s:g} s.", file=sys.stderr)
        return []
    return [each.found for each in plan.new]


def emit(arrived: list[InboxObject], inbox: str, store: str) -> None:
    """Tell the Prefect server of each arrival, and wait until it has been told."""
    from prefect.events import emit_event
    from prefect.events.worker import EventsWorker

    for found in arrived:
        emit_event(
            event=ARRIVED,
            resource={
                "prefect.resource.id": f"winnow.recording.{key_of('object', found.uri)}",
                "prefect.resource.name": found.name,
            },
            payload={"inbox": inbox, "store": store, "uri": found.uri, "bytes": found.bytes},
        )
        print(f"{found.name} arrived", file=sys.stderr)
    EventsWorker.drain_all(timeout=10)
