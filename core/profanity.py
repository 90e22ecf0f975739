"""Coarse words in captions and titles: kept, masked ("f***"), or left out. Whole words only, by an English list.

"Scunthorpe" stays what it is; so does a word that is coarse only sometimes, since the list leaves those out.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from core.caption_report import Replaced
from core.records import Sentence, Transcript, Word

ProfanityMode = Literal["keep", "mask", "remove"]
LIST = Path(__file__).with_name("assets") / "captions" / "profanity.txt"
MARKS = re.compile(r"[.,;:!?…]+[\"'”’)\]]*$")


@cache
def profane_words() -> frozenset[str]:
    """The list, in lower case; lines that begin with # are comments."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(profane_words(), key=lambda word: (-len(word), word))
    return re.compile(
        rf"(?<![\w'’])(?:{'|'.join(map(re.escape, longest_first))})(?![\w])(?!['’](?!s\b))", re.IGNORECASE
    )


def mask_words(words: Sequence[Word], mode: ProfanityMode) -> tuple[list[Word], list[Replaced]]:
    """`words` with coarse ones masked or left out, and a note of each; all others keep their text and times.

    A mark that ends a sentence moves to the word before one that is left out.
    """
    kept: list[Word] = []
    notes: list[Replaced] = []
    for word in words:
        text = mask_text(word.text, mode)
        if text == word.text:
            kept.append(word)
            continue
        notes.append(Replaced(round(word.start_s, 3), word.text, text))
        if any(c.isalnum() for c in text):
            kept.append(replace(word, text=text))
        elif kept and (mark := MARKS.search(text)) and any(c in ".!?…" for c in mark.group()):
            kept[-1] = replace(kept[-1], text=MARKS.sub("", kept[-1].text) + mark.group())
    return kept, notes


def mask_transcript(transcript: Transcript, mode: ProfanityMode) -> Transcript:
    """The transcript with coarse words masked or left out; a sentence of which nothing is left is left out whole."""
    if mode == "keep":
        return transcript
    sentences: list[Sentence] = []
    for sentence in transcript.sentences:
        words, notes = mask_words(sentence.words, mode)
        if words or not notes:
            own = sentence if not notes else replace(sentence, text=mask_text(sentence.text, mode), words=tuple(words))
            sentences.append(own)
    return replace(transcript, sentences=tuple(sentences))


def mask_text(text: str, mode: ProfanityMode) -> str:
    """A line of text with its coarse words masked, or left out with the space before them."""
    if mode == "keep":
        return text
    if mode == "mask":
        return _pattern().sub(lambda match: match.group()[0] + "*" * (len(match.group()) - 1), text)
    less = _pattern().sub("", text)
    if less == text:
        return text
    return re.sub(r"[\s,;:]+([.!?…])|\s+([,;:])", r"\1\2", " ".join(less.split()))
