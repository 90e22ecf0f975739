"""A short lesson as its analysis finds it: who says what when, over which slides, how loud."""

import numpy as np

from core.boxes import Box
from core.records import AudioStream, Highlight, MediaInfo, Sentence, Transcript, VideoStream, Word
from core.seen import Seen
from core.settings import Settings
from core.sights import LayoutSpan, Sighting, Slide, TextLine

HOP_S = 0.02
SIZE = (1280, 720)
PICTURE = Box(0, 0, *SIZE)
SAID = (
    (10.2, "The moon pulls the water,"), (12.2, "um, and the water rises."), (17.0, "Then the earth turns under it,"),
    (19.2, "and shit, that is a tide."),
)  # fmt: skip
"""Words of 0.3 s, one every 0.4 s; nothing is said between 14.2 and 17 s, nor before and after."""


def spoken() -> tuple[Word, ...]:
    words: list[Word] = []
    for start_s, text in SAID:
        for place, word in enumerate(text.split()):
            words.append(Word(word, start_s + 0.4 * place, start_s + 0.4 * place + 0.3))
    return tuple(words)


def transcript(words: tuple[Word, ...]) -> Transcript:
    text = " ".join(word.text for word in words)
    return Transcript((Sentence(words[0].start_s, words[-1].end_s, text, words),), "en", "captions")


def lesson(*, layouts: tuple[LayoutSpan, ...] = (), slides: tuple[Slide, ...] = (), said: bool = True) -> Seen:
    """A minute at 25 frames a second, of which SAID is said."""
    video = VideoStream(
        0, "h264", *SIZE, "25/1", "25/1", False, 0, "1:1", "yuv420p", "tv", None, None, None, False, 0.0, 60.0
    )
    info = MediaInfo("mov", 60.0, 60.0, video, AudioStream(1, "aac", 48_000, 2, 0.0, 60.0, None), None, False)
    words = spoken()
    level = np.full(round(60 / HOP_S), -70.0, np.float32)
    for word in words:
        level[round(word.start_s / HOP_S) : round(word.end_s / HOP_S)] = -20.0
    return Seen(
        info=info, transcript=transcript(words) if said else None, layouts=layouts, slides=slides, silences=(),
        level_dbfs=level, hop_s=HOP_S,
    )  # fmt: skip


def slide(start_s: float, end_s: float, *lines: Box, title: str = "Tides") -> Slide:
    return Slide(start_s, end_s, title, "Tides", False, None, tuple(TextLine("Tides", box, 0.9) for box in lines))


def sightings(face: Box) -> list[Sighting]:
    """A face at one place, its mouth where mouths are."""
    mouth = Box(face.x + face.w * 0.3, face.y + face.h * 0.75, face.w * 0.4, face.h * 0.1)
    return [Sighting(float(time_s), face, mouth) for time_s in np.arange(10.0, 22.0, 0.2)]


def pick(start_s: float = 10.0, end_s: float = 22.0) -> Highlight:
    return Highlight(1, start_s, end_s, 1.0, 0, 0, "Why tides", "The moon", {})


def settings(look=None, writing=None, rendering=None) -> Settings:
    """Settings with these differences from the usual ones, by group."""
    return Settings.model_validate({"look": look or {}, "writing": writing or {}, "rendering": rendering or {}})
