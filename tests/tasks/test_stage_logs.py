"""What stages tell the log: each event with the ids of its run and recording, also from Prefect's threads."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect import flow, task
from prefect.logging import get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from core.errors import StoreError
from core.logs import OWN, bound, configure
from core.records import MediaRef, StageRef
from flows.stages import Stages
from tasks.stage import STAGE, Entry, kept

SAID = logging.getLogger("core.somewhere")
TALKS = [MediaRef(letter * 64, 1, f"file:///{letter}.mp4", f"{letter}.mp4") for letter in "ab"]
failing: list[str] = []


@task(name="audio", task_run_name="audio", cache_policy=STAGE, result_serializer="json", retries=1)
def a_stage(recording: MediaRef) -> StageRef:
    entry = Entry()
    with entry.writing() as at:
        get_run_logger().info("Prefect's own")
        SAID.info("inside")
        if recording.name in failing:
            failing.remove(recording.name)
            raise StoreError("The disk is full.")
        (at.folder / "x").write_text(recording.name)
    return entry.ref


@flow(task_runner=ThreadPoolTaskRunner(max_workers=2), persist_result=False)  # pyright: ignore
def two_recordings() -> None:
    running = []
    for talk in TALKS:
        with bound(sha256=talk.sha256, recording=talk.name):
            running.append((talk, kept(a_stage).submit(talk)))
    for talk, future in running:
        with bound(sha256=talk.sha256, recording=talk.name):
            Stages(talk.name).finish(future)


@pytest.fixture
def events(winnow_home: Any, prefect_here: None) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root = logging.getLogger()
    before, levels = list(root.handlers), {name: logging.getLogger(name).level for name in OWN}
    stream = io.StringIO()
    configure("json", "INFO", stream=stream)

    def new() -> list[dict[str, Any]]:
        lines = stream.getvalue().splitlines()
        stream.truncate(stream.seek(0))
        return [json.loads(line) for line in lines]

    yield new
    root.handlers[:] = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_every_event_of_a_stage_has_the_ids_of_its_run_and_recording(events):
    failing.append("b.mp4")
    with bound(run_id="night-1"):
        two_recordings()
        first = events()
        two_recordings()
        again = events()
    inside = [event for event in first if event["event"] in ("Prefect's own", "inside", "stage begun")]
    assert len(inside) == 9, "two recordings, of which one is tried twice"
    assert all(event["sha256"] == 64 * event["recording"][0] for event in inside)
    assert {(event["run_id"], event["stage"]) for event in inside} == {("night-1", "audio")}
    engine = [event for event in first if event["logger"] == "prefect.task_runs"]
    assert engine and all(event["recording"] in ("a.mp4", "b.mp4") for event in engine)
    assert {event["run_id"] for event in first} == {"night-1"}
    assert _told(first, "stage failed", "error") == [("b.mp4", "StoreError")]
    assert _told(first, "stage begun", "attempt") == [("a.mp4", 1), ("b.mp4", 1), ("b.mp4", 2)]
    assert _told(first, "stage ended", "cached") == [("a.mp4", False), ("b.mp4", False)]
    assert _told(again, "stage ended", "cached") == [("a.mp4", True), ("b.mp4", True)]


def _told(found: list[dict[str, Any]], event: str, field: str) -> list[tuple[str, Any]]:
    return sorted((one["recording"], one[field]) for one in found if one["event"] == event)
