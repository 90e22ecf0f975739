"""One recording is listened to and looked at, scored, and its moments are chosen and named."""

from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture

from core.caption_report import Replaced
from core.kit import Kit
from core.machine import cores
from core.records import (
    MediaInfo,
    MediaRef,
    RunModels,
    Selection,
    StageRef,
    Transcript,
)
from core.settings import Settings
from flows.stages import Stages
from models.speech import confidence
from models.writers import writer_name
from tasks.entries import read_value
from tasks.picture import find_layout, read_slide_text, scan_picture
from tasks.publishing import Analysis
from tasks.selecting import select_highlights
from tasks.sound import decode_audio, detect_silences
from tasks.speech import correct_terms, corrections_of, read_captions, recognise_speech
from tasks.stage import kept
from tasks.subject import Found, find_relevance
from tasks.timeline import merge_timeline, score_timeline
from tasks.writing import write_about_clips

SIDE_BY_SIDE_CORES = 4
"""With fewer, looking and recognising speech at the same time is no faster and takes the memory of both."""
SURE_ENOUGH = 0.6
"""Mean word probability below which recognition is called uncertain: clear speech has about 0.9."""


def analyse(
    stages: Stages,
    taken: MediaRef,
    info: MediaInfo,
    captions: MediaRef | None,
    kit: Kit,
    settings: Settings,
    models: RunModels,
    warnings: list[str],
) -> Analysis:
    """Listen and look side by side, bring both together, score, find the subject if one was named, and choose."""
    looking = kept(scan_picture).submit(taken, info) if info.video else None
    seen = Sights(None, None, None)
    sound = stages.finish(kept(decode_audio).submit(taken, info)) if info.audio else None
    length_s = info.duration_s
    hushing = kept(detect_silences).submit(taken, sound, length_s, settings.silences) if sound else None
    if looking and cores() < SIDE_BY_SIDE_CORES:
        seen = look(stages, taken, info, looking, models)
    if captions:
        hearing = kept(read_captions).submit(taken, captions, sound, length_s, settings.speech.language)
    else:
        hearing = (
            kept(recognise_speech).submit(taken, sound, length_s, settings.speech, models.speech) if sound else None
        )
    silences = stages.finish(hushing) if hushing else None
    if looking and seen.picture is None:
        seen = look(stages, taken, info, looking, models)
    transcript = stages.finish(hearing) if hearing else None
    corrections: tuple[Replaced, ...] = ()
    if transcript and kit.glossary:
        transcript = stages.finish(kept(correct_terms).submit(taken, transcript, kit.glossary))
        corrections = corrections_of(transcript)
    said = read_value(transcript, Transcript) if transcript else None
    found = (sound, silences, transcript, seen.picture, seen.layout, seen.slides)
    merged = stages.finish(kept(merge_timeline).submit(taken, length_s, *found))
    scored = stages.finish(kept(score_timeline).submit(taken, merged, models.highlight, models.text))
    relevance = None
    if models.about:
        subject = settings.selection.about
        relevance = stages.finish(kept(find_relevance).submit(taken, merged, subject, models.about, models.text))
    language = said.language if said else None
    selected = stages.finish(
        kept(select_highlights).submit(taken, merged, scored, relevance, sound, length_s, language, settings.selection)
    )
    titles = settings.writing.titles
    by = writer_name(titles)
    written = stages.finish(
        kept(write_about_clips).submit(taken, selected, merged, scored, seen.slides, language, titles, by)
    )
    notes = (*warnings, *doubts(said, settings), *off_subject(relevance, selected, settings))
    return Analysis(*found, merged, scored, relevance, selected, written, notes, corrections)


@dataclass(frozen=True, slots=True)
class Sights:
    """What was seen: changes of the picture, layouts, text of slides; None without a picture."""

    picture: StageRef | None
    layout: StageRef | None
    slides: StageRef | None


def look(stages: Stages, taken: MediaRef, info: MediaInfo, looking: PrefectFuture[Any], models: RunModels) -> Sights:
    """Wait for the changes of the picture, then find out what it shows between them."""
    picture = stages.finish(looking)
    layout = stages.finish(kept(find_layout).submit(taken, info, picture, models.faces))
    slides = stages.finish(kept(read_slide_text).submit(taken, info, picture, layout, models.ocr))
    return Sights(picture, layout, slides)


def doubts(said: Transcript | None, settings: Settings) -> list[str]:
    """What a person should know about the transcript before trusting the picks."""
    certainty = confidence(said) if said else None
    if certainty is None:
        return ["No speech was found; moments were chosen by picture and sound alone."]
    if certainty < SURE_ENOUGH:
        return [
            f"Speech was recognised with little certainty by {settings.speech.speech_model}. If it is not English, "
            "try --speech-model base; or give captions with --transcript."
        ]
    return []


def off_subject(relevance: StageRef | None, selected: StageRef, settings: Settings) -> list[str]:
    """What a person who named a subject should know: that nothing is about it, or that some picks are not."""
    if relevance is None:
        return []
    told, subject = read_value(relevance, Found), f"“{settings.selection.about}”"
    if not told.found:
        return [f"Nothing in the recording seems to be about {subject}; moments were chosen as if it were not named."]
    picks = read_value(selected, Selection).highlights
    near = [float(pick.reasons["about_probability"] or 0) >= told.about_at for pick in picks]
    if all(near):
        return []
    return [f"Clips that seem to be about {subject}: {sum(near)} of {len(picks)}. The others are the best of the rest."]
