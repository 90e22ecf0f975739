"""The captions of the sample talk, as a careful person would have typed them: true text, times a little off."""

import random
from typing import Any

LINE_CHARACTERS = 42
CUE_CHARACTERS = 2 * LINE_CHARACTERS - 6
COMMA_CHARACTERS = 20
"""A comma may be this much off the middle and still be the better place to divide."""
SLOPPY_S = 0.25


def as_vtt(words: list[dict[str, Any]]) -> str:
    """WebVTT of `words` (text, start_s, end_s). Cue edges are up to SLOPPY_S off, repeatably, and never overlap."""
    cues = _cues(words)
    chance = random.Random(1)
    edges: list[float] = []
    for cue in cues:
        for true_s in (cue[0]["start_s"], cue[-1]["end_s"]):
            earliest_s = edges[-1] if edges else 0.0
            edges.append(max(earliest_s, true_s + chance.uniform(-SLOPPY_S, SLOPPY_S)))
    blocks = [
        f"{_stamp(start_s)} --> {_stamp(end_s)}\n{_lines(' '.join(word['text'] for word in cue))}\n"
        for cue, start_s, end_s in zip(cues, edges[::2], edges[1::2], strict=True)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _cues(words: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Sentences; one that is longer than two lines is divided about evenly, at a comma where there is one."""
    sentences: list[list[dict[str, Any]]] = [[]]
    for word in words:
        if sentences[-1] and sentences[-1][-1]["text"][-1] in ".:?!":
            sentences.append([])
        sentences[-1].append(word)
    return [part for sentence in sentences for part in _divided(sentence)]


def _divided(sentence: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    lengths = [len(word["text"]) + 1 for word in sentence]
    if sum(lengths) <= CUE_CHARACTERS:
        return [sentence]

    def unevenness(i: int) -> float:
        comma = sentence[i - 1]["text"].endswith(",")
        return abs(sum(lengths[:i]) - sum(lengths) / 2) - (COMMA_CHARACTERS if comma else 0)

    at = min(range(1, len(sentence)), key=unevenness)
    return [*_divided(sentence[:at]), *_divided(sentence[at:])]


def _lines(text: str) -> str:
    """One line, or two of about the same length."""
    if len(text) <= LINE_CHARACTERS:
        return text
    gaps = [i for i, character in enumerate(text) if character == " "]
    middle = min(gaps, key=lambda i: abs(i - len(text) / 2))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def _stamp(time_s: float) -> str:
    minutes, milliseconds = divmod(round(time_s * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
