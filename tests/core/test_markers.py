"""Marks of running work."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import progress
from core.markers import FRESH_S, RUNNING, marked, marks, sweep

ROOT = Path(__file__).parents[2]


def test_a_mark_tells_what_runs_and_goes_with_its_block(tmp_path):
    with (
        marked(tmp_path, "recording", run_id="r/1", name="talk.mp4", sha256="ab" * 32) as marker,
        progress.listening(marker.hear),
    ):
        progress.tell(progress.RecordingEvent("talk.mp4", duration_s=90.0))
        progress.tell(progress.StageEvent("talk.mp4", "render", "k", "running", 0.25))
        progress.tell(progress.StageEvent("other.mp4", "probe", "k", "running", 0.5))
        (mark,) = marks(tmp_path)
        assert (mark.name, mark.stage, mark.fraction, mark.duration_s) == ("talk.mp4", "render", 0.25, 90.0)
        assert (mark.pid, mark.host) == (os.getpid(), socket.gethostname())
    assert marks(tmp_path) == []
    assert list((tmp_path / RUNNING).iterdir()) == []


def test_a_nightly_tells_how_many_wait_and_two_at_once_are_two(tmp_path):
    with (
        marked(tmp_path, "nightly", run_id="a", name="nightly") as first,
        marked(tmp_path, "nightly", run_id="b", name="nightly"),
    ):
        first.waiting(12)
        assert [(mark.run_id, mark.waiting) for mark in marks(tmp_path)] == [("a", 12), ("b", 0)]


def test_the_mark_of_a_killed_process_counts_no_more_and_is_swept(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom core.markers import marked\n"
        "with marked(Path(sys.argv[1]), 'recording', run_id='r', name='x'):\n"
        "    print('on', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "on\n"
        assert [mark.pid for mark in marks(tmp_path)] == [process.pid]
        process.kill()
    assert marks(tmp_path) == []
    assert len(list((tmp_path / RUNNING).iterdir())) == 1
    sweep(tmp_path)
    assert list((tmp_path / RUNNING).iterdir()) == []


def rewritten(home: Path, **changes: object) -> None:
    (path,) = (home / RUNNING).iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="the system does not say when a process began")
def test_a_later_process_of_the_same_number_is_not_taken_for_it(tmp_path):
    with marked(tmp_path, "recording", run_id="r", name="x"):
        rewritten(tmp_path, process_began="another boot/1")
        assert marks(tmp_path) == []


@pytest.mark.parametrize(("age_s", "seen"), [(0.0, 1), (FRESH_S + 60, 0)], ids=["fresh", "left behind"])
def test_marks_of_another_machine_count_while_they_are_fresh(tmp_path, age_s, seen):
    with marked(tmp_path, "recording", run_id="r", name="x"):
        rewritten(tmp_path, host="elsewhere", updated=time.time() - age_s)
        assert len(marks(tmp_path)) == seen


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "recording"}'])
def test_files_that_are_no_marks_are_left_alone(tmp_path, text):
    (tmp_path / RUNNING).mkdir()
    (tmp_path / RUNNING / "odd.json").write_text(text)
    assert marks(tmp_path) == []
    sweep(tmp_path)
    assert (tmp_path / RUNNING / "odd.json").is_file()
