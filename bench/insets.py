"""Which letters of a slide's text a picture laid over it hides, found on the slide's clean picture.

The wanted text has no places. So the clean picture is read, and a letter that was read there under the inset is hidden.
What the clean picture shows outside the inset too is not hidden, nor is what was not read on it: in doubt a letter
counts. Letters are taken to be evenly wide, which places the edge of the inset within about a letter.
"""

from collections.abc import Sequence
from itertools import groupby

from bench.characters import Match, Piece, match, pieces
from core.boxes import Box, shared
from core.sights import TextLine


def places(line: TextLine) -> list[tuple[float, float]]:
    """The middle of each letter of a line, as `pieces` counts letters."""
    count, box = len(line.text), line.box
    shares = [(i + 0.5) / count for i, c in enumerate(line.text) for p in pieces([c]) for _ in p.letters]
    if box.h > 1.5 * box.w and count > 1:
        return [(box.centre[0], box.bottom - share * box.h) for share in shares]
    return [(box.x + share * box.w, box.centre[1]) for share in shares]


def hidden_letters(wanted: Sequence[Piece], clean: Sequence[TextLine], inset: Box) -> set[tuple[int, int]]:
    """Line and place of the letters of `wanted` that stand under `inset`.

    Args:
        clean: What was read on the slide without the inset, in the coordinates of `inset`.
    """
    free = [line for line in clean if not shared(line.box, inset)]
    touched = [line for line in clean if shared(line.box, inset)]
    _, left = match(wanted, pieces(line.text for line in free))
    found, _ = match(left, pieces(line.text for line in touched))
    return {letter for m in found for letter in _under(m, places(touched[m.read.line]), inset)}


def _under(found: Match, at: Sequence[tuple[float, float]], inset: Box) -> list[tuple[int, int]]:
    count, read = len(found.wanted.letters), found.read
    under = []
    for i in range(count):
        x, y = at[read.start + i * len(read.letters) // count]
        if inset.x <= x < inset.right and inset.y <= y < inset.bottom:
            under.append((found.wanted.line, found.wanted.start + i))
    return under


def parted(wanted: Sequence[Piece], hidden: set[tuple[int, int]]) -> tuple[list[Piece], list[Piece]]:
    """`wanted` in stretches that can be seen, and in those that are hidden."""
    seen, under = list[Piece](), list[Piece]()
    for piece in wanted:
        is_hidden = [(piece.line, piece.start + i) in hidden for i in range(len(piece.letters))]
        for key, group in groupby(range(len(is_hidden)), key=is_hidden.__getitem__):
            stretch = list(group)
            (under if key else seen).append(piece.part(stretch[0], stretch[-1] + 1))
    return seen, under
