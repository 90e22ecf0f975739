"""What is written about a clip: title, description and tags, from its own words and its slides, without any network."""

import re
from dataclasses import dataclass

from core.titles import LEANING, WHOLE, first_words, key_phrases, plain_text

MOST_TAGS = 6
LONGEST_TAG = 32
DESCRIPTION_CHARS = 280
LEAST_SENTENCE_WORDS = 6
"""A shorter sentence says too little to stand in a description."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What is written about a clip, who wrote it, and what went wrong with a better writer, if one was asked."""

    title: str
    description: str
    tags: tuple[str, ...]
    writer: str
    """"offline", or the name of the model that wrote it."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ClipText:
    """What a writer may draw on: all that is said and shown in a clip."""

    title: str
    """The title found from the clip's own words."""
    sentences: tuple[str, ...]
    scores: tuple[float, ...]
    """One for each sentence: how much worth replaying."""
    slide_titles: tuple[str, ...]
    slide_texts: tuple[str, ...]
    language: str | None


def offline_wording(clip: ClipText, note: str | None = None) -> Wording:
    """Title as found, the best sentences that stand alone as description, key phrases as tags. All heuristics."""
    return Wording(clip.title, describe(clip), tags_of(clip), "offline", note)


def describe(clip: ClipText) -> str:
    """The best one to three sentences that stand alone, in their order; else how the clip begins."""
    plain = [plain_text(sentence) for sentence in clip.sentences]
    fitting = [
        i
        for i, text in enumerate(plain)
        if WHOLE.search(text) and not LEANING.match(text) and len(text.split()) >= LEAST_SENTENCE_WORDS
    ]
    chosen: list[int] = []
    room = DESCRIPTION_CHARS
    for i in sorted(fitting, key=lambda i: (-clip.scores[i], i)):
        if len(plain[i]) < room and len(chosen) < 3:
            chosen.append(i)
            room -= len(plain[i]) + 1
    if chosen:
        return " ".join(plain[i] for i in sorted(chosen))
    return first_words(" ".join(plain), DESCRIPTION_CHARS)


def tags_of(clip: ClipText) -> tuple[str, ...]:
    """At most MOST_TAGS key phrases, lower case unless they hold a capital inside, slide titles' words first."""
    said = plain_text(" ".join(clip.sentences))
    shown = plain_text(". ".join(clip.slide_titles))
    found: list[str] = []
    for phrase in [*key_phrases(shown, clip.language or "en"), *key_phrases(said, clip.language or "en")]:
        tag = phrase if any(c.isupper() for c in phrase[1:]) else phrase.lower()
        if len(tag) <= LONGEST_TAG and not any(_alike(tag, other) for other in found):
            found.append(tag)
    return tuple(found[:MOST_TAGS])


def _alike(one: str, other: str) -> bool:
    """Whether two tags say the same: all words of one stand in the other, plural or not."""
    a, b = (set(re.sub(r"s\b", "", text.casefold()).split()) for text in (one, other))
    return a <= b or b <= a
