"""One recording of a nightly: fetched, scanned, made into clips, published, and put into the catalog, once."""

import logging
import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import flow, tags
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from core import claims, failure_logs, progress
from core.catalog import record
from core.catalog_rows import Run
from core.disk_cache import DiskCache
from core.errors import Cancelled, RefusedInput, StoreError, WinnowError
from core.files import NAME_BYTES, to_uri
from core.home import home
from core.inbox_index import InboxIndex
from core.jobs import Job
from core.leases import alone_with, working_on
from core.logs import bound, switch_on
from core.machine import release_memory
from core.malware import clamd_address, scan
from core.manifest import Manifest
from core.markers import Marker, marked
from core.nightly_report import RecordingEnd, done
from core.publishing import read_manifest
from core.sources import InboxObject
from core.tombstones import is_forgotten
from core.transfer import Fetched, fetch
from core.uploading import upload
from flows.embedded import configured
from flows.outcomes import Outcome
from flows.recording import recording
from flows.resolving import resolve_models
from flows.secret_block import take_secrets

DAY = "%Y-%m-%d"
MEANWHILE = "Another nightly made it at the same time."
logger = logging.getLogger(__name__)


def take(job: Job) -> RecordingEnd:
    """One recording, whatever happens to it: what goes wrong is its end, and others go on."""
    switch_on()  # a task runner or a worker may have brought it into a process of its own
    with tags(*job.labels), bound(run_id=job.run_id, recording=job.found.name):
        try:
            take_secrets()
        except Exception as error:
            end = _Taking(job).failed(error)
        else:
            end = _Taking(job).take()
        told = {"status": end.status, "seconds": end.seconds, "clips": end.clips, "reason": end.reason}
        release_memory()  # a nightly goes on for hundreds of recordings
        logger.log(logging.ERROR if end.status == "failed" else logging.INFO, "recording ended", extra=told)
        return end


@flow(name="nightly-recording", flow_run_name="{job.found.name}", persist_result=False)
def nightly_recording(job: Job) -> RecordingEnd:
    """One recording of a nightly, on whatever machine a worker took it. The nightly makes the job.

    How it ended is kept in the store, where the nightly finds it.
    """
    from core.job_ends import keep

    end = take(job)
    keep(job, end)
    return end


def lost(job: Job, why: str) -> RecordingEnd:
    """The end of a job whose process was lost before it could tell how it went."""
    return _Taking(job).failed(WinnowError(f"{job.found.name} was lost: {why}. It is tried again."))


class _Taking:
    """A job at work. `stage` is the last that was begun, for who asks where it failed."""

    def __init__(self, job: Job) -> None:
        self.job, self.began_s, self.began = job, time.monotonic(), datetime.now(UTC)
        self.sha256: str | None = None
        self.mark: Marker | None = None
        self.index = InboxIndex(job.store_uri)
        self.cache = DiskCache(home() / "inbox", max_bytes=round(job.cache_gb * 1e9))

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began_s, 3)

    def take(self) -> RecordingEnd:
        try:
            with fetch(self.job.found, self.cache) as fetched:
                self.sha256 = fetched.sha256
                return self._fetched(fetched)
        except Cancelled:
            raise
        except Exception as error:
            get_run_logger().exception("%s failed", self.job.found.name)
            return self.failed(error)

    def _fetched(self, fetched: Fetched) -> RecordingEnd:
        job, sha256 = self.job, fetched.sha256
        if is_forgotten(job.store_uri, sha256):
            return self._skipped(fetched, None, "The recording was forgotten.")
        with ExitStack() as held:
            held.enter_context(working_on(home(), sha256))
            held.enter_context(alone_with(home(), sha256))
            ended = claims.concluded(job.store_uri, sha256)
            if ended is not None:
                self.index.add([(fetched.found, sha256)])
                return self._skipped(fetched, sha256, _told(ended, job.run_id))
            held.enter_context(bound(sha256=sha256))
            about = {"run_id": job.run_id, "name": fetched.found.name, "sha256": sha256}
            self.mark = held.enter_context(marked(home(), "recording", **about))
            held.enter_context(progress.listening(self.mark.hear))
            return self._new(fetched, Path(held.enter_context(TemporaryDirectory(prefix="nightly-"))))

    def _new(self, fetched: Fetched, work: Path) -> RecordingEnd:
        infected = _infected(fetched)
        if infected:
            return self._ended(fetched, Outcome(fetched.found.name, "rejected", reason=infected))
        link = work / _short(fetched.found.name)
        link.symlink_to(fetched.path)
        return self._ended(fetched, self._outcome(link, work, self._captions(link, work)))

    def _captions(self, link: Path, work: Path) -> str | None:
        """The captions beside the recording, brought here."""
        if self.job.captions is None:
            return None
        with fetch(self.job.captions, self.cache) as fetched:
            copy = work / f"{link.stem}{Path(self.job.captions.name).suffix.lower()}"
            copy.write_bytes(fetched.path.read_bytes())
        return to_uri(copy)

    def _outcome(self, path: Path, work: Path, captions: str | None) -> Outcome:
        settings = self.job.settings
        try:
            return recording(
                uri=to_uri(path), name=self.job.found.name, out=to_uri(work / "out"), transcript=captions,
                settings=settings, models=resolve_models(settings),
            )  # fmt: skip
        except RefusedInput as refusal:
            return Outcome(self.job.found.name, "rejected", reason=str(refusal))

    def _ended(self, fetched: Fetched, outcome: Outcome) -> RecordingEnd:
        """Publish what was made, the manifest last, then the catalog's rows, then that it has ended: in this order a
        kill at any moment leaves something that the next nightly finishes under the same names."""
        job, sha256 = self.job, fetched.sha256
        standing = claims.claim(job.store_uri, sha256, job.run_id, job.began)
        # The claim stays whatever happens: files and rows may be there already, and go on under the same names.
        others = standing.run_id != job.run_id
        if others and claims.concluded(job.store_uri, sha256) is not None:
            self.index.add([(fetched.found, sha256)])
            return self._skipped(fetched, sha256, MEANWHILE)
        end, manifest, sizes = self._published(fetched, outcome, standing)
        row = self._run(end, standing.run_id, standing.began)
        record(job.store_uri, row, manifest, sizes=sizes, replace=others)
        status = "done" if end.status == "done" else "rejected"
        ended = claims.End(run_id=job.run_id, status=status, manifest=end.manifest)
        first = claims.conclude(job.store_uri, sha256, ended)
        self.index.add([(fetched.found, sha256)])
        return end if first else self._skipped(fetched, sha256, MEANWHILE)

    def _published(
        self, fetched: Fetched, outcome: Outcome, standing: claims.Claim
    ) -> tuple[RecordingEnd, Manifest | None, dict[str, int]]:
        if outcome.manifest is None:
            return self._unmade(fetched.found, outcome.reason or ""), None, {}
        manifest = Path(outcome.manifest)
        made = read_manifest(manifest.parent)
        if made is None:
            raise StoreError(f"Publishing {fetched.found.name}: {manifest} cannot be read back.")
        sha256, day = fetched.sha256, standing.began.astimezone(UTC)
        where = f"{self.job.store_uri.rstrip('/')}/clips/{day:{DAY}}/{sha256[:2]}/{sha256}"
        upload(manifest.parent, where)
        files = [path for path in manifest.parent.rglob("*") if path.is_file()]
        sizes = {path.relative_to(manifest.parent).as_posix(): path.stat().st_size for path in files}
        end = done(
            made,
            seconds=self.seconds,
            where=f"{where}/{manifest.name}",
            uri=fetched.found.uri,
            tags=self.job.tags,
            priority=self.job.priority,
        )
        return end, made, sizes

    def _unmade(self, found: InboxObject, reason: str) -> RecordingEnd:
        return self._end("rejected", found).model_copy(update={"sha256": self.sha256, "reason": reason})

    def _skipped(self, fetched: Fetched, sha256: str | None, reason: str) -> RecordingEnd:
        return self._end("skipped", fetched.found).model_copy(update={"sha256": sha256, "reason": reason})

    def failed(self, error: Exception) -> RecordingEnd:
        """The end of a recording that failed: told in the catalog and in a file with the traceback, if the store can
        be written; else only in the report."""
        job = self.job
        told = str(error) if isinstance(error, WinnowError) else f"{type(error).__name__}: {error}"
        page = str(flow_run.ui_url) if configured() and flow_run.ui_url else ""
        about = {"recording": job.found.uri, "sha256": self.sha256 or "", "stage": self._stage or "", "page": page}
        update = {"sha256": self.sha256, "reason": told, "error": type(error).__name__, "stage": self._stage}
        end = self._end("failed", job.found).model_copy(update=update)
        try:
            look = failure_logs.keep(
                job.store_uri, day=job.began, run_id=job.run_id, key=job.key, error=error, about=about
            )
            end = end.model_copy(update={"look": look})
            record(job.store_uri, self._run(end, job.run_id, job.began), None)
        except StoreError as also:
            get_run_logger().error("%s is told in the nightly's report only: %s", job.found.name, also)
        return end

    @property
    def _stage(self) -> str | None:
        return self.mark.stage if self.mark else None

    def _end(self, status: str, found: InboxObject) -> RecordingEnd:
        return RecordingEnd.model_validate(
            {"name": found.name, "status": status, "uri": found.uri, "seconds": self.seconds, "bytes": found.bytes,
             "tags": self.job.tags, "priority": self.job.priority}
        )  # fmt: skip

    def _run(self, end: RecordingEnd, run_id: str, night: datetime) -> Run:
        """The turn's row in the catalog, under the run and the day of the night that it counts to."""
        return Run(
            id=run_id,
            day=night.astimezone(UTC).date(),
            began=self.began,
            status=end.status,
            name=end.name,
            uri=end.uri,
            seconds=end.seconds,
            sha256=end.sha256,
            bytes=end.bytes,
            reason=end.reason,
            error=end.error,
            stage=end.stage,
            log=end.look,
            manifest=end.manifest,
            priority=end.priority,
            tags=end.tags,
            machine=os.uname().nodename,
        )


def _told(ended: claims.End, run_id: str) -> str:
    if ended.run_id == run_id:
        return "The same recording came under another name as well."
    if ended.status == "rejected":
        return "The same recording was refused before."
    return "The recording is in the store, from an earlier nightly."


def _short(name: str) -> str:
    """A name that every file system takes: a bucket's may be longer."""
    path = Path(name)
    stem = os.fsencode(path.stem)[: NAME_BYTES - len(os.fsencode(path.suffix)[:20])]
    return (os.fsdecode(stem) + path.suffix[:20]).replace("\x00", "") or "recording"


def _infected(fetched: Fetched) -> str | None:
    """What a scanner of malware, if one is configured, found; raises where it gives no verdict."""
    address = clamd_address()
    if address is None:
        return None
    verdict = scan(fetched.path, address)
    if verdict.verdict == "unavailable":
        raise WinnowError(f"Scanning {fetched.found.name} for malware: {verdict.detail}")
    return f"It holds malware: {verdict.detail}." if verdict.verdict == "infected" else None
