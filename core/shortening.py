"""Words that English captions leave out where the reading speed must be kept at any price, least telling first.

The last resort: what is left reads like a telegram. Negations, numbers and names stay, and so do words that are not
common, as long as others can go. Which words tell little is a heuristic: short lists, and how common a word is.
"""

from collections.abc import Sequence

from core.condensing import EDGES, Omission, cores_of, is_english, negates
from core.near_terms import common_words
from core.reading import BINDS_RIGHT, SENTENCE_END
from core.records import Word

ARTICLES = frozenset({"a", "an", "the"})
MEANT_WORDS = "can could may might must shall should will would if unless only all every each more less"
MEANT = frozenset(MEANT_WORDS.split())
"""Small words that change what a sentence says."""
REASON = "reading speed"
FIRST_GRADE = 100


def least_telling(words: Sequence[Word]) -> list[Omission]:
    """Every word that may go, one by one; none where the words are not English."""
    cores = cores_of(words)
    if not is_english(cores):
        return []
    found: list[Omission] = []
    for i, (word, core) in enumerate(zip(words, cores, strict=True)):
        opens = i == 0 or bool(SENTENCE_END.search(words[i - 1].text))
        grade = _grade(word.text.strip(EDGES), core, opens=opens)
        if grade is not None:
            found.append(Omission(i, i + 1, FIRST_GRADE + grade, REASON, len(word.text) + 1))
    return found


def _grade(text: str, core: str, *, opens: bool) -> int | None:
    """0 for what tells least; None for what stays."""
    name = text[:1].isupper() and not opens and core not in ("i", "i'm", "i've", "i'd", "i'll")
    if not core or negates(core) or name or any(c.isdigit() for c in core) or any(c.isupper() for c in text[1:]):
        return None
    if core in ARTICLES:
        return 0
    if core in MEANT:
        return 3
    if core in BINDS_RIGHT:
        return 1
    return 2 if core in common_words() else 4
