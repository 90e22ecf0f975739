"""What a recording of a nightly asks of others: `python -m bench.asked`.

Two nightlies by one real worker, over a bucket of a server of our own: of a few recordings, and of some more. Counts
the requests to the bucket by their kind and those to the Prefect server by their path (its access log), and how the
server's database grew. Prints one JSON object: what each recording more costs, and what the smaller nightly cost.
"""

import argparse
import json
import os
import random
import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from bench.chaos_crew import Crew
from bench.chaos_places import Inbox, films, in_bucket

ASKED = re.compile(r'"(GET|POST|PUT|PATCH|DELETE) /api(/[a-z_]+(?:/[a-z_]+)?)')
LONGEST_S = 900


def night(folder: Path, count: int, name: str) -> dict[str, Any]:
    """What a nightly of so many recordings asks."""
    folder.mkdir()
    with in_bucket(name) as place, patch.dict(os.environ, place.env):
        inbox = Inbox(folder, films(folder), random.Random(1), place.put)
        inbox.arrive(count, only_new=True)
        crew = Crew(folder, place.env, "workers", workers=1)
        assert place.away is not None
        try:
            log, size = (folder / "server.log").read_text(), _database(folder)
            place.away.asked.clear()
            code = crew.night(place.inbox, place.store).wait(LONGEST_S)
            asked = Counter(place.away.asked)
            said = (folder / "server.log").read_text()[len(log) :]
            grown = _database(folder) - size
        finally:
            crew.close()
    if code:
        raise SystemExit((folder / "night-1.log").read_text()[-3000:])
    paths = Counter(f"{method} {path}" for method, path in ASKED.findall(said))
    return {"recordings": count, "bucket": asked, "prefect": paths, "database_bytes": grown}


def _database(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "prefect").glob("prefect.db*"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=1)
    parser.add_argument("--more", type=int, default=4)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="winnow-asked-", ignore_cleanup_errors=True) as name:
        few = night(Path(name, "few"), given.few, "few")
        more = night(Path(name, "more"), given.more, "more")
    apart = more["recordings"] - few["recordings"]
    each = {kind: round((n - few["bucket"][kind]) / apart, 1) for kind, n in more["bucket"].items()}
    asked = (sum(more["prefect"].values()) - sum(few["prefect"].values())) / apart
    told = {
        "bucket_requests_a_recording": each,
        "prefect_requests_a_recording": round(asked, 1),
        "database_kb_a_recording": round((more["database_bytes"] - few["database_bytes"]) / apart / 1e3),
        "few": few,
        "more": more,
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
