"""What stages leave in their entries, and how it is read back."""

from pathlib import Path
from typing import TypeVar

from core import codec
from core.audio import ENVELOPE_NAME, PCM_NAME, Envelope
from core.home import store
from core.records import StageRef

VALUE_NAME = "value.json"
TIMELINE_NAME = "timeline.parquet"
SCORES_NAME = "scores.parquet"
T = TypeVar("T")


def write_value(folder: Path, value: T, kind: type[T]) -> None:
    """Leave a stage's result as typed JSON."""
    (folder / VALUE_NAME).write_bytes(codec.dump(value, kind))


def read_value(ref: StageRef, kind: type[T]) -> T:
    """The result that a stage left with `write_value`."""
    return codec.load(store().read_bytes(ref, VALUE_NAME), kind)


def pcm_path(audio: StageRef) -> Path:
    return store().path(audio, PCM_NAME)


def envelope(audio: StageRef) -> Envelope:
    return Envelope.load(store().path(audio, ENVELOPE_NAME))
