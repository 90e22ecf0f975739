"""The real processes of a night: the nightly itself and, for workers, a Prefect server and two of them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import psutil

ROOT = Path(__file__).parents[1]
Engine = Literal["threads", "workers"]
CLIPS = ["--clips", "1", "--min-s", "5", "--max-s", "12", "--no-reel"]
SETTINGS = [*CLIPS, "--encoder-preset", "ultrafast", "--model", "baseline"]
RULES = ["--settle-s", "0", "--most-failed", "1", "--most-attempts", "1000"]
"""Harm is not the recordings' fault: with the rule for dead letters on, that rule would be what is tried here."""
DIES_WITHIN_S = 30.0
STARTS_WITHIN_S = 180.0
SERVER = "prefect.server.api.server:create_app"


class Crew:
    """Starts processes, finds them, and ends all that is left of them.

    Args:
        folder: For logs and for the home folders of Winnow and Prefect.
        env: What processes find in their environment beside this one's.
        workers: How many, where they do the work.
    """

    def __init__(self, folder: Path, env: dict[str, str], engine: Engine, *, workers: int = 2) -> None:
        self.folder, self.engine = folder, engine
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "WINNOW_"))} | env
        self.env |= {"WINNOW_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self.nights = 0
        self.server: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        if engine == "workers":
            self._begin(workers)

    def night(self, inbox: str, store: str, settings: Sequence[str] = SETTINGS) -> subprocess.Popen[bytes]:
        """Start a nightly."""
        self.nights += 1
        places = ["--inbox", inbox, "--store", store, "--engine", self.engine, "--json"]
        return self._start([*_winnow("nightly"), *places, *RULES, *settings], f"night-{self.nights}")

    def start_server(self) -> None:
        """Start the Prefect server, where it was before."""
        command = [sys.executable, "-m", "uvicorn", "--factory", SERVER, "--host", "127.0.0.1", "--log-level", "info"]
        self.server = self._start([*command, "--port", self.env["PREFECT_API_URL"].split(":")[2][:-4]], "server")
        end_s = time.monotonic() + STARTS_WITHIN_S
        while not self._healthy():
            if time.monotonic() > end_s:
                raise RuntimeError("the Prefect server did not start")
            time.sleep(0.2)

    def start_worker(self) -> None:
        """One more process worker."""
        about = ["--pool", "winnow-cpu", "--type", "process", "--limit", "1"]
        self.workers.append(self._start([*_prefect("worker", "start"), *about], "worker"))

    def close(self) -> None:
        """End what still runs."""
        for process in [*self.workers, *([self.server] if self.server else [])]:
            kill(below(process.pid) + alive(process.pid))

    def _begin(self, workers: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.env |= {
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_UI_ENABLED": "0",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "INFO",  # what is asked of it
            "WINNOW_PROJECT": str(ROOT),
        }
        self.start_server()
        lost = ["--lost-after-min", "2"]  # runs tell every 30 s that they live
        deploy = [*_prefect("--no-prompt", "deploy"), "--name", "nightly-recording/cpu"]
        for command in ([*_winnow("setup"), *lost], deploy):
            self._do(command)
        for _ in range(workers):
            self.start_worker()

    def allow(self, limit: str, slots: int) -> None:
        """Let so many hold a concurrency limit at a time."""
        self._do([*_prefect("gcl", "update"), limit, "--limit", str(slots)])

    def _do(self, command: list[str]) -> None:
        if self._start(command, "setup").wait(STARTS_WITHIN_S):
            raise RuntimeError((self.folder / "setup.log").read_text()[-3000:])

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.env['PREFECT_API_URL']}/health", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _start(self, command: list[str], log: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{log}.log").open("ab") as said:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True,
            )  # fmt: skip


def _winnow(command: str) -> list[str]:
    return [sys.executable, "-m", "flows.cli", command]


def _prefect(*command: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *command]


def alive(pid: int) -> list[psutil.Process]:
    """The process, if it is there."""
    try:
        return [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []


def below(pid: int) -> list[psutil.Process]:
    """All that a process has started, and what those have."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def named(processes: list[psutil.Process], fits: Callable[[list[str]], bool]) -> list[psutil.Process]:
    """Those whose command line fits."""
    found = []
    for process in processes:
        try:
            if fits(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL."""
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


def left_over(processes: list[psutil.Process]) -> list[str]:
    """Those that do not end by themselves; they are ended."""
    _, left = psutil.wait_procs(processes, timeout=DIES_WITHIN_S)
    told = [" ".join(process.cmdline())[:120] for process in left if process.is_running()]
    kill(left)
    return told
