"""A Prefect server of our own for the time of a command, where none is configured.

It is started before Prefect is imported, so that both start at once, and dies with this process.
"""

import os
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import WinnowError
from core.home import home
from core.media import LAUNCHER

START_TIMEOUT_S = 180.0
LOOK_EVERY_S = 0.5
MOST_STARTS = 5
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the command has a display of its own
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # nothing leaves this machine
    "DO_NOT_TRACK": "1",
}
OWN_SERVER = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}


def configured() -> bool:
    """True if the user already has a Prefect API: in the environment, the active profile, or prefect.toml."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    folder = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    profiles = _toml(folder / "profiles.toml")
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    settings = profiles.get("profiles", {}).get(active, {})
    return bool(settings.get("PREFECT_API_URL") or _toml(Path("prefect.toml")).get("api", {}).get("url"))


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text()) if path.is_file() else {}


@contextmanager
def prefect_api() -> Iterator[None]:
    """Make sure that there is a Prefect API during the block. Call before anything imports prefect."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if configured():
        yield
        return
    os.environ.setdefault("PREFECT_HOME", str(home() / "prefect"))
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
    log = Path(os.environ["PREFECT_HOME"], "server.log")
    server = _OwnServer(_free_port(), log)
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{server.port}/api"
    try:
        import prefect  # noqa: F401  the import takes as long as the server's start: do both at once

        _wait_until_healthy(server.process, os.environ["PREFECT_API_URL"], log)
        server.keep()
        yield
        _send_what_is_queued()
    finally:
        server.end()
        del os.environ["PREFECT_API_URL"]


class _OwnServer:
    """The server's process. One that is killed is started again in its place, with the same database: clients ask
    again for a minute, so the work goes on."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log, self._over = port, log, threading.Event()
        self._env = {**os.environ, **OWN_SERVER}
        log.write_bytes(b"")
        self.process = self._started()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def keep(self) -> None:
        """From now on start it again when it is gone, a few times."""
        self._keeper.start()

    def end(self) -> None:
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _keep(self) -> None:
        starts = 0
        while not self._over.wait(LOOK_EVERY_S):
            if self.process.poll() is not None and starts < MOST_STARTS:
                starts += 1
                self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        """Start it. It dies with the thread that did so, the main one or the keeper."""
        with self._log.open("ab") as output:
            return subprocess.Popen(
                _server_command(self.port), env=self._env, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            )  # fmt: skip


def _send_what_is_queued() -> None:
    """Logs and events go to the server from threads of Prefect's: let them finish while it is there."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
    EventsWorker.drain_all(timeout=5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server_command(port: int) -> list[str]:
    launcher = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), "0"]
    server = ["-m", "uvicorn", "--factory", "prefect.server.api.server:create_app", "--host", "127.0.0.1"]
    return [*launcher, sys.executable, *server, "--port", str(port), "--log-level", "error", "--lifespan", "on"]


def _wait_until_healthy(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end_s:
        if server.poll() is not None:
            said = log.read_text(errors="replace").strip()[-1_000:]
            raise WinnowError(f"Starting the Prefect server failed (exit {server.returncode}); {log} says: {said}")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise WinnowError(f"The Prefect server did not answer within {START_TIMEOUT_S:.0f} s; see {log}.")
