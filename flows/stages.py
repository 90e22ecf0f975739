"""The stages of one recording as they end: told to whoever watches, and kept for the manifest."""

import logging
from typing import Any, cast

from prefect.futures import PrefectFuture

from core import progress
from core.logs import bound, switch_on
from core.records import StageRef, StageTiming

log = logging.getLogger(__name__)


class Stages:
    """What has been done for one recording so far."""

    def __init__(self, recording: str) -> None:
        switch_on()  # the flow may be run by a worker, in a process of its own
        self.recording = recording
        self.timings: dict[str, StageTiming] = {}

    def note(self, stage: str, seconds: float, *, cached: bool, item: str | None = None) -> None:
        """Add a finished stage, or a part of one: seconds add up, and it was cached if all its parts were."""
        before = self.timings.get(stage, StageTiming(stage, 0.0, True))
        self.timings[stage] = StageTiming(stage, round(before.seconds + seconds, 3), before.cached and cached)
        if cached or item is None:  # a task tells the end of what it does itself
            with bound(recording=self.recording, stage=stage):
                about = {"key": item} if item else {}
                log.info("stage ended", extra={**about, "seconds": round(seconds, 3), "cached": cached})
        state: progress.State = "cached" if cached else "done"
        progress.tell(progress.StageEvent(self.recording, stage, item or stage, state, 1.0))

    def finish(self, future: PrefectFuture[Any]) -> StageRef:
        """Wait for a stage's task and note how it went. Raises what the task raised."""
        ref = cast(StageRef, future.result())
        self.note(ref.stage, ref.seconds, cached=future.state.name == "Cached", item=ref.key)
        return ref
