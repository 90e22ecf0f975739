"""The terminal's view of a run: a line a stage with its progress, and an estimate of what is left."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from core.estimates import STAGES, WHERE_ASKED, load_rates, remaining_s
from core.home import home
from core.logs import switch_on
from core.progress import Event, NightEvent, StageEvent, listening

BAR = 24
PLAIN_EVERY_S = 10.0


class RunView:
    """What is known of the recording being worked on; safe to tell from any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._rates = load_rates(home())
        self._begin("")

    def _begin(self, recording: str) -> None:
        self.recording = recording
        self.duration_s = 0.0
        self.items: dict[str, dict[str, float]] = {}
        self.expected: dict[str, int] = {}
        self.state: dict[str, str] = {}
        self.began_s: dict[str, float] = {}
        self.took_s: dict[str, float] = {}

    def hear(self, event: Event) -> None:
        if isinstance(event, NightEvent):
            return
        with self._guard:
            if event.recording != self.recording:
                self._begin(event.recording)
            if isinstance(event, StageEvent):
                self._hear_stage(event)
                return
            self.duration_s = event.duration_s or self.duration_s
            if event.stage:
                self.expected[event.stage] = event.parts

    def _hear_stage(self, event: StageEvent) -> None:
        now = time.monotonic()
        self.began_s.setdefault(event.stage, now)
        items = self.items.setdefault(event.stage, {})
        items[event.item] = event.fraction if event.state == "running" else 1.0
        complete = len(items) >= self.expected.get(event.stage, 1) and all(f >= 1 for f in items.values())
        if event.state == "failed":
            self.state[event.stage] = "failed"
        elif event.state == "running" or not complete:
            self.state[event.stage] = "running"
        elif self.state.get(event.stage) != "failed":
            self.state[event.stage] = "cached" if event.state == "cached" else "done"
            self.took_s[event.stage] = now - self.began_s[event.stage]

    def share(self, stage: str) -> float:
        items = self.items.get(stage, {})
        return sum(items.values()) / max(1, len(items), self.expected.get(stage, 1))

    def remaining_s(self) -> float | None:
        if not self.duration_s:
            return None
        now = time.monotonic()
        done = {stage: self.share(stage) for stage in self.items}
        running = {stage: now - self.began_s[stage] for stage, state in self.state.items() if state == "running"}
        return remaining_s(self._rates, self.duration_s, done, running)

    def __rich__(self) -> Table:
        with self._guard:
            return self._table()

    def _table(self) -> Table:
        left = self.remaining_s()
        title = Text(self.recording, style="bold")
        if left is not None:
            title.append(f"  about {clock(left)} left", style="dim")
        table = Table(box=None, show_header=False, title=title, title_justify="left", pad_edge=False)
        for stage in STAGES:
            if stage in WHERE_ASKED and stage not in self.state:
                continue
            state, share = self.state.get(stage, ""), self.share(stage)
            filled = round(BAR * share)
            bar = Text("━" * filled, style="green" if state in ("done", "cached") else "cyan")
            bar.append("━" * (BAR - filled), style="bright_black")
            if state == "running":
                note = f"{share:4.0%}  {clock(time.monotonic() - self.began_s[stage])}"
            else:
                note = f"{state}  {clock(self.took_s[stage])}" if state == "done" else state
            table.add_row(f"  {stage}", bar, Text(note, style="red" if state == "failed" else "dim"))
        return table

    def line(self) -> str:
        """The same in one line, for a terminal that cannot redraw and for log files."""
        with self._guard:
            running = [f"{s} {self.share(s):.0%}" for s, state in self.state.items() if state == "running"]
            left = self.remaining_s()
            estimate = f", about {clock(left)} left" if left is not None else ""
            return f"{self.recording}: {', '.join(running) or 'starting'}{estimate}"


def clock(seconds: float) -> str:
    """5 -> "0:05", 3725 -> "1:02:05"."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3_600, whole % 3_600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class View(Protocol):
    """What can be shown of a run that goes on."""

    def hear(self, event: Event) -> None: ...

    def line(self) -> str: ...

    def __rich__(self) -> RenderableType: ...


@contextmanager
def shown(view: View, console: Console, *, quiet: bool) -> Iterator[None]:
    """Show `view` while the block runs: redrawn in place on a terminal, a line every 10 s elsewhere, or not at all.

    Where logs are written (WINNOW_LOG) they take its place: both go to the same stream.
    """
    with listening(view.hear):
        if quiet or switch_on():
            yield
        elif console.is_terminal:
            with Live(view, console=console, refresh_per_second=4, transient=True):
                yield
        else:
            over = threading.Event()

            def lines() -> None:
                while not over.wait(PLAIN_EVERY_S):
                    console.print(view.line(), markup=False, highlight=False, soft_wrap=True)

            thread = threading.Thread(target=lines, daemon=True)
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()
