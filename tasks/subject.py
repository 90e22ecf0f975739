"""Find what a recording says about the subject that somebody named."""

from dataclasses import dataclass

from prefect import task

from core import timeline
from core.home import store
from core.machine import cores, release_memory
from core.records import MediaRef, ModelRef, StageRef
from tasks.entries import TIMELINE_NAME, write_value
from tasks.stage import STAGE, Entry

RELEVANCE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a subject in a recording."""

    rows: tuple[float, ...]
    """Probability that each row of the timeline is about it."""
    found: bool
    """Whether anything is."""
    about_at: float
    """Mean probability from which a stretch of rows counts as being about it."""


@task(
    name="relevance", task_run_name="relevance by {model.name}@{model.version}",
    cache_policy=STAGE, result_serializer="json",
)  # fmt: skip
def find_relevance(
    recording: MediaRef,
    merged: StageRef,
    subject: str,
    model: ModelRef,
    encoder: ModelRef,
    version: str = RELEVANCE_VERSION,
) -> StageRef:
    """How likely each row of the timeline is about `subject`, as `Found`."""
    from models import about

    entry = Entry()
    with entry.writing() as at:
        texts = timeline.read(store().path(merged, TIMELINE_NAME))["text"].to_pylist()
        loaded = about.load(model, threads=cores())
        relevance = loaded.relevance([text or "" for text in texts], subject, on_progress=at.tell)
        found = Found(tuple(relevance.rows.tolist()), relevance.found, loaded.config.about_at)
        write_value(at.folder, found, Found)
    release_memory()
    return entry.ref
