"""`winnow metrics`: counters of this machine's nightlies and gauges of what is at work, for a metrics collector."""

import argparse
import signal
import sys
from collections.abc import Callable
from threading import Event
from types import FrameType

from core.errors import BadSetting
from core.home import home
from core.logs import switch_on
from core.metrics import Readings, load, merged
from core.metrics_export import openmetrics_text, serving
from core.metrics_live import live
from flows.embedded import configured
from flows.queue_depth import QueueDepths

PORT = 9464
"""The one that OpenTelemetry's exporters use by default."""
FOLDER = "metrics"


def add_metrics(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="N", help=f"where (default: {PORT}; 0: any that is free)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to serve on (default: 127.0.0.1, this machine alone; there is no authentication)",
    )
    parser.add_argument("--once", action="store_true", help="print the metrics as text, and end")


def metrics_command(given: argparse.Namespace) -> int:
    """Serve or print the metrics. Returns the exit code."""
    switch_on()
    if not 0 <= given.port <= 65_535:
        raise BadSetting(f"--port: a port is 0 to 65535, got {given.port}.")
    read = reader()
    if given.once:
        print(openmetrics_text(read()), end="")
        return 0
    over = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with serving(read, host=given.host, port=given.port) as url:
            print(f"winnow: metrics are at {url}", file=sys.stderr, flush=True)
            over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def reader() -> Callable[[], Readings]:
    """What reads all metrics of this machine anew, and of the Prefect server where one is configured."""
    depths = QueueDepths() if configured() else None

    def read() -> Readings:
        return merged(load(home() / FOLDER), live(home()), depths.read() if depths else Readings())

    return read
