"""How far a run is, told by the stages and heard by whoever shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

State = Literal["running", "done", "cached", "failed"]


@dataclass(frozen=True, slots=True)
class StageEvent:
    """One stage of one recording moved on. `item` tells parts of a stage apart, such as clips being rendered."""

    recording: str
    stage: str
    item: str
    state: State
    fraction: float


@dataclass(frozen=True, slots=True)
class RecordingEvent:
    """More is known of the recording being worked on: its length, and how many parts a stage has."""

    recording: str
    duration_s: float | None = None
    stage: str | None = None
    parts: int = 1


@dataclass(frozen=True, slots=True)
class NightEvent:
    """A recording of a nightly ended: `ended` of `all` have."""

    recording: str
    status: str
    ended: int
    all: int
    left_s: float | None
    """By the bytes that are done; None where it cannot be told."""


Event = StageEvent | RecordingEvent | NightEvent
Listener = Callable[[Event], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` hear every event of this process while the block runs. It is called from the stages' threads."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(event: Event) -> None:
    for listener in list(_listeners):
        listener(event)
