"""Planning a night over a bucket of which almost all is known: `python -m bench.listing [--objects N] [--new N]`.

Fills a bucket of the S3 server that `--endpoint` names, else of one (moto) that it starts in a process of its own; then
in another process lists the inbox, reads the index and tells what is new. Prints one JSON object: seconds, processor
seconds, requests and memory of the first night, which remembers all, and of the second, on which `--new` objects have
come. moto sorts all keys anew for every page, so most of the seconds there are its own.
"""

import argparse
import json
import logging
import multiprocessing
import os
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

BUCKET, PREFIX = "recordings", "inbox"
AT_ONCE = 32


def moto(pipe: Connection) -> None:
    """Serve S3 until somebody speaks, telling processor seconds whenever asked to."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    pipe.send(server.get_host_and_port()[1])
    while pipe.recv():
        pipe.send(time.process_time())


def put(names: Iterable[str]) -> None:
    """Objects of a few bytes, all different."""
    from core.bucket import file_system

    file_system().pipe({f"{BUCKET}/{PREFIX}/2026/{name}.mp4": name.encode() for name in names}, batch_size=AT_ONCE)


def plan(remember: bool, pipe: Connection) -> None:
    """One night's planning, in a process of its own so that its memory can be told."""
    from core.inbox_index import InboxIndex, split_new
    from core.sources import list_inbox

    before_mb, started_s, started_cpu_s = _peak_mb(), time.perf_counter(), time.process_time()
    listing = list_inbox(f"s3://{BUCKET}/{PREFIX}")
    listed_s = time.perf_counter() - started_s
    index = InboxIndex(f"s3://{BUCKET}/store")
    seen = index.read()
    new, known = split_new(listing.objects, seen)
    told: dict[str, Any] = {
        "objects": len(listing.objects),
        "new": len(new),
        "known": len(known),
        "seconds": round(time.perf_counter() - started_s, 2),
        "of_it_listing": round(listed_s, 2),
        "processor_seconds": round(time.process_time() - started_cpu_s, 2),
        "listing_requests": listing.requests,
        "index_files": seen.files,
        "memory_before_mb": before_mb,
        "peak_memory_mb": _peak_mb(),
    }
    if remember:
        index.add((found, f"{number:064x}") for number, found in enumerate(new))
    pipe.send(told)


def _peak_mb() -> int:
    """Of this process; the resource module tells that of its parent where that was larger."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=50)
    parser.add_argument("--endpoint", default="", help="an S3 server that has no bucket `recordings` (default: moto)")
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    if not asked.endpoint:
        spawn.Process(target=moto, args=(theirs,), daemon=True).start()
    os.environ["AWS_ENDPOINT_URL"] = asked.endpoint or f"http://127.0.0.1:{ours.recv()}"

    def server_s() -> float:
        if asked.endpoint:
            return 0.0
        ours.send(True)
        return ours.recv()

    from core.bucket import file_system

    file_system().mkdir(BUCKET)
    put(f"{number // 1000:03}/lecture {number:06}" for number in range(asked.objects - asked.new))
    nights = []
    for night in (1, 2):
        mine, its = spawn.Pipe()
        before_s = server_s()
        planner = spawn.Process(target=plan, args=(night == 1, its))
        planner.start()
        nights.append(mine.recv())
        planner.join()
        if not asked.endpoint:
            nights[-1]["processor_seconds_of_the_server"] = round(server_s() - before_s, 2)
        put(f"tonight/lecture {number:06}" for number in range(asked.new))
    if not asked.endpoint:
        ours.send(False)
    print(json.dumps({"first_night": nights[0], "second_night": nights[1]}, indent=1))


if __name__ == "__main__":
    main()
