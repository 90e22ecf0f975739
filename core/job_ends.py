"""How the jobs of a nightly ended, told through the store by the workers that did them."""

from pydantic import ValidationError

from core import once
from core.jobs import Job
from core.nightly_report import RecordingEnd
from core.patience import opened, write

FOLDER = "at-work"


def keep(job: Job, end: RecordingEnd) -> None:
    """Tell how a job ended; a later end of the same job counts. Raises StoreError if the store cannot be written."""
    fs, root = opened(job.store_uri)
    path, content = f"{root}/{FOLDER}/{job.run_id}/{job.key}.json", end.model_dump_json().encode()
    write(fs, path, content)


def take_out(job: Job) -> RecordingEnd | None:
    """How a job ended, removed from the store; None where nobody told."""
    fs, root = opened(job.store_uri)
    path = f"{root}/{FOLDER}/{job.run_id}/{job.key}.json"
    content = once.read(fs, path)
    if content is None:
        return None
    once.remove(fs, path)
    try:
        return RecordingEnd.model_validate_json(content)
    except ValidationError:
        return None
