"""A Prefect server of our own for the time of a command, where none is configured.

It is started before Prefect is imported, so that both start at once, and dies with this process.
"""

import os
import socket
import subprocess
import sys
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
    port = _free_port()
    log = Path(os.environ["PREFECT_HOME"], "server.log")
    with log.open("wb") as output:
        server = subprocess.Popen(_server_command(port), env={**os.environ, **OWN_SERVER}, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=output, start_new_session=True)  # fmt: skip
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        import prefect  # noqa: F401  the import takes as long as the server's start: do both at once

        _wait_until_healthy(server, os.environ["PREFECT_API_URL"], log)
        yield
        _send_what_is_queued()
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        del os.environ["PREFECT_API_URL"]


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
