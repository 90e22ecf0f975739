"""Processes for training: what they say, how they fail, and that none is left behind."""

import time

import psutil
import pytest

from core.errors import RefusedInput, WinnowError
from tasks.processes import ProcessEnded, run_training


def run(tmp_path, *arguments, **more):
    return run_training(arguments, tmp_path / "logs/log.txt", what="Trying", **more)


def test_what_a_process_says_is_returned_and_kept(tmp_path):
    assert "hello" in run(tmp_path, "timeit", "-n1", "-r1", "print('hello')")
    assert "again" in run(tmp_path, "timeit", "-n1", "-r1", "print('again')")
    kept = (tmp_path / "logs/log.txt").read_text()
    assert kept.index("hello") < kept.index("again")


def test_who_waits_is_told_what_is_said_so_far(tmp_path):
    heard = []
    script = "import time; print('half\\rall'); time.sleep(1.2)"
    run(tmp_path, "timeit", "-n1", "-r1", script, while_running=heard.append)
    assert "half\nall" in heard[1]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        pytest.param(
            ("timeit", "-n1", "raise OSError('no room')"), WinnowError, "exit code 1.*no room", id="it failed"
        ),
        pytest.param(("json.tool", "--wrong"), RefusedInput, "Trying: usage.*--wrong", id="its arguments were wrong"),
        pytest.param(
            ("timeit", "-n1", "import os; print('training: there is no folder'); os._exit(2)"),
            RefusedInput, "^Trying: there is no folder$", id="it refused its input",
        ),
        pytest.param(
            ("timeit", "-n1", "import os; os.kill(os.getpid(), 9)"), ProcessEnded, "killed by SIGKILL", id="killed"
        ),
    ],
)  # fmt: skip
def test_how_it_ended_is_told_apart(tmp_path, arguments, error, says):
    with pytest.raises(error, match=f"(?s){says}") as found:
        run(tmp_path, *arguments)
    assert type(found.value) is error


def test_a_wait_that_is_broken_off_ends_the_process_and_what_it_started(tmp_path):
    others, started = set(psutil.Process().children(recursive=True)), []
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    deadline = time.monotonic() + 60

    def stop(said):
        started[:] = set(psutil.Process().children(recursive=True)) - others
        if len(started) > 1 or time.monotonic() > deadline:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "timeit", "-n1", "-r1", script, while_running=stop)
    assert len(started) == 2
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
