"""One recording of a nightly: fetched, scanned, made into clips, published, and put into the catalog."""

import os
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect.logging import get_run_logger

from core import progress
from core.catalog import record
from core.catalog_rows import Run
from core.disk_cache import DiskCache
from core.errors import Cancelled, RefusedInput, WinnowError
from core.files import to_uri
from core.home import home
from core.inbox_index import InboxIndex
from core.leases import working_on
from core.logs import bound
from core.malware import clamd_address, scan
from core.manifest import Manifest
from core.markers import marked
from core.nightly_plan import Planned
from core.nightly_report import RecordingEnd, Status, done
from core.publishing import read_manifest
from core.records import RunModels
from core.settings import Settings
from core.sources import InboxObject
from core.tombstones import is_forgotten
from core.transfer import Fetched, fetch
from core.uploading import upload
from flows.outcomes import Outcome
from flows.recording import recording

DAY = "%Y-%m-%d"


class Night:
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
            return self._unmade(found, "failed", None, told, type(error).__name__, time.monotonic() - began_s)

    def _taken(self, planned: Planned, fetched: Fetched, began_s: float) -> RecordingEnd:
        found, sha256 = fetched.found, fetched.sha256
        if sha256 in self.known:
            self.index.add([(found, sha256)])
            return _skipped(found, sha256, "The recording is in the store under another name.")
        if is_forgotten(self.store_uri, sha256):
            return _skipped(found, None, "The recording was forgotten.")
        infected = self._infected(fetched)
        if infected:
            return self._rejected(found, sha256, infected, time.monotonic() - began_s)
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
            if outcome.manifest is None:
                return self._rejected(found, sha256, outcome.reason or "", seconds)
            end = self._published(found, Path(outcome.manifest), seconds)
        self._has_ended(found, sha256)
        return end

    def _has_ended(self, found: InboxObject, sha256: str) -> None:
        """From now on the recording is not taken again."""
        self.known.add(sha256)
        self.index.add([(found, sha256)])

    def _infected(self, fetched: Fetched) -> str | None:
        """What a scanner of malware, if one is configured, found; raises where it gives no verdict."""
        address = clamd_address()
        if address is None:
            return None
        verdict = scan(fetched.path, address)
        if verdict.verdict == "unavailable":
            raise WinnowError(f"Scanning {fetched.found.name} for malware: {verdict.detail}")
        return f"It holds malware: {verdict.detail}." if verdict.verdict == "infected" else None

    def _rejected(self, found: InboxObject, sha256: str, reason: str, seconds: float) -> RecordingEnd:
        end = self._unmade(found, "rejected", sha256, reason, None, seconds)
        self._has_ended(found, sha256)
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

    def _unmade(
        self, found: InboxObject, status: Status, sha256: str | None, reason: str, error: str | None, seconds: float
    ) -> RecordingEnd:
        """The end of a recording of which nothing was made, in the catalog too."""
        end = RecordingEnd(
            name=found.name,
            status=status,
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
