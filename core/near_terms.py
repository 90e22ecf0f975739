"""How near what was heard is to a term: by how it sounds in English and by its letters. Careful heuristics."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

COMMON = Path(__file__).with_name("assets") / "captions" / "common.txt"
"""The commonest English words, which never count as a term misheard."""
LEAST_LETTERS = 6
"""Shorter terms have too many neighbours."""
LEAST_ALIKE = 0.8
"""Share of letters that must be alike, by edit distance over the longer of the two."""
SOUNDS = (
    ("sch", "sk"), ("tch", "x"), ("ch", "x"), ("sh", "x"), ("ph", "f"), ("gh", ""), ("kn", "n"), ("wr", "r"),
    ("th", "t"), ("ck", "k"), ("qu", "kw"), ("x", "ks"), ("z", "s"), ("q", "k"), ("dg", "j"),
)  # fmt: skip
"""Spellings of one sound in English, replaced in this order. Not a phonetic dictionary."""


@cache
def common_words() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="utf-8").split())


def letters_of(texts: Sequence[str]) -> str:
    """Letters and digits alone, in lower case."""
    return re.sub(r"[\W_]", "", "".join(texts).casefold())


def sound_of(letters: str) -> str:
    """The consonants as they sound, doubles once; an "a" in front stands for any vowel."""
    for spelling, sound in SOUNDS:
        letters = letters.replace(spelling, sound)
    letters = re.sub(r"c(?=[eiy])", "s", letters).replace("c", "k")
    letters = re.sub(r"g(?=[eiy])", "j", letters)
    first = "a" if letters[:1] in set("aeiouyäöüéèàáíóú") else ""
    return first + re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouyhwäöüéèàáíóú]", "", letters))


def _folded(letters: str) -> str:
    """With spellings that often stand for each other alike: "pie" and "py", "phone" and "fone"."""
    return letters.replace("ie", "i").replace("y", "i").replace("ph", "f").replace("ck", "k")


def alike(one: str, other: str) -> float:
    """1 minus edit distance (Levenshtein) over the longer length, 0..1."""
    if not one or not other:
        return 0.0
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return 1 - row[-1] / max(len(one), len(other))


def is_near(heard: Sequence[str], term_letters: str) -> bool:
    """Whether the words `heard`, in lower case, may be the term misheard: it sounds the same and is written much alike.

    Never where all of them are common English words, nor where one word is the term's plural or another form of it.
    """
    letters = letters_of(heard)
    if len(term_letters) < LEAST_LETTERS or len(letters) < LEAST_LETTERS - 1 or all(w in common_words() for w in heard):
        return False
    return sound_of(letters) == sound_of(term_letters) and alike(_folded(letters), _folded(term_letters)) >= LEAST_ALIKE
