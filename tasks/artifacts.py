"""A long task's progress artifact: the share that is done, with what it is at and how long it will take in words."""

import time
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

EVERY_S = 2.0


class Shown:
    """A progress artifact in the Prefect UI, renewed every two seconds at most.

    Args:
        key: Of the artifact: lower case letters, digits and dashes.
        what: What is being done, with which every description begins.
    """

    def __init__(self, key: str, what: str) -> None:
        self._what = what
        self._artifact = cast(UUID, create_progress_artifact(progress=0.0, key=key, description=f"{what}: beginning"))
        self._last = ""
        self._shown_s = float("-inf")

    def show(self, share: float, doing: str, left_s: float | None = None) -> None:
        """Show the share that is done, in [0, 1], and the seconds that are left where they can be told."""
        left = f", about {duration(left_s)} left" if left_s is not None else ""
        told = f"{self._what}: {doing}{left}"
        if told != self._last and time.monotonic() - self._shown_s >= EVERY_S:
            self._last, self._shown_s = told, time.monotonic()
            update_progress_artifact(self._artifact, round(100 * min(1.0, max(0.0, share)), 1), told)

    def end(self, how: str) -> None:
        """Show that all is done, and how it went."""
        update_progress_artifact(self._artifact, 100.0, f"{self._what}: {how}")


def duration(seconds: float) -> str:
    """A duration for people: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
