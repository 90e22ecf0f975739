"""One real Prefect server for all the processes of a test run: it lives as long as somebody holds on to it."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_S = 120.0
DATABASE = "prefect.db"
KEPT = ("alembic_version", "sqlite_sequence")
SCRIPT = """
import os, sys
from pathlib import Path
from flows.embedded import prefect_api

with prefect_api():
    aside = Path("url.part")
    aside.write_text(os.environ["PREFECT_API_URL"])
    aside.rename("url")
    sys.stdin.read()  # until nobody holds the other end
    Path("url").unlink()
"""


@contextmanager
def shared(folder: Path) -> Iterator[dict[str, str]]:
    """The server whose files lie in `folder`, started by the first who asks; the environment that leads to it.

    Its standard input is a pipe with a name that everybody who uses it holds open for writing, so that it ends with the
    last of them, however they end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pipe, url = folder / "held", folder / "url"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not pipe.exists():
            os.mkfifo(pipe)
        held = os.open(pipe, os.O_RDWR)  # to open it for writing alone would wait for a reader
        if not url.exists():
            _start(folder, pipe)
        fcntl.flock(lock, fcntl.LOCK_UN)
    try:
        yield {"PREFECT_API_URL": url.read_text(), "PREFECT_HOME": str(folder)}
    finally:
        os.close(held)


def _start(folder: Path, pipe: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    env |= {"PREFECT_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    with pipe.open("rb") as stdin, (folder / "server.out").open("ab") as out:
        command = [sys.executable, "-c", SCRIPT]
        server = subprocess.Popen(
            command, cwd=folder, env=env, stdin=stdin, stdout=out, stderr=out, start_new_session=True
        )
    end_s = time.monotonic() + STARTS_WITHIN_S
    while not (folder / "url").exists():
        assert server.poll() is None, f"the Prefect server did not start: {(folder / 'server.out').read_text()}"
        assert time.monotonic() < end_s, "the Prefect server did not start in time"
        time.sleep(0.1)


def with_tables(env: dict[str, str], home: Path) -> None:
    """Give a server that is to start in another home folder a database that has its tables: half of a first start."""
    home.mkdir(parents=True, exist_ok=True)
    with (
        closing(sqlite3.connect(Path(env["PREFECT_HOME"], DATABASE))) as made,
        closing(sqlite3.connect(home / DATABASE)) as copied,
    ):
        made.backup(copied)
        for (table,) in copied.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table not in KEPT:
                copied.execute(f'DELETE FROM "{table}"')
        copied.commit()
