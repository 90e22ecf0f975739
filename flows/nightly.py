"""Every night over an inbox: what is new by its content becomes clips in a store, each recording once.

A recording counts as seen only when it has ended: published and in the catalog, or refused. Whatever is killed before
that is found new again by the next nightly, which goes on from the stages that were finished.
"""

import os
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

from core import metrics, progress
from core.catalog import record
from core.catalog_rows import Run
from core.compaction import compact
from core.disk_cache import DiskCache
from core.errors import Cancelled, RefusedInput, WinnowError
from core.files import to_path, to_uri
from core.home import home, store
from core.inbox_index import InboxIndex
from core.kit import load_kit
from core.leases import working_on
from core.logs import bound
from core.manifest import Manifest
from core.markers import marked
from core.metrics_export import write_textfile
from core.nightly_files import write_report
from core.nightly_page import to_html, to_markdown
from core.nightly_plan import Planned, plan_night
from core.nightly_report import NightlyReport, RecordingEnd, done, failed_by_share, masked
from core.publishing import read_manifest
from core.records import RunModels
from core.settings import Settings
from core.sources import SETTLE_S, InboxObject
from core.tombstones import is_forgotten
from core.transfer import Fetched, fetch
from core.uploading import upload
from core.webhook import NotDelivered, from_environment
from flows.outcomes import Outcome
from flows.recording import recording
from flows.resolving import resolve_models
from models.writers import writer_for

CACHE_GB = 50.0
DAY = "%Y-%m-%d"
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
    night = _Night(store_uri, run_id, began, settings, models, cache, InboxIndex(store_uri), set(plan.known_sha256))
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


class _Night:
    """One nightly at work."""

    def __init__(
        self,
        store_uri: str,
        run_id: str,
        began: datetime,
        settings: Settings,
        models: RunModels,
        cache: DiskCache,
        index: InboxIndex,
        known: set[str],
    ) -> None:
        self.store_uri, self.run_id, self.began = store_uri, run_id, began
        self.settings, self.models, self.cache, self.index, self.known = settings, models, cache, index, known

    def take(self, planned: Planned) -> RecordingEnd:
        """One recording, whatever happens to it: what goes wrong is its end, and the next one begins."""
        found, began_s = planned.found, time.monotonic()
        try:
            with fetch(found, self.cache) as fetched:
                return self._taken(planned, fetched, began_s)
        except Cancelled:
            raise
        except Exception as error:
            get_run_logger().exception("%s failed", found.name)
            told = str(error) if isinstance(error, WinnowError) else f"{type(error).__name__}: {error}"
            return self._failed(found, None, told, type(error).__name__, time.monotonic() - began_s)

    def _taken(self, planned: Planned, fetched: Fetched, began_s: float) -> RecordingEnd:
        found, sha256 = fetched.found, fetched.sha256
        if sha256 in self.known:
            self.index.add([(found, sha256)])
            return _skipped(found, sha256, "The recording is in the store under another name.")
        if is_forgotten(self.store_uri, sha256):
            return _skipped(found, None, "The recording was forgotten.")
        with (
            working_on(home(), sha256),
            bound(sha256=sha256, recording=found.name),
            marked(home(), "recording", run_id=self.run_id, name=found.name, sha256=sha256) as mark,
            progress.listening(mark.hear),
            TemporaryDirectory(prefix="nightly-") as scratch,
        ):
            work = Path(scratch)
            link = work / found.name
            link.symlink_to(fetched.path)
            captions = self._captions(planned, work)
            outcome = self._outcome(link, work / "out", captions)
            seconds = round(time.monotonic() - began_s, 3)
            if outcome.status == "failed":
                return self._failed(found, sha256, outcome.reason or "", None, seconds)
            if outcome.manifest is None:
                end = RecordingEnd(
                    name=found.name,
                    status="rejected",
                    uri=found.uri,
                    sha256=sha256,
                    reason=outcome.reason,
                    seconds=seconds,
                    bytes=found.bytes,
                )
                self._record(end, None)
            else:
                end = self._published(found, Path(outcome.manifest), seconds)
        self.known.add(sha256)
        self.index.add([(found, sha256)])
        return end

    def _captions(self, planned: Planned, work: Path) -> str | None:
        """The captions beside the recording, brought here."""
        if planned.captions is None:
            return None
        with fetch(planned.captions, self.cache) as fetched:
            copy = work / planned.captions.name
            copy.write_bytes(fetched.path.read_bytes())
        return to_uri(copy)

    def _outcome(self, path: Path, out: Path, captions: str | None) -> Outcome:
        try:
            return recording(
                uri=to_uri(path), name=path.name, out=to_uri(out), transcript=captions,
                settings=self.settings, models=self.models,
            )  # fmt: skip
        except RefusedInput as refusal:
            return Outcome(path.name, "rejected", reason=str(refusal))

    def _published(self, found: InboxObject, manifest: Path, seconds: float) -> RecordingEnd:
        """Bring the clips into the store, the manifest last, and then into the catalog."""
        made = read_manifest(manifest.parent)
        if made is None:
            raise WinnowError(f"Publishing {found.name}: {manifest} cannot be read back.")
        sha256 = made.source.sha256
        where = f"{self.store_uri.rstrip('/')}/clips/{self.began:{DAY}}/{sha256[:2]}/{sha256}"
        upload(manifest.parent, where)
        end = done(made, seconds=seconds, where=f"{where}/{manifest.name}", uri=found.uri)
        sizes = {path.relative_to(manifest.parent).as_posix(): path.stat().st_size for path in _files(manifest.parent)}
        self._record(end, made, sizes)
        return end

    def _failed(
        self, found: InboxObject, sha256: str | None, reason: str, error: str | None, seconds: float
    ) -> RecordingEnd:
        end = RecordingEnd(
            name=found.name,
            status="failed",
            uri=found.uri,
            sha256=sha256,
            reason=reason,
            error=error,
            seconds=round(seconds, 3),
            bytes=found.bytes,
        )
        self._record(end, None)
        return end

    def _record(self, end: RecordingEnd, manifest: Manifest | None, sizes: dict[str, int] | None = None) -> None:
        run = Run(
            id=self.run_id,
            day=self.began.date(),
            began=self.began,
            status=end.status,
            name=end.name,
            uri=end.uri,
            seconds=end.seconds,
            sha256=end.sha256,
            bytes=end.bytes,
            reason=end.reason,
            error=end.error,
            manifest=end.manifest,
            machine=os.uname().nodename,
        )
        record(self.store_uri, run, manifest, sizes=sizes)


def _skipped(found: InboxObject, sha256: str | None, reason: str) -> RecordingEnd:
    return RecordingEnd(name=found.name, status="skipped", uri=found.uri, sha256=sha256, reason=reason)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def local(uri: str) -> str:
    """A folder as an absolute URI, whatever the working folder of who reads it; buckets as they are."""
    return uri if "://" in uri else to_uri(to_path(uri).expanduser())
