"""Structured logs: one JSON line an event, with the ids of the run and the recording that it belongs to.

Every module logs through the standard library (`logging.getLogger(__name__)`, data in `extra=`). What `bound` says of
the present run goes with every event inside it; `carried` takes it along into threads of a pool.
"""

import json
import logging
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, TextIO, TypeVar

from pydantic import SecretStr

from core.masking import Mask

LogFormat = Literal["json", "text"]
HANDLER = "winnow"
OWN = ("core", "models", "tasks", "flows", "training", "winnow")
"""Loggers that follow our level. All others keep theirs, as a rule that of the root, WARNING."""
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
MAX_FRAMES, MAX_CAUSES = 50, 10
P = ParamSpec("P")
R = TypeVar("R")
_bound: ContextVar[Mapping[str, str]] = ContextVar("winnow_log_context", default=MappingProxyType({}))


@contextmanager
def bound(
    *, run_id: str | None = None, sha256: str | None = None, recording: str | None = None, stage: str | None = None
) -> Iterator[None]:
    """Let every event of the block carry these ids, beside those bound around it. None leaves one as it is."""
    named = {"run_id": run_id, "sha256": sha256, "recording": recording, "stage": stage}
    token = _bound.set({**_bound.get(), **{name: value for name, value in named.items() if value is not None}})
    try:
        yield
    finally:
        _bound.reset(token)


def context() -> dict[str, str]:
    """The ids bound at present."""
    return dict(_bound.get())


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """The function with the present ids bound whenever it runs: for `Thread(target=…)` and thread pools.

    Threads begin with an empty context before Python 3.14. Several may run the result at once.
    """
    here = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return here.copy().run(function, *args, **kwargs)

    return run


def configure(
    format: LogFormat = "json",
    level: int | str = "INFO",
    *,
    stream: TextIO | None = None,
    secrets: Iterable[SecretStr] = (),
) -> logging.Handler:
    """Write events of `level` and above to `stream`, by default what `sys.stderr` is at the time. Safe to repeat.

    Prefect's handlers that send logs to its server stay. Its handler for the console goes from the root logger,
    where it would show every line a second time; Prefect itself leaves it out where it finds a handler already.
    Where Prefect is imported afterwards, this handler stays in place.

    Args:
        secrets: Values to mask, beside those of the environment (see core.masking).
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if handler.get_name() == HANDLER or type(handler).__name__ == "PrefectConsoleHandler":
            root.removeHandler(handler)
    handler = EventStream(stream)
    handler.set_name(HANDLER)
    handler.setFormatter(JsonLines(Mask(secrets)) if format == "json" else TextLines(Mask(secrets)))
    handler.setLevel(level)
    root.addHandler(handler)
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    return handler


class EventStream(logging.StreamHandler[TextIO]):
    """Writes to the stream it was given, else to whatever `sys.stderr` is when an event comes."""

    def __init__(self, stream: TextIO | None) -> None:
        self._given = stream
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._given or sys.stderr


class JsonLines(logging.Formatter):
    """An event as one line of ASCII JSON, secrets masked."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.mask.value(_plain(fields(record))), allow_nan=False)


class TextLines(logging.Formatter):
    """An event as people read it: time, level, logger, words, ids; secrets masked."""

    converter = time.gmtime

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.mask = mask

    def format(self, record: logging.LogRecord) -> str:
        event = fields(record)
        ids = " ".join(f"{name}={_bound.get()[name]}" for name in _bound.get())
        words = [
            f"{event['time']} {event['level']:<8}{event['logger']}: {_shown(event['event'])}",
            *([f"[{ids}]"] if ids else []),
        ]
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info and record.exc_info[0] else ""
        return self.mask.text(" ".join(words) + trace)


def _shown(text: str) -> str:
    """Further lines are indented and control characters spelled out, so that no event can pass for another."""
    marked = (c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return "".join(marked).replace("\n", "\n    ")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """An event as data. What stands in `extra=` keeps its name unless a field of ours has it."""
    try:
        event = record.getMessage()
    except (TypeError, ValueError):  # the words do not fit their arguments: the event is worth more than its form
        event = f"{record.msg} {record.args!r}"
    found = {
        **{name: value for name, value in vars(record).items() if name not in STANDARD},
        **_bound.get(),
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": event,
        "process": record.process,
        "thread": record.threadName,
    }
    if record.exc_info and record.exc_info[1]:
        found["exception"] = described(record.exc_info[1])
    if record.stack_info:
        found["stack"] = record.stack_info
    first = ("time", "level", "logger", "event", "run_id", "sha256", "recording", "stage")
    return {name: found[name] for name in (*first, *found) if name in found}


def described(error: BaseException) -> dict[str, Any]:
    """An exception as data: its type, words and frames (innermost last), and the same of what caused it."""
    chain: list[BaseException] = [error]
    while len(chain) < MAX_CAUSES:
        cause = chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__)
        if cause is None or cause in chain:
            break
        chain.append(cause)
    parts: list[dict[str, Any]] = [
        {
            "type": type(part).__name__,
            "message": str(part),
            "frames": [
                {"file": frame.filename, "line": frame.lineno, "function": frame.name}
                for frame in traceback.extract_tb(part.__traceback__)[-MAX_FRAMES:]
            ],
        }
        for part in chain
    ]
    return {**parts[0], "caused_by": parts[1:]}


def _plain(value: Any) -> Any:
    """What JSON can hold: other values as their text, numbers that are none as words."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inside) for inside in value]
    return str(value)
