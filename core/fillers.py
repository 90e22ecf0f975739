"""Which words of English speech fill time and say nothing: um, uh, and "you know" where it is set off.

Conservative heuristics: what may mean something stays. A filler that the recogniser left out of the text, as Whisper
often does, is not found: a voiced stretch without words may as well be a laugh, a name, or a word that was missed.
"""

import re
from collections.abc import Sequence

from core.reading import CLAUSE_END
from core.records import Word
from core.sentences import CLOSERS, LEADING

LANGUAGE = "en"
"""Elsewhere the same letters are words: "er" is "he" in German, and "um" is "around"."""
SOUNDS = frozenset({"um", "umm", "uhm", "uh", "uhh", "er", "erm", "hm", "hmm"})
PHRASES = (("you", "know"), ("i", "mean"), ("sort", "of"), ("kind", "of"))
SET_OFF_S = 0.25
"""A pause this long before a phrase sets it off as a comma does."""
BOUND = """
a an any another as because certain do did every how if let one same some than that the these this those what when which
who would could should can may might must will to not of
"""
BINDING = frozenset(BOUND.split())
"""After these words a phrase belongs to the sentence even behind a pause: "that kind of", "if you know"."""
STOPPED = re.compile(rf"[.!?…][{re.escape(CLOSERS)}]*$")
ASKED = re.compile(r"[!?]")


def find_fillers(words: Sequence[Word]) -> list[tuple[int, int]]:
    """(first, last excluded) of each run of adjoining fillers; `words` are English and in order."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        length = _filler_length(words, at)
        if length and found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + length)
        elif length:
            found.append((at, at + length))
        at += length or 1
    return found


def ends_sentence(text: str) -> bool:
    """Whether a word carries the mark that ends a sentence."""
    return STOPPED.search(text.strip()) is not None


def ends_clause(text: str) -> bool:
    """Whether a word carries a comma, a dash or another mark inside a sentence."""
    return CLAUSE_END.search(text.strip()) is not None


def _filler_length(words: Sequence[Word], at: int) -> int:
    """How many words from `at` on are one filler; 0 for none."""
    if _is_sound(words[at].text):
        return 1
    for phrase in PHRASES:
        said = words[at : at + len(phrase)]
        if tuple(_plain(word.text) for word in said) == phrase and _is_set_off(words, at, at + len(phrase)):
            return len(phrase)
    return 0


def _is_sound(text: str) -> bool:
    """In capitals it is a name (an ER, the UM), with a question mark it is an answer."""
    letters = "".join(c for c in text if c.isalpha())
    return _plain(text) in SOUNDS and not ASKED.search(text) and not letters.isupper()


def _is_set_off(words: Sequence[Word], first: int, end: int) -> bool:
    """Whether the sentence goes on without the phrase: a comma follows it, and a mark or a pause precedes it."""
    if (
        end >= len(words)
        or not ends_clause(words[end - 1].text)
        or any(_marked(w.text) for w in words[first : end - 1])
    ):
        return False
    if first == 0:
        return True
    before = words[first - 1]
    if ends_clause(before.text) or ends_sentence(before.text):
        return True
    return words[first].start_s - before.end_s >= SET_OFF_S and _plain(before.text) not in BINDING


def _marked(text: str) -> bool:
    return ends_clause(text) or ends_sentence(text)


def _plain(text: str) -> str:
    return text.strip().strip(LEADING + CLOSERS + ".,;:!?…–—-").lower()
