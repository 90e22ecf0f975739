"""Metrics derived from how recordings ended, and added up over processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import StoreError
from core.metrics import (
    METRICS_NAME,
    Gauge,
    Readings,
    add,
    gauge,
    load,
    merged,
    nightly_gauges,
    observe,
    observed,
)
from core.metrics import series as named
from core.records import StageTiming
from tests.core.nightly_samples import done, failed, night, whole_night


def test_a_finished_recording_counts_with_its_stages_bytes_and_speed():
    seen = observed(done(stages=(StageTiming("render", 15.0, False), StageTiming("probe", 2.0, True))))
    assert seen.counters[named("winnow_recordings", {"outcome": "done"})] == 1
    assert seen.counters[named("winnow_recording_bytes", {"outcome": "done"})] == 1_000
    assert seen.counters[named("winnow_clips")] == 4
    assert seen.counters[named("winnow_stage_kept", {"stage": "probe"})] == 1
    assert seen.histograms[named("winnow_stage_seconds", {"stage": "render"})].sum == 15.0
    assert named("winnow_stage_seconds", {"stage": "probe"}) not in seen.histograms
    assert seen.histograms[named("winnow_real_time_factor")].sum == pytest.approx(0.1)


def test_a_recording_whose_stages_were_all_kept_says_nothing_about_speed():
    assert not observed(done(stages=(StageTiming("render", 15.0, True),))).histograms


def test_a_failure_counts_by_error_and_stage():
    assert observed(failed()).counters[named("winnow_failures", {"error": "MediaError", "stage": "audio"})] == 1


def test_observing_leaves_what_was_there_as_it_was():
    before = observed(done())
    after = observe(before, done())
    assert before.counters[named("winnow_clips")] == 4
    assert after.counters[named("winnow_clips")] == 8
    assert sum(after.histograms[named("winnow_real_time_factor")].counts) == 2


ends = st.lists(st.sampled_from([*whole_night().recordings]), max_size=6)


@settings(max_examples=40)
@given(ends, ends, st.integers(0, 9), st.integers(0, 9))
def test_the_order_of_merging_does_not_matter(left, right, early, late):
    a = merged(*map(observed, left), gauge("winnow_recordings_waiting", 3, at=early))
    b = merged(*map(observed, right), gauge("winnow_recordings_waiting", 5, at=late))
    assert merged(a, b) == merged(b, a)
    assert merged(a, Readings()) == a


def test_of_a_gauge_the_later_value_holds():
    queue = {"pool": "winnow-cpu", "queue": "urgent", "state": "late"}
    early, late = gauge("winnow_queue_depth", 7, queue, at=10), gauge("winnow_queue_depth", 0, queue, at=20)
    assert merged(late, early).gauges == {named("winnow_queue_depth", queue): Gauge(0, 20)}


def test_a_nightly_tells_when_it_ended_and_how():
    gauges = nightly_gauges(whole_night(), at=99.0).gauges
    assert {key[0]: gauge.value for key, gauge in gauges.items()} == {
        "winnow_nightly_ended_timestamp_seconds": 99.0,
        "winnow_nightly_failed_ratio": 0.5,
        "winnow_nightly_duration_seconds": 70.0,
    }


def test_a_metric_that_is_not_declared_is_refused():
    with pytest.raises(KeyError, match="winnow_other"):
        named("winnow_other")


def test_what_was_counted_comes_back(tmp_path):
    total = add(tmp_path, merged(*map(observed, whole_night().recordings), nightly_gauges(night(), at=5.0)))
    assert load(tmp_path) == total
    assert add(tmp_path, observed(done())).counters[named("winnow_clips")] == 8


@pytest.mark.parametrize("text", ["", "{", "[]", '{"form": 9}', '{"form": 1, "counters": [["winnow_clips", {}, "x"]]}'])
def test_a_file_that_cannot_be_read_lets_counting_begin_anew(tmp_path, text):
    (tmp_path / METRICS_NAME).write_text(text)
    assert load(tmp_path) == Readings()
    assert add(tmp_path, observed(done())).counters[named("winnow_clips")] == 4


def test_metrics_of_another_version_are_passed_over(tmp_path):
    data = {"form": 1, "counters": [["winnow_gone", {}, 1], ["winnow_clips", {}, 2]], "gauges": [],
            "histograms": [["winnow_real_time_factor", {}, [1, 2], 3.0]]}  # fmt: skip
    (tmp_path / METRICS_NAME).write_text(json.dumps(data))
    assert load(tmp_path) == Readings({named("winnow_clips"): 2.0})


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Counting in"):
        add(tmp_path / "file", observed(done()))


COUNTING = """
import sys
from pathlib import Path
from core.metrics import add, observed
from tests.core.nightly_samples import done
for _ in range(25):
    add(Path(sys.argv[1]), observed(done()))
"""


def test_processes_that_count_at_once_lose_nothing(tmp_path):
    command = [sys.executable, "-c", COUNTING, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert load(tmp_path).counters[named("winnow_clips")] == 3 * 25 * 4
