"""One recording from file to published clips."""

import time
from pathlib import Path
from typing import Any, cast

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from core import progress
from core.admission import check_length, identify
from core.errors import RefusedInput
from core.estimates import learn_rates
from core.files import captions_beside, output_folder_name, to_path, to_uri
from core.home import home
from core.machine import cores
from core.records import MediaInfo, MediaRef, RunModels, Selection, Span, StageRef, StageTiming, Transcript
from core.settings import AdmissionSettings, Settings
from core.subtitles import parse_subtitles
from core.tools import find_tool
from flows.outcomes import Outcome
from models.speech import confidence
from tasks.entries import read_value
from tasks.ingest import Probed, Refused, admit, probe_media
from tasks.picture import scan_picture
from tasks.publishing import Analysis, Renderings, publish_recording
from tasks.rendering import RENDERS_AT_ONCE, clip_rows, drawn_in, join_reel, render_highlight
from tasks.selecting import select_highlights
from tasks.sound import decode_audio, detect_silences
from tasks.speech import read_captions, recognise_speech
from tasks.stage import kept
from tasks.subject import Found, find_relevance
from tasks.timeline import merge_timeline, score_timeline

SIDE_BY_SIDE_CORES = 4
"""With fewer, looking and recognising speech at the same time is no faster and takes the memory of both."""
SURE_ENOUGH = 0.6
"""Mean word probability below which recognition is called uncertain: clear speech has about 0.9."""


class Stages:
    """The stages of one recording as they end: told to whoever watches, and kept for the manifest."""

    def __init__(self, recording: str) -> None:
        self.recording = recording
        self.timings: dict[str, StageTiming] = {}

    def note(self, stage: str, seconds: float, *, cached: bool, item: str | None = None) -> None:
        """Add a finished stage, or a part of one: seconds add up, and it was cached if all its parts were."""
        before = self.timings.get(stage, StageTiming(stage, 0.0, True))
        self.timings[stage] = StageTiming(stage, round(before.seconds + seconds, 3), before.cached and cached)
        state: progress.State = "cached" if cached else "done"
        progress.tell(progress.StageEvent(self.recording, stage, item or stage, state, 1.0))

    def finish(self, future: PrefectFuture[Any]) -> StageRef:
        """Wait for a stage's task and note how it went. Raises what the task raised."""
        ref = cast(StageRef, future.result())
        self.note(ref.stage, ref.seconds, cached=future.state.name == "Cached", item=ref.key)
        return ref


@flow(  # pyright: ignore[reportCallIssue]
    name="recording",
    flow_run_name="{name}",
    task_runner=ThreadPoolTaskRunner(max_workers=max(3, RENDERS_AT_ONCE)),  # pyright: ignore[reportArgumentType]
    persist_result=False,
)
def recording(uri: str, name: str, out: str, transcript: str | None, settings: Settings, models: RunModels) -> Outcome:
    """Cut one recording's highlights. Returns done or rejected; raises where a stage failed for good."""
    began_s = time.monotonic()
    stages = Stages(name)
    taken = admit(uri, settings.admission)
    if isinstance(taken, Refused):
        return Outcome(name, "rejected", reason=taken.reason)
    stages.note("admit", time.monotonic() - began_s, cached=False)
    found = read_value(stages.finish(kept(probe_media).submit(taken, find_tool("ffprobe").version)), Probed)
    try:
        if found.info is None:
            raise RefusedInput(found.refused or f"{name} cannot be used.")
        check_length(name, found.info, settings.admission, settings.selection.min_s)
        captions, warnings = find_captions(to_path(uri), transcript)
    except RefusedInput as refusal:
        return Outcome(name, "rejected", reason=str(refusal))
    info = found.info
    progress.tell(progress.RecordingEvent(name, duration_s=info.duration_s))
    if info.truncated:
        warnings.append(
            f"The file is cut off: {info.duration_s:.0f} s of {info.declared_duration_s:.0f} s can be read."
        )
    analysis = analyse(stages, taken, info, captions, settings, models, warnings)
    renderings = render(stages, taken, info, analysis, settings)
    folder = to_path(out) / output_folder_name(to_path(uri), taken.sha256)
    timings = list(stages.timings.values())
    manifest = publish_recording(taken, info, analysis, renderings, settings, models, timings, to_uri(folder))
    stages.note("publish", 0.0, cached=False)
    learn_rates(home(), timings, info.duration_s)
    rows = clip_rows([highlight for highlight, _ in renderings.clips])
    create_table_artifact(key="clips", table=rows, description=f"Clips of {name}")
    return Outcome(name, "done", manifest=manifest, clips=len(rows), seconds=time.monotonic() - began_s)


def find_captions(path: Path, transcript: str | None) -> tuple[MediaRef | None, list[str]]:
    """The captions to use: those named, else those beside the recording, else none; and what to warn about.

    Raises RefusedInput if the captions named cannot be used. Those merely found are then passed over with a warning.
    """
    named = to_path(transcript) if transcript else None
    chosen = named or captions_beside(path)
    if chosen is None:
        return None, []
    try:
        ref = identify(chosen, AdmissionSettings())
        parse_subtitles(chosen.read_bytes(), name=ref.name)
    except RefusedInput as refusal:
        if named:
            raise
        return None, [f"The captions beside the recording were not used: {refusal}"]
    return ref, []


def analyse(
    stages: Stages,
    taken: MediaRef,
    info: MediaInfo,
    captions: MediaRef | None,
    settings: Settings,
    models: RunModels,
    warnings: list[str],
) -> Analysis:
    """Listen and look side by side, bring both together, score, find the subject if one was named, and choose."""
    looking = kept(scan_picture).submit(taken, info) if info.video else None
    sound = stages.finish(kept(decode_audio).submit(taken, info)) if info.audio else None
    length_s = info.duration_s
    hushing = kept(detect_silences).submit(taken, sound, length_s, settings.silences) if sound else None
    if looking and cores() < SIDE_BY_SIDE_CORES:
        looking.wait()
    if captions:
        hearing = kept(read_captions).submit(taken, captions, sound, length_s, settings.speech.language)
    else:
        hearing = (
            kept(recognise_speech).submit(taken, sound, length_s, settings.speech, models.speech) if sound else None
        )
    silences = stages.finish(hushing) if hushing else None
    transcript = stages.finish(hearing) if hearing else None
    picture = stages.finish(looking) if looking else None
    said = read_value(transcript, Transcript) if transcript else None
    merged = stages.finish(kept(merge_timeline).submit(taken, length_s, sound, silences, transcript, picture))
    scored = stages.finish(kept(score_timeline).submit(taken, merged, models.highlight, models.text))
    relevance = None
    if models.about:
        subject = settings.selection.about
        relevance = stages.finish(kept(find_relevance).submit(taken, merged, subject, models.about, models.text))
    language = said.language if said else None
    selected = stages.finish(
        kept(select_highlights).submit(taken, merged, scored, relevance, sound, length_s, language, settings.selection)
    )
    notes = (*warnings, *doubts(said, settings), *off_subject(relevance, selected, settings))
    return Analysis(sound, silences, transcript, picture, merged, scored, relevance, selected, notes)


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


def render(stages: Stages, taken: MediaRef, info: MediaInfo, analysis: Analysis, settings: Settings) -> Renderings:
    """Render every chosen moment, a few at a time, and join those that pass their checks."""
    chosen = read_value(analysis.selected, Selection).highlights
    said = read_value(analysis.transcript, Transcript) if analysis.transcript else None
    progress.tell(progress.RecordingEvent(taken.name, stage="render", parts=len(chosen)))
    running: list[PrefectFuture[Any]] = []
    refs: list[StageRef] = []
    for highlight in chosen:
        if len(running) - len(refs) >= RENDERS_AT_ONCE:
            refs.append(stages.finish(running[len(refs)]))
        span = Span(highlight.start_s, highlight.end_s)
        drawn = drawn_in(said, span, info, settings.rendering)
        running.append(kept(render_highlight).submit(taken, info, span, highlight.title, drawn, settings.rendering))
    refs += [stages.finish(future) for future in running[len(refs) :]]
    clips = tuple(zip(chosen, refs, strict=True))
    return Renderings(clips, _reel(stages, taken, clips, settings))


def _reel(stages: Stages, taken: MediaRef, clips: Any, settings: Settings) -> StageRef | None:
    from core.rendering import RenderedClip

    good = [(h, ref) for h, ref in clips if read_value(ref, RenderedClip).rejected is None]
    if not (settings.reel and good):
        return None
    refs, titles = tuple(ref for _, ref in good), tuple(h.title for h, _ in good)
    return stages.finish(kept(join_reel).submit(taken, refs, titles))
