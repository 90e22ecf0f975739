"""Decode a recording's sound once, and find its silences."""

from prefect import task

from core import audio
from core.files import to_path
from core.records import MediaInfo, MediaRef, Silence, StageRef
from core.settings import SilenceSettings
from core.silences import find_silences
from tasks.entries import envelope, write_value
from tasks.stage import STAGE, Entry, worth_retrying

AUDIO_VERSION = "1"
SILENCES_VERSION = "1"


@task(
    name="audio",
    task_run_name="audio",
    cache_policy=STAGE,
    result_serializer="json",
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_jitter_factor=0.5,
    retry_condition_fn=worth_retrying,
)
def decode_audio(recording: MediaRef, info: MediaInfo, version: str = AUDIO_VERSION) -> StageRef:
    """16 kHz mono samples of the whole recording, and their level and spectral centroid over time."""
    entry = Entry()
    with entry.writing() as at:
        pcm, length_s = at.folder / audio.PCM_NAME, info.duration_s
        audio.decode(to_path(recording.uri), info, pcm, on_progress=lambda s: at.tell(0.6 * s / length_s))
        found = audio.measure(pcm, on_progress=lambda s: at.tell(0.6 + 0.4 * s / length_s))
        found.save(at.folder / audio.ENVELOPE_NAME)
    return entry.ref


@task(name="silences", task_run_name="silences", cache_policy=STAGE, result_serializer="json")
def detect_silences(
    recording: MediaRef, sound: StageRef, duration_s: float, settings: SilenceSettings, version: str = SILENCES_VERSION
) -> StageRef:
    """Silences of the recording as `list[Silence]`."""
    entry = Entry()
    with entry.writing() as at:
        write_value(at.folder, find_silences(envelope(sound), settings, duration_s), list[Silence])
    return entry.ref
