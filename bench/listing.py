"""Planning a night over a bucket of which almost all is known: `python -m bench.listing [--objects N] [--new N]`.

Starts a local S3 server (moto) in a process of its own and fills it; then in another process lists the inbox, reads
the index and tells what is new. Prints one JSON object: seconds, processor seconds of both processes, requests and
memory of the first night, which remembers all, and of the second, on which `--new` objects have come.

moto sorts all keys anew for every page, which no server for so many objects does. `--sorted` has it keep them sorted:
a page then costs what is on it. Without, most of the seconds are moto's sorting.
"""

import argparse
import bisect
import json
import logging
import multiprocessing
import os
import resource
import time
from multiprocessing.connection import Connection
from typing import Any

BUCKET, PREFIX = "recordings", "inbox"
MOTO_ACCOUNT = "123456789012"


def keep_sorted(backend: Any) -> None:
    """Have moto's listing take its page from keys that were sorted once, as long as none is added."""
    orders: dict[tuple[str, str], list[str]] = {}
    whole = backend.list_objects_v2

    def listed(
        bucket: Any, prefix: str | None, delimiter: str | None, continuation_token: str | None, *more: Any, **rest: Any
    ) -> Any:
        max_keys = rest.get("max_keys", more[-1] if more else 1_000)
        if delimiter or not prefix:
            return whole(bucket, prefix, delimiter, continuation_token, *more, **rest)
        if continuation_token is None:
            orders[bucket.name, prefix] = sorted(name for name in bucket.keys if name.startswith(prefix))
        names = orders[bucket.name, prefix]
        start = bisect.bisect_right(names, continuation_token) if continuation_token else 0
        page = names[start : start + max_keys]
        return [bucket.keys[name] for name in page], start + max_keys < len(names), page[-1] if page else None

    backend.list_objects_v2 = listed


def serve(objects: int, new: int, sort_once: bool, pipe: Connection) -> None:
    """Serve a bucket with `objects` objects; add `new` ones when the other end says so."""
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backend = s3_backends[MOTO_ACCOUNT]["aws"]
    if sort_once:
        keep_sorted(backend)
    backend.create_bucket(BUCKET, "us-east-1")
    for number in range(objects):
        backend.put_object(BUCKET, f"{PREFIX}/2026/{number // 1000:03}/lecture {number:06}.mp4", b"%d" % number)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    pipe.send(server.get_host_and_port()[1])
    started_s = time.process_time()
    pipe.recv()
    pipe.send(round(time.process_time() - started_s, 2))
    for number in range(new):
        backend.put_object(BUCKET, f"{PREFIX}/2026/tonight/lecture {number:06}.mp4", b"new %d" % number)
    started_s = time.process_time()
    pipe.recv()
    pipe.send(round(time.process_time() - started_s, 2))


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
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=50)
    parser.add_argument("--sorted", action="store_true", help="have moto keep its keys sorted")
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(asked.objects - asked.new, asked.new, asked.sorted, theirs), daemon=True)
    server.start()
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{ours.recv()}"
    nights = []
    for night in (1, 2):
        mine, its = spawn.Pipe()
        planner = spawn.Process(target=plan, args=(night == 1, its))
        planner.start()
        nights.append(mine.recv())
        planner.join()
        ours.send("go on")
        nights[-1]["processor_seconds_of_the_server"] = ours.recv()
    server.join()
    print(json.dumps({"first_night": nights[0], "second_night": nights[1]}, indent=1))


if __name__ == "__main__":
    main()
