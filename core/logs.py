"""Structured logs: an event a line, as JSON or as text, with the ids of the run and the recording that it belongs to.

Every module logs through the standard library (`logging.getLogger(__name__)`, data in `extra=`); structlog makes lines
of it. What `bound` says of the present run goes with every event inside it; `carried` takes it along into threads of
a pool. Nothing is written until `switch_on` finds WINNOW_LOG set, or `configure` is called.
"""

import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import copy_context
from threading import Lock
from typing import Any, Literal, ParamSpec, TextIO, TypeVar, get_args

from pydantic import SecretStr
from structlog.contextvars import bound_contextvars, get_contextvars, merge_contextvars
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import (
    CallsiteParameter,
    CallsiteParameterAdder,
    ExceptionRenderer,
    JSONRenderer,
    TimeStamper,
    format_exc_info,
)
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.tracebacks import ExceptionDictTransformer

from core.errors import BadSetting
from core.masking import Mask

LogFormat = Literal["json", "text"]
FORMAT, LEVEL = "WINNOW_LOG", "WINNOW_LOG_LEVEL"
HANDLER = "winnow"
OWN = ("core", "models", "tasks", "flows", "training", "winnow")
"""Loggers that follow our level. All others keep theirs, as a rule that of the root, WARNING."""
FIRST = ("time", "level", "logger", "event", "run_id", "sha256", "recording", "stage")
Event = MutableMapping[str, Any]
P = ParamSpec("P")
R = TypeVar("R")
_switching = Lock()


@contextmanager
def bound(
    *,
    run_id: str | None = None,
    sha256: str | None = None,
    recording: str | None = None,
    stage: str | None = None,
    flow_run_id: str | None = None,
) -> Iterator[None]:
    """Let every event of the block carry these ids, beside those bound around it. None leaves one as it is."""
    named = {"run_id": run_id, "sha256": sha256, "recording": recording, "stage": stage, "flow_run_id": flow_run_id}
    with bound_contextvars(**{name: value for name, value in named.items() if value is not None}):
        yield


def context() -> dict[str, str]:
    """The ids bound at present."""
    return get_contextvars()


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """The function with the present ids bound whenever it runs: for `Thread(target=…)` and thread pools.

    Threads begin with an empty context before Python 3.14. Several may run the result at once. Prefect's own thread
    runner does the same by itself.
    """
    here = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return here.copy().run(function, *args, **kwargs)

    return run


def switch_on() -> logging.Handler | None:
    """Log as WINNOW_LOG and WINNOW_LOG_LEVEL say; None, and nothing changed, where WINNOW_LOG is not set.

    Each command, flow and task may call it: the first call of a process counts. Raises BadSetting for other values.
    """
    form, level = os.environ.get(FORMAT, "").strip().lower(), os.environ.get(LEVEL, "").strip().upper() or "INFO"
    if not form:
        return None
    if form not in get_args(LogFormat):
        raise BadSetting(f"{FORMAT} must be {' or '.join(get_args(LogFormat))}, got {form!r}.")
    if level not in logging.getLevelNamesMapping():
        raise BadSetting(f"{LEVEL} must be DEBUG, INFO, WARNING or ERROR, got {level!r}.")
    with _switching:
        there = (handler for handler in logging.getLogger().handlers if handler.get_name() == HANDLER)
        return next(there, None) or configure("json" if form == "json" else "text", level)


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
    handler.setFormatter(formatter(format, Mask(secrets)))
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


def formatter(format: LogFormat, mask: Mask) -> logging.Formatter:
    """Events as lines of ASCII JSON, or as people read them; in both, secrets are masked."""

    def masked(_logger: Any, _name: str, event: Event) -> Event:
        return mask.value(_plain(event))

    in_json = (
        CallsiteParameterAdder({CallsiteParameter.PROCESS, CallsiteParameter.THREAD_NAME}),
        ProcessorFormatter.remove_processors_meta,
        ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        masked,
        JSONRenderer(allow_nan=False),
    )
    as_text = (
        ProcessorFormatter.remove_processors_meta,
        format_exc_info,
        masked,
        _shown,
        ConsoleRenderer(
            colors=False, pad_event_to=0, sort_keys=False, timestamp_key="time", exception_formatter=plain_traceback
        ),
    )
    return _Lines(
        foreign_pre_chain=(
            ExtraAdder(),
            _own_words,
            merge_contextvars,
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", utc=True, key="time"),
        ),
        processors=(_ordered, *(in_json if format == "json" else as_text)),
    )


class _Lines(ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        record = logging.makeLogRecord(record.__dict__)
        record.msg, record.args = _message(record), ()
        if record.exc_info and record.exc_info[0] is None:  # exc_info=True where nothing was raised
            record.exc_info = None
        return super().format(record)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # the words do not fit their arguments: the event is worth more than its form
        return f"{record.msg} {record.args!r}"


def _own_words(_logger: Any, _name: str, event: Event) -> Event:
    """What stands in `extra=` keeps its name unless a field of ours has it; what other formatters left goes."""
    event["event"] = event["_record"].msg
    for left in ("message", "asctime"):
        event.pop(left, None)
    return event


def _ordered(_logger: Any, _name: str, event: Event) -> Event:
    return {name: event[name] for name in (*FIRST, *event) if name in event}


def _shown(_logger: Any, _name: str, event: Event) -> Event:
    """Further lines are indented and control characters spelled out, so that no event can pass for another."""

    def spelled(text: str) -> str:
        marked = (c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
        return "".join(marked).replace("\n", "\n    ")

    return {name: spelled(value) if isinstance(value, str) else value for name, value in event.items()}


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
