"""Captions as files: SubRip, WebVTT with speaker and slides, chapters, and a plain transcript to be read.

What players do with them decides the form. A slide's change stands in the captions' WebVTT as a comment (`NOTE`), which
every player skips; to be shown, it stands in a WebVTT of its own, for `<track kind="chapters">`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from core.intervals import check_interval
from core.reading import clean, join_words
from core.records import Cue, Sentence, Span, Word
from core.sights import Slide

PARAGRAPH_PAUSE_S = 1.5
"""A pause this long at a sentence's end begins a new paragraph; chosen by reading."""
PARAGRAPH_CHARS = 600
"""A paragraph longer than this ends with its sentence."""


@dataclass(frozen=True, slots=True)
class ShownSlide:
    """A slide with a title, shown during [start_s, end_s)."""

    start_s: float
    end_s: float
    title: str

    def __post_init__(self) -> None:
        check_interval(self, self.start_s, self.end_s)


def shown_slides(slides: Sequence[Slide], span: Span) -> list[ShownSlide]:
    """The titled slides of a moment on its own timeline; what follows with the same title, as builds do, is one."""
    shown: list[ShownSlide] = []
    for slide in slides:
        start_s, end_s = max(slide.start_s, span.start_s) - span.start_s, min(slide.end_s, span.end_s) - span.start_s
        title = clean(slide.title or "")
        if start_s >= end_s or not title:
            continue
        if shown and shown[-1].title == title and start_s - shown[-1].end_s < 1e-6:
            shown[-1] = ShownSlide(shown[-1].start_s, end_s, title)
        else:
            shown.append(ShownSlide(start_s, end_s, title))
    return shown


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip, with an arrow in the text shortened so that no reader takes it for a time."""
    blocks = (f"{n}\n{times}\n{text.replace('-->', '->')}\n" for n, (times, text) in enumerate(_timed(cues, ","), 1))
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue], *, speaker: str | None = None, slides: Sequence[ShownSlide] = ()) -> str:
    """WebVTT (W3C), with &, < and > escaped, so that no text can be taken for a tag or a time.

    Args:
        speaker: Who speaks, as a voice span `<v Name>` of each cue; players may style it, most show the text alone.
        slides: Noted as comments before the first cue that begins with or after them.
    """
    voice = f"<v {escape(clean(speaker), quote=False)}>" if speaker and clean(speaker) else ""
    waiting = list(slides)
    blocks = ["WEBVTT\n"]
    shown = [cue for cue in cues if any(map(clean, cue.lines))]
    for cue, (times, text) in zip(shown, _timed(cues, "."), strict=True):
        while waiting and waiting[0].start_s <= cue.start_s:
            blocks.append(_note(waiting.pop(0)))
        blocks.append(f"{times}\n{voice}{escape(text, quote=False)}{'</v>' if voice else ''}\n")
    blocks += map(_note, waiting)
    return "\n".join(blocks)


def to_chapters(slides: Sequence[ShownSlide]) -> str:
    """WebVTT for `<track kind="chapters">`: the title of each slide while it is shown."""
    cues = [Cue(slide.start_s, slide.end_s, (slide.title,)) for slide in slides]
    return to_vtt(cues)


def to_text(sentences: Sequence[Sentence], slides: Sequence[Slide] = (), *, span: Span | None = None) -> str:
    """The transcript as text to be read: a slide's title as a heading where it changes, paragraphs of whole sentences.

    A paragraph ends with a sentence: before a slide's first sentence, at a long pause, or when it has become long.

    Args:
        sentences, slides: On the recording's timeline, in order.
        span: Only what is said in this moment.
    """
    said = [(s.start_s, s.end_s, text) for s in sentences if (text := _said(s, span))]
    titles = [(slide.start_s, slide.end_s, title) for slide in slides if (title := clean(slide.title or ""))]
    blocks: list[str] = []
    paragraph: list[str] = []
    heading, ended_s = "", 0.0
    for start_s, end_s, text in said:
        middle_s = (start_s + end_s) / 2
        title = next((title for from_s, to_s, title in titles if from_s <= middle_s < to_s), heading)
        long = len(join_words(paragraph)) > PARAGRAPH_CHARS
        if paragraph and (title != heading or long or start_s - ended_s >= PARAGRAPH_PAUSE_S):
            blocks.append(join_words(paragraph))
            paragraph = []
        if title != heading:
            blocks.append(title if not blocks else f"\n{title}")
            heading = title
        paragraph.append(text)
        ended_s = end_s
    blocks += [join_words(paragraph)] if paragraph else []
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _said(sentence: Sentence, span: Span | None) -> str:
    """What of a sentence is said inside `span`, by the middle of its words."""
    if span is None or (span.start_s <= sentence.start_s and sentence.end_s <= span.end_s):
        return clean(sentence.text)

    def inside(word: Word) -> bool:
        return span.start_s <= (word.start_s + word.end_s) / 2 < span.end_s

    return clean(join_words([word.text for word in sentence.words if inside(word)]))


def _note(slide: ShownSlide) -> str:
    """A comment must not hold an arrow, which would end it."""
    return f"NOTE Slide at {_clock(slide.start_s, '.')}: {clean(slide.title).replace('-->', '->')}\n"


def _clock(time_s: float, mark: str) -> str:
    seconds, ms = divmod(round(time_s * 1000), 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{ms:03d}"


def _timed(cues: Sequence[Cue], mark: str) -> Iterator[tuple[str, str]]:
    """("start --> end", lines) of each caption that has text; milliseconds rounded once, after `mark`."""
    for cue in cues:
        if lines := [text for line in cue.lines if (text := clean(line))]:
            yield f"{_clock(cue.start_s, mark)} --> {_clock(cue.end_s, mark)}", "\n".join(lines)
