"""A PostgreSQL of the tests' own, on a port of this machine: the programs that a distribution installs, if it did.

Prefect needs the extension pg_trgm, which distributions ship with the server and wheels with a server leave out.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

NAME, PASSWORD = "prefect", "secret"
OTHER_USER = "nobody"
"""PostgreSQL refuses to run as root."""


def programs() -> Path | None:
    """The folder of a PostgreSQL that Prefect can use; None where there is none."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if _has_trigrams(folder)), None)


def _has_trigrams(folder: Path) -> bool:
    config = folder / "pg_config"
    if not config.is_file():
        return False
    share = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=True).stdout.strip()
    return Path(share, "extension/pg_trgm.control").is_file()


@contextmanager
def database() -> Iterator[str]:
    """An empty database in a server that ends with the block, as a URL for Prefect."""
    folder = programs()
    assert folder is not None
    user = OTHER_USER if os.geteuid() == 0 else None
    # The other user must reach it, which the folders of pytest do not allow.
    with tempfile.TemporaryDirectory(prefix="winnow-postgres-") as place:
        if user:
            shutil.chown(place, user)
        word, data = Path(place, "password"), Path(place, "data")
        word.write_text(PASSWORD)
        word.chmod(0o644)
        init = ["-D", data, "-U", NAME, "--pwfile", word, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]
        subprocess.run([folder / "initdb", *init], check=True, capture_output=True, user=user, cwd=place)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
        command = [folder / "postgres", "-D", data, "-p", str(port), *(f"-c{option}" for option in options)]
        with subprocess.Popen(
            command,
            user=user,
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                asyncio.run(_create(port))
                yield f"postgresql+asyncpg://{NAME}:{PASSWORD}@127.0.0.1:{port}/{NAME}"
            finally:
                server.terminate()
                server.wait(20)


async def _create(port: int) -> None:
    end_s = time.monotonic() + 30
    while True:
        try:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=port, user=NAME, password=PASSWORD, database="postgres"
            )
        except (OSError, asyncpg.CannotConnectNowError):
            assert time.monotonic() < end_s, "PostgreSQL did not start"
            await asyncio.sleep(0.1)
            continue
        await connection.execute(f"CREATE DATABASE {NAME}")
        await connection.close()
        return
