"""Choose the moments that become clips."""

import pyarrow.parquet as pq
from prefect import task

from core import timeline
from core.edges import find_edges
from core.home import store
from core.records import MediaRef, Selection, StageRef, Word
from core.selection import select
from core.settings import SelectionSettings
from core.windows import ScoredUnit, split_long_units
from tasks.entries import SCORES_NAME, TIMELINE_NAME, envelope, read_value, write_value
from tasks.stage import STAGE, Entry
from tasks.subject import Found

SELECTION_VERSION = "4"


def scored_units(merged: StageRef, scored: StageRef, relevance: StageRef | None) -> list[ScoredUnit]:
    """The timeline's rows with their scores, and how likely they are about the subject if anything is."""
    told = read_value(relevance, Found) if relevance else None
    about = told.rows if told and told.found else None
    rows = timeline.rows(timeline.read(store().path(merged, TIMELINE_NAME)))
    scores = pq.read_table(store().path(scored, SCORES_NAME)).to_pydict()
    parts = {name.removeprefix("part_"): values for name, values in scores.items() if name.startswith("part_")}
    boundaries = scores.get("boundary")
    return [
        ScoredUnit(
            start_s=row["start_s"],
            end_s=row["end_s"],
            text=row["text"],
            score=scores["highlight"][i],
            words=tuple(Word(**word) for word in row["words"]),
            slide=row["slide"],
            parts={name: values[i] for name, values in parts.items()},
            boundary=boundaries[i] if boundaries else None,
            about=about[i] if about else None,
            shown=row["slide_share"],
            row=i,
        )
        for i, row in enumerate(rows)
    ]


def slide_titles(merged: StageRef) -> dict[int, str]:
    """Title of each slide that has one, by its index."""
    table = timeline.read(store().path(merged, TIMELINE_NAME))
    numbers, titles = table["slide"].to_pylist(), table["slide_title"].to_pylist()
    return {number: title for number, title in zip(numbers, titles, strict=True) if number is not None and title}


@task(name="select", task_run_name="select", cache_policy=STAGE, result_serializer="json")
def select_highlights(
    recording: MediaRef,
    merged: StageRef,
    scored: StageRef,
    relevance: StageRef | None,
    sound: StageRef | None,
    duration_s: float,
    language: str | None,
    settings: SelectionSettings,
    version: str = SELECTION_VERSION,
) -> StageRef:
    """The best admissible set of moments, as a `Selection`."""
    entry = Entry()
    with entry.writing() as at:
        heard = envelope(sound) if sound else None
        units = split_long_units(scored_units(merged, scored, relevance), settings.max_s)
        edges = find_edges(units, levels_dbfs=heard.level_dbfs if heard else None, duration_s=duration_s)
        chosen = select(
            units,
            edges,
            clips=settings.clips,
            min_s=settings.min_s,
            max_s=settings.max_s,
            duration_s=duration_s,
            language=language,
            slide_titles=slide_titles(merged),
        )
        write_value(at.folder, chosen, Selection)
    return entry.ref
