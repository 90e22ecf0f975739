"""What a captioner leaves out of English speech that is too fast to be read, least needed last; never what it means.

Hesitations, words said twice, false starts, filler phrases, "it is" for "it's", words that only open a sentence, and
words that only stress. Negations, numbers, names and content words stay, whatever the speed. The lists and the
conditions around them are heuristics.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.reading import BINDS_RIGHT, CLAUSE_END, SENTENCE_END, STARTS_PHRASE
from core.records import Word


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HESITATIONS = _words("um umm uh uhm uhh er erm hm hmm mm mmm")
NEGATIONS = _words("no not never none nothing nobody nowhere neither nor without hardly cannot")
TWICE_ON_PURPOSE = _words("very so more that had no not is never do what")
OPENERS = _words("so and well okay ok now alright right")
OPENERS_WITHOUT_COMMA = _words("so and")
STRESS = _words("really very actually basically literally obviously just")
PRONOUNS = _words("i you he she it we they there")
THINKING = _words("think thinks thought know knew believe hope say said guess suppose")
VERBS = _words("do does did is are was were could would should has have had")
CONTRACTIONS = {
    ("i", "am"): "'m",
    **{(who, "are"): "'re" for who in ("you", "we", "they")},
    **{(who, "is"): "'s" for who in ("it", "that", "there", "he", "she", "what")},
    **{(who, "will"): "'ll" for who in ("i", "you", "he", "she", "it", "we", "they")},
    **{(verb, "not"): "n't" for verb in VERBS},
}
NOT_BEFORE_CONTRACTION = _words("what where how who as than whatever wherever which that if whether")
SHORTER = {
    ("in", "order", "to"): "to",
    ("due", "to", "the", "fact", "that"): "because",
    ("the", "fact", "that"): "that",
    ("as", "well", "as"): "and",
    ("at", "this", "point", "in", "time"): "now",
}
HEDGED = _words("is are was were it's that's he's she's they're we're i'm you're and to be been just")
"""Before "kind of" and "sort of", these tell that no kind is meant."""
LONGEST_REPEAT = 4
FEWEST_FUNCTION_WORDS = 0.25
"""Share of English function words below which a text is taken for another language and left as it is."""
EDGES = "\"'“”‘’()[]{}.,;:!?…-–—"


@dataclass(frozen=True, slots=True)
class Omission:
    """Words [first, last) that captions can do without, or say shorter."""

    first: int
    last: int
    grade: int
    """0 goes first."""
    reason: str
    saved: int
    """Characters."""
    instead: str = ""


REASONS = (
    "hesitation", "said twice", "false start", "filler", "contracted", "wordy", "joining word", "opening word", "stress"
)  # fmt: skip


def omissions(words: Sequence[Word]) -> list[Omission]:
    """All that could be left out of `words`, in order; those of one place may overlap. None where it is not English."""
    cores = cores_of(words)
    if not is_english(cores):
        return []
    found: list[Omission] = []

    def offer(first: int, last: int, reason: str, instead: str = "") -> None:
        chars = sum(len(word.text) + 1 for word in words[first:last]) - (len(instead) + 1 if instead else 0)
        found.append(Omission(first, last, REASONS.index(reason), reason, chars, instead))

    for i in range(len(words)):
        if cores[i] in HESITATIONS and not words[i].text.isupper():
            offer(i, i + 1, "hesitation")
        if copy := _copied(words, cores, i):
            offer(i, copy, "said twice")
        if _broken_off(words, cores, i):
            offer(i, i + 1, "false start")
        if end := _filler(words, cores, i):
            offer(i, end, "filler")
        if short := _contracted(words, cores, i):
            offer(i, i + 2, "contracted", short)
        if wordy := _wordy(words, cores, i):
            offer(i, i + wordy[0], "wordy", wordy[1])
        if _joins(words, cores, i):
            offer(i, i + 1, "joining word")
        if _opens(words, cores, i):
            offer(i, i + 1, "opening word")
        if _stresses(words, cores, i):
            offer(i, i + 1, "stress")
    return found


def cores_of(words: Sequence[Word]) -> list[str]:
    """Words in lower case, without marks around them."""
    return [word.text.strip(EDGES).casefold() for word in words]


def is_english(cores: Sequence[str]) -> bool:
    """Whether enough of the words are English function words."""
    spoken = [core for core in cores if core]
    return sum(core in BINDS_RIGHT for core in spoken) >= FEWEST_FUNCTION_WORDS * len(spoken)


def negates(core: str) -> bool:
    return core in NEGATIONS or core.endswith(("n't", "n’t"))


def without(words: Sequence[Word], chosen: Sequence[Omission]) -> tuple[list[Word], list[int]]:
    """`words` less the `chosen`, which must not overlap, and where each that is left stood.

    A sentence keeps its capital at the beginning and its mark at the end.
    """
    at = {omission.first: omission for omission in chosen}
    left: list[Word] = []
    origin: list[int] = []
    i, capital = 0, False
    while i < len(words):
        omission = at.get(i)
        if omission is None or omission.instead:
            last = omission.last if omission else i + 1
            text = omission.instead if omission else words[i].text
            end_s = max(words[i].end_s, words[last - 1].end_s)
            left.append(Word(_capital(text) if capital else text, words[i].start_s, end_s, words[i].probability))
            origin.append(i)
            i, capital = last, False
            continue
        opens = not left or _ends_sentence(left[-1].text)
        mark = re.search(r"[.,;:!?…]*$", words[omission.last - 1].text.rstrip("\"'”’)]"))
        if mark and left and not opens:
            left[-1] = _remarked(left[-1], mark.group())
        capital = capital or (opens and words[i].text.lstrip(EDGES)[:1].isupper())
        i = omission.last
    return left, origin


def _remarked(word: Word, mark: str) -> Word:
    """The word before a gap, with the mark that closed what is gone; a comma that set it apart goes too."""
    bare = word.text.rstrip(",;:")
    if any(c in ".!?…" for c in mark):
        return Word(bare + mark, word.start_s, word.end_s, word.probability)
    if mark and bare != word.text and bare.strip(EDGES).casefold() in BINDS_RIGHT:
        return Word(bare, word.start_s, word.end_s, word.probability)
    return word


def _capital(text: str) -> str:
    lead = len(text) - len(text.lstrip(EDGES))
    return text[: lead + 1].upper() + text[lead + 1 :]


def _ends_sentence(text: str) -> bool:
    return bool(SENTENCE_END.search(text))


def _ends_clause(text: str) -> bool:
    return bool(SENTENCE_END.search(text) or CLAUSE_END.search(text))


def _opens_sentence(words: Sequence[Word], i: int) -> bool:
    return i == 0 or _ends_sentence(words[i - 1].text)


def _copied(words: Sequence[Word], cores: list[str], i: int) -> int | None:
    """Where the second copy begins of words that are said twice from `i` on, hesitations between them included."""
    for n in range(LONGEST_REPEAT, 0, -1):
        second = i + n
        while second < len(words) and cores[second] in HESITATIONS:
            second += 1
        phrase = cores[i : i + n]
        if (
            not all(phrase)
            or phrase != cores[second : second + n]
            or any(_ends_sentence(w.text) for w in words[i:second])
        ):
            continue
        if any(negates(core) or any(c.isdigit() for c in core) for core in phrase):
            continue
        if n == 1 and (phrase[0] in TWICE_ON_PURPOSE or phrase[0] not in BINDS_RIGHT):
            continue
        if phrase[0] in HESITATIONS or len(set(phrase)) == 1 < n:
            continue
        return second
    return None


def _broken_off(words: Sequence[Word], cores: list[str], i: int) -> bool:
    """A word cut short with a dash that the next one says in full: "wor- word"."""
    text = words[i].text
    more = i + 1 < len(words) and len(cores[i + 1]) > len(cores[i]) > 0 and cores[i + 1].startswith(cores[i])
    return more and text.endswith(("-", "–", "—")) and not any(c.isdigit() for c in text)


def _filler(words: Sequence[Word], cores: list[str], i: int) -> int | None:
    """The end of a filler phrase at `i` that commas or a sentence's edge set apart."""
    apart = i == 0 or _ends_clause(words[i - 1].text)
    for phrase in (("you", "know"), ("i", "mean"), ("sort", "of"), ("kind", "of"), ("like",)):
        end = i + len(phrase)
        if tuple(cores[i:end]) == phrase and apart and words[end - 1].text.endswith(","):
            return end
    return None


def _contracted(words: Sequence[Word], cores: list[str], i: int) -> str | None:
    """Two words as one, such as "it's"; not where the second is stressed, as before a mark or after "how"."""
    if i + 2 >= len(words) or _ends_clause(words[i].text) or words[i + 1].text.strip(EDGES) != words[i + 1].text:
        return None
    ending = CONTRACTIONS.get((cores[i], cores[i + 1]))
    before = cores[i - 1] if i else ""
    if ending is None or before in NOT_BEFORE_CONTRACTION or words[i].text.casefold() != cores[i]:
        return None
    if ending == "n't":
        asks = cores[i + 2] in PRONOUNS or i + 2 < len(words) and cores[i + 2] == "only"
        return None if asks else words[i].text + ending
    return None if words[i + 2].start_s - words[i + 1].end_s > 0.3 else words[i].text + ending


def _wordy(words: Sequence[Word], cores: list[str], i: int) -> tuple[int, str] | None:
    """How many words from `i` on say the same as a shorter text, and that: "in order to", "10 percent", "kind of"."""
    for phrase, shorter in SHORTER.items():
        if tuple(cores[i : i + len(phrase)]) == phrase and _unbroken(words[i : i + len(phrase)]):
            return len(phrase), _capital(shorter) if words[i].text[:1].isupper() else shorter
    if cores[i + 1 : i + 2] == ["percent"] and re.fullmatch(r"[\d.,]*\d", words[i].text):
        return 2, f"{words[i].text}%{words[i + 1].text.strip()[len('percent') :]}"
    hedge = tuple(cores[i : i + 2]) in {("kind", "of"), ("sort", "of")} and _unbroken(words[max(0, i - 1) : i + 2])
    if hedge and i and cores[i - 1] in HEDGED and i + 2 < len(words) and cores[i + 2] != "a":
        return 2, ""
    return None


def _unbroken(words: Sequence[Word]) -> bool:
    """Whether no mark stands between or behind words."""
    return all(word.text == word.text.strip(EDGES) for word in words)


def _joins(words: Sequence[Word], cores: list[str], i: int) -> bool:
    """ "that" in "I think that we", where what is thought begins with a pronoun."""
    return (
        words[i].text == "that"
        and 0 < i < len(words) - 1
        and cores[i - 1] in THINKING
        and not _ends_clause(words[i - 1].text)
        and cores[i + 1] in PRONOUNS
    )


def _opens(words: Sequence[Word], cores: list[str], i: int) -> bool:
    if cores[i] not in OPENERS or not _opens_sentence(words, i) or i + 1 >= len(words):
        return False
    if _ends_sentence(words[i].text) or cores[i + 1] in OPENERS | {"that", "far", "much", "many", "on"}:
        return False
    return words[i].text.endswith(",") or cores[i] in OPENERS_WITHOUT_COMMA


def _stresses(words: Sequence[Word], cores: list[str], i: int) -> bool:
    """A word that only stresses the next; not near a negation, whose reach it may change."""
    if cores[i] not in STRESS or i + 1 >= len(words) or words[i].text.strip(EDGES) != words[i].text:
        return False
    if any(negates(core) for core in cores[max(0, i - 3) : i + 3]):
        return False
    before, after = cores[i - 1] if i else "", cores[i + 1]
    if cores[i] == "just":
        return before in PRONOUNS and after not in BINDS_RIGHT | STARTS_PHRASE | {"one", "like", "enough"}
    if cores[i] == "very":
        return before not in {"the", "this", "that", "how"} and after not in {"much", "many", "few", "little", "same"}
    return before not in {"how", "what"} and after not in {"?", "so"}
