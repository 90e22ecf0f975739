"""The chosen moments of one recording are made into clips."""

from dataclasses import replace
from typing import Any

from prefect.futures import PrefectFuture

from core import progress
from core.dressing import Dressed, dress
from core.kit import Kit
from core.profanity import mask_text
from core.records import Highlight, MediaInfo, MediaRef, RunModels, Selection, Silence, Span, StageRef, Transcript
from core.rendering import RenderedClip
from core.seen import Seen
from core.settings import Settings
from core.sights import LayoutSpan, Sighting, Slide
from core.wording import Wording
from flows.stages import Stages
from tasks.clip_entries import Finished
from tasks.entries import envelope, read_value
from tasks.picture import follow_speaker
from tasks.publishing import Analysis, Renderings
from tasks.rendering import RENDERS_AT_ONCE, join_reel, render_highlight
from tasks.stage import kept


def render(
    stages: Stages,
    taken: MediaRef,
    info: MediaInfo,
    analysis: Analysis,
    kit: Kit,
    settings: Settings,
    models: RunModels,
) -> Renderings:
    """Make every chosen moment into clips, a few at a time, and join those that pass their checks."""
    chosen = read_value(analysis.selected, Selection).highlights
    wordings = read_value(analysis.written, list[Wording])
    seen = seen_of(info, analysis)
    progress.tell(progress.RecordingEvent(taken.name, stage="render", parts=len(chosen)))
    running: list[tuple[Highlight, Wording, Dressed, PrefectFuture[Any]]] = []
    made: list[Finished] = []

    def finish_one() -> None:
        pick, wording, dressed, future = running[len(made)]
        ref = stages.finish(future)
        made.append(Finished(pick, wording, dressed, ref, read_value(ref, RenderedClip)))

    for number, (pick, wording) in enumerate(zip(chosen, wordings, strict=True), 1):
        if len(running) - len(made) >= RENDERS_AT_ONCE:
            finish_one()
        pick, wording = finished_words(pick, wording, kit, settings)
        sightings = follow(stages, taken, pick, analysis, seen, kit, settings, models)
        dressed = dress(number, pick, sightings, seen=seen, kit=kit, settings=settings)
        rendering = kept(render_highlight).submit(
            *(taken, info, Span(pick.start_s, pick.end_s), pick.title),
            *(dressed.production, kit.encoder.name, models.faces, settings.rendering),
        )
        running.append((pick, wording, dressed, rendering))
    while len(made) < len(running):
        finish_one()
    return Renderings(tuple(made), _reel(stages, taken, made, settings), kit.template.name if kit.template else None)


def follow(
    stages: Stages,
    taken: MediaRef,
    pick: Highlight,
    analysis: Analysis,
    seen: Seen,
    kit: Kit,
    settings: Settings,
    models: RunModels,
) -> list[Sighting]:
    """Where the speaker's face is during a moment, if anything asks: other formats, captions in the picture."""
    if analysis.layout is None or (kit.formats == ("source",) and not settings.rendering.burn_captions):
        return []
    span = Span(pick.start_s, pick.end_s)
    if not any(s.face_box and s.start_s < span.end_s and s.end_s > span.start_s for s in seen.layouts):
        return []
    following = kept(follow_speaker).submit(taken, seen.info, span, analysis.layout, analysis.sound, models.faces)
    return read_value(stages.finish(following), list[Sighting])


def seen_of(info: MediaInfo, analysis: Analysis) -> Seen:
    """What the making of clips draws on, read from the stages' results."""
    heard = envelope(analysis.sound) if analysis.sound else None
    return Seen(
        info=info,
        transcript=read_value(analysis.transcript, Transcript) if analysis.transcript else None,
        layouts=tuple(read_value(analysis.layout, list[LayoutSpan])) if analysis.layout else (),
        slides=tuple(read_value(analysis.slides, list[Slide])) if analysis.slides else (),
        silences=tuple(read_value(analysis.silences, list[Silence])) if analysis.silences else (),
        level_dbfs=heard.level_dbfs if heard else None,
        hop_s=heard.hop_s if heard else 1.0,
        corrections=analysis.corrections,
    )


def finished_words(pick: Highlight, wording: Wording, kit: Kit, settings: Settings) -> tuple[Highlight, Wording]:
    """A moment with its written title, and all that is said and written of it as it may be read."""

    def right(text: str) -> str:
        return finished_text(text, kit, settings)

    reasons = {name: right(told) if isinstance(told, str) else told for name, told in pick.reasons.items()}
    pick = replace(pick, title=right(wording.title), text=right(pick.text), reasons=reasons)
    tags = finished_tags(wording.tags, kit, settings)
    return pick, replace(wording, title=pick.title, description=right(wording.description), tags=tags)


def finished_text(text: str, kit: Kit, settings: Settings) -> str:
    """A title or description with the glossary's terms put right and swear words treated as the settings say."""
    right = kit.glossary.correct_text(text) if kit.glossary else text
    return mask_text(right, settings.writing.profanity) or text


def finished_tags(tags: tuple[str, ...], kit: Kit, settings: Settings) -> tuple[str, ...]:
    """Tags with the glossary's terms put right, without those that hold a swear word the settings do not keep."""
    right = [kit.glossary.correct_text(tag) if kit.glossary else tag for tag in tags]
    return tuple(tag for tag in right if mask_text(tag, settings.writing.profanity) == tag)


def _reel(stages: Stages, taken: MediaRef, made: list[Finished], settings: Settings) -> StageRef | None:
    good = [one for one in made if one.clip.rejected is None]
    if not (settings.reel and good):
        return None
    refs, titles = tuple(one.ref for one in good), tuple(one.pick.title for one in good)
    return stages.finish(kept(join_reel).submit(taken, refs, titles))
