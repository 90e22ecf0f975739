"""The bytes that a media process writes, as they come: bounded memory, however much it says."""

import os
import selectors
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from core import media
from core.errors import MediaTimeout

CHUNK_BYTES = 1 << 20
POLL_S = 0.5
ENDING_S = 30.0
"""How long a process may take to exit once it has closed its output."""


def read(program: list[str], *, what: str, patience_s: float, limit_s: float) -> Iterator[tuple[bytes, bytes]]:
    """Run `program` and yield pieces of (stdout, stderr), one of them empty, until both are closed.

    The process waits while nothing is asked for, and is killed if the iterator is closed early.

    Args:
        what: What is being done to what, for the error message.
        patience_s: It is killed after saying nothing for this long.
        limit_s: It is killed after making us wait for this long in all.

    Raises MediaError if it fails, MediaTimeout if it takes too long, Cancelled if the run was told to stop.
    """
    name = Path(program[0]).name
    waited_s = silent_s = 0.0
    said = b""
    with media.started(program) as process, selectors.DefaultSelector() as selector:
        assert process.stdout is not None and process.stderr is not None
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            began_s = time.monotonic()
            ready = selector.select(POLL_S)
            pause_s = time.monotonic() - began_s
            waited_s += pause_s
            silent_s = 0.0 if ready else silent_s + pause_s
            media.check_cancelled()
            if silent_s > patience_s or waited_s > limit_s:
                raise MediaTimeout(f"{what}: {name} was ended after {waited_s:.0f} s.")
            for key, _ in ready:
                piece = os.read(key.fd, CHUNK_BYTES)
                if not piece:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    yield piece, b""
                else:
                    said = (said + piece)[-media.STDERR_KEPT :]
                    yield b"", piece
        _end(process, what, name, said)


def _end(process: subprocess.Popen[bytes], what: str, name: str, said: bytes) -> None:
    try:
        code = process.wait(timeout=ENDING_S)
    except subprocess.TimeoutExpired as error:
        raise MediaTimeout(f"{what}: it did not end after its last output.") from error
    media.check_cancelled()
    if code != 0:
        message = said.decode(errors="replace").strip() or "no message"
        raise media.failure(code, what, name, f"it exited {code}: {message}")
