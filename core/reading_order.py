"""In which order a person reads the lines on a slide.

Heuristics on where lines stand; the numbers were set by hand, on slides of two talks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from core.boxes import Box, around
from core.sights import TextLine

WORD_GAP = 0.9
"""Pieces on one line are one line where the gap between them is at most so many of their heights."""
GUTTER = 1.2
"""Columns lie at least so many line heights apart."""
SAME_ROW = 0.5
"""So many heights apart are the middles of pieces on one line, at most."""
ON_END = 1.5
"""A line so many times as high as wide runs up or down."""
LEADING, OVERLAP = 0.35, 0.6
"""Line heights that lie between two lines of a paragraph at most, and by which their boxes overlap at most."""
ALIGNED = 0.6
"""Line heights that the left edges, or the middles, of a paragraph's lines are apart at most."""
TABLE_ROWS, TABLE_COLUMNS = 4, 3
"""A page with so many rows of so many lines each has a table on it."""
AS_HIGH = 1.6
"""So many times as high is no piece of the same line, nor a line of the same paragraph."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that are read one after the other: a paragraph, or one line."""

    lines: tuple[TextLine, ...]
    box: Box


def reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """`lines` as a person reads them: bands from top to bottom, in a band with columns one column after the other.

    Pieces that stand on one line, a word's gap apart, become one line. Lines close below each other stay together.
    """
    bands: list[list[_Block]] = []
    for block in sorted(_paragraphs(_whole(lines)), key=lambda block: (block.box.centre[1], block.box.x)):
        rest = [other for band in bands[-1:] for other in band]
        if rest and block.box.centre[1] < max(other.box.y + 0.75 * other.box.h for other in rest):
            bands[-1].append(block)
        else:
            bands.append([block])
    ordered: list[TextLine] = []
    while bands:
        count, columns = _columns(bands)
        ordered += [line for column in columns for block in _rows(column) for line in block.lines]
        del bands[:count]
    return ordered


def _whole(lines: Sequence[TextLine]) -> list[TextLine]:
    """`lines` with the pieces of each joined."""
    found: list[TextLine] = []
    for piece in sorted(lines, key=lambda line: line.box.x):
        before = [line for line in found if _goes_on(line, piece)]
        if before:
            nearest = max(before, key=lambda line: line.box.right)
            found[found.index(nearest)] = _together(nearest, piece)
        else:
            found.append(piece)
    return found


def _goes_on(line: TextLine, piece: TextLine) -> bool:
    low, high = sorted((piece.box.h, line.box.h))
    if _on_end(line) or _on_end(piece) or high >= AS_HIGH * low:
        return False
    # Tilted lines have boxes that overlap: those are two lines.
    return _level(line, piece) and -SAME_ROW * low <= piece.box.x - line.box.right <= WORD_GAP * low


def _on_end(line: TextLine) -> bool:
    return line.box.h > ON_END * line.box.w and len(line.text) > 1


def _together(one: TextLine, other: TextLine) -> TextLine:
    confidence = min(one.confidence, other.confidence)
    return TextLine(f"{one.text} {other.text}", around([one.box, other.box]), confidence)


def _paragraphs(lines: Sequence[TextLine]) -> list[_Block]:
    """`lines` in paragraphs: each line with the one close below it, where it is the only one and it the only above."""
    below = {i: [j for j, other in enumerate(lines) if _close_below(line, other)] for i, line in enumerate(lines)}
    above = {j: [i for i in below if j in below[i]] for j in below}
    after = {i: found[0] for i, found in below.items() if len(found) == 1 and len(above[found[0]]) == 1}
    blocks, cells = list[_Block](), _cells(lines)
    for first in set(below) - set(after.values()):
        chain = [first]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        members = [lines[i] for i in chain]
        parts = [[line] for line in members] if 2 * len(cells & {*members}) > len(members) else [members]
        blocks += [_Block(tuple(part), around([line.box for line in part])) for part in parts]
    return blocks


def _cells(lines: Sequence[TextLine]) -> set[TextLine]:
    """The cells of tables, which are read by rows: what stands in full rows, if there are several of them."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: line.box.centre[1]):
        if rows and _level(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    full = [row for row in rows if len(row) >= TABLE_COLUMNS]
    return {line for row in full for line in row} if len(full) >= TABLE_ROWS else set()


def _level(line: TextLine, other: TextLine) -> bool:
    """Whether two lines stand on one row."""
    return abs(line.box.centre[1] - other.box.centre[1]) < SAME_ROW * min(line.box.h, other.box.h)


def _close_below(line: TextLine, other: TextLine) -> bool:
    one, two = line.box, other.box
    low, high = sorted((one.h, two.h))
    if _on_end(line) or _on_end(other) or high >= AS_HIGH * low or two.centre[1] <= one.centre[1]:
        return False
    aligned = abs(one.x - two.x) <= ALIGNED * low or abs(one.centre[0] - two.centre[0]) <= ALIGNED * low
    return aligned and -OVERLAP * low <= two.y - one.bottom <= LEADING * low


def _columns(bands: list[list[_Block]]) -> tuple[int, list[list[_Block]]]:
    """How many of the first bands stand in common columns, and those columns: one band and one column if none do."""
    for count in range(len(bands), 0, -1):
        columns = _split([block for band in bands[:count] for block in band])
        # A word alone between two columns, as "vs.", is a column too.
        if sum(sum(len(block.lines) for block in column) >= 2 for column in columns) >= 2:
            return count, columns
    return 1, [bands[0]]


def _split(blocks: list[_Block]) -> list[list[_Block]]:
    """`blocks` by the columns that gaps from the top of them to their bottom leave, from left to right."""
    gap = GUTTER * median(line.box.h for block in blocks for line in block.lines)
    columns: list[list[_Block]] = []
    right = float("-inf")
    for block in sorted(blocks, key=lambda block: block.box.x):
        if block.box.x >= right + gap:
            columns.append([])
        columns[-1].append(block)
        right = max(right, block.box.right)
    return columns


def _rows(column: list[_Block]) -> list[_Block]:
    """The blocks of a column from top to bottom, those side by side from left to right."""
    rows: list[list[_Block]] = []
    for block in sorted(column, key=lambda block: block.box.centre[1]):
        first = rows[-1][0].box if rows else None
        if first and abs(block.box.centre[1] - first.centre[1]) < SAME_ROW * min(block.box.h, first.h):
            rows[-1].append(block)
        else:
            rows.append([block])
    return [block for row in rows for block in sorted(row, key=lambda block: block.box.x)]
