"""Build the sample talk and its truth: `python data/samples/make_sample.py` from the repository's root.

Writes tides.mp4, tides.truth.json and captions/tides.vtt beside this file, and the new sha256 into README.md. Needs
flite and the DejaVu fonts on top of what Winnow itself needs; who only uses the sample needs neither.
"""

import hashlib
import json
import re
import sys
import tempfile
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1]))

import talk  # noqa: E402
import voice  # noqa: E402
from cues import as_vtt  # noqa: E402
from picture import FPS, Shot, encode  # noqa: E402
from slides import Slide, draw_slides  # noqa: E402

SPEECH_GAIN_DB = 1.9
"""Brings the voice to -20 LUFS, measured with ffmpeg's ebur128."""
ROOM_DBFS = -65.0
"""Level of the room: a recording without any noise does not exist."""
CLOSING_S = 0.5
SILENCE_S = 1.0
SLIDE_LEAD_S = 0.5
"""A slide comes up this much before the first word about it, or half the pause if that is less."""


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance at its place in the talk. Times in seconds, to the millisecond."""

    start_s: float
    end_s: float
    text: str
    words: tuple[voice.SpokenWord, ...]


def say_all() -> tuple[np.ndarray, list[list[Said]]]:
    """The sound of the talk at voice.RATE_HZ, one list of utterances a scene."""
    millisecond = voice.RATE_HZ // 1000
    at_ms = round(talk.OPENING_S * 1000)
    pieces: list[tuple[int, np.ndarray]] = []
    scenes: list[list[Said]] = []
    for scene in talk.SCENES:
        scenes.append([])
        for line in scene.lines:
            speech = voice.speak(line.text)
            length_ms = -(-len(speech.samples) // millisecond)
            pieces.append((at_ms * millisecond, speech.samples))
            start_s, end_s = at_ms / 1000, (at_ms + length_ms) / 1000
            words = tuple(
                voice.SpokenWord(
                    word.text, round(start_s + word.start_s, 3), min(round(start_s + word.end_s, 3), end_s)
                )
                for word in speech.words
            )
            scenes[-1].append(Said(start_s, end_s, line.text, words))
            at_ms += length_ms + round(line.pause_s * 1000)
    frames = -(-(at_ms + round(CLOSING_S * 1000)) * FPS // 1000)
    track = room(frames * voice.RATE_HZ // FPS)
    for start, samples in pieces:
        track[start : start + len(samples)] += samples * 10 ** (SPEECH_GAIN_DB / 20)
    return track, scenes


def room(length: int) -> np.ndarray:
    """Noise that falls by 3 dB an octave, like the air of a quiet hall, at ROOM_DBFS."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / voice.RATE_HZ)
    shaped = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 50.0)), length)
    return (shaped / shaped.std() * 10 ** (ROOM_DBFS / 20)).astype(np.float32)


def shots(scenes: list[list[Said]], frames: int) -> list[Shot]:
    """One shot a scene, cut on frame borders, tiling the talk."""
    cuts = [0]
    for before, after in zip(scenes, scenes[1:], strict=False):
        pause_s = after[0].start_s - before[-1].end_s
        cuts.append(round((after[0].start_s - min(SLIDE_LEAD_S, pause_s / 2)) * FPS))
    cuts.append(frames)
    return [
        Shot(first, last, scene.layout, scene.slide)
        for first, last, scene in zip(cuts, cuts[1:], talk.SCENES, strict=False)
    ]


def silences(said: list[Said], duration_s: float) -> list[dict[str, float]]:
    edges = [0.0, *(edge for one in said for edge in (one.start_s, one.end_s)), duration_s]
    pauses = zip(edges[::2], edges[1::2], strict=True)
    return [{"start_s": a, "end_s": b} for a, b in pauses if round(b - a, 3) >= SILENCE_S]


def highlights(said: list[Said]) -> list[dict[str, Any]]:
    def line(beginning: str) -> Said:
        (found,) = (one for one in said if one.text.startswith(beginning))
        return found

    return [{"start_s": line(m.first).start_s, "end_s": line(m.last).end_s, "why": m.why} for m in talk.HIGHLIGHTS]


def truth(scenes: list[list[Said]], cut: list[Shot], pages: dict[str, Slide], video: Path) -> dict[str, Any]:
    """Everything that is known of the talk, as README.md describes it."""
    said = [one for scene in scenes for one in scene]
    duration_s = cut[-1].end_s
    return {
        "file": video.name,
        "sha256": hashlib.sha256(video.read_bytes()).hexdigest(),
        "duration_s": duration_s,
        "width": 1280,
        "height": 720,
        "fps": FPS,
        "word_times": "exact",
        "utterances": [{"start_s": one.start_s, "end_s": one.end_s, "text": one.text} for one in said],
        "words": [asdict(word) for one in said for word in one.words],
        "slides": [
            {"start_s": s.start_s, "end_s": s.end_s, "title": p.title, "text": p.text, "build": p.build}
            for s in cut
            if s.slide and (p := pages[s.slide])
        ],
        "layouts": layouts(cut),
        "silences": silences(said, duration_s),
        "highlights": highlights(said),
    }


def layouts(cut: list[Shot]) -> list[dict[str, Any]]:
    """Shots with the same layout are one interval, whatever their slides."""
    merged: list[dict[str, Any]] = []
    for shot in cut:
        if merged and merged[-1]["layout"] == shot.layout:
            merged[-1]["end_s"] = shot.end_s
        else:
            boxes = {"slide_box": shot.slide_box, "face_box": shot.face_box}
            merged.append({"start_s": shot.start_s, "end_s": shot.end_s, "layout": shot.layout, **boxes})
    return merged


def write_wav(path: Path, track: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(voice.RATE_HZ)
        file.writeframes((np.clip(track, -1, 1) * 32767).round().astype("<i2").tobytes())


def main() -> None:
    track, scenes = say_all()
    cut = shots(scenes, len(track) * FPS // voice.RATE_HZ)
    pages = draw_slides()
    video = HERE / "tides.mp4"
    with tempfile.TemporaryDirectory() as scratch:
        sound = Path(scratch, "talk.wav")
        write_wav(sound, track)
        encode(cut, pages, HERE / "source" / "podium.mp4", sound, video, Path(scratch))
    known = truth(scenes, cut, pages, video)
    (HERE / "tides.truth.json").write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (HERE / "captions").mkdir(exist_ok=True)
    (HERE / "captions" / "tides.vtt").write_text(as_vtt(known["words"]), encoding="utf-8")
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(r"\b[0-9a-f]{64}\b(?= *tides\.mp4)", known["sha256"], text), encoding="utf-8")
    print(f"{video.name}: {known['duration_s']} s, {video.stat().st_size} bytes, sha256 {known['sha256']}")


if __name__ == "__main__":
    main()
