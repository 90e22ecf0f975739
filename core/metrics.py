"""What recordings took, as counters, gauges and histograms: derived from how they ended, added up over processes.

`Readings` are plain values. `observed` derives them from one recording's end; `merged` adds them up. A machine's
sum lies in one file, which processes add to under a lock; `core.metrics_export` shows it to a collector.
"""

import bisect
import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import StoreError
from core.files import write_atomically
from core.nightly_report import NightlyReport, RecordingEnd

METRICS_NAME = "metrics.json"
FORM = 1
SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0)
FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
Series = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and its labels in the order of their names."""


@dataclass(frozen=True, slots=True)
class About:
    """What a metric is. `unit` is the end of its name, "" where it has none."""

    kind: str
    help: str
    unit: str = ""
    bounds: tuple[float, ...] = ()


METRICS: dict[str, About] = {
    "winnow_stage_seconds": About("histogram", "Time a stage of a recording took where it ran.", "seconds", SECONDS),
    "winnow_stage_kept": About("counter", "Stages whose result was there already."),
    "winnow_recordings": About("counter", "Recordings by how they ended."),
    "winnow_failures": About("counter", "Failed recordings by type of error and the stage that failed."),
    "winnow_clips": About("counter", "Clips published."),
    "winnow_recording_bytes": About("counter", "Size of the recordings that ended, by how.", "bytes"),
    "winnow_recorded_seconds": About("counter", "Length of the recordings that were done.", "seconds"),
    "winnow_worked_seconds": About("counter", "Time from a recording's start to its end, by how it ended.", "seconds"),
    "winnow_real_time_factor": About(
        "histogram", "Seconds of work a second of recording; below 1 is faster than real time.", "", FACTORS
    ),
    "winnow_recordings_at_work": About("gauge", "Recordings being worked on by this machine."),
    "winnow_recordings_waiting": About("gauge", "Recordings that nightlies of this machine have not begun."),
    "winnow_nightlies_at_work": About("gauge", "Nightlies under way on this machine."),
    "winnow_disk_free_bytes": About("gauge", "Free space on the disk of the home folder.", "bytes"),
    "winnow_prefect_up": About("gauge", "1 where the Prefect server answers, 0 where it does not."),
    "winnow_queue_depth": About("gauge", "Runs that wait, by work pool, queue and state: scheduled, late, pending."),
    "winnow_queue_running": About("gauge", "Runs at work, by work pool and queue."),
    "winnow_nightly_ended_timestamp_seconds": About("gauge", "When the last nightly ended.", "seconds"),
    "winnow_nightly_failed_ratio": About("gauge", "Share of failed recordings in the last nightly.", "ratio"),
    "winnow_nightly_duration_seconds": About("gauge", "How long the last nightly took.", "seconds"),
}  # fmt: skip
"""Every metric there is. Names are those of OpenMetrics families: samples of counters end in _total."""


def as_markdown() -> str:
    """The rows of a table of them, for the docs."""
    return "".join(f"| `{name}` | {about.kind} | {about.help} |\n" for name, about in METRICS.items())


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value and when it was set (seconds since 1970): of two the later one holds."""

    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations in each bucket (one more than the metric has bounds) and their sum."""

    counts: tuple[int, ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Readings:
    """Values of metrics at one time. Frozen: adding makes new ones."""

    counters: Mapping[Series, float] = field(default_factory=dict)
    gauges: Mapping[Series, Gauge] = field(default_factory=dict)
    histograms: Mapping[Series, Histogram] = field(default_factory=dict)


def series(name: str, labels: Mapping[str, str] | None = None) -> Series:
    """A metric with its labels. Raises KeyError for a metric that is not in METRICS."""
    if name not in METRICS:
        raise KeyError(f"there is no metric {name}; METRICS in core/metrics.py lists them")
    return name, tuple(sorted((labels or {}).items()))


def observed(end: RecordingEnd) -> Readings:
    """What one recording's end says. Names of recordings are no labels: there would be too many."""
    outcome = {"outcome": end.status}
    counters = {
        series("winnow_recordings", outcome): 1.0,
        series("winnow_recording_bytes", outcome): float(end.bytes),
        series("winnow_worked_seconds", outcome): end.seconds,
    }
    if end.status == "failed":
        counters[series("winnow_failures", {"error": end.error or "unknown", "stage": end.stage or "unknown"})] = 1.0
    if end.status == "done":
        counters[series("winnow_clips")] = float(end.clips)
        counters[series("winnow_recorded_seconds")] = end.duration_s or 0.0
    found = Readings(counters)
    for timing in end.stages:
        if timing.cached:
            found = merged(found, Readings({series("winnow_stage_kept", {"stage": timing.name}): 1.0}))
        else:
            found = merged(found, _sample("winnow_stage_seconds", timing.seconds, {"stage": timing.name}))
    if end.real_time_factor is not None:
        found = merged(found, _sample("winnow_real_time_factor", end.real_time_factor))
    return found


def _sample(name: str, value: float, labels: Mapping[str, str] | None = None) -> Readings:
    bounds = METRICS[name].bounds
    place = bisect.bisect_left(bounds, value)
    counts = tuple(int(index == place) for index in range(len(bounds) + 1))
    return Readings(histograms={series(name, labels): Histogram(counts, value)})


def observe(readings: Readings, end: RecordingEnd) -> Readings:
    """`readings` with one recording's end added."""
    return merged(readings, observed(end))


def nightly_gauges(report: NightlyReport, *, at: float | None = None) -> Readings:
    """What a nightly as a whole says; its recordings are observed one by one. `at` is when it ended, else now."""
    now = time.time() if at is None else at
    return Readings(
        gauges={
            series("winnow_nightly_ended_timestamp_seconds"): Gauge(now, now),
            series("winnow_nightly_failed_ratio"): Gauge(report.totals.failed_share, now),
            series("winnow_nightly_duration_seconds"): Gauge(report.seconds, now),
        }
    )


def gauge(name: str, value: float, labels: Mapping[str, str] | None = None, *, at: float | None = None) -> Readings:
    """One gauge set to a value; `at` is when, else now."""
    return Readings(gauges={series(name, labels): Gauge(value, time.time() if at is None else at)})


def merged(*readings: Readings) -> Readings:
    """Counters and histograms added up; of gauges the one set last. The order of what is merged does not matter."""
    counters: dict[Series, float] = {}
    gauges: dict[Series, Gauge] = {}
    histograms: dict[Series, Histogram] = {}
    for one in readings:
        for key, count in one.counters.items():
            counters[key] = counters.get(key, 0.0) + count
        for key, gauge in one.gauges.items():
            gauges[key] = max(gauges.get(key, gauge), gauge, key=lambda g: (g.at, g.value))
        for key, new in one.histograms.items():
            old = histograms.get(key, Histogram((0,) * len(new.counts), 0.0))
            summed = tuple(a + b for a, b in zip(old.counts, new.counts, strict=True))
            histograms[key] = Histogram(summed, old.sum + new.sum)
    return Readings(counters, gauges, histograms)


def add(folder: Path, readings: Readings) -> Readings:
    """Add to what this machine's processes have counted so far and return the sum. Safe to call from many at once.

    Raises StoreError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            total = merged(load(folder), readings)
            write_atomically(folder / METRICS_NAME, json.dumps(_to_data(total), allow_nan=False))
    except OSError as error:
        raise StoreError(f"Counting in {folder / METRICS_NAME} failed: {error.strerror or error}.") from error
    return total


def load(folder: Path) -> Readings:
    """What was counted so far. Nothing where there is no file, or one that this version cannot read."""
    try:
        return _from_data(json.loads((folder / METRICS_NAME).read_bytes()))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return Readings()  # counters may begin anew at any time: collectors are made for that


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. It goes when the process that holds it dies."""
    handle = os.open(folder / f"{METRICS_NAME}.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _to_data(readings: Readings) -> dict[str, Any]:
    def row(key: Series, *values: object) -> list[object]:
        return [key[0], dict(key[1]), *values]

    return {
        "form": FORM,
        "counters": [row(key, value) for key, value in readings.counters.items()],
        "gauges": [row(key, gauge.value, gauge.at) for key, gauge in readings.gauges.items()],
        "histograms": [row(key, list(h.counts), h.sum) for key, h in readings.histograms.items()],
    }


def _from_data(data: dict[str, Any]) -> Readings:
    """Metrics that this version does not have, or has with other buckets, are left out."""
    if data["form"] != FORM:
        raise ValueError(f"metrics of form {data['form']}")
    known = {part: [row for row in data[part] if row[0] in METRICS] for part in ("counters", "gauges", "histograms")}
    return Readings(
        {series(name, labels): _finite(value) for name, labels, value in known["counters"]},
        {series(name, labels): Gauge(_finite(value), _finite(at)) for name, labels, value, at in known["gauges"]},
        {
            series(name, labels): Histogram(tuple(map(int, counts)), _finite(total))
            for name, labels, counts, total in known["histograms"]
            if len(counts) == len(METRICS[name].bounds) + 1
        },
    )


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no count")
    return number
