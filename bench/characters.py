"""How many letters of a known text were read wrong, wherever on the page they were read.

After the Flexible Character Accuracy of C. Clausner, S. Pletschacher and A. Antonacopoulos ("Flexible character
accuracy measure for reading-order-independent evaluation", Pattern Recognition Letters 131, 2020, pages 390-397): lines
of the wanted text and lines that were read are matched piece by piece, of two the shorter as a whole with a stretch of
the longer; what is left of the longer goes on looking for a match; every piece is used once; what finds none is unread.
So a table may be wanted by columns and be read by rows. It is stricter than theirs in that pieces of which more than a
third is wrong do not match at all, that fewer than four letters match only exactly and between the ends of words, and
that weights are fixed instead of taken as they flatter most. It is milder in that what nobody wanted is not counted.

Letters are letters and digits, without regard to case, and the sign for "times" is an x; spaces and punctuation do not
count.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

WORST = 1 / 3
"""Of the letters of a piece: more wrong ones, and it is no match."""
SHORT = 4
PRICE = 3
"""Of two matches the one is made first that has more letters, less so many for each that is wrong."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line: its letters, where it begins among the line's letters, and the ends of words in it."""

    letters: str
    line: int
    start: int
    ends: frozenset[int]
    """Places between letters, counted as `start` is, at which a word begins or ends."""

    def part(self, start: int, end: int) -> "Piece":
        """The stretch from `start` to `end`, counted from the piece's own first letter."""
        cut = {self.start + start, self.start + end} & {self.start, self.start + len(self.letters)}
        return Piece(self.letters[start:end], self.line, self.start + start, self.ends | cut)


@dataclass(frozen=True, slots=True)
class Match:
    wanted: Piece
    read: Piece
    wrong: int


def words(text: str) -> list[str]:
    """The letters of `text`, parted at whatever is none."""
    return "".join(c if c.isalnum() else " " for c in text.casefold().replace("×", "x")).split()


def pieces(lines: Iterable[str]) -> list[Piece]:
    """One piece for each line with letters in it."""
    found = []
    for number, line in enumerate(lines):
        ends, said = {0}, ""
        for word in words(line):
            said += word
            ends.add(len(said))
        if said:
            found.append(Piece(said, number, 0, frozenset(ends)))
    return found


def edits(wanted: str, text: str, *, ahead: bool) -> np.ndarray:
    """Levenshtein's distances of `wanted` to the stretches of `text` that end at 0, 1, ... len(text).

    They begin anywhere, at best, or with `ahead` where the text begins.
    """
    row = np.arange(len(text) + 1) if ahead else np.zeros(len(text) + 1, int)
    codes, at = np.array([ord(c) for c in text], int), np.arange(len(text) + 1)
    for i, letter in enumerate(wanted, 1):
        after = np.concatenate([[i], np.minimum(row[1:] + 1, row[:-1] + (codes != ord(letter)))])
        row = np.minimum.accumulate(after - at) + at
    return row


@lru_cache(maxsize=100_000)
def nearest(short: str, long: str) -> tuple[int, int, int] | None:
    """The stretch [start, end) of `long` nearest to `short`, and its distance; None if more than WORST is wrong."""
    at = long.find(short)
    if at >= 0:
        return at, at + len(short), 0
    most = int(WORST * len(short))
    if len(short) < SHORT or (Counter(short) - Counter(long)).total() > most:
        return None
    row = edits(short, long, ahead=False)
    end = int(row.argmin())
    if row[end] > most:
        return None
    back = edits(short[::-1], long[:end][::-1], ahead=True)
    return end - int(back.argmin()), end, int(row[end])


def match(wanted: Sequence[Piece], read: Sequence[Piece]) -> tuple[list[Match], list[Piece]]:
    """What was matched, and the pieces of `wanted` that were not read."""
    wanted, read, found = list(wanted), list(read), list[Match]()
    while True:
        best = max(
            ((o[0], i, j, o[1:]) for i, a in enumerate(wanted) for j, b in enumerate(read) if (o := _offer(a, b))),
            default=None,
            key=lambda offer: offer[0],
        )
        if best is None:
            return found, wanted
        _, i, j, (start, end, wrong) = best
        a, b = wanted.pop(i), read.pop(j)
        if len(b.letters) > len(a.letters):
            found.append(Match(a, b.part(start, end), wrong))
            read += _rest(b, start, end)
        else:
            found.append(Match(a.part(start, end), b, wrong))
            wanted += _rest(a, start, end)


def _offer(wanted: Piece, read: Piece) -> tuple[int, int, int, int] | None:
    """How good a match is, where in the longer piece it lies, and its errors."""
    short, long = sorted((wanted, read), key=lambda piece: len(piece.letters))
    if len(wanted.letters) == len(read.letters):
        short, long = read, wanted
    if len(short.letters) < SHORT:
        count = len(short.letters)
        for start in sorted(end - long.start for end in long.ends):
            if start >= 0 and long.start + start + count in long.ends and long.letters[start:][:count] == short.letters:
                return count, start, start + count, 0
        return None
    found = nearest(short.letters, long.letters)
    return (len(short.letters) - PRICE * found[2], *found) if found else None


def _rest(piece: Piece, start: int, end: int) -> list[Piece]:
    both = piece.part(0, start), piece.part(end, len(piece.letters))
    return [part for part in both if part.letters]


def wrong_letters(wanted: Sequence[Piece], read: Sequence[Piece]) -> int:
    """How many letters of `wanted` are unread or wrong, in whatever order they were read."""
    found, unread = match(wanted, read)
    return sum(m.wrong for m in found) + sum(len(piece.letters) for piece in unread)


def wrong_in_order(wanted: Sequence[Piece], read: Sequence[Piece]) -> int:
    """The same by the least edit distance of each piece of `wanted` to any stretch of all that was read, as ordered."""
    text = "".join(piece.letters for piece in read)
    return sum(min(len(p.letters), int(edits(p.letters, text, ahead=False).min())) for p in wanted)
