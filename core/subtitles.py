"""Subtitle files people have: SRT and WebVTT of every dialect, read into cues of spoken text.

What counts as spoken is a set of heuristics: labels such as [Music], speaker names before a colon, and lines that
roll-up captions repeat are left out.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import accumulate, pairwise

from core.errors import RefusedInput
from core.reading import CLOSING, UNSPACED, clean
from core.records import Word

CLOCK = r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?"
TIMES = re.compile(rf"^\W{{0,3}}{CLOCK}\s{{0,3}}(?:-{{1,3}}\s?>|[–—]>|→)\s{{0,3}}{CLOCK}(?=\s|$)")
INLINE_TIME = re.compile(rf"<{CLOCK}>")
MARK = re.compile("\x01([0-9.]+)\x02")
"""An inline time, put between characters that no decoded text holds, so that it survives the cleaning of tags."""
KNOWN_TAG = re.compile(
    r"</?(?:[ibuscvp]|em|strong|font|span|br|ruby|rt|lang)(?:\.[\w.-]{1,99})?\s{0,3}/?>|<(?:font|span|p|v|lang)\s[^<>]{0,300}>",
    re.I,
)
ANY_TAG = re.compile(r"<[^<>]{0,300}>")
OVERRIDE = re.compile(r"\{\\[^{}]{0,300}\}|\{[a-zA-Z]:[^{}]{0,300}\}")
SQUARE_LABEL = re.compile(r"\[[^\[\]]{0,200}\]|【[^【】]{0,200}】|[♩♪♫♬#]{0,3}[♩♪♫♬]")
ROUND_LABEL = re.compile(
    r"[(\uff08][^()\uff08\uff09]{0,40}\b(?:applau|laugh|chuckl|giggl|music|singing|cheer|clapping|cough|sighs|gasp|sniff|"
    r"inaudible|unintelligible|indistinct|cross-?talk|silence|pause|clears? (?:\w+ )?throat)"
    r"[^()\uff08\uff09]{0,40}[)\uff09]",
    re.I,
)
ONLY_LABEL = re.compile(r"\s*(?:[(\uff08][^()\uff08\uff09]{0,200}[)\uff09]\s*)+")
SPEAKER = re.compile("(^|\n)([^\\w(\"'“‘\n\x01]{0,9})([^:\n\x01]{2,40}):(?=\\s|$|\x01)")
CHEVRON = re.compile(r"(?:^|(?<=\n))\s*>+\s*|>{2,}\s*")
DASH = re.compile(r"(^|\n)\s*[-–—‐]+\s*(?=\w)")
ROLL_GAP_S, ROLL_SHARE, FLASH_S = 0.25, 0.1, 0.05
"""Captions roll when this share of neighbours, no further apart, repeat lines; flashes are YouTube's 10 ms repeats."""
SPOKEN_CHARS_PER_S = 15.0
"""Speed at which words are assumed to be spoken where a cue has no length."""


@dataclass(frozen=True, slots=True)
class RawCue:
    """A cue of a subtitle file: when it is shown, and what of it is spoken. Cues may overlap."""

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] | None = None
    """Only where the file gives words' times itself."""


@dataclass(frozen=True, slots=True)
class _Block:
    """A cue as it stands in the file; inline times are marked, tags are gone."""

    line: int
    start_s: float
    end_s: float
    lines: tuple[str, ...]

    @property
    def plain(self) -> tuple[str, ...]:
        return tuple(clean(MARK.sub("", line)) for line in self.lines)


def parse_subtitles(data: bytes, name: str) -> list[RawCue]:
    """The cues of an SRT or WebVTT file in order of time, those without spoken words left out.

    Args:
        data: The file's bytes: UTF-8, UTF-16 or UTF-32 by byte order mark, else Windows-1252.
        name: What to call it in a message.

    Raises RefusedInput, naming the line, when no cue with words is in it.
    """
    lines = _decode(data).split("\n")
    blocks = sorted(_blocks(lines), key=lambda block: block.start_s)
    if not blocks:
        raise RefusedInput(_why_nothing(lines, name))
    cues: dict[tuple[float, str], RawCue] = {}
    for block in _unrolled(_lengthened(blocks)):
        if cue := _spoken(block):
            cues.setdefault((cue.start_s, cue.text), cue)
    if not cues:
        raise RefusedInput(
            f"{name} holds no spoken words: its {len(blocks)} cues, the first at line {min(b.line for b in blocks)}, "
            "have nothing but labels or music; choose another subtitle file."
        )
    return list(cues.values())


def tokens_of(text: str) -> list[str]:
    """`text` cut into words; in scripts without spaces each character is one. Punctuation stays with its word."""
    tokens: list[str] = []
    for part in clean(text).split(" "):
        first = len(tokens)
        for c in part:
            joins = len(tokens) > first and (
                c in CLOSING
                or unicodedata.category(c)[0] == "M"
                or not (UNSPACED.match(c) or UNSPACED.match(tokens[-1][-1]))
            )
            if joins:
                tokens[-1] += c
            else:
                tokens.append(c)
    return [token for token in tokens if any(c in "&%@#" or unicodedata.category(c)[0] in "LNSM" for c in token)]


def spread_words(tokens: Sequence[str], start_s: float, end_s: float) -> list[Word]:
    """Words over [start_s, end_s), each as long as its share of characters, one added for the space."""
    share = [0, *accumulate(len(token) + 1 for token in tokens)]
    edges_s = [*(start_s + (end_s - start_s) * done / share[-1] for done in share[:-1]), end_s]
    return [Word(token, *edges) for token, edges in zip(tokens, pairwise(edges_s), strict=True)]


def _decode(data: bytes) -> str:
    """Text with newlines as "\\n" and no control characters but tabs."""
    marks = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"))
    marks += ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    encoding = next((encoding for mark, encoding in marks if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:200]:
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    try:
        text = data.decode(encoding or "utf-8", errors="replace" if encoding else "strict")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("[\0-\x08\x0b-\x1f\x7f\ufeff\u200b\u200e\u200f]", "", text)


def _seconds(groups: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = groups
    whole_s = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return round(whole_s + float(f"0.{fraction or 0}"), 6)


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """Cues with their text. In WebVTT a blank line ends a cue; in SRT text goes on to the number of the next one."""
    is_vtt = lines[0].lstrip().startswith("WEBVTT")
    found = [(i, match) for i, line in enumerate(lines) if (match := TIMES.match(line))]
    for (i, match), following in zip(found, [*(i for i, _ in found), None][1:], strict=True):
        text = lines[i + 1 : following]
        if is_vtt:
            text = _until_blank(text, following is not None)
        elif following is not None and text and re.fullmatch(r"\s*#?\d+\s*", text[-1]):
            text = text[:-1]
        start_s, end_s = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        marked = (_marked(line, is_vtt) for line in text)
        yield _Block(i + 1, start_s, end_s, tuple(line for line in marked if line.strip()))


def _until_blank(text: list[str], more: bool) -> list[str]:
    """The lines up to the first blank one. Where an editor has blanked a line before the text, that is skipped."""
    if text and not text[0] and len(text) > 1:
        identifier = more and len(text) > 1 and len([line for line in text if line.strip()]) == 1 and text[-1].strip()
        if not identifier and not re.match(r"NOTE\b|STYLE\b|REGION\b", text[1]):
            text = text[1:]
    return text[: text.index("")] if "" in text else text


def _marked(line: str, is_vtt: bool) -> str:
    line = INLINE_TIME.sub(lambda match: f"\x01{_seconds(match.groups()):.3f}\x02", line)
    line = OVERRIDE.sub("", line.replace(r"\N", " ").replace(r"\h", " "))
    return unescape((ANY_TAG if is_vtt else KNOWN_TAG).sub("", line))


def _lengthened(blocks: list[_Block]) -> list[_Block]:
    """Cues without length get the time that saying them takes, at most up to the next cue."""
    fixed: list[_Block] = []
    later = [*(block.start_s for block in blocks[1:]), float("inf")]
    for block, following_s in zip(blocks, later, strict=True):
        if block.end_s <= block.start_s:
            needed_s = max(0.2, len(" ".join(block.plain)) / SPOKEN_CHARS_PER_S)
            limit_s = following_s if following_s > block.start_s else float("inf")
            block = replace(block, end_s=min(block.start_s + needed_s, limit_s))
        fixed.append(block)
    return fixed


def _unrolled(blocks: list[_Block]) -> list[_Block]:
    """Roll-up captions with each line kept once, where it came first."""
    pairs = list(pairwise(blocks))
    repeats = [_repeated(a, b) for a, b in pairs]
    rolling = sum(0 < n < len(b.plain) or n > 0 and _flashes(a, b) for n, (a, b) in zip(repeats, pairs, strict=True))
    if not rolling or rolling < ROLL_SHARE * len(pairs):
        return blocks
    return [blocks[0]] + [replace(b, lines=b.lines[n:]) for n, (_, b) in zip(repeats, pairs, strict=True)]


def _flashes(before: _Block, after: _Block) -> bool:
    return min(block.end_s - block.start_s for block in (before, after)) <= FLASH_S


def _repeated(before: _Block, after: _Block) -> int:
    """How many of the first lines of `after`, shown right behind `before`, are the last lines of that."""
    if after.start_s - before.end_s > ROLL_GAP_S:
        return 0
    old, new = before.plain, after.plain
    return next((n for n in range(min(len(old), len(new)), 0, -1) if old[-n:] == new[:n]), 0)


def _spoken(block: _Block) -> RawCue | None:
    """What of a cue is spoken, or None."""
    text = SQUARE_LABEL.sub(" ", "\n".join(block.lines))
    text = "" if ONLY_LABEL.fullmatch(MARK.sub("", text)) else ROUND_LABEL.sub(" ", text)
    text = CHEVRON.sub("", DASH.sub(r"\1", SPEAKER.sub(_without_speaker, text)))
    plain = " ".join(clean(MARK.sub("", text)).split())
    if not tokens_of(plain):
        return None
    return RawCue(block.start_s, block.end_s, plain, _timed_words(text, block))


def _without_speaker(match: re.Match[str]) -> str:
    begin, prefix, name = match.groups()
    rest = match.string[match.end() :].partition("\n")[0]
    parts = name.split()
    capitals = name.isupper() and sum(c.isalpha() for c in name) > 1 and not rest.isupper()
    title_case = ">>" in prefix and all(part[0].isupper() for part in parts)
    numbered = re.fullmatch(r"(?i:speaker|voice) ?\w{1,3}", name)
    return begin if len(parts) <= 4 and (capitals or title_case or numbered) else match.group()


def _timed_words(text: str, block: _Block) -> tuple[Word, ...] | None:
    """Words by the inline times in `text`; None when there are none, or they are out of order."""
    first, *rest = MARK.split(text)
    if not rest:
        return None
    starts = [block.start_s, *map(float, rest[::2]), block.end_s]
    words: list[Word] = []
    waiting: list[str] = []
    begin_s = starts[0]
    for piece, stop_s in zip([first, *rest[1::2]], starts[1:], strict=True):
        waiting += tokens_of(piece)
        if stop_s < begin_s:
            return None
        if stop_s > begin_s:
            words += spread_words(waiting, begin_s, stop_s)
            begin_s, waiting = stop_s, []
    return None if waiting else tuple(words)


def _why_nothing(lines: list[str], name: str) -> str:
    """One sentence on the first line that should have held a cue's time."""
    wanted = "a time such as 00:01:02,500 --> 00:01:04,000"
    for number, line in enumerate(lines, 1):
        if "-->" in line:
            return f"{name} has no readable cue: line {number} ({line.strip()[:60]!r}) is not {wanted}."
    for number, line in enumerate(lines, 1):
        if line.strip():
            return f"{name} is not SRT or WebVTT: from line {number} ({line.strip()[:60]!r}) on, no line is {wanted}."
    return f"{name} is empty: line 1 should begin a subtitle file, SRT or WebVTT."
