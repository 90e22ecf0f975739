import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core import media, tools
from core.errors import MachineTrouble, MediaError, MediaTimeout

ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc", "-f", "null", "-"]


def test_an_error_says_what_was_done_and_what_ffmpeg_said(tmp_path):
    with pytest.raises(MediaError, match=r"Cutting a\.mp4: ffmpeg exited .*No such file"):
        media.run_ffmpeg(
            ["-i", media.file_url(tmp_path / "no.mp4"), "-f", "null", "-"], what="Cutting a.mp4", timeout_s=30
        )


def test_a_process_past_its_time_is_ended():
    with pytest.raises(MediaTimeout, match="was ended after 1 s"):
        media.run_ffmpeg(ENDLESS, what="Waiting", timeout_s=1)
    assert not [p for p in psutil.Process().children(recursive=True) if "testsrc" in " ".join(p.cmdline())]


def test_progress_is_told_in_seconds_of_output():
    told: list[float] = []
    media.run_ffmpeg(["-f", "lavfi", "-i", "testsrc=duration=3:size=64x64", "-f", "null", "-"],
                     what="Counting", timeout_s=30, on_progress=told.append)  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("name", ["-y.wav", "a:b.wav", "http:x.wav", "%03d.wav", "a'b\".wav", "pipe:0.wav"])
def test_a_file_name_is_only_a_file_name(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    media.run_ffmpeg(["-f", "lavfi", "-i", "sine=duration=0.1", media.file_url(name)], what="Writing", timeout_s=30)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_full_disk_is_not_the_fault_of_the_media():
    with pytest.raises(MachineTrouble, match="No space left on device"):
        media.run_ffmpeg(
            ["-f", "lavfi", "-i", "sine", "-t", "9", "-f", "s16le", "file:/dev/full"], what="x", timeout_s=30
        )


def test_memory_is_limited():
    program = [sys.executable, "-c", "x = bytearray(64 * 1024**3)"]
    with pytest.raises(MediaError, match="MemoryError"):
        media.run(program, what="Taking all memory", timeout_s=30)


@pytest.mark.skipif(sys.platform != "linux", reason="only the Linux kernel ends a child whose parent was killed")
def test_a_killed_program_leaves_no_process_behind():
    script = f"from core import media; media.run_ffmpeg({ENDLESS!r}, what='x', timeout_s=60)"
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(media.__file__).parents[1])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = [
            c for c in psutil.Process(parent.pid).children(recursive=True) if c.name() == Path(tools.ffmpeg()).name
        ]
        if children:
            break
        time.sleep(0.05)
    assert children
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
