"""What was said: recognised, or read from captions that came with the recording. Both are the stage `transcript`."""

from prefect import task

from core import audio, codec
from core.alignment import align_cues
from core.caption_report import Replaced
from core.chunks import chunk_spans
from core.files import to_path
from core.glossary import GLOSSARY_VERSION, Glossary
from core.home import store
from core.machine import cores, release_memory
from core.pools import INFERENCE
from core.records import MediaRef, ModelRef, StageRef, Transcript
from core.sentences import sentences_from_words
from core.settings import SpeechSettings
from core.subtitles import parse_subtitles
from tasks.entries import envelope, pcm_path, read_value, write_value
from tasks.slots import slot
from tasks.stage import STAGE, Entry, worth_retrying

SPEECH_VERSION = "1"
CAPTIONS_VERSION = "1"
CORRECTIONS = "corrections.json"


@task(
    name="transcript",
    task_run_name="transcript",
    cache_policy=STAGE,
    result_serializer="json",
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
    tags=["speech"],
)
def recognise_speech(
    recording: MediaRef,
    sound: StageRef,
    duration_s: float,
    settings: SpeechSettings,
    model: ModelRef,
    version: str = SPEECH_VERSION,
) -> StageRef:
    """Recognise speech, a few minutes at a time, as a `Transcript`."""
    from models import speech

    entry = Entry()
    with slot(INFERENCE), entry.writing() as at:
        pcm, heard = pcm_path(sound), envelope(sound)
        chunks = chunk_spans(heard.level_dbfs, heard.hop_s, duration_s)
        found = speech.transcribe(
            speech.load(model, threads=cores()),
            lambda start_s, end_s: audio.read(pcm, start_s, end_s),
            chunks,
            language=settings.language,
            on_progress=at.tell,
        )
        write_value(at.folder, found, Transcript)
    release_memory()
    return entry.ref


@task(name="transcript", task_run_name="transcript from captions", cache_policy=STAGE, result_serializer="json")
def read_captions(
    recording: MediaRef,
    captions: MediaRef,
    sound: StageRef | None,
    duration_s: float,
    language: str | None,
    version: str = CAPTIONS_VERSION,
) -> StageRef:
    """The words of a caption file, their times refined on the sound, as a `Transcript`."""
    entry = Entry()
    with entry.writing() as at:
        heard = envelope(sound) if sound else None
        cues = parse_subtitles(to_path(captions.uri).read_bytes(), name=captions.name)
        levels, hop_s = (heard.level_dbfs, heard.hop_s) if heard else (None, audio.HOP / audio.RATE_HZ)
        sentences = sentences_from_words(align_cues(cues, levels, hop_s, duration_s))
        write_value(at.folder, Transcript(tuple(sentences), language, "captions"), Transcript)
    return entry.ref


@task(name="transcript", task_run_name="transcript with the glossary", cache_policy=STAGE, result_serializer="json")
def correct_terms(
    recording: MediaRef, transcript: StageRef, glossary: Glossary, version: str = GLOSSARY_VERSION
) -> StageRef:
    """The transcript with the glossary's terms put right, as a `Transcript`; what was changed lies beside it."""
    entry = Entry()
    with entry.writing() as at:
        right, found = glossary.correct(read_value(transcript, Transcript))
        (at.folder / CORRECTIONS).write_bytes(codec.dump(found, list[Replaced]))
        write_value(at.folder, right, Transcript)
    return entry.ref


def corrections_of(corrected: StageRef) -> tuple[Replaced, ...]:
    """What the glossary changed, in order, on the recording's timeline."""
    return tuple(codec.load(store().read_bytes(corrected, CORRECTIONS), list[Replaced]))
