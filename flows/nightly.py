"""Every night over an inbox: what is new by its content becomes clips in a store, each recording once.

A recording counts as seen only when it has ended: published and in the catalog, or refused. Whatever is killed before
that is found new again by the next nightly, which goes on from the stages that were finished.
"""

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

from core import metrics
from core.compaction import compact
from core.disk_cache import DiskCache
from core.errors import WinnowError
from core.files import to_path, to_uri
from core.home import home, store
from core.inbox_index import InboxIndex
from core.kit import load_kit
from core.logs import bound
from core.markers import marked
from core.metrics_export import write_textfile
from core.nightly_files import write_report
from core.nightly_page import to_html, to_markdown
from core.nightly_plan import plan_night
from core.nightly_report import NightlyReport, failed_by_share, masked
from core.settings import Settings
from core.sources import SETTLE_S
from core.webhook import NotDelivered, from_environment
from flows.night import Night
from flows.resolving import resolve_models
from models.writers import writer_for

CACHE_GB = 50.0
METRICS = "metrics"


class NightlyFailed(WinnowError):
    """More recordings failed than is let pass; `report` says how each ended."""

    def __init__(self, report: NightlyReport, most: float) -> None:
        self.report = report
        failed = report.totals.failed_share
        super().__init__(f"{failed:.0%} of the recordings that were tried failed; {most:.0%} are let pass.")


@flow(name="nightly", flow_run_name="nightly of {inbox}", persist_result=False)
def nightly(
    inbox: str,
    store_uri: str,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    settings: Settings = Settings(),  # noqa: B008  frozen
    most_failed: float = 0.2,
    settle_s: float = SETTLE_S,
    cache_gb: float = CACHE_GB,
) -> NightlyReport:
    """Cut the highlights of everything new in an inbox into clips in a store.

    Args:
        inbox: A local folder or s3://bucket/prefix.
        store_uri: Where clips, catalog and reports go: a local folder or s3://bucket/prefix.
        include: Patterns of what to take; everything where there is none.
        exclude: Patterns of what to leave.
        settings: How clips are made, as for `highlight`.
        most_failed: The share of failures, 0 to 1, beyond which the nightly as a whole fails.
        settle_s: A local file that was written this recently is left for a later nightly.
        cache_gb: Most that fetched recordings take on this machine's disk.

    Raises RefusedInput where nothing could be begun, and NightlyFailed, which carries the report.
    """
    load_kit(settings)
    writer_for(settings.writing.titles)
    models = resolve_models(settings)
    began, began_s = datetime.now(UTC), time.monotonic()
    plan = plan_night(inbox, store_uri, include=include, exclude=exclude, settle_s=settle_s)
    run_id = f"{began:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    cache = DiskCache(home() / "inbox", max_bytes=round(cache_gb * 1e9))
    store().sweep()
    night = Night(store_uri, run_id, began, settings, models, cache, InboxIndex(store_uri), set(plan.known_sha256))
    with marked(home(), "nightly", run_id=run_id, name=inbox) as mark, bound(run_id=run_id):
        ends = []
        for number, found in enumerate(plan.new, 1):
            mark.waiting(len(plan.new) - number)
            ends.append(night.take(found))
            metrics.add(home() / METRICS, metrics.observed(ends[-1]))
    if ends:
        compact(store_uri)
    report = NightlyReport(
        run_id=run_id,
        began=began.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began_s, 3),
        inbox=inbox,
        store=store_uri,
        recordings=tuple(ends),
        notes=plan.notes,
    )
    markdown = to_markdown(report)
    write_report(store_uri, report, html=to_html(report), markdown=markdown)
    create_markdown_artifact(markdown, key="nightly", description=f"Nightly of {inbox}")
    readings = metrics.add(home() / METRICS, metrics.nightly_gauges(report))
    write_textfile(home() / METRICS / "winnow.prom", readings)
    _notify(report)
    if failed_by_share(report, most_failed):
        raise NightlyFailed(report, most_failed)
    return report


def _notify(report: NightlyReport) -> None:
    """Tell who is configured to be told. That nobody took it is logged; the night's work stands."""
    hook = from_environment()
    if hook is None:
        return
    try:
        hook.notify("nightly.ended", masked(report).model_dump(mode="json"), id=report.run_id)
    except NotDelivered as error:
        get_run_logger().error("%s", error)


def local(uri: str) -> str:
    """A folder as an absolute URI, whatever the working folder of who reads it; buckets as they are."""
    return uri if "://" in uri else to_uri(to_path(uri).expanduser())
