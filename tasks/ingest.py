"""Take a recording in: what it is, and what is in it."""

from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from core.admission import identify
from core.errors import RefusedInput
from core.files import display_name, to_path
from core.probe import probe
from core.records import MediaInfo, MediaRef, StageRef
from core.settings import AdmissionSettings
from tasks.entries import write_value
from tasks.stage import STAGE, Entry, worth_retrying

PROBE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Refused:
    """A recording that was not taken, and why. Refusing is an outcome, not a failure."""

    reason: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probe found: `info`, or the reason why the recording cannot be used."""

    info: MediaInfo | None
    refused: str | None


@task(
    name="admit", task_run_name="admit", cache_policy=NO_CACHE, persist_result=False, retries=1, retry_delay_seconds=2
)
def admit(uri: str, settings: AdmissionSettings) -> MediaRef | Refused:
    """Identify the file at `uri` by its content. Not cached: the hash is what everything else is cached by."""
    try:
        return identify(to_path(uri), settings)
    except RefusedInput as refusal:
        return Refused(str(refusal))


@task(
    name="probe",
    task_run_name="probe",
    cache_policy=STAGE,
    result_serializer="json",
    retries=2,
    retry_delay_seconds=[2, 10],
    retry_condition_fn=worth_retrying,
)
def probe_media(recording: MediaRef, ffprobe: str, version: str = PROBE_VERSION) -> StageRef:
    """Describe the recording's streams. `ffprobe` is the tool's version: a newer one may read more."""
    entry = Entry()
    with entry.writing() as at:
        path = to_path(recording.uri)
        try:
            found = Probed(probe(path), None)
        except RefusedInput as refusal:
            found = Probed(None, str(refusal).replace(path.name, display_name(path)))
        write_value(at.folder, found, Probed)
    return entry.ref
