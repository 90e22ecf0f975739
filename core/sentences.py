"""Sentences out of words: where punctuation or a long pause ends one, and how what runs on is cut.

Abbreviations are English and German ones; in other languages the rules for initials, numbers and pauses remain.
"""

import re
from collections.abc import Sequence

from core.reading import CLAUSE_END, join_words, text_width
from core.records import Sentence, Word

MAX_PAUSE_S = 2.0
"""A longer pause ends a sentence even where nothing says so."""
MAX_SENTENCE_S = 30.0
MAX_COLUMNS = 400
"""About 60 English words, or 200 Chinese characters (each counts as two columns)."""
STOP_PAUSE_S = 0.5
"""After an abbreviation or an ellipsis, a pause this long before a capital makes the period end a sentence."""
COMMA_WORTH_S = 0.4
"""When a run-on is cut, a comma is worth as much as this much more pause. A heuristic, as is MIDDLE_WORTH_S."""
MIDDLE_WORTH_S = 0.6
"""What the middle of a run-on is worth over its ends, so that the parts are of like length."""

LEAST_CAPITALS = 0.03
"""Share of words that begin with a capital in a text that has capitals; English sentences alone make 4 % or more."""

CLOSERS = "\"'”’»)]}」』）】〉》›"
END = re.compile(rf"[.!?…。！？｡।॥؟۔։።]+[{re.escape(CLOSERS)}]*$")
ALWAYS_ENDS = "。！？｡।॥؟۔։።"
TITLES = """
dr mr mrs ms mx prof st mt rev hon gen col lt capt sgt sen rep gov pres messrs mme mlle vs cf eg ie viz approx ca fr hr
bzw ggf usw vgl resp
"""
SHORTENED = """
etc jr sr inc ltd co corp al dept univ ave blvd est min max sec hrs jan feb mar apr jun jul aug sep sept oct nov dec
"""
NUMBERED = "no nos fig figs eq eqs ref refs sec ch chap vol vols p pp art nr abb tab ex"
NEVER_ENDS = frozenset(TITLES.split())
ENDS_BEFORE_CAPITAL = frozenset(SHORTENED.split())
BEFORE_NUMBER = frozenset(NUMBERED.split())
DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.){2,}$")
INITIAL = re.compile(r"[^\W\d_]\.$")
LEADING = "\"'“‘«([{「『（【〈《‹¿¡"


def sentences_from_words(
    words: Sequence[Word],
    *,
    max_pause_s: float = MAX_PAUSE_S,
    max_s: float = MAX_SENTENCE_S,
    max_columns: int = MAX_COLUMNS,
) -> list[Sentence]:
    """Group words, in order of time, into sentences; each word is in exactly one.

    A sentence ends at its punctuation (not after abbreviations and initials, nor where a small letter follows in a
    text that has capitals) or before a pause longer than `max_pause_s`. What is then longer than `max_s` seconds or
    `max_columns` columns is cut at long pauses and commas until it is not; a single word is never cut.
    """
    cased = _has_capitals(words)
    groups: list[list[Word]] = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else None
        if before is None or word.start_s - before.end_s > max_pause_s or _ends(groups[-1], word, cased):
            groups.append([])
        groups[-1].append(word)
    return [_sentence(part) for group in groups for part in _cut(group, max_s, max_columns)]


def _sentence(words: Sequence[Word]) -> Sentence:
    text = join_words([word.text.strip() for word in words if word.text.strip()])
    return Sentence(words[0].start_s, words[-1].end_s, text, tuple(words))


def _has_capitals(words: Sequence[Word]) -> bool:
    """Whether sentences begin with capitals here. Captions may be all in small letters, or all in capitals."""
    first = [
        text[0] for word in words if (text := word.text.strip().lstrip(LEADING)) and text[0].isalpha() and text != "I"
    ]
    return sum(letter.isupper() for letter in first) >= LEAST_CAPITALS * len(first)


def _ends(group: Sequence[Word], following: Word, cased: bool) -> bool:
    """Whether the sentence in `group` is over before `following`."""
    text, after = _tail(group), following.text.strip()
    mark = END.search(text)
    if not mark or _closes(group, after):
        return False
    stop = mark[0].rstrip(CLOSERS)
    if stop[-1] in ALWAYS_ENDS:
        return True
    opening = after.lstrip(LEADING)[:1]
    if cased and opening.islower():
        return False
    paused = following.start_s - group[-1].end_s >= STOP_PAUSE_S
    if stop.endswith(("…", "..")):
        return paused or (cased and opening.isupper())
    if stop != ".":
        return True
    return _period_ends(text.rstrip(CLOSERS).lstrip(LEADING), opening, paused)


def _tail(group: Sequence[Word]) -> str:
    """The last word, with closing quotes and brackets that stand as words of their own."""
    text = ""
    for word in reversed(group):
        text = word.text.strip() + text
        if text.strip(CLOSERS):
            break
    return text


def _closes(group: Sequence[Word], after: str) -> bool:
    """Whether `after` is nothing but the closing quote or bracket of this sentence."""
    if not after or after.strip(CLOSERS + ".!?…"):
        return False
    # The straight quote both opens and closes: it closes where one is open.
    return after[0] != '"' or sum(word.text.count('"') for word in group) % 2 == 1


def _period_ends(text: str, opening: str, paused: bool) -> bool:
    """Whether the period after a word ends the sentence. `opening` is the next word's first letter."""
    plain = text[:-1].lower()
    if plain.replace(".", "") in NEVER_ENDS:
        return False
    if plain in BEFORE_NUMBER:
        # "No." may be a sentence of its own; "fig." is none.
        return not opening.isdigit() and (plain == "no" or paused)
    if plain in ENDS_BEFORE_CAPITAL:
        return not opening.isdigit() and (paused or opening.isupper())
    if DOTTED.search(text) or INITIAL.fullmatch(text):
        return paused
    return True


def _cut(words: list[Word], max_s: float, max_columns: int) -> list[list[Word]]:
    """`words` whole, or in parts that are short enough."""
    waiting, parts = [words], []
    while waiting:
        part = waiting.pop()
        short = part[-1].end_s - part[0].start_s <= max_s
        if len(part) < 2 or (short and sum(text_width(w.text.strip()) + 1 for w in part) <= max_columns):
            parts.append(part)
            continue
        at = _best_cut(part)
        waiting += [part[at:], part[:at]]
    return parts


def _best_cut(words: list[Word]) -> int:
    """Index of the word before which a run-on is best cut: after a long pause or a comma, not near its ends."""
    start_s, length_s = words[0].start_s, words[-1].end_s - words[0].start_s

    def worth(i: int) -> tuple[float, int]:
        pause_s = max(0.0, words[i].start_s - words[i - 1].end_s)
        clause = bool(CLAUSE_END.search(words[i - 1].text.strip()) or END.search(words[i - 1].text.strip()))
        off_middle = abs((words[i].start_s - start_s) / length_s - 0.5) * 2
        return pause_s + COMMA_WORTH_S * clause - MIDDLE_WORTH_S * off_middle**2, -i

    return max(range(1, len(words)), key=worth)
