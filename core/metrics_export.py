"""Metrics for a collector: the OpenMetrics text, a file for node_exporter's textfile collector, an HTTP endpoint."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import exposition
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from core.errors import BadSetting
from core.files import write_atomically
from core.metrics import METRICS, Histogram, Readings, Series

REQUEST_TIMEOUT_S = 10.0


class _Families(Collector):
    """Readings as the client library's text writers take them."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        rows: dict[str, list[tuple[Series, Any]]] = {name: [] for name in METRICS}
        for part in (self._readings.counters, self._readings.gauges, self._readings.histograms):
            for key, value in part.items():
                rows[key[0]].append((key, value))
        for name, found in rows.items():
            if found:
                yield _family(name, sorted(found, key=lambda row: row[0]))


def _family(name: str, rows: list[tuple[Series, Any]]) -> Metric:
    about = METRICS[name]
    labels = [label for label, _ in rows[0][0][1]]
    values = [([text for _, text in key[1]], value) for key, value in rows]
    if about.kind == "counter":
        counter = CounterMetricFamily(name, about.help, labels=labels, unit=about.unit)
        for texts, value in values:
            counter.add_metric(texts, value)
        return counter
    if about.kind == "gauge":
        gauge = GaugeMetricFamily(name, about.help, labels=labels, unit=about.unit)
        for texts, value in values:
            gauge.add_metric(texts, value.value)
        return gauge
    histogram = HistogramMetricFamily(name, about.help, labels=labels, unit=about.unit)
    for texts, value in values:
        histogram.add_metric(texts, _buckets(about.bounds, value), value.sum)
    return histogram


def _buckets(bounds: tuple[float, ...], histogram: Histogram) -> list[tuple[str, float]]:
    """Counts of observations at or below each bound, as the text form has them."""
    below, found = 0, []
    for bound, count in zip([*map(str, bounds), "+Inf"], histogram.counts, strict=True):
        below += count
        found.append((bound, float(below)))
    return found


def openmetrics_text(readings: Readings) -> str:
    """The OpenMetrics 1.0 text form, ending in # EOF."""
    return openmetrics.generate_latest(_Families(readings)).decode()


def prometheus_text(readings: Readings) -> str:
    """The older Prometheus text form (0.0.4), which is what node_exporter's textfile collector reads."""
    return exposition.generate_latest(_Families(readings)).decode()


def write_textfile(path: Path, readings: Readings) -> None:
    """Replace a file for node_exporter (`--collector.textfile.directory`) in one step: it must end in .prom."""
    if path.suffix != ".prom":
        raise BadSetting(f"The metrics file {path.name} must end in .prom, or node_exporter passes it over.")
    write_atomically(path, prometheus_text(readings))


@contextmanager
def serving(read: Callable[[], Readings], *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `/metrics` while the block runs; the value is its URL. `read` is called for every request.

    A collector that asks for OpenMetrics gets it, any other the Prometheus text form. There is no authentication:
    the address is this machine's own unless another is named. Raises BadSetting where the port is taken.
    """

    try:
        server = ThreadingHTTPServer((host, port), _handler(read))
    except OSError as error:
        raise BadSetting(f"Serving metrics on {host}:{port} failed: {error.strerror or error}.") from error
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="metrics")
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(read: Callable[[], Readings]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT_S
        server_version, sys_version = "winnow", ""

        def do_GET(self) -> None:
            if urlsplit(self.path).path not in ("/metrics", "/metrics/"):
                self._answer(404, "text/plain; charset=utf-8", b"Metrics are at /metrics\n")
                return
            try:
                encode, kind = exposition.choose_encoder(self.headers.get("Accept", ""))
                body = encode(_Families(read()))
            except Exception as error:  # the collector must see that it failed, whatever it was
                self._answer(500, "text/plain; charset=utf-8", f"{type(error).__name__}\n".encode())
                raise
            self._answer(200, kind, body)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a line every fifteen seconds says nothing."""

    return Handler
