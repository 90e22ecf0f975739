"""What is written about each clip: title, description and tags."""

from dataclasses import replace

import pyarrow.parquet as pq
from prefect import task

from core import timeline
from core.home import store
from core.records import Highlight, MediaRef, Selection, StageRef
from core.sights import Slide
from core.wording import ClipText, Wording
from tasks.entries import SCORES_NAME, TIMELINE_NAME, read_value, write_value
from tasks.stage import STAGE, Entry

WRITING_VERSION = "1"


@task(name="write", task_run_name="write by {writer}", cache_policy=STAGE, result_serializer="json")
def write_about_clips(
    recording: MediaRef,
    selected: StageRef,
    merged: StageRef,
    scored: StageRef,
    slides: StageRef | None,
    language: str | None,
    titles: str,
    writer: str,
    version: str = WRITING_VERSION,
) -> StageRef:
    """A `Wording` for each highlight, in their order.

    Args:
        titles: Who is to write, as the setting names it.
        writer: What exactly that is at present (a model's name), so that another one writes anew.
    """
    from models.writers import write, writer_for

    entry = Entry()
    with entry.writing() as at:
        picks = read_value(selected, Selection).highlights
        shown = read_value(slides, list[Slide]) if slides else []
        rows = timeline.rows(timeline.read(store().path(merged, TIMELINE_NAME)))
        scores = pq.read_table(store().path(scored, SCORES_NAME))["highlight"].to_pylist()
        texts = [str(row["text"]) for row in rows]
        who = writer_for(titles)
        written: list[Wording] = []
        for done, pick in enumerate(picks, 1):
            written.append(write(text_of(pick, texts, scores, shown, language), who))
            at.tell(done / len(picks))
        write_value(at.folder, distinct(written, picks), list[Wording])
    return entry.ref


def text_of(
    pick: Highlight, texts: list[str], scores: list[float], slides: list[Slide], language: str | None
) -> ClipText:
    inside = slice(pick.first_sentence, pick.last_sentence + 1)
    seen = [slide for slide in slides if slide.start_s < pick.end_s and slide.end_s > pick.start_s]
    return ClipText(
        title=pick.title,
        sentences=tuple(texts[inside]),
        scores=tuple(scores[inside]),
        slide_titles=tuple(dict.fromkeys(slide.title for slide in seen if slide.title)),
        slide_texts=tuple(slide.text for slide in seen if slide.text),
        language=language,
    )


def distinct(written: list[Wording], picks: tuple[Highlight, ...]) -> list[Wording]:
    """No two clips share a title: where a writer's is another clip's already, the clip keeps its own.

    Own titles, found from the clips' own words, are all different.
    """
    own = [pick.title.casefold() for pick in picks]
    taken: set[str] = set()
    kept: list[Wording] = []
    for place, (wording, pick) in enumerate(zip(written, picks, strict=True)):
        others = {*taken, *own[:place], *own[place + 1 :]}
        title = pick.title if wording.title.casefold() in others else wording.title
        taken.add(title.casefold())
        kept.append(replace(wording, title=title))
    return kept
