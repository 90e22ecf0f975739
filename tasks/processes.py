"""Training runs in a process of its own: it cannot outlive the task that started it, and its last words are kept."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import training
from core.errors import RefusedInput, WinnowError
from core.media import LAUNCHER

LOOK_EVERY_S = 0.5
TAIL_CHARACTERS = 2_000
WANTED = "training: "
"""How the commands of `training` begin the one line that tells a user's mistake."""
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
NO_LIMIT_BYTES = 0
"""Of memory: a GPU's driver reserves far more addresses than it uses."""


class ProcessEnded(WinnowError):
    """A training process was ended from outside, as by a machine out of memory; what it had written is there."""


def run_training(
    arguments: Sequence[str | Path],
    log: Path,
    *,
    what: str,
    keep: Sequence[int] = (),
    while_running: Callable[[str], None] = lambda said: None,
) -> str:
    """Run `python -m ARGUMENT…` to its end and return what it said, which is also added to the file `log`.

    It is killed, with the processes it started, when the block that waits is left, and by the kernel when this process
    dies (see core/launch.py).

    Args:
        what: What is being done, for the error message ("Fitting lecture").
        keep: File descriptors that the process holds open too, such as a lock's.
        while_running: Told twice a second what it has said so far.

    Raises RefusedInput where it found a mistake of the user's, ProcessEnded if it was killed, and WinnowError with the
    end of the log where it failed.
    """
    launcher = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), str(NO_LIMIT_BYTES)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        first = output.tell()
        process = subprocess.Popen(
            [*launcher, sys.executable, "-m", *map(str, arguments)],
            cwd=Path(training.__path__[0]).parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},  # its last words count even if it is killed
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=keep,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_EVERY_S)
                while_running(_said(log, first))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    said = _said(log, first)
    if process.returncode:
        raise _failure(what, process.returncode, said, log)
    return said


def _said(log: Path, first: int) -> str:
    with log.open("rb") as file:
        file.seek(first)
        return CONTROL.sub("", file.read().decode(errors="replace")).replace("\r", "\n")


def _failure(what: str, code: int, said: str, log: Path) -> WinnowError:
    tail = said.strip()[-TAIL_CHARACTERS:] or "nothing"
    if code == 2:
        mistakes = [line.removeprefix(WANTED) for line in said.splitlines() if line.startswith(WANTED)]
        return RefusedInput(f"{what}: {mistakes[-1] if mistakes else tail}")
    if code < 0:
        return ProcessEnded(
            f"{what}: its process was killed by {signal.Signals(-code).name}. Was there enough memory? Run again: it "
            f"goes on from its last checkpoint. It said last, in {log}:\n{tail}"
        )
    if "No module named 'lightning'" in tail:
        return WinnowError(f"{what} needs Lightning, which is not installed: pip install 'winnow[training]'.")
    return WinnowError(f"{what} failed with exit code {code}. The end of {log}:\n{tail}")
