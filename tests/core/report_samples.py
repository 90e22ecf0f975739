"""Recordings as the report is given them: plain ones, one with everything, and hostile ones."""

import math
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from core import report
from core.records import Sentence, SlideSpan, Word
from core.sights import LayoutSpan

TOPICS = ("gradients", "momentum", "the learning rate", "batch size", "regularisation", "early stopping", "curvature")
FRAMES = (
    "Now look at what {} does to the error over the first hundred steps.",
    "If you remember one thing about {}, remember that it is a trade and never a gift.",
    "We tried {} on four machines and measured the same thing each time.",
    "So why does {} fail here, when it worked an hour ago?",
    "Let me write down {} once more, slowly.",
    "People ask me about {} after every talk, and the answer is short.",
)


@dataclass
class Recording:
    """What `render_report` is given; tests change what they are about."""

    manifest: dict[str, Any]
    curve: list[tuple[float, float, float]] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    slides: list[SlideSpan] = field(default_factory=list)
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    envelope: list[float] = field(default_factory=list)
    about: list[tuple[float, float, float]] = field(default_factory=list)
    layouts: list[LayoutSpan] = field(default_factory=list)
    builds: set[float] = field(default_factory=set)

    def html(self) -> str:
        return report.render_report(
            self.manifest,
            curve=self.curve,
            sentences=self.sentences,
            slides=self.slides,
            thumbnails=self.thumbnails,
            envelope=self.envelope,
            about=self.about,
            layouts=self.layouts,
            builds=self.builds,
        )


def spoken(start_s: float, text: str, seconds: float) -> Sentence:
    parts = text.split()
    step = seconds / len(parts)
    words = tuple(Word(part, start_s + i * step, start_s + (i + 0.9) * step, 0.98) for i, part in enumerate(parts))
    return Sentence(start_s, words[-1].end_s, text, words)


def picture(index: int) -> bytes:
    image = Image.new("RGB", (200, 112), f"hsl({(index * 47) % 360}, 32%, 88%)")
    draw = ImageDraw.Draw(image)
    draw.rectangle((14, 16, 120 + index % 4 * 16, 26), fill=f"hsl({(index * 47) % 360}, 45%, 35%)")
    for row in range(2 + index % 4):
        draw.rectangle((14, 42 + row * 14, 90 + (row * 37 + index * 13) % 90, 47 + row * 14), fill="#8a8578")
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def clip_entry(rank: int, start_s: float, sentences: list[Sentence]) -> dict[str, Any]:
    inside = [s for s in sentences if s.start_s >= start_s][:6]
    start_s, end_s = inside[0].start_s - 0.2, inside[-1].end_s + 0.3
    stem = f"clips/{rank:02}-{TOPICS[rank % 7].replace(' ', '-')}"
    return {
        "rank": rank,
        "start_s": start_s,
        "end_s": end_s,
        "score": 0.94 - 0.055 * rank,
        "title": f"What {TOPICS[rank % 7]} really costs",
        "text": " ".join(s.text for s in inside),
        "reasons": {
            "centrality": 0.81 - 0.06 * rank,
            "novelty": 0.35 + 0.07 * rank,
            "position": 0.5,
            "prosody": -0.4 + 0.2 * rank,
            "length_s": end_s - start_s,
            "sentences": 6,
            "speech_share": 0.934,
            "starts_after_pause": True,
            "slide": "Why the step size matters",
            "key_words": f"{TOPICS[rank % 7]}, error, hundred steps, machines",
            "face": None,
        },
        "files": {"video": f"{stem}.mp4", "srt": f"{stem}.srt", "vtt": f"{stem}.vtt", "poster": f"{stem}.jpg"},
        "words": [
            {"text": w.text, "start_s": w.start_s - start_s, "end_s": w.end_s - start_s}
            for s in inside
            for w in s.words
        ],
        "checks": {
            "measures": {"loudness_lufs": -14.06, "true_peak_dbtp": -1.21, "duration_s": 33.4, "av_offset_ms": 4.0},
            "warnings": ["The picture stands still for 12 s."] if rank == 2 else [],
            "repairs": ["The end was moved 0.1 s later, into the pause."] if rank == 3 else [],
        },
    }


def runners_up(sentences: list[Sentence]) -> list[dict[str, Any]]:
    return [
        {
            "start_s": at,
            "end_s": at + 48.0,
            "score": 0.5 - i / 50,
            "text": sentences[int(at / 8)].text + " " + sentences[int(at / 8) + 1].text,
            "lost": lost,
        }
        for i, (at, lost) in enumerate(
            (
                (830.0, "overlaps clip 1, which scores higher"),
                (1100.0, "the eight places went to higher scores"),
                (1460.0, "overlaps clip 3, which scores higher"),
                (520.0, "repeats what clip 4 says"),
                (2200.0, "the eight places went to higher scores"),
            )
        )
    ]


def provenance() -> dict[str, Any]:
    """The part of a manifest that says what was made of what, and how."""
    return {
        "version": 1,
        "winnow": "0.1.0",
        "created": "2026-03-05T14:02:11+00:00",
        "source": {
            "name": "optimisation-lecture-07.mp4",
            "sha256": "9f2c" * 16,
            "bytes": 412_345_678,
            "duration_s": 2400.0,
            "width": 1280,
            "height": 720,
            "frame_rate": "30000/1001",
            "has_video": True,
            "has_audio": True,
            "title": "Optimisation for people in a hurry, lecture 7",
        },
        "models": {
            "highlight": {"name": "baseline", "version": "1", "sha256": "ab12" * 16},
            "speech": {"name": "tiny.en", "version": "1", "sha256": "cd34" * 16},
            "text": {"name": "all-MiniLM-L6-v2", "version": "2", "sha256": "ef56" * 16},
        },
        "settings": {
            "selection": {"clips": 8, "min_s": 20.0, "max_s": 120.0},
            "rendering": {"burn_captions": False, "loudness_lufs": -14.0, "encoder_preset": "veryfast"},
            "speech": {"speech_model": "tiny.en", "language": None},
            "model": "baseline",
        },
        "tools": {"ffmpeg": "6.0", "ffprobe": "6.0", "decord": "0.6.0", "faster-whisper": "1.2.1"},
        "stages": [
            {"name": name, "seconds": seconds, "cached": cached}
            for name, seconds, cached in (
                ("admit", 0.8, False),
                ("silences", 1.4, True),
                ("transcript", 96.2, True),
                ("frames", 8.9, True),
                ("score", 3.1, False),
                ("select", 0.2, False),
                ("render", 41.7, False),
            )
        ],
    }


def forty_minutes() -> Recording:
    """A lecture: 300 sentences with pauses, 20 slides, 6 clips, 5 runners-up."""
    sentences = []
    for index in range(300):
        text = FRAMES[index % 6].format(TOPICS[(index * 5) % 7])
        sentences.append(spoken(4 + index * 7.95, text, 5.2 + index % 4 * 0.7))
    curve = [
        (s.start_s, s.end_s, 0.45 + 0.3 * math.sin(i / 9) * math.cos(i / 23) + 0.15 * math.sin(i * 1.7))
        for i, s in enumerate(sentences)
    ]
    slides = [
        SlideSpan(
            index * 120.0, (index + 1) * 120.0, "start" if index == 0 else "slide", f"{index:04}.jpg", f"Step {index}"
        )
        for index in range(20)
    ]
    silences = [{"start_s": 310.0 + i * 287, "end_s": 318.0 + i * 289, "mean_dbfs": -52.4} for i in range(7)]
    clips = [clip_entry(r, at, sentences) for r, at in enumerate((812, 1405, 1450, 268, 2104, 1890), start=1)]
    manifest = {
        **provenance(),
        "clips": clips,
        "rejected": [{"start_s": 1700.0, "end_s": 1741.0, "reason": "The picture is black for 18 of its 41 s."}],
        "runners_up": runners_up(sentences),
        "silences": silences,
        "transcript": {
            "language": "en",
            "source": "tiny.en",
            "dropped": ["12:10 to 12:21: the same words 9 times in a row, taken for a repetition loop."],
        },
        "files": {"report": "report.html", "reel": "reel.mp4", "srt": "transcript.srt", "vtt": "transcript.vtt"},
        "warnings": ["The file is cut off: it declares 41:02 and ends at 40:00."],
    }
    envelope = [0.35 + 0.3 * math.sin(i * 0.9) * math.sin(i / 17) + 0.1 * math.sin(i * 2.3) for i in range(1500)]
    return Recording(
        manifest,
        curve,
        sentences,
        slides,
        {slide.thumbnail or "": picture(i) for i, slide in enumerate(slides)},
        envelope,
    )


def dressed(recording: Recording) -> Recording:
    """The same with all that a run with every option tells of its first clip, and with layouts and a build."""
    recording.manifest |= {"template": "lecture", "corrections": ["phosphor"]}
    start_s = recording.manifest["clips"][0]["start_s"]
    around = {"before": "the far side", "after": "is left behind", "removed": False}
    recording.manifest["clips"][0] |= {
        "files": {
            **{"video": "clips/1.mp4", "poster": "clips/1.jpg", "sheet": "clips/1-sheet.jpg"},
            **{"srt": "clips/1.srt", "vtt": "clips/1.vtt", "text": "clips/1.txt"},
            "formats": {
                "source": {"hd": "clips/1.mp4", "mobile": "clips/1-mobile.mp4"},
                "vertical": {"hd": "clips/1-vertical.mp4"},
            },
            "posters": {"vertical": "clips/1-vertical.jpg"},
            "hls": {"source": "clips/1.hls/source/master.m3u8", "vertical": "clips/1.hls/vertical/master.m3u8"},
            "parts": ["clips/1.hls/source/hd/0.m4s"],
        },
        "framing": [
            {"format": "source", "width": 1280, "height": 720},
            {"format": "vertical", "width": 1080, "height": 1920},
        ],
        "writing": {
            "description": "What it costs, in short.",
            "tags": ["tides", "moon"],
            "writer": "a-model",
            "note": "It did not answer in time.",
        },
        "tightening": [
            {"start_s": start_s + 1.0, "end_s": start_s + 2.0, "kind": "pause", "text": "", **around},
            {"start_s": start_s + 3.0, "end_s": start_s + 3.5, "kind": "filler", "text": "um", **around},
        ],
        "captions": {
            **{"cues": 9, "mean_chars_per_s": 13.6, "max_chars_per_s": 18.2, "over_text": [2.0], "over_mouth": []},
            "told": ["The caption at 3.2 s is too fast."],
            "corrected": [{"start_s": 1.0, "text": "fosfor", "instead": "phosphor"}],
            "masked": [{"start_s": 2.0, "text": "darn", "instead": "d***"}],
            "left_out": [{"start_s": 2.5, "text": "you know", "reason": "too fast to read", "instead": None}],
        },
    }
    recording.layouts = [LayoutSpan(0.0, 1500.0, "slides"), LayoutSpan(1500.0, 2400.0, "pip")]
    recording.builds = {240.0}
    return recording


HOSTILE = '</script></title><img src=x onerror="document.body.dataset.broken=1">\'{{ 7 * 7 }}\u2028\u2029<!-- ]]> &amp;'


def hostile(value: Any) -> Any:
    """Every text of a manifest made hostile, its structure kept."""
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


def attacked(recording: Recording) -> Recording:
    recording.manifest = hostile(recording.manifest)
    recording.sentences = [Sentence(s.start_s, s.end_s, HOSTILE, s.words) for s in recording.sentences]
    recording.slides = [SlideSpan(s.start_s, s.end_s, s.kind, s.thumbnail, HOSTILE) for s in recording.slides]
    return recording


def bare(**source: Any) -> Recording:
    return Recording({"source": {"name": "a.mp4", "duration_s": 60.0, **source}})


def without(*parts: str) -> dict[str, Any]:
    source = {"name": "a.mp4", "duration_s": 60.0, **dict.fromkeys(parts, False)}
    return {"source": source, "clips": [{"rank": 1, "start_s": 3.0, "end_s": 20.0}]}


SENTENCES = [spoken(2.0, "One two three four.", 8.0), spoken(11.0, "Five six.", 8.0)]
