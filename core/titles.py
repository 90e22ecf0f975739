"""Names for clips: the slide's title, else a sentence said, else the best key phrase, else the first words."""

import re
from collections.abc import Iterator, Sequence

LONGEST = 60
"""Characters of a title, ellipsis included."""
ELLIPSIS = "…"
YAKE_NAMES = {"cs": "cz"}
"""Where YAKE's list of stop words is not named by the ISO 639-1 code."""
YAKE_WORDS = 3
"""With four words YAKE puts chance phrases such as "highlights at the descriptive" first."""
YAKE_TOP = 30
EMPTY_END = re.compile(
    r"(called|paper|papers|part|parts|people|point|points|pretty|quite|kind|lot|lots|sort|bit|thing|things|way|ways|time"
    r"|times|year|years|day|days|today|talk|work|make|makes|making|made|show|shows|showed|shown|showing|start|started"
    r"|find|found|look|looks|looked|looking|interesting|important|different|able|good|great|big|new|last|many|couple"
    r"|gonna|going|want|wanted|need|needs|think|thinking|talking|mention|mentioned|number|using|underlying|involving|including"
    r"|based|bigger|smaller|larger|higher|lower|better|worse|greater|more|less|\w{3,}[^i]ly)"
)
"""English words that a good phrase neither begins nor ends with, beside YAKE's own stop words. A heuristic."""

QUOTE_WORDS = (4, 11)
WHOLE = re.compile(r"^[^\W_a-z].*[.!?]$")
LEANING = re.compile(
    r"(and|but|so|or|yet|because|then|also|now|well|okay|here|there|it|its|this|that|these|those|they|them|he|she|his"
    r"|her|we|i|you|one|each|both|such|as|which is|for example|let me|thank|thanks|welcome|hello|good morning)\b",
    re.IGNORECASE,
)
"""How English sentences begin that lean on the one before, or say nothing of the matter."""

GENERIC = re.compile(
    r"(the |our |some |my )?(agenda|outline|overview|introduction|background|related work|motivation|contents?|results?"
    r"|findings?|methods?|discussion|limitations?|future work|conclusions?|summary|references|acknowledge?ments?"
    r"|thanks?( you)?|questions?|q ?& ?a|issues?|problems?|example|demo|appendix|backup|welcome|title|untitled)"
    r"( slide)?s?\W*\d*",
    re.IGNORECASE,
)
"""Titles of slides that name no subject. English."""

INNER = re.compile(r"\b(a|an|and|or|but|the|to|i|we|you|it|they|this|that|is|are|was|were)\b", re.IGNORECASE)
"""English words that make a phrase a piece of a clause."""


def title_for(text: str, *, slide_title: str | None = None, language: str = "en", start_s: float | None = None) -> str:
    """A title of at most LONGEST characters for a clip in which `text` is said; never empty.

    Args:
        slide_title: Title of the slide on the screen, or a quote; used when it holds a word.
        language: ISO 639-1 code of the text.
        start_s: Where the clip begins: names a clip without words ("Moment at 12:34").
    """
    return next(_candidates(text, slide_title, language, start_s))


def titles_for(
    texts: Sequence[str],
    *,
    starts_s: Sequence[float],
    slide_titles: Sequence[str | None] | None = None,
    language: str = "en",
) -> tuple[str, ...]:
    """A title for each clip of a recording, no two the same: a later clip gets its next-best one, else a number."""
    taken: set[str] = set()
    titles: list[str] = []
    for text, start_s, slide_title in zip(texts, starts_s, slide_titles or [None] * len(texts), strict=True):
        own = list(_candidates(text, slide_title, language, start_s))
        title = next(title for title in [*own, *_numbered(own[0])] if _alike(title) not in taken)
        titles.append(title)
        taken.add(_alike(title))
    return tuple(titles)


def _alike(title: str) -> str:
    """What two titles share that a reader would take for the same: case and an English plural make no difference."""
    return title.casefold().removesuffix("s")


def names_subject(slide_title: str | None) -> bool:
    """Whether a slide title may name a clip: it has words and says more than "Results" or "Outline". A heuristic."""
    return bool(slide_title and re.search(r"\w\w", slide_title) and not GENERIC.fullmatch(plain_text(slide_title)))


def quote_from(sentences: Sequence[str]) -> str | None:
    """The first of `sentences`, best first, that stands alone as a title; None if none does. A heuristic.

    Such a sentence is whole, has 4 to 11 words and at most LONGEST characters, and does not lean on what was said
    before, as one that begins with "And", "It" or "This" does. Made for English: in a language that is written
    otherwise nothing may fit, and the clip is named by a phrase.
    """
    for sentence in map(plain_text, sentences):
        fits = QUOTE_WORDS[0] <= len(sentence.split()) <= QUOTE_WORDS[1] and len(sentence) <= LONGEST
        if fits and WHOLE.search(sentence) and not LEANING.match(sentence):
            return sentence.rstrip(".!… ")
    return None


def first_words(text: str, longest: int = LONGEST) -> str:
    """The beginning of `text` in at most `longest` characters, cut between words with an ellipsis; "" for no text."""
    plain = plain_text(text)
    if len(plain) <= longest:
        return plain
    head = plain[: longest - len(ELLIPSIS) + 1]
    words = head.rsplit(" ", 1)[0] if " " in head else head[:-1]
    return words.rstrip(" ,;:.-–—") + ELLIPSIS


def plain_text(text: str) -> str:
    """One line of printable characters: lone surrogates and controls would break captions, drawings and files."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _candidates(text: str, slide_title: str | None, language: str, start_s: float | None) -> Iterator[str]:
    """Titles that would do, best first; at least one."""
    if slide_title and re.search(r"\w\w", slide_title):
        yield first_words(slide_title)
    plain = plain_text(text)
    if re.search(r"\w\w", plain):
        yield from key_phrases(plain, language)
    if plain:
        words = first_words(plain)
        yield _capitalised(words.rstrip(" .,;:") or words)
    minutes, seconds = divmod(int(start_s or 0.0), 60)
    clock = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"
    yield "Moment" if start_s is None else f"Moment at {clock}"


def _numbered(title: str) -> Iterator[str]:
    return (f"{title[: LONGEST - 5]} ({number})" for number in range(2, 1_000))


def key_phrases(text: str, language: str) -> list[str]:
    """Key phrases by YAKE (Campos et al. 2020) that are said word for word in the text, best first."""
    import yake

    code = language[:2].lower()
    extractor = yake.KeywordExtractor(lan=YAKE_NAMES.get(code, code), n=YAKE_WORDS, top=YAKE_TOP)
    lowered = text.casefold()
    found: list[tuple[float, str]] = []
    for phrase, score in extractor.extract_keywords(text):
        said = re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE)
        words = phrase.casefold().split()
        if said is None or len(set(words)) < max(2, len(words)) or len(phrase) > LONGEST or INNER.search(phrase):
            continue
        if EMPTY_END.fullmatch(words[0]) or EMPTY_END.fullmatch(words[-1]):
            continue
        # YAKE's score is better the lower. What is said again matters more than what is merely rare.
        times = max(1, lowered.count(phrase.casefold()))
        found.append((float(score) / times**2, _capitalised(said.group())))
    return [phrase for _, phrase in sorted(found)]


def _capitalised(phrase: str) -> str:
    """Sentence case; capitals inside (acronyms, names) stay as they are written."""
    return phrase[:1].upper() + phrase[1:]
