"""Recordings in, finished clips out: the flow that the command, a Python caller and a deployment all run."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.logging import get_run_logger
from pydantic import Field, StringConstraints, ValidationError

from core.errors import BadSetting, Cancelled, RefusedInput, WinnowError
from core.files import Source, display_name, find_sources, to_path, to_uri
from core.home import store
from core.kit import load_kit
from core.records import RunModels
from core.settings import (
    About,
    AdmissionSettings,
    BurnCaptions,
    CaptionStyleName,
    Clips,
    EncodingSettings,
    FilePath,
    Formats,
    Hls,
    Language,
    LookSettings,
    MaxSeconds,
    MinSeconds,
    ModelName,
    Reel,
    RenderSettings,
    Renditions,
    SelectionSettings,
    Settings,
    SilenceSettings,
    SpeechModel,
    SpeechSettings,
    TemplateName,
    Tighten,
    WritingSettings,
)
from flows.options import problems
from flows.outcomes import Outcome, as_table
from flows.recording import recording
from flows.resolving import resolve_models
from flows.secret_block import take_secrets
from models.writers import writer_for

Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
Sources = Annotated[list[Named], Field(min_length=1)]


class BatchFailed(WinnowError):
    """Every recording was tried, and at least one failed; `outcomes` says how each ended."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = list(outcomes)
        failed = [o for o in outcomes if o.status == "failed"]
        super().__init__(
            f"{len(failed)} of {len(outcomes)} recordings failed: " + "; ".join(o.reason or "" for o in failed)
        )


@flow(name="highlight", flow_run_name="highlight into {out}", persist_result=False)
def highlight(
    sources: Sources,
    out: Named = "clips",
    transcript: Named | None = None,
    clips: Clips = 8,
    min_s: MinSeconds = 20.0,
    max_s: MaxSeconds = 120.0,
    about: About = "",
    formats: Formats = (),
    burn_captions: BurnCaptions = False,
    caption_style: CaptionStyleName = "",
    template: TemplateName = "",
    tighten: Tighten = "no",
    renditions: Renditions = ("hd",),
    hls: Hls = False,
    framing: FilePath = "",
    reel: Reel = True,
    model: ModelName = "champion",
    speech_model: SpeechModel = "tiny.en",
    language: Language = None,
    writing: WritingSettings = WritingSettings(),  # noqa: B008  frozen
    encoding: EncodingSettings = EncodingSettings(),  # noqa: B008
    silences: SilenceSettings = SilenceSettings(),  # noqa: B008
    admission: AdmissionSettings = AdmissionSettings(),  # noqa: B008
) -> list[Outcome]:
    """Find the highlights of recordings and cut each into clips under `out`.

    Args:
        sources: Recordings, or folders of recordings: paths or file URIs.
        out: Folder for the results; each recording gets a folder of its own in it.
        transcript: Captions (SRT or VTT) to use instead of recognising speech; for a single recording.
        clips: Most clips cut from one recording.
        min_s: Shortest clip, in seconds.
        max_s: Longest clip, in seconds.
        about: Turn the picks toward this subject, in words of your own: a topic or a question.
        formats: Formats of each clip: source (as recorded), vertical (9:16), square (1:1); else the template's.
        burn_captions: Draw the captions into the picture.
        caption_style: How drawn captions look: plain, highlight, karaoke, bold; else the template's.
        template: Brand template: a name, or the path of its YAML file.
        tighten: Remove long pauses, or pauses and fillers, inside clips; preview only lists what would go.
        renditions: Sizes of each clip, of the ladder: hd, sd, mobile.
        hls: Also package each clip for streaming.
        framing: JSON file with framing plans of your own for single clips.
        reel: Also join the clips into one reel with chapters.
        model: Scoring model: a name, name@version or alias.
        speech_model: Whisper model: tiny.en, base (many languages), or a CTranslate2 folder.
        language: Spoken language, such as en; else a multilingual model detects it.
        writing: What is written: captions, titles, descriptions.
        encoding: How clips are encoded.
        silences: What counts as silence.
        admission: Which recordings are taken.

    Returns how each recording ended. A refused recording is an outcome. Raises RefusedInput if nothing could be
    begun, and BatchFailed, which carries the outcomes, if a recording failed.
    """
    take_secrets()
    try:
        settings = Settings(
            selection=SelectionSettings(clips=clips, min_s=min_s, max_s=max_s, about=about),
            rendering=RenderSettings(
                burn_captions=burn_captions, renditions=renditions, hls=hls, **encoding.model_dump()
            ),
            look=LookSettings(
                formats=formats, caption_style=caption_style, template=template, tighten=tighten, framing=framing
            ),
            writing=writing,
            speech=SpeechSettings(speech_model=speech_model, language=language),
            silences=silences,
            admission=admission,
            model=model,
            reel=reel,
        )
    except ValidationError as error:
        raise BadSetting(problems(error)) from error
    found = find_sources(sources)
    if transcript is not None and len(found) != 1:
        raise BadSetting(f"--transcript: one caption file goes with one recording, got {len(found)} recordings.")
    load_kit(settings)  # refuse what cannot be used before anything is begun
    writer_for(settings.writing.titles)
    models = resolve_models(settings)
    store().sweep()
    outcomes = [_one(source, out, transcript, settings, models) for source in found]
    create_table_artifact(key="recordings", table=as_table(outcomes), description="How each recording ended")
    if any(outcome.status == "failed" for outcome in outcomes):
        raise BatchFailed(outcomes)
    return outcomes


def _one(source: Source, out: str, transcript: str | None, settings: Settings, models: RunModels) -> Outcome:
    """One recording, whatever happens to it: what goes wrong is its outcome, and the next one begins."""
    name, began_s = display_name(source.path), time.monotonic()
    parameters: dict[str, Any] = {
        "uri": to_uri(source.path),
        "name": name,
        "out": to_uri(to_path(out)),
        "transcript": to_uri(to_path(transcript)) if transcript else None,
    }
    try:
        outcome = recording(**parameters, settings=settings, models=models)
    except Cancelled:
        raise
    except RefusedInput as refusal:
        outcome = Outcome(name, "rejected", reason=str(refusal))
    except Exception as error:
        get_run_logger().exception("%s failed", name)
        what = (
            str(error)
            if isinstance(error, WinnowError)
            else f"{name} failed unexpectedly: {type(error).__name__}: {error}"
        )
        outcome = Outcome(name, "failed", reason=what, seconds=time.monotonic() - began_s)
    if outcome.status == "rejected" and not source.named and "not audio or video" in (outcome.reason or ""):
        return Outcome(name, "skipped", reason=outcome.reason)
    return outcome
