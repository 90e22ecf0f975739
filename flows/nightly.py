"""Every night over an inbox: what is new by its content becomes clips in a store, each recording once.

A recording counts as seen only when it has ended: published and in the catalog, or refused. Whatever is killed before
that is found new again by the next nightly, which goes on from the stages that were finished.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger
from pydantic import Field

from core import metrics, progress
from core.compaction import compact
from core.dead_letters import MOST_ATTEMPTS
from core.errors import StoreError, WinnowError
from core.home import home, store
from core.jobs import Engine, Job, Queue
from core.kit import load_kit
from core.logs import bound, switch_on
from core.markers import Marker, marked
from core.metrics_export import write_textfile
from core.nightly_files import write_report
from core.nightly_page import to_html, to_markdown
from core.nightly_plan import Plan, plan_night
from core.nightly_report import NightlyReport, Priority, RecordingEnd, failed_by_share, masked
from core.progress import NightEvent
from core.settings import Settings
from core.sources import SETTLE_S
from core.webhook import NotDelivered, from_environment
from flows.engines import do, runner_of
from flows.resolving import resolve_models
from flows.secret_block import take_secrets
from models.writers import writer_for
from tasks.artifacts import Shown

CACHE_GB = 50.0
METRICS = "metrics"
logger = logging.getLogger(__name__)

Place = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Gigabytes = Annotated[float, Field(gt=0)]
AtOnce = Annotated[int, Field(ge=1, le=256)]
Attempts = Annotated[int, Field(ge=1)]
Price = Annotated[float | None, Field(ge=0)]
"""Limits for the form; what fields mean it takes from the flow's docstring."""


class NightlyFailed(WinnowError):
    """More recordings failed than is let pass; `report` says how each ended."""

    def __init__(self, report: NightlyReport, most: float) -> None:
        self.report = report
        failed = report.totals.failed_share
        super().__init__(f"{failed:.0%} of the recordings that were tried failed; {most:.0%} are let pass.")


@flow(name="nightly", flow_run_name="nightly of {inbox}", persist_result=False)
def nightly(
    inbox: Place,
    store_uri: Place,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    only: Sequence[str] = (),
    settings: Settings = Settings(),  # noqa: B008  frozen
    priority: Priority = "normal",
    tags: Sequence[str] = (),
    engine: Engine = "threads",
    at_once: AtOnce = 1,
    queue: Queue = "cpu",
    most_failed: Share = 0.2,
    most_attempts: Attempts = MOST_ATTEMPTS,
    settle_s: Seconds = SETTLE_S,
    cache_gb: Gigabytes = CACHE_GB,
    price_per_hour: Price = None,
) -> NightlyReport:
    """Cut the highlights of everything new in an inbox into clips in a store.

    Args:
        inbox: A local folder or s3://bucket/prefix.
        store_uri: Where clips, catalog and reports go: a local folder or s3://bucket/prefix.
        include: Patterns of what to take; everything where there is none.
        exclude: Patterns of what to leave.
        only: URIs of objects of the inbox to take, and nothing else.
        settings: How clips are made, as for `highlight`.
        priority: For workers: the queue that the recordings wait in. Stands in report and catalog too.
        tags: Carried by the recordings' runs, report and catalog.
        engine: What works: threads of this process, Ray, Dask, or workers that poll a pool.
        at_once: Recordings at work at once, on threads, Ray or Dask.
        queue: For workers: the pool, of machines with or without a GPU.
        most_failed: The share of failures, 0 to 1, beyond which the nightly as a whole fails.
        most_attempts: What failed so often in a row is left until `winnow failures retry`.
        settle_s: A local file that was written this recently is left for a later nightly.
        cache_gb: Most that fetched recordings take on a machine's disk.
        price_per_hour: What an hour of one worker costs, for the costs in the report.

    Raises RefusedInput where nothing could be begun, NightlyFailed, which carries the report, and StoreError where the
    store cannot be read or written.
    """
    switch_on()
    take_secrets()
    load_kit(settings)
    writer_for(settings.writing.titles)
    model = resolve_models(settings).highlight
    if engine != "workers":
        runner_of(engine, at_once)  # refuse an engine that is not there before anything is begun
    began, began_s = datetime.now(UTC), time.monotonic()
    plan = plan_night(
        inbox,
        store_uri,
        include=include,
        exclude=exclude,
        settle_s=settle_s,
        only=only,
        most_attempts=most_attempts,
    )
    run_id = f"{began:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    fixed = settings.model_copy(update={"model": f"{model.name}@{model.version}"})
    common = {"run_id": run_id, "began": began, "store_uri": store_uri, "settings": fixed, "cache_gb": cache_gb}
    labels = {"priority": priority, "tags": tuple(tags)}
    jobs = [Job(**common, **labels, found=each.found, captions=each.captions) for each in plan.new]
    store().sweep()
    with marked(home(), "nightly", run_id=run_id, name=inbox) as mark, bound(run_id=run_id):
        logger.info("nightly begun", extra={"new": len(jobs), "known": plan.known, "engine": engine})
        watch = _Watch(mark, plan)
        do(jobs, engine, at_once, queue, watch.ended)
        watch.over()
    trouble = _compacted(store_uri)  # with nothing new as well: a nightly may have been killed before it came to this
    report = NightlyReport(
        run_id=run_id,
        began=began.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began_s, 3),
        inbox=inbox,
        store=store_uri,
        price_per_hour=price_per_hour,
        recordings=tuple(watch.ends),
        notes=plan.notes,
    )
    _told(report)
    if trouble:
        raise trouble
    if failed_by_share(report, most_failed):
        raise NightlyFailed(report, most_failed)
    return report


def _compacted(store_uri: str) -> StoreError | None:
    """Move rows to where all tools read them. What went wrong is for after the report: the night's work stands."""
    try:
        compact(store_uri)
    except StoreError as error:
        return error
    return None


class _Watch:
    """Hears how recordings ended: counts them, and shows how far the nightly is."""

    def __init__(self, mark: Marker, plan: Plan) -> None:
        self.ends: list[RecordingEnd] = []
        self._mark, self._bytes = mark, sum(each.found.bytes for each in plan.new)
        self._sizes = {each.found.uri: each.found.bytes for each in plan.new}
        self._began_s, self._ended_bytes = time.monotonic(), 0
        self._shown = Shown("nightly-progress", "Recordings") if plan.new else None
        mark.waiting(len(self._sizes))

    def ended(self, end: RecordingEnd) -> None:
        self.ends.append(end)
        self._ended_bytes += self._sizes.get(end.uri, 0)
        self._mark.waiting(len(self._sizes) - len(self.ends))
        metrics.add(home() / METRICS, metrics.observed(end))
        share = self._ended_bytes / max(1, self._bytes)
        took_s = time.monotonic() - self._began_s
        left_s = took_s * (1 - share) / share if share else None
        progress.tell(NightEvent(end.name, end.status, len(self.ends), len(self._sizes), left_s))
        if self._shown:
            self._shown.show(share, f"{len(self.ends)} of {len(self._sizes)} have ended", left_s)

    def over(self) -> None:
        if self._shown:
            self._shown.end(f"{len(self.ends)} of {len(self._sizes)} have ended")


def _told(report: NightlyReport) -> None:
    """Tell how the nightly went: log, report, artifact, metrics, notification."""
    totals = report.totals
    with bound(run_id=report.run_id):
        logger.info("nightly ended", extra={"seconds": report.seconds, "counts": totals.counts, "clips": totals.clips})
    markdown = to_markdown(report)
    write_report(report.store, report, html=to_html(report), markdown=markdown)
    create_markdown_artifact(markdown, key="nightly", description=f"Nightly of {report.inbox}")
    readings = metrics.add(home() / METRICS, metrics.nightly_gauges(report))
    write_textfile(home() / METRICS / "winnow.prom", readings)
    hook = from_environment()
    if hook is None:
        return
    try:
        hook.notify("nightly.ended", masked(report).model_dump(mode="json"), id=report.run_id)
    except NotDelivered as error:  # the night's work stands
        get_run_logger().error("%s", error)
