"""Files of captions: what players show, what they skip, and what people read."""

import re

from core.caption_files import ShownSlide, shown_slides, to_chapters, to_text, to_vtt
from core.records import Cue, Sentence, Span, Word
from core.sights import Slide
from core.subtitles import parse_subtitles

CUES = [Cue(0.5, 2.0, ("Hello & welcome", "to this")), Cue(3.0, 5.0, ("It <goes> on",))]


def slide(start_s: float, end_s: float, title: str | None, build: bool = False) -> Slide:
    return Slide(start_s, end_s, title, title or "", build, None, ())


def sentence(start_s: float, text: str) -> Sentence:
    texts = text.split()
    words = tuple(Word(t, start_s + i * 0.3, start_s + i * 0.3 + 0.3) for i, t in enumerate(texts))
    return Sentence(start_s, words[-1].end_s, text, words)


def test_a_speaker_is_a_voice_span_and_slides_are_comments() -> None:
    slides = [ShownSlide(0.0, 2.5, "First --> slide"), ShownSlide(2.5, 9.0, "Second")]
    vtt = to_vtt(CUES, speaker="Ada <L>", slides=slides)

    assert vtt == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n"
        "<v Ada &lt;L&gt;>Hello &amp; welcome\nto this</v>\n\n"
        "NOTE Slide at 00:00:02.500: Second\n\n"
        "00:00:03.000 --> 00:00:05.000\n<v Ada &lt;L&gt;>It &lt;goes&gt; on</v>\n"
    ).replace("WEBVTT\n\n", "WEBVTT\n\nNOTE Slide at 00:00:00.000: First -> slide\n\n")


def test_readers_find_only_what_is_spoken() -> None:
    vtt = to_vtt(CUES, speaker="Ada", slides=[ShownSlide(0.0, 2.5, "First"), ShownSlide(7.0, 9.0, "Last")])
    read = parse_subtitles(vtt.encode(), "clip.vtt")

    assert [(cue.start_s, cue.text) for cue in read] == [(0.5, "Hello & welcome to this"), (3.0, "It <goes> on")]


def test_slides_are_cut_to_the_moment_and_builds_are_one() -> None:
    slides = [
        slide(0, 10, "Before"),
        slide(10, 20, "Bridges"),
        slide(20, 30, "Bridges", build=True),
        slide(30, 40, None),
        slide(40, 90, "Tunnels"),
    ]

    assert shown_slides(slides, Span(15.0, 50.0)) == [
        ShownSlide(0.0, 15.0, "Bridges"),
        ShownSlide(25.0, 35.0, "Tunnels"),
    ]


def test_chapters_are_the_titles_while_they_are_shown() -> None:
    chapters = to_chapters([ShownSlide(0.0, 15.0, "Bridges & more"), ShownSlide(25.0, 35.0, "Tunnels")])

    assert re.findall(r"(\S+) --> (\S+)\n(.*)", chapters) == [
        ("00:00:00.000", "00:00:15.000", "Bridges &amp; more"),
        ("00:00:25.000", "00:00:35.000", "Tunnels"),
    ]


def test_a_transcript_has_headings_and_paragraphs() -> None:
    said = [
        sentence(0, "We begin here."),
        sentence(2, "It goes on."),
        sentence(10, "After a pause."),
        sentence(20, "Now tunnels."),
    ]
    slides = [slide(0, 15, "Bridges"), slide(15, 30, "Tunnels")]

    assert to_text(said, slides) == (
        "Bridges\n\nWe begin here. It goes on.\n\nAfter a pause.\n\n\nTunnels\n\nNow tunnels.\n"
    )
    assert to_text(said, slides, span=Span(2.3, 15.0)) == "Bridges\n\ngoes on.\n\nAfter a pause.\n"
    assert to_text([]) == ""


def test_a_long_paragraph_ends_with_a_sentence() -> None:
    said = [sentence(i * 3.0, "These are seven words in one sentence.") for i in range(60)]
    paragraphs = to_text(said).strip().split("\n\n")

    assert len(paragraphs) > 2
    assert all(600 < len(text) < 700 for text in paragraphs[:-1])
