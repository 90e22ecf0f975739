"""Speech recognition: Whisper through faster-whisper, window by window, as words with times.

Sound is read a chunk of some minutes at a time. Voice-activity detection (silero) finds speech in it, speech is packed
into windows of at most 29 s, and two windows are recognised at a time, each on its share of the processors.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core import media
from core.chunks import pack_windows
from core.errors import BadSetting, WeightsError
from core.reading import UNSPACED
from core.records import ModelRef, Span, Transcript, Word
from core.sentences import sentences_from_words
from models import hallucinations, pretrained
from models.devices import device
from models.hallucinations import Heard

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

RATE_HZ = 16_000
HOP = 160
WINDOW_S = 29.0
"""Whisper looks at 30 s at once, however little of it is speech, so windows are filled."""
WINDOW_GAP_S = 4.0
"""A longer pause ends a window: text is made up and times slip over long silence."""
WORKERS = 2
"""Windows recognised at a time. On two cores two of them, a core each, took half the time of one on both (and 130 MB
more memory); windows in batches of two saved 9 % of the work for another 130 MB."""
BEAM = 3
"""Beam width. Word errors with 1, 3 and 5 on two synthetic talks: 5.4, 4.2, 4.2 % and 14.7, 13.2, 13.0 %; each step
is 5 to 10 % more work."""
LAGS_S = {"whisper-tiny.en": 0.09, "whisper-base": -0.07}
"""How much later than they are spoken a model gives its words, at the median over 630 and more words of known times
in synthetic talks (for tiny.en, levels between words in eleven real recordings say 0.10). Another model's is not known
and taken as 0."""
HOLE_S, STRETCHED_S = 3.0, 1.5
"""Speech this long without a word in it is recognised once more on its own, as the decoder stops early at times. What a
word takes beyond STRETCHED_S is not taken for its own."""
LOOP_PENALTY = 1.2
"""How much repeated tokens are held back where a window's text looped."""
FAINT, NORMAL = 0.05, 0.2
"""Sound whose 99.9th percentile is below FAINT is made louder, to NORMAL; voice-activity detection needs it."""
LANGUAGE_CHUNKS, LANGUAGE_WINDOWS = 4, 2
"""The language is taken from so many windows of each of so many chunks spread over the recording."""

Samples = NDArray[np.float32]
Read = Callable[[float, float], Samples]


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A loaded recogniser."""

    ref: ModelRef
    whisper: "WhisperModel"
    workers: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Sound of a chunk with what is spoken in it; times are on the recording's timeline."""

    span: Span
    samples: Samples
    speech: tuple[Span, ...]
    windows: tuple[Span, ...]


def load(ref: ModelRef, threads: int) -> SpeechModel:
    """Load a resolved model for `threads` processors, or for the GPU that `device` chooses; 8-bit integers.

    Raises WeightsError as `pretrained` does, and BadSetting as `device`.
    """
    from faster_whisper import WhisperModel

    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    folder, chosen = pretrained.folder_of(ref), device()
    workers = min(WORKERS, threads)
    try:
        whisper = WhisperModel(
            str(folder),
            device=chosen,
            compute_type="int8" if chosen == "cpu" else "int8_float16",
            cpu_threads=threads // workers,
            num_workers=workers,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        raise WeightsError(
            f"Loading the speech model in {folder} failed: {error}. Convert or copy it again."
        ) from error
    return SpeechModel(ref, whisper, workers)


def transcribe(
    model: SpeechModel,
    read: Read,
    chunks: Sequence[Span],
    *,
    language: str | None,
    on_progress: Callable[[float], None] | None = None,
) -> Transcript:
    """What is said in the recording that `chunks` tile.

    Args:
        read: Gives the samples of [start_s, end_s): float32, 16 kHz, mono. Fewer if the sound ends before.
        language: Code such as "en"; None: English with an English model, else found in the recording.
        on_progress: Called with the share done, in (0, 1].

    Words are in order, apart, and inside the recording. At most two chunks of sound are held at a time.
    Raises BadSetting for a language that the model does not know.
    """
    language = spoken_language(model, language) or _detect_language(model, read, chunks)
    words: list[Word] = []
    notes: list[str] = []
    pool = ThreadPoolExecutor(model.workers, thread_name_prefix="speech")
    waiting: deque[tuple[_Chunk, list[Future[list[Heard]]]]] = deque()

    def tell(time_s: float) -> None:
        if on_progress:
            on_progress(time_s / chunks[-1].end_s)

    try:
        for i, span in enumerate(chunks):
            chunk = _prepare(read, span)
            waiting.append((chunk, [pool.submit(_hear, model, chunk, window, language) for window in chunk.windows]))
            while len(waiting) > (i + 1 < len(chunks)):
                found, dropped = _collect(*waiting.popleft(), tell)
                words += found
                notes += dropped
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return Transcript(tuple(sentences_from_words(words)), language, model.ref.name, tuple(notes))


def _collect(
    chunk: _Chunk, windows: Sequence[Future[list[Heard]]], tell: Callable[[float], None]
) -> tuple[list[Word], list[str]]:
    """The words of a chunk once its windows are done, and what was dropped."""
    heard: list[Heard] = []
    for done, window in enumerate(windows, 1):
        heard += window.result()
        tell(chunk.span.start_s + chunk.span.length_s * done / (len(windows) + 1))
    cleaned = hallucinations.clean(heard, chunk.speech, _levels(chunk.samples), HOP / RATE_HZ, chunk.span)
    tell(chunk.span.end_s)
    return cleaned


def confidence(transcript: Transcript) -> float | None:
    """Mean probability of the words, by their length; None if there are none.

    Measured: about 0.9 for clear speech, 0.6 for speech clipped to noise, 0.4 for speech played backwards.
    """
    words = [word for sentence in transcript.sentences for word in sentence.words]
    letters = sum(len(word.text) for word in words)
    return sum(word.probability * len(word.text) for word in words) / letters if letters else None


def spoken_language(model: SpeechModel, language: str | None) -> str | None:
    """The language code to recognise, None if it has to be detected. Raises BadSetting if the model lacks it."""
    known = model.whisper.supported_languages
    if language is None:
        return known[0] if len(known) == 1 else None
    code = re.split(r"[-_]", language.strip().lower())[0]
    if code not in known:
        other = "Choose the model base." if len(known) == 1 else f"Choose one of {', '.join(sorted(known))}."
        raise BadSetting(f"language {language!r} is not understood by {model.ref.name}. {other}")
    return code


def _detect_language(model: SpeechModel, read: Read, chunks: Sequence[Span]) -> str | None:
    """The most probable language over the windows with most speech; None where nobody speaks."""
    spread = sorted({round(i) for i in np.linspace(0, len(chunks) - 1, LANGUAGE_CHUNKS)}) if chunks else []
    sums: dict[str, float] = {}
    for i in spread:
        chunk = _prepare(read, chunks[i])
        for window in sorted(chunk.windows, key=lambda w: -w.length_s)[:LANGUAGE_WINDOWS]:
            first, last = (round((t - chunk.span.start_s) * RATE_HZ) for t in (window.start_s, window.end_s))
            _, _, probabilities = model.whisper.detect_language(chunk.samples[first:last])
            for code, probability in probabilities:
                sums[code] = sums.get(code, 0.0) + probability * window.length_s
    return max(sums, key=lambda code: sums[code]) if sums else None


def _prepare(read: Read, span: Span) -> _Chunk:
    """Read a chunk and find the speech in it."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    media.check_cancelled()
    samples = np.nan_to_num(read(span.start_s, span.end_s))
    loud = float(np.percentile(np.abs(samples), 99.9)) if len(samples) else 0.0
    if 0 < loud < FAINT:
        samples = (samples * (NORMAL / loud)).astype(np.float32)
    options = VadOptions(max_speech_duration_s=WINDOW_S - 1, min_silence_duration_ms=160, speech_pad_ms=200)
    found = get_speech_timestamps(samples, options) if len(samples) else []
    speech = tuple(
        Span(span.start_s + voice["start"] / RATE_HZ, span.start_s + voice["end"] / RATE_HZ)
        for voice in found
        if voice["start"] < voice["end"]
    )
    return _Chunk(span, samples, speech, tuple(pack_windows(speech, WINDOW_S, WINDOW_GAP_S)))


def _hear(model: SpeechModel, chunk: _Chunk, window: Span, language: str | None) -> list[Heard]:
    """Recognise a window; what looped or was skipped is tried once more."""
    heard = _decode(model, chunk, window, language)
    if hallucinations.is_looped(heard):
        again = _decode(model, chunk, window, language, repetition_penalty=LOOP_PENALTY)
        if not hallucinations.is_looped(again) and again.mean_logprob > hallucinations.UNSURE_LOGPROB:
            heard = again
    return [heard, *(_decode(model, chunk, hole, language) for hole in unheard(heard, chunk.speech))]


def unheard(heard: Heard, speech: Sequence[Span]) -> list[Span]:
    """Speech inside the window of which no word was recognised. A word stretched over it does not count."""
    holes = []
    for span in speech:
        if span.start_s < heard.window.start_s or span.end_s > heard.window.end_s:
            continue
        free_s = span.start_s
        for word in heard.words:
            if word.start_s - free_s >= HOLE_S and word.start_s <= span.end_s:
                holes.append(Span(free_s, word.start_s))
            free_s = max(free_s, min(word.end_s, word.start_s + STRETCHED_S))
        if span.end_s - free_s >= HOLE_S:
            holes.append(Span(free_s, span.end_s))
    return holes


def _decode(
    model: SpeechModel, chunk: _Chunk, window: Span, language: str | None, repetition_penalty: float = 1.0
) -> Heard:
    """One pass of Whisper over a window. Timestamp tokens are not asked for: with them it loses more words."""
    from faster_whisper import BatchedInferencePipeline

    media.check_cancelled()
    begin_s = chunk.span.start_s
    found, _ = BatchedInferencePipeline(model.whisper).transcribe(
        chunk.samples,
        language=language,
        beam_size=BEAM,
        temperature=0.0,
        repetition_penalty=repetition_penalty,
        condition_on_previous_text=False,
        without_timestamps=True,
        word_timestamps=True,
        clip_timestamps=[{"start": window.start_s - begin_s, "end": window.end_s - begin_s}],
        batch_size=1,
    )
    segments = list(found)
    pieces = [piece for segment in segments for piece in segment.words or ()]
    words = join_pieces(pieces, window, begin_s - LAGS_S.get(model.ref.name, 0.0))
    logprob = min((segment.avg_logprob for segment in segments), default=0.0)
    no_speech = max((segment.no_speech_prob for segment in segments), default=1.0)
    return Heard(window, tuple(words), logprob, no_speech)


def join_pieces(pieces: Sequence[Any], window: Span, offset_s: float) -> list[Word]:
    """Words of a window, in order and inside it; pieces that belong to one, such as "3" and ".5", are joined."""
    words: list[Word] = []
    for piece in pieces:
        text = piece.word.strip()
        if not text:
            continue
        start_s = min(max(float(piece.start) + offset_s, window.start_s), window.end_s - hallucinations.LEAST_WORD_S)
        end_s = min(max(float(piece.end) + offset_s, start_s + hallucinations.LEAST_WORD_S), window.end_s)
        word = Word(text, start_s, end_s, float(piece.probability))
        spaced = piece.word[0].isspace() or UNSPACED.match(text[0])
        if not words or spaced or UNSPACED.match(words[-1].text[-1]):
            words.append(word)
        else:
            last = words[-1]
            sure = min(last.probability, word.probability)
            words[-1] = Word(last.text + text, last.start_s, max(last.end_s, end_s), sure)
    return words


def _levels(samples: Samples) -> NDArray[np.float32]:
    """RMS level every 10 ms over 10 ms, in dBFS."""
    frames = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    return (10 * np.log10(np.einsum("ij,ij->i", frames, frames) / HOP + 1e-12)).astype(np.float32)
