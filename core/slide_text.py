"""What the lines read on slides mean: which of them are the slide's title, which stand on every slide.

All of it is heuristics on the text and the places of lines; the numbers were set by hand, on slides of two talks. A
`Page` is one slide as it was read. What returns on most of a recording's pages at the same place (the institution, the
speaker's name, a page number) is furniture: no title, and not part of a page's text.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from statistics import median

from core.boxes import Box
from core.sights import TextLine

SAME_PLACE = 0.04
"""Of the slide's width and height: how far apart lines are that stand at the same place."""
ALIKE = 0.8
"""Similarity (2 * matches / length of both) from which two readings are taken to be of the same words."""

FURNITURE_PAGES, FURNITURE_SHARE = 4, 0.5
"""On at least so many pages, and on so much of all, a line stands that is furniture."""
TITLE_ABOVE, FIRST_ABOVE, TITLE_PAGE_ABOVE = 0.3, 0.25, 0.65
"""Shares of the slide's height above which a title begins, a title no larger than the text, and one of a title page."""
FEW_LINES = 8
"""A page with no more may be a title page."""
LARGER = 1.15
"""So much larger than the other lines is a title."""
ALMOST_AS_LARGE = 0.78
"""Lines of one title, or of equal claim to be it."""
LONGEST_TITLE = 160
SURE = 0.7
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|(19|20)\d\d|\d{1,2}:\d\d")
PAGE_NUMBER = re.compile(r"(page|slide|seite|folie)?\s*\d+\s*([/|]|of|von)?\s*\d*", re.IGNORECASE)
ADDRESS = re.compile(r"(https?:|www\.|\S+@\S+\.\w|doi\W|©|\(c\)\s|copyright)", re.IGNORECASE)
JOINED = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
COMMA = re.compile(r"(?<=[^\W\d_]{3})([,;])(?=[^\W\d_]{3})")
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Page:
    """A slide as it was read: its lines in reading order, and where it stands in the picture they were read from."""

    slide: Box
    lines: tuple[TextLine, ...]

    def place(self, line: TextLine) -> tuple[float, float]:
        """The line's middle in parts of the slide: (0, 0) is the upper left corner, (1, 1) the lower right one."""
        x, y = line.box.centre
        return (x - self.slide.x) / self.slide.w, (y - self.slide.y) / self.slide.h


def plain(text: str) -> str:
    """One line of printable characters; the wide forms of ASCII that a recogniser likes to read become ASCII."""
    wide = not any(unicodedata.category(c) == "Lo" for c in text)
    normal = unicodedata.normalize("NFKC", text) if wide else text
    return " ".join("".join(c if c.isprintable() else " " for c in normal).split())


def key_of(text: str) -> str:
    """What two readings of the same words share: letters only, case and spaces aside; a number is one "#"."""
    return re.sub(r"[\W_]+", "", re.sub(r"\d+", "#", text.casefold()))


def same_line(one: Page, line: TextLine, other: Page, candidate: TextLine) -> bool:
    """Whether `candidate` on page `other` says what `line` says on page `one`, at the same place."""
    (x, y), (also_x, also_y) = one.place(line), other.place(candidate)
    if abs(y - also_y) > SAME_PLACE or abs(x - also_x) > SAME_PLACE:
        return False
    return _alike(key_of(line.text), key_of(candidate.text))


def _alike(key: str, other: str) -> bool:
    if key == other:
        return True
    if not key or not other or 2 * min(len(key), len(other)) < ALIKE * (len(key) + len(other)):
        return False
    return SequenceMatcher(None, key, other, autojunk=False).ratio() >= ALIKE


def repeats(page: Page, other: Page) -> list[TextLine]:
    """The lines of `page` that stand on `other` at the same place, too."""
    return [line for line in page.lines if any(same_line(page, line, other, found) for found in other.lines)]


def furniture(pages: Sequence[Page]) -> list[frozenset[TextLine]]:
    """For each page the lines that stand on most pages of the recording at the same place.

    Pages that share most of their lines, as a slide that grows does, count as one, so that its title does not become
    furniture; with fewer than FURNITURE_PAGES different pages nothing does.
    """
    different = [page for at, page in enumerate(pages) if at == 0 or not _goes_on(pages[at - 1], page)]
    needed = max(FURNITURE_PAGES, FURNITURE_SHARE * len(different))
    found = []
    for page in pages:
        often = [
            line
            for line in page.lines
            if sum(any(same_line(page, line, other, c) for c in other.lines) for other in different) >= needed
        ]
        found.append(frozenset(often))
    return found


def _goes_on(before: Page, after: Page) -> bool:
    return len(before.lines) > 0 and len(repeats(before, after)) >= 0.7 * len(before.lines)


def title_of(page: Page, common: frozenset[TextLine] = frozenset()) -> str | None:
    """The page's title, several lines joined by spaces; None where no line looks like one.

    A title is larger than most other text and stands above, or is by far the largest line of a page with little text,
    or is no larger than the text but the very first line, high up. `common`: the page's furniture.
    """
    lines = [line for line in page.lines if line not in common]
    able = [line for line in lines if _may_be_title(line)]
    if not able:
        return None
    largest = max(line.box.h for line in able)
    usual = median([o.box.h for o in lines if o.box.h < ALMOST_AS_LARGE * largest] or [o.box.h for o in lines])
    from_above = sorted(able, key=lambda line: line.box.y)
    for line in from_above:
        if _stands_out(page, line, able, usual, few=len(lines) <= FEW_LINES):
            return _joined(line, lines)
    for line in from_above:
        if line.box.h >= 0.85 * usual and line.box.w >= 3 * line.box.h:
            return _joined(line, lines) if page.place(line)[1] < FIRST_ABOVE else None
    return None


def _stands_out(page: Page, line: TextLine, able: Sequence[TextLine], usual: float, *, few: bool) -> bool:
    """Whether a line is among the largest and stands above, or further down on a page of few lines."""
    _, y = page.place(line)
    largest = max(other.box.h for other in able)
    if line.box.h < ALMOST_AS_LARGE * largest or not (line.box.h >= LARGER * usual or len(able) <= 2):
        return False
    return y < TITLE_ABOVE or (few and y < TITLE_PAGE_ABOVE and line.box.h >= 1.3 * usual) or len(able) == 1


def _may_be_title(line: TextLine) -> bool:
    text = line.text.strip()
    letters = sum(map(str.isalpha, text))
    if letters < 3 or letters < 0.5 * len(text.replace(" ", "")) or line.confidence < SURE:
        return False
    if PAGE_NUMBER.fullmatch(text) or ADDRESS.search(text):
        return False
    return line.box.w >= 1.2 * line.box.h and letters - sum(map(len, DATE.findall(text))) >= 3


def _joined(first: TextLine, lines: Sequence[TextLine]) -> str:
    """The title that begins with line `first`: with the lines below that are as large, close, and aligned with it."""
    parts = [first]
    for line in sorted(lines, key=lambda line: line.box.y):
        last = parts[-1].box
        low, high = sorted((line.box.h, last.h))
        gap = line.box.y - last.bottom
        if line in parts or line.box.centre[1] <= last.bottom or gap > 0.8 * high or low < ALMOST_AS_LARGE * high:
            continue
        aligned = abs(line.box.x - last.x) < high or abs(line.box.centre[0] - last.centre[0]) < 1.5 * high
        # A bullet below a title of the same size is text, not title.
        if not aligned or len(parts) >= 3 or not any(map(str.isalpha, line.text)) or line.text[:1] in "•-–·*►":
            break
        parts.append(line)
    text = " ".join(part.text for part in parts)
    return text if len(text) <= LONGEST_TITLE else first.text


def corrected(pages: Sequence[Page]) -> list[Page]:
    """The pages with spaces that a recogniser lost put back where that is certain.

    "MetabolicSyndrome" becomes two words if both stand alone somewhere on the pages, and a comma or semicolon between
    words of three letters or more gets a space after it. Nothing else is changed.
    """
    words = {word.casefold() for page in pages for line in page.lines for word in WORD.findall(line.text)}

    def apart(word: re.Match[str]) -> str:
        pieces = JOINED.split(word.group())
        known = len(pieces) > 1 and all(len(piece) >= 3 and piece.casefold() in words for piece in pieces)
        return " ".join(pieces) if known else word.group()

    return [
        replace(
            page,
            lines=tuple(replace(o, text=COMMA.sub(r"\1 ", WORD.sub(apart, o.text))) for o in page.lines),
        )
        for page in pages
    ]


def adds_lines(before: Page, after: Page) -> bool:
    """Whether `after` holds every line of `before` at the same place, and something more."""
    if not before.lines:
        return False
    kept = repeats(before, after)
    lengths = [sum(len(key_of(line.text)) for line in page.lines) for page in (before, after)]
    return len(kept) == len(before.lines) and lengths[1] > lengths[0]
