"""Bring all that was found out about a recording into one table, and score its rows."""

import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from core import timeline
from core.home import store
from core.machine import cores, release_memory
from core.records import MediaRef, ModelRef, Silence, SlideSpan, StageRef, Transcript
from core.sights import LayoutSpan, Slide
from core.units import units_without_speech
from tasks.entries import SCORES_NAME, TIMELINE_NAME, envelope, read_value
from tasks.stage import STAGE, Entry

MERGE_VERSION = "2"
SCORE_VERSION = "1"


@task(name="merge", task_run_name="merge", cache_policy=STAGE, result_serializer="json")
def merge_timeline(
    recording: MediaRef,
    duration_s: float,
    sound: StageRef | None,
    silences: StageRef | None,
    transcript: StageRef | None,
    picture: StageRef | None,
    layout: StageRef | None,
    slides: StageRef | None,
    version: str = MERGE_VERSION,
) -> StageRef:
    """The timeline: a row a sentence, or a row a stretch of picture and sound where nobody speaks."""
    entry = Entry()
    with entry.writing() as at:
        heard = envelope(sound) if sound else None
        changes = read_value(picture, list[SlideSpan]) if picture else None
        sentences = list(read_value(transcript, Transcript).sentences) if transcript else []
        if not sentences:
            sentences = units_without_speech(changes, heard.level_dbfs if heard else None, duration_s)
        table = timeline.build_timeline(
            sentences,
            silences=read_value(silences, list[Silence]) if silences else None,
            slides=changes,
            levels=heard,
            duration_s=duration_s,
            layouts=read_value(layout, list[LayoutSpan]) if layout else None,
            read=read_value(slides, list[Slide]) if slides else None,
        )
        timeline.write(table, at.folder / TIMELINE_NAME)
    return entry.ref


@task(
    name="score", task_run_name="score with {model.name}@{model.version}", cache_policy=STAGE, result_serializer="json"
)
def score_timeline(
    recording: MediaRef, merged: StageRef, model: ModelRef, encoder: ModelRef, version: str = SCORE_VERSION
) -> StageRef:
    """A highlight score for each row of the timeline with its parts, stamped with the model's version."""
    from models import registry

    entry = Entry()
    with entry.writing() as at:
        table = timeline.read(store().path(merged, TIMELINE_NAME))
        scores = registry.load(model, threads=cores()).predict(table, on_progress=at.tell)
        columns = {"highlight": scores.highlight, **{f"part_{name}": part for name, part in scores.parts.items()}}
        if scores.boundary is not None:
            columns["boundary"] = scores.boundary
        stamp = {b"winnow.model": f"{model.name}@{model.version}".encode(), b"winnow.encoder": encoder.sha256.encode()}
        pq.write_table(pa.table(columns).replace_schema_metadata(stamp), at.folder / SCORES_NAME)
    release_memory()
    return entry.ref
