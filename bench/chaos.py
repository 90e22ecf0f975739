"""Nights to which harm is done, with real processes: `python -m bench.chaos --kills 50 --seed 1`.

Recordings come into an inbox; nightlies begin, and at moments that a seed draws something goes wrong: the nightly,
ffmpeg, the Prefect server or a worker is killed (SIGKILL), two nightlies run at once, the server of the bucket is busy
or breaks off, no file can grow any more (RLIMIT_FSIZE, which needs no rights and acts as a full disk does), the clock
jumps by an hour to a year. When all that came has ended, more comes. A reader looks at the store all the time. At last
one nightly is left alone, and the store must hold each recording once. The exit code says whether it does.

The seed fixes what is done and when; what it meets depends on the machine.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from bench.chaos_checks import Reader, Verdict, ended, judge, tidied
from bench.chaos_clock import Clock
from bench.chaos_crew import Crew, Engine, alive, below, kill, left_over
from bench.chaos_harm import Hand, Harm, drawn, kinds
from bench.chaos_places import Inbox, Place, films, in_bucket, in_folders
from core import catalog

STUCK_S = 600.0
"""A nightly of a few tiny recordings that takes longer does not end by itself."""


@dataclass
class Chaos:
    """What was done, and what came of it."""

    harm: Counter[str] = field(default_factory=Counter)
    nightlies: int = 0
    recordings: int = 0
    names: int = 0
    stuck: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    half_visible: list[str] = field(default_factory=list)
    looks: int = 0
    manifests_seen: int = 0
    last_code: int | None = None
    tidied: int = 0
    """Files that killed processes had been writing, which retention finds and removes."""
    failed: int = 0
    """Failures that the catalog tells of."""
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def well(self) -> bool:
        nothing = not (self.stuck or self.left_over or self.half_visible)
        return nothing and self.last_code == 0 and self.verdict.well


def chaos(
    folder: Path,
    *,
    kills: int,
    seed: int,
    engine: Engine = "threads",
    store: str = "folder",
    only: str = "",
    arriving: int = 2,
    env: Mapping[str, str] | None = None,
) -> Chaos:
    """Do harm `kills` times, and judge what is there when all is over.

    Args:
        folder: An empty one, for everything.
        only: Kinds of harm, with commas between; all that can be done here if "".
        arriving: Films that come at a time.
        env: For all processes: a Prefect server that is there already, say.
    """
    draw, told, began_s = random.Random(seed), Chaos(), time.monotonic()
    with ExitStack() as held:
        place = held.enter_context(in_folders(folder) if store == "folder" else in_bucket("night"))
        held.enter_context(patch.dict(os.environ, place.env))
        inbox, clock = Inbox(folder, films(folder), draw, place.put), Clock(folder)
        crew = Crew(folder, {**place.env, **clock.env, **(env or {})}, engine)
        held.callback(crew.close)
        hand, reader = Hand(crew, place, clock), Reader(place.store)
        can = {kind: n for kind, n in kinds(place, crew, clock).items() if not only or kind in only.split(",")}
        reader.start()
        while told.harm.total() < kills:
            if not set(inbox.wanted) - ended(place.store):
                inbox.arrive(arriving)
            _night(crew, place, hand, drawn(draw, can), told)
        _last(crew, place, told)
        reader.end()
        reader.look()
        told.half_visible, told.looks, told.manifests_seen = reader.half, reader.looks, reader.manifests
        told.recordings, told.names, told.nightlies = len(inbox.wanted), inbox.names, crew.nights
        told.failed = catalog.read(place.store, "failures").num_rows
        told.tidied = tidied(Path(crew.env["WINNOW_HOME"]), place.store)
        told.verdict = judge(place.store, dict(inbox.wanted))
    told.seconds = round(time.monotonic() - began_s, 1)
    return told


def _night(crew: Crew, place: Place, hand: Hand, harm: Harm, told: Chaos) -> None:
    """One nightly, and what is done to it."""
    nights = [crew.night(place.inbox, place.store)]
    if harm.kind == "two":
        nights.append(crew.night(place.inbox, place.store))
    done = hand.wait(harm, nights[0])
    started = [process for night in nights for process in below(night.pid)]
    done = done and hand.do(harm, nights[0])
    told.harm[harm.kind] += done
    end_s = time.monotonic() + STUCK_S
    for night in nights:
        while night.poll() is None and time.monotonic() < end_s:
            started = list({*started, *below(night.pid)})
            time.sleep(0.1)
        if night.poll() is None:
            told.stuck.append(f"night {crew.nights} after {harm.kind}")
            kill([*below(night.pid), *alive(night.pid)])
        night.wait()
    hand.mend()
    told.left_over += [f"{harm.kind}: {words}" for words in left_over(started)]
    codes = ",".join(str(night.returncode) for night in nights)
    when = f"{harm.files} files" if harm.files is not None else f"{harm.after_s:.0f} s"
    print(f"{crew.nights:3}  {harm.kind if done else '-':10}  at {when:9}  ended {codes}", file=sys.stderr, flush=True)


def _last(crew: Crew, place: Place, told: Chaos) -> None:
    """The nightly that is left alone."""
    night = crew.night(place.inbox, place.store)
    try:
        told.last_code = night.wait(STUCK_S * 2)
    except subprocess.TimeoutExpired:
        kill([*below(night.pid), *alive(night.pid)])
        told.stuck.append("the last night")


def show(told: Chaos) -> None:
    """As tables."""
    for kind, n in sorted(told.harm.items()):
        print(f"{kind:24}{n:6}")
    counts = {
        "harm in all": told.harm.total(), "nightlies": told.nightlies, "recordings": told.recordings,
        "under so many names": told.names, "failures told": told.failed, "left aside, tidied": told.tidied,
        "looks of the reader": told.looks,
        "manifests that it saw": told.manifests_seen, "seconds": told.seconds,
    }  # fmt: skip
    for name, n in counts.items():
        print(f"{name:24}{n:6}")
    verdict = told.verdict
    wrong = {
        "half-visible": told.half_visible, "lost": verdict.lost, "doubled": verdict.doubled, "broken": verdict.broken,
        "stray files": verdict.stray, "processes left": told.left_over, "stuck": told.stuck,
    }  # fmt: skip
    for name, found in wrong.items():
        print(f"{name:24}{len(found):6}")
        for each in found[:10]:
            print(f"    {each}")
    print(f"{'the last nightly':24}{told.last_code!s:>6}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("threads", "workers"), default="threads")
    parser.add_argument("--store", choices=("folder", "s3"), default="folder")
    parser.add_argument("--only", default="", metavar="KIND,KIND", help="only these kinds of harm")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty folder to work in, which is left")
    given = parser.parse_args()
    how = {"kills": given.kills, "seed": given.seed, "engine": given.engine, "store": given.store, "only": given.only}
    if given.keep:
        given.keep.mkdir(parents=True)
        told = chaos(given.keep.absolute(), **how)
    else:
        with TemporaryDirectory(prefix="winnow-chaos-", ignore_cleanup_errors=True) as folder:
            told = chaos(Path(folder), **how)
    show(told)
    return 0 if told.well else 1


if __name__ == "__main__":
    sys.exit(main())
