"""The real model on the sample talk, and on sound in which nobody speaks."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import jiwer
import numpy as np
import pytest

from core import media
from core.chunks import chunk_spans
from core.errors import BadSetting, WeightsError
from core.records import ModelRef, Span, Transcript, Word
from models import pretrained, speech
from models.hallucinations import Heard

SAMPLE = Path("data/samples/tides.mp4")
TRUTH = SAMPLE.with_name("tides.truth.json")
EXCERPT_S = 40.0
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> np.ndarray:
    """The first 40 s of the sample talk."""
    target = tmp_path_factory.mktemp("talk") / "talk.f32"
    arguments = ["-i", media.file_url(SAMPLE), "-t", str(EXCERPT_S), "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le"]
    media.run_ffmpeg([*arguments, media.file_url(target)], what="Decoding the sample", timeout_s=60)
    return np.fromfile(target, np.float32)


@pytest.fixture(scope="module")
def model() -> speech.SpeechModel:
    return speech.load(pretrained.resolve_speech("tiny.en"), threads=2)


@pytest.fixture(scope="module")
def transcript(model, talk) -> Transcript:
    return recognise(model, talk)


def recognise(model: speech.SpeechModel, sound: np.ndarray, chunks: list[Span] | None = None, **options) -> Transcript:
    def read(start_s: float, end_s: float) -> np.ndarray:
        return sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]

    whole = [Span(0.0, len(sound) / RATE_HZ)]
    return speech.transcribe(model, read, chunks or whole, **{"language": None, **options})


def words_of(transcript: Transcript) -> list[Word]:
    return [word for sentence in transcript.sentences for word in sentence.words]


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def truth_words() -> list[dict]:
    return [word for word in json.loads(TRUTH.read_text())["words"] if word["end_s"] <= EXCERPT_S]


def test_the_talk_is_understood(transcript):
    said = plain(" ".join(word["text"] for word in truth_words()))
    found = plain(" ".join(word.text for word in words_of(transcript)))
    assert jiwer.wer(said, found) < 0.15
    assert transcript.language == "en"
    assert transcript.source == "whisper-tiny.en"
    assert not transcript.dropped


def test_words_have_the_times_at_which_they_are_spoken(transcript):
    found, truth = words_of(transcript), truth_words()
    off_s = []
    for word in found:
        same = [t for t in truth if plain(t["text"]) == plain(word.text) and abs(t["start_s"] - word.start_s) < 2]
        if same:
            off_s.append(min(abs(t["start_s"] - word.start_s) for t in same))
    assert len(off_s) > 0.8 * len(found)
    assert np.median(off_s) < 0.1
    assert np.mean(np.array(off_s) < 0.3) > 0.9


def test_sentences_begin_and_end_with_the_voice(transcript):
    """A clip is cut at these edges: none may stand inside a spoken word."""
    truth = truth_words()
    edges_s = [edge for sentence in transcript.sentences[:-1] for edge in (sentence.start_s, sentence.end_s)]
    inside = [e for e in edges_s if any(t["start_s"] + 0.1 < e < t["end_s"] - 0.1 for t in truth)]
    assert not inside


def test_words_are_in_order_apart_and_inside_the_recording(transcript):
    found = words_of(transcript)
    assert all(a.start_s < a.end_s <= b.start_s for a, b in zip(found, found[1:], strict=False))
    assert found[0].start_s >= 0 and found[-1].end_s <= EXCERPT_S


def test_confidence_is_high_for_clear_speech_and_none_for_silence(transcript):
    confidence = speech.confidence(transcript)
    assert confidence is not None and 0.8 < confidence <= 1
    assert speech.confidence(Transcript((), "en", "whisper-tiny.en")) is None


def test_a_talk_in_chunks_is_heard_as_a_whole_one(model, talk, transcript):
    frames = talk[: len(talk) // 160 * 160].reshape(-1, 160)
    levels = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    chunks = chunk_spans(levels, 0.01, EXCERPT_S, target_s=12.0, max_s=18.0)
    assert len(chunks) > 2
    told: list[float] = []
    found = recognise(model, talk, chunks, on_progress=told.append)
    whole, pieces = (plain(" ".join(w.text for w in words_of(t))) for t in (transcript, found))
    assert jiwer.wer(whole, pieces) < 0.1
    assert told == sorted(told) and told[-1] == 1.0


def test_one_thread_hears_what_two_hear(model, talk):
    alone = speech.load(pretrained.resolve_speech("tiny.en"), threads=1)
    excerpt = talk[: 9 * RATE_HZ]
    assert recognise(alone, excerpt) == recognise(model, excerpt)


NOISE = np.random.default_rng(0).normal(0, 0.05, 30 * RATE_HZ).astype(np.float32)
TIMES = np.arange(30 * RATE_HZ) / RATE_HZ
PITCH = np.cumsum(120 + 10 * np.sin(2 * np.pi * 5 * TIMES)) / RATE_HZ
CHORD = sum(0.1 * np.sin(2 * np.pi * f * TIMES) * (1 - TIMES % 0.5) for f in (220.0, 277.2, 329.6, 440.0))


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(30 * RATE_HZ), id="silence"),
        pytest.param(NOISE, id="noise"),
        pytest.param(NOISE * 1e-3, id="faint noise"),
        pytest.param(0.3 * np.sin(2 * np.pi * 440 * TIMES), id="a tone"),
        pytest.param(CHORD, id="plucked chords"),
        pytest.param((PITCH % 1 - 0.5) * 0.3 * (np.sin(6 * np.pi * TIMES) > 0), id="a buzz with the pitch of a voice"),
        pytest.param(np.zeros(100), id="less than a hundredth of a second"),
    ],
)
def test_nothing_is_heard_where_nobody_speaks(model, sound):
    assert words_of(recognise(model, sound.astype(np.float32))) == []


def test_nothing_is_heard_in_the_silence_after_speech(model, talk):
    spoken = talk[: 14 * RATE_HZ]
    found = words_of(recognise(model, np.concatenate([spoken, np.zeros(60 * RATE_HZ, np.float32)])))
    assert len(found) > 20
    assert found[-1].end_s <= 14.0


def test_a_phrase_that_is_looped_is_kept_once_and_noted(model, talk):
    phrase = np.concatenate([talk[int(2.9 * RATE_HZ) : int(5.75 * RATE_HZ)]] * 10)
    found = recognise(model, phrase)
    assert len(words_of(found)) <= 40
    assert any("repetition loop" in note for note in found.dropped)


def test_a_faint_recording_is_understood(model, talk):
    found = plain(" ".join(word.text for word in words_of(recognise(model, talk[: 9 * RATE_HZ] * 1e-3))))
    assert "before we begin please mute your phones" in found


def test_sound_that_is_not_a_number_is_taken_as_silence(model, talk):
    broken = talk[: 9 * RATE_HZ].copy()
    broken[::1_000] = np.nan
    assert len(words_of(recognise(model, broken))) > 10


def test_an_error_in_reading_is_raised(model):
    def read(start_s: float, end_s: float) -> np.ndarray:
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        speech.transcribe(model, read, [Span(0.0, 10.0)], language=None)


def test_no_chunks_make_an_empty_transcript(model):
    assert speech.transcribe(model, lambda a, b: np.zeros(0, np.float32), [], language=None).sentences == ()


def test_a_region_of_the_language_is_accepted(model):
    assert speech.spoken_language(model, "en-US") == "en"


def test_a_language_that_the_model_lacks_is_a_bad_setting(model):
    with pytest.raises(BadSetting, match="base"):
        recognise(model, np.zeros(RATE_HZ, np.float32), language="de")


def test_weights_that_are_no_model_are_refused(tmp_path):
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    ref = pretrained.resolve_speech(str(tmp_path), cache_dir=tmp_path)
    with pytest.raises(WeightsError, match="Loading the speech model"):
        speech.load(ref, threads=1)


def test_a_changed_model_is_refused(tmp_path):
    ref = ModelRef("mine", "0" * 12, "0" * 64, tmp_path.as_uri())
    (tmp_path / "model.bin").write_text("{}")
    with pytest.raises(WeightsError, match="sha256"):
        speech.load(ref, threads=1)


def test_pieces_of_a_number_are_one_word_and_characters_of_chinese_are_many():
    def piece(word: str, start: float) -> SimpleNamespace:
        return SimpleNamespace(word=word, start=start, end=start + 0.2, probability=0.5)

    pieces = [
        piece(" 3", 0.0),
        piece(".5", 0.2),
        piece("%", 0.4),
        piece(" of", 0.6),
        piece("你", 1.0),
        piece("好", 1.2),
    ]
    found = speech.join_pieces(pieces, Span(10.0, 12.0), 10.0)
    assert [word.text for word in found] == ["3.5%", "of", "你", "好"]
    assert (found[0].start_s, found[0].end_s) == pytest.approx((10.0, 10.6))


def test_speech_without_words_is_looked_for_again():
    said = (Word("one", 1.0, 1.4), Word("stretched", 1.4, 9.0), Word("two", 9.0, 9.4))
    heard = Heard(Span(0.5, 14.0), said, -0.2, 0.0)
    found = speech.unheard(heard, [Span(0.5, 9.6), Span(10.0, 14.0), Span(15.0, 20.0)])
    assert [(s.start_s, s.end_s) for s in found] == [(pytest.approx(2.9), 9.0), (10.0, 14.0)]
