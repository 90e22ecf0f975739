"""Whether a text about a clip says only what the clip says: its names, numbers and words must have been said or shown.

A heuristic on words, made for English and languages written alike: it finds invented names, figures and subjects, not
a sentence that joins true words to a false claim.
"""

import re
from collections.abc import Iterable

WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
NUMBER = re.compile(r"\d[\d.,]*")
STEM_LETTERS = 5
"""Words that begin alike count as the same: "measured" grounds "measurement"."""
LEAST_SHARE = 0.7
"""So many of a text's content words must be grounded; the rest may be the writer's own ("how", "explained")."""
COMMON_WORDS = """
about above after again also always among another because been before being below between both cannot comes
could does doing down during each even every explained explains finds first from gets gives goes happens have
having here how into introduces itself just know learn like look made make makes many more most much need never
next only other over own part really same says shows simple since some still such take takes talk tells than
that their them then there these they thing things this those through under until very want well were what when
where which while whose will with within without work works would your
"""
COMMON = frozenset(COMMON_WORDS.split())
"""English words that are no subject of their own."""


def ungrounded(text: str, said: Iterable[str]) -> list[str]:
    """Words of `text` that a reader would take for facts and that stand nowhere in `said`: numbers, names, and, if too
    many of the other words are not there either, those words. Empty where the text is grounded."""
    sources = " ".join(said).casefold()
    stems = {stem(word) for word in WORD.findall(sources)}
    figures = {_figure(number) for number in NUMBER.findall(sources)}
    words = list(WORD.finditer(text))
    invented = [number for number in NUMBER.findall(text) if _figure(number) not in figures]
    missing: list[str] = []
    content = 0
    for match in words:
        word = match.group()
        if NUMBER.match(word):
            continue
        known = stem(word.casefold()) in stems
        if _is_name(text, match) and not known and word.casefold() not in COMMON:
            invented.append(word)
        elif len(word) > 3 and word.casefold() not in COMMON:
            content += 1
            if not known:
                missing.append(word)
    if content and 1 - len(missing) / content < LEAST_SHARE:
        invented += missing
    return list(dict.fromkeys(invented))


def stem(word: str) -> str:
    """What is left of a word of which other forms are taken for the same."""
    plain = word.casefold().strip("'’.-").removesuffix("'s").removesuffix("’s")
    return plain[:STEM_LETTERS] if len(plain) > STEM_LETTERS else plain.removesuffix("s") or plain


def _figure(number: str) -> str:
    return number.rstrip(".,").replace(",", "")


def _is_name(text: str, match: re.Match[str]) -> bool:
    """A capital inside a sentence, or inside a word: a name or an acronym. Titles In Capitals hold none for sure."""
    word = match.group()
    if any(c.isupper() for c in word[1:]):
        return True
    before = text[: match.start()].rstrip()
    begins = not before or before[-1] in '.!?:;–—"“('
    capitals = [w for w in WORD.findall(text) if len(w) > 3]
    headline = len(capitals) > 2 and sum(w[0].isupper() for w in capitals) > 0.6 * len(capitals)
    return word[0].isupper() and not begins and not headline
