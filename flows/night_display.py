"""The terminal's view of a nightly with several recordings at work: how many have ended, and what the others are at."""

import threading
import time

from rich.table import Table
from rich.text import Text

from core.progress import Event, NightEvent, StageEvent
from flows.display import clock


class NightView:
    """What is known of a nightly; safe to tell from any thread.

    Recordings at work are known only where they are worked on in this process; ends come from wherever they are.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._began_s = time.monotonic()
        self._stages: dict[str, tuple[str, float]] = {}
        self._counts: dict[str, int] = {}
        self._last: NightEvent | None = None

    def hear(self, event: Event) -> None:
        with self._guard:
            if isinstance(event, NightEvent):
                self._last = event
                self._stages.pop(event.recording, None)
                self._counts[event.status] = self._counts.get(event.status, 0) + 1
            elif isinstance(event, StageEvent):
                self._stages[event.recording] = (event.stage, event.fraction)

    def _headline(self) -> str:
        if self._last is None:
            return f"none has ended yet, after {clock(time.monotonic() - self._began_s)}"
        counts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        left = f", about {clock(self._last.left_s)} left" if self._last.left_s is not None else ""
        return f"{self._last.ended} of {self._last.all} have ended ({counts}){left}"

    def __rich__(self) -> Table:
        with self._guard:
            table = Table(box=None, show_header=False, title=Text(self._headline(), style="bold"), title_justify="left")
            for recording, (stage, fraction) in self._stages.items():
                table.add_row(f"  {recording}", Text(f"{stage} {fraction:.0%}", style="dim"))
            return table

    def line(self) -> str:
        """The same in one line."""
        with self._guard:
            at_work = ", ".join(f"{recording}: {stage}" for recording, (stage, _) in self._stages.items())
            return f"{self._headline()}{'; ' if at_work else ''}{at_work}"
