"""One recording from file to published clips."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.task_runners import ThreadPoolTaskRunner

from core import progress
from core.admission import check_length, identify
from core.errors import RefusedInput
from core.estimates import learn_rates
from core.files import captions_beside, output_folder_name, to_path, to_uri
from core.home import home, store
from core.kit import Kit, load_kit
from core.leases import working_on
from core.logs import bound
from core.records import MediaRef, RunModels
from core.settings import AdmissionSettings, Settings
from core.subtitles import parse_subtitles
from core.tools import find_tool
from flows.analysing import analyse
from flows.outcomes import Outcome
from flows.producing import render
from flows.stages import Stages
from tasks.entries import read_value
from tasks.ingest import Probed, Refused, admit, probe_media
from tasks.publishing import publish_recording
from tasks.rendering import RENDERS_AT_ONCE, clip_rows
from tasks.stage import kept


@flow(  # pyright: ignore[reportCallIssue]
    name="recording",
    flow_run_name="{name}",
    task_runner=ThreadPoolTaskRunner(max_workers=max(3, RENDERS_AT_ONCE)),  # pyright: ignore[reportArgumentType]
    persist_result=False,
)
def recording(uri: str, name: str, out: str, transcript: str | None, settings: Settings, models: RunModels) -> Outcome:
    """Cut one recording's highlights. Returns done or rejected; raises where a stage failed for good."""
    began_s = time.monotonic()
    kit = load_kit(settings)
    stages = Stages(name)
    taken = admit(uri, settings.admission)
    if isinstance(taken, Refused):
        return Outcome(name, "rejected", reason=taken.reason)
    stages.note("admit", time.monotonic() - began_s, cached=False)
    with working_on(home(), taken.sha256), bound(sha256=taken.sha256, recording=name):
        outcome = _cut(stages, taken, _Order(name, uri, out, transcript, kit, settings, models))
    return replace(outcome, seconds=time.monotonic() - began_s) if outcome.status == "done" else outcome


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for."""

    name: str
    uri: str
    out: str
    transcript: str | None
    kit: Kit
    settings: Settings
    models: RunModels


def _cut(stages: Stages, taken: MediaRef, order: _Order) -> Outcome:
    """A recording that was taken, up to its published clips."""
    name, kit, settings, models = order.name, order.kit, order.settings, order.models
    path = to_path(order.uri)
    found = read_value(stages.finish(kept(probe_media).submit(taken, find_tool("ffprobe").version)), Probed)
    try:
        if found.info is None:
            raise RefusedInput(found.refused or f"{name} cannot be used.")
        check_length(name, found.info, settings.admission, settings.selection.min_s)
        captions, warnings = find_captions(path, order.transcript)
    except RefusedInput as refusal:
        return Outcome(name, "rejected", reason=str(refusal))
    info = found.info
    progress.tell(progress.RecordingEvent(name, duration_s=info.duration_s))
    if info.truncated:
        warnings.append(
            f"The file is cut off: {info.duration_s:.0f} s of {info.declared_duration_s:.0f} s can be read."
        )
    analysis = analyse(stages, taken, info, captions, kit, settings, models, warnings)
    renderings = render(stages, taken, info, analysis, kit, settings, models)
    folder = to_path(order.out) / output_folder_name(path, taken.sha256)
    timings = list(stages.timings.values())
    manifest = publish_recording(taken, info, analysis, renderings, settings, models, timings, to_uri(folder))
    stages.note("publish", 0.0, cached=False)
    learn_rates(home(), timings, info.duration_s)
    if any(made.wording.note for made in renderings.clips):
        store().drop(analysis.written)  # another run may reach the writer that failed this one
    rows = clip_rows([made.pick for made in renderings.clips])
    create_table_artifact(key="clips", table=rows, description=f"Clips of {name}")
    return Outcome(name, "done", manifest=manifest, clips=len(rows))


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
