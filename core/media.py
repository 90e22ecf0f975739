"""The one door to ffmpeg and ffprobe: every media process is started, watched and ended here.

Media files are untrusted input, so each process gets a time limit and a memory limit, may read local files only,
reads nothing from the terminal, and runs in a process group of its own that dies with us.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core import tools
from core.errors import Cancelled, MachineTrouble, MediaError, MediaKilled, MediaTimeout

LAUNCHER = str(Path(__file__).with_name("launch.py"))
MEMORY_LIMIT_BYTES = 8 * 1024**3
QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]
STDERR_KEPT = 2_000
FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXFSZ})
"""Signals that no media file makes ffmpeg send itself."""
NO_ROOM = ("No space left on device", "Disk quota exceeded", "Read-only file system", "File too large")

Progress = Callable[[float], None]
"""Told how many seconds of output are done."""

_running: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()
_stopping = threading.Event()


def file_url(path: Path | str) -> str:
    """How ffmpeg is given a path: with `file:` in front, no character of the rest means anything to it."""
    return f"file:{Path(path).absolute()}"


def input_options(container: str) -> dict[str, str]:
    """Options every input gets: the demuxer that the probe found, and no protocol but local files."""
    return {"f": container, "protocol_whitelist": "file"}


def stop_all() -> None:
    """End every media process now, and refuse to start another. For the exit of the program."""
    _stopping.set()
    with _guard:
        for process in _running:
            _kill(process)


def check_cancelled() -> None:
    """Raise Cancelled once `stop_all` was called: long loops ask between two steps."""
    if _stopping.is_set():
        raise Cancelled("The run was told to stop.")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def started(
    program: list[str], *, cwd: Path | None = None, stdout: int | None = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `program` under the launcher inside the block; it is killed, with its group, if the block is left early."""
    check_cancelled()
    launcher = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), str(MEMORY_LIMIT_BYTES)]
    process = subprocess.Popen(
        [*launcher, *program],
        env=tools.environment(program[0]),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=cwd,
        start_new_session=True,
    )
    with _guard:
        _running.add(process)
    try:
        yield process
    finally:
        _kill(process)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        with _guard:
            _running.discard(process)


def run(
    program: list[str],
    *,
    what: str,
    timeout_s: float,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> tuple[str, str]:
    """Run `program` to its end and return (stdout, stderr).

    Args:
        program: Absolute path and arguments; never a shell string.
        what: What is being done to what, for the error message ("Decoding the audio of talk.mp4").
        timeout_s: The process and its group are killed after this long.
        on_line: Called with each line of stdout as it comes; stdout is then returned empty.

    Raises MediaError if it fails, MachineTrouble if it says that the machine has no room, MediaTimeout if it takes too
    long, MediaKilled if somebody else ended it, Cancelled if the run was told to stop.
    """
    with started(program, cwd=cwd) as process:
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _kill(process)

        timer = threading.Timer(timeout_s, expire)
        timer.daemon = True
        timer.start()
        stderr: list[bytes] = []
        reader = threading.Thread(target=lambda: stderr.append(process.stderr.read() if process.stderr else b""))
        reader.daemon = True
        reader.start()
        try:
            assert process.stdout is not None
            if on_line is None:
                output = process.stdout.read()
            else:
                output = b""
                for line in process.stdout:
                    on_line(line.decode(errors="replace").strip())
            code = process.wait()
            reader.join()
        finally:
            timer.cancel()
        said = b"".join(stderr).decode(errors="replace")
        check_cancelled()
        if expired.is_set():
            raise MediaTimeout(
                f"{what}: {Path(program[0]).name} was ended after {timeout_s:.0f} s. {said[-STDERR_KEPT:]}"
            )
        if code != 0:
            name = Path(program[0]).name
            raise failure(code, what, name, f"{name} exited {code}: {said.strip()[-STDERR_KEPT:] or 'no message'}")
        return output.decode(errors="replace"), said


def failure(code: int, what: str, name: str, said: str) -> MediaError:
    """The error that a process ended with: of the machine, or of the media. `said` ends its message."""
    if -code in FROM_OUTSIDE:
        by = signal.Signals(-code).name
        return MediaKilled(f"{what}: {name} was ended from outside ({by}), by somebody or by the system. Run it again.")
    return (MachineTrouble if any(sign in said for sign in NO_ROOM) else MediaError)(f"{what}: {said}")


def run_ffmpeg(
    arguments: list[str], *, what: str, timeout_s: float, cwd: Path | None = None, on_progress: Progress | None = None
) -> str:
    """Run ffmpeg with `arguments` (inputs, graph, outputs) and return its stderr. Raises as `run` does."""
    program = [tools.ffmpeg(), *QUIET, "-y"]

    def on_line(line: str) -> None:
        name, _, value = line.partition("=")
        if on_progress and name == "out_time_us" and value.lstrip("-").isdigit():
            on_progress(max(0.0, int(value) / 1e6))

    if on_progress:
        program += ["-progress", "pipe:1", "-stats_period", "0.5"]
    _, said = run(
        [*program, *arguments], what=what, timeout_s=timeout_s, cwd=cwd, on_line=on_line if on_progress else None
    )
    return said
