"""Find what a recording says about the subject that somebody named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefect import task

from core import timeline
from core.home import store
from core.machine import cores, release_memory
from core.records import MediaRef, ModelRef, StageRef
from tasks.entries import TIMELINE_NAME, write_value
from tasks.stage import STAGE, Entry

RELEVANCE_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a subject in a recording."""

    rows: tuple[float, ...]
    """Probability that each row of the timeline is about it."""
    found: bool
    """Whether anything is."""
    about_at: float
    """Mean probability from which a stretch of rows counts as being about it."""


def searched(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What is searched: the text of each row, and before it the slide's title where a slide with another one begins."""
    texts: list[str] = []
    before = None
    for row in rows:
        title, text = row["slide_title"], row["text"] or ""
        texts.append(f"{title}. {text}" if title and title != before else text)
        before = title or before
    return texts


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
        texts = searched(timeline.rows(timeline.read(store().path(merged, TIMELINE_NAME))))
        loaded = about.load(model, threads=cores())
        relevance = loaded.relevance(texts, subject, on_progress=at.tell)
        found = Found(tuple(relevance.rows.tolist()), relevance.found, loaded.config.about_at)
        write_value(at.folder, found, Found)
    release_memory()
    return entry.ref
