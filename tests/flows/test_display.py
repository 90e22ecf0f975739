import io

import pytest
from rich.console import Console

from core.progress import RecordingEvent, StageEvent, tell
from flows.display import RunView, clock, shown


@pytest.fixture
def view(winnow_home):
    return RunView()


def text(view):
    console = Console(file=io.StringIO(), width=100)
    console.print(view)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_run_is_shown_stage_by_stage_with_an_estimate(view):
    view.hear(RecordingEvent("a.mp4", duration_s=600))
    view.hear(StageEvent("a.mp4", "audio", "k", "done", 1.0))
    view.hear(StageEvent("a.mp4", "transcript", "k", "running", 0.25))
    assert "a.mp4  about " in text(view)
    assert "25%" in text(view)
    assert "transcript 25%" in view.line()


def test_parts_of_a_stage_add_up(view):
    view.hear(RecordingEvent("a.mp4", duration_s=600, stage="render", parts=4))
    view.hear(StageEvent("a.mp4", "render", "one", "done", 1.0))
    assert view.share("render") == 0.25
    assert view.state["render"] == "running"
    for item in ("two", "three", "four"):
        view.hear(StageEvent("a.mp4", "render", item, "cached", 1.0))
    assert view.state["render"] == "cached"


def test_the_next_recording_starts_from_nothing(view):
    view.hear(StageEvent("a.mp4", "audio", "k", "done", 1.0))
    view.hear(StageEvent("b.mp4", "probe", "k", "running", 0.0))
    assert view.recording == "b.mp4"
    assert "audio" not in view.state


def test_events_are_heard_only_while_the_view_is_shown(view):
    with shown(view, Console(file=io.StringIO()), quiet=True):
        tell(StageEvent("a.mp4", "audio", "k", "running", 0.5))
    tell(StageEvent("a.mp4", "audio", "k", "running", 0.9))
    assert view.share("audio") == 0.5


@pytest.mark.parametrize(("seconds", "shown_as"), [(5, "0:05"), (65.4, "1:05"), (3_725, "1:02:05")])
def test_clock(seconds, shown_as):
    assert clock(seconds) == shown_as
