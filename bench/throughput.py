"""A nightly by one worker and by two, of one thread each: `python -m bench.throughput --recordings 8`.

Recordings of some minutes with captions beside them, so that no speech is recognised: reading, looking at pictures and
encoding remain. A real Prefect server hands them to real process workers, each held to one processor of its own
(sched_setaffinity), where Winnow then uses one thread; the machine's limits let each of them work all the time. Each
nightly has a store and a home folder of its own. Prints one JSON object: seconds of the nightlies as a whole, their
starts included, and how many times faster two are: the nightly as a whole, and the work on recordings alone, without
the starts of processes between them.
"""

import argparse
import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bench.chaos_crew import Crew
from core import catalog, media
from core.pools import limits_of, machine_name

ROOT = Path(__file__).parents[1]
LONGEST_S = 3_600
CUE_S = 6


def recordings(folder: Path, count: int, length_s: int) -> None:
    """Parts of the sample, each with another beginning, and sentences as captions."""
    for number in range(count):
        path = folder / f"{number:02}.mp4"
        start_s = number * 7 % max(1, 260 - length_s)
        cut = ["-ss", str(start_s), "-i", media.file_url(ROOT / "data/samples/tides.mp4"), "-t", str(length_s)]
        codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
        media.run_ffmpeg([*cut, *codecs, media.file_url(path)], what="Cutting", timeout_s=300)
        cues = (
            f"{_time(at)} --> {_time(at + CUE_S - 0.5)}\nGravity fades with distance, part {at} of talk {number}.\n"
            for at in range(0, length_s - CUE_S, CUE_S)
        )
        path.with_suffix(".vtt").write_text("WEBVTT\n\n" + "\n".join(cues))


def _time(seconds: float) -> str:
    return f"{int(seconds // 60):02}:{seconds % 60:06.3f}"


def night(folder: Path, inbox: Path, workers: int) -> dict[str, Any]:
    """One nightly by so many workers."""
    folder.mkdir()
    store = folder / "store"
    store.mkdir()
    crew = Crew(folder, {}, "workers", workers=workers)
    try:
        processors = sorted(os.sched_getaffinity(0))
        for worker, processor in zip(crew.workers, processors, strict=False):
            os.sched_setaffinity(worker.pid, {processor})  # inherited by what it starts
        for limit in limits_of(machine_name()):
            crew.allow(limit.name, workers)  # what `winnow setup` allows is for encoders of two threads
        before, began_s = psutil.cpu_times(), time.monotonic()
        process = crew.night(str(inbox), str(store), ["--clips", "3", "--no-reel", "--model", "baseline"])
        code = process.wait(LONGEST_S)
        took_s, after = time.monotonic() - began_s, psutil.cpu_times()
    finally:
        crew.close()
    if code:
        raise SystemExit((folder / "night-1.log").read_text()[-3000:])
    runs = catalog.read(str(store), "runs").to_pylist()
    if {run["status"] for run in runs} != {"done"}:
        raise SystemExit(f"not all recordings are done: {[run['status'] for run in runs]}")
    alone = sum(run["seconds"] for run in runs)
    others = (after.user - before.user) + (after.system - before.system)
    return {
        "workers": workers,
        "seconds": round(took_s, 1),
        "sum_of_recordings_s": round(alone, 1),
        "machine_cpu_s": round(others, 1),
        "real_time": round(sum(run["duration_s"] for run in runs) / took_s, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=8)
    parser.add_argument("--length-s", type=int, default=120)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="winnow-throughput-", ignore_cleanup_errors=True) as name:
        inbox = Path(name, "inbox")
        inbox.mkdir()
        recordings(inbox, given.recordings, given.length_s)
        nights = [night(Path(name, f"by {workers}"), inbox, workers) for workers in (1, 2)]
    one, two = nights
    told = {
        "times_faster": round(one["seconds"] / two["seconds"], 2),
        "times_faster_at_work": round(one["sum_of_recordings_s"] / (two["sum_of_recordings_s"] / 2), 2),
    }
    print(json.dumps({"nights": nights, **told}, indent=1))


if __name__ == "__main__":
    main()
