"""Subtitle files in the dialects people have."""

import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.captions import build_cues, to_srt, to_vtt
from core.errors import RefusedInput
from core.records import Word
from core.subtitles import RawCue, parse_subtitles, tokens_of

PLAIN = "1\n00:00:01,000 --> 00:00:02,500\nHello there.\n\n2\n00:00:03,000 --> 00:00:04,000\nSecond\nline.\n"
YOUTUBE = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.389 align:start position:0%
 
okay<00:00:00.480><c> so</c><00:00:00.640><c> welcome</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
okay so welcome
 

00:00:02.399 --> 00:00:04.070 align:start position:0%
okay so welcome
to<00:00:02.480><c> the</c><00:00:03.100><c> course</c>

00:00:04.070 --> 00:00:04.080 align:start position:0%
to the course
 

00:00:04.080 --> 00:00:06.000 align:start position:0%
to the course
[Music]
"""
ZOOM = """WEBVTT

1
00:00:03.120 --> 00:00:05.040
Ana Pérez: Can everybody see my screen?

2
00:00:05.040 --> 00:00:06.000
Ana Pérez: Good.
"""
TEAMS = """WEBVTT

c5a8ef23-1/12-0
00:00:03.120 --> 00:00:05.040
<v Ana Pérez>Can everybody
see my screen?</v>
"""
RICH = """WEBVTT - a title
X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000

STYLE
::cue { color: lime }

REGION
id:fred
width:40%

NOTE 00:00:00.000 is when it begins
and this note has two lines

intro
00:01.000 --> 00:02.000 line:0 position:20% align:start
<c.yellow.bg_blue>Tom &amp; Jerry</c> say <i>2 &lt; 3</i>

NOTE done
"""
ROLLING = """1
00:00:01,000 --> 00:00:03,000
THE FIRST LINE
COMES HERE

2
00:00:03,000 --> 00:00:05,000
COMES HERE
THEN THE SECOND

3
00:00:05,000 --> 00:00:07,000
THEN THE SECOND
AND THE THIRD
"""


def read(text: str) -> list[RawCue]:
    return parse_subtitles(text.encode(), "talk.srt")


def texts(text: str) -> list[str]:
    return [cue.text for cue in read(text)]


def one_cue(text: str) -> str:
    return f"1\n00:00:01,000 --> 00:00:03,000\n{text}\n\n2\n00:00:05,000 --> 00:00:06,000\nlast words\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PLAIN.encode(), id="UTF-8"),
        pytest.param(codecs.BOM_UTF8 + PLAIN.encode(), id="UTF-8 with a mark"),
        pytest.param(PLAIN.encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), id="UTF-16 the other way round"),
        pytest.param(PLAIN.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(PLAIN.encode("utf-32"), id="UTF-32 with a mark"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), id="old Macintosh line ends"),
        pytest.param(PLAIN.replace(",", ".").encode(), id="dots in times"),
        pytest.param(PLAIN.replace("00:00:0", "00:0").encode(), id="times without hours"),
        pytest.param(PLAIN.replace("00:00:0", "0:00:0").encode(), id="hours of one digit"),
        pytest.param(PLAIN.replace(",000", "").encode(), id="whole seconds"),
        pytest.param(PLAIN.replace("\n\n", "\n").encode(), id="no blank lines"),
        pytest.param(PLAIN.replace("1\n00", "00").replace("2\n00", "00").encode(), id="no numbers"),
        pytest.param(PLAIN.replace("Second\n", "Second\n\n").encode(), id="a blank line inside a cue"),
        pytest.param(PLAIN.replace(" --> ", "-->").encode(), id="no spaces around the arrow"),
        pytest.param(PLAIN.replace(" --> ", " –> ").encode(), id="an arrow that an editor has corrected"),
        pytest.param(PLAIN.rstrip().encode(), id="no newline at the end"),
        pytest.param(PLAIN.replace("\n00", " \n00").replace(",500\n", ",500  X1:1 X2:9\n").encode(), id="coordinates"),
        pytest.param(("WEBVTT\n\n" + PLAIN.replace(",", ".")).encode(), id="WebVTT whatever its name"),
    ],
)
def test_dialects_read_alike(data: bytes) -> None:
    assert parse_subtitles(data, "talk.srt") == [
        RawCue(1.0, 2.5, "Hello there."),
        RawCue(3.0, 4.0, "Second line."),
    ]


def test_text_that_is_not_unicode_is_windows_1252() -> None:
    data = PLAIN.replace("Hello", "Café “olé”").encode("cp1252")

    assert parse_subtitles(data, "talk.srt")[0].text == "Café “olé” there."


def test_webvtt_headers_notes_styles_settings_tags_and_entities_are_not_words() -> None:
    assert read(RICH) == [RawCue(1.0, 2.0, "Tom & Jerry say 2 < 3")]


def test_voice_tags_are_not_words() -> None:
    assert read(TEAMS) == [RawCue(3.12, 5.04, "Can everybody see my screen?")]


def test_a_name_in_ordinary_letters_is_kept_because_a_sentence_may_hold_a_colon() -> None:
    assert texts(ZOOM)[1] == "Ana Pérez: Good."


def test_youtube_lines_are_kept_once_with_the_times_of_their_words() -> None:
    first, second = read(YOUTUBE)

    assert (first.start_s, first.text) == (0.16, "okay so welcome")
    assert first.words == (Word("okay", 0.16, 0.48), Word("so", 0.48, 0.64), Word("welcome", 0.64, 2.389))
    assert (second.start_s, second.end_s, second.text) == (2.399, 4.07, "to the course")
    assert second.words is not None
    assert [word.start_s for word in second.words] == [2.399, 2.48, 3.1]


def test_youtube_lines_are_kept_once_also_where_an_editor_took_trailing_spaces() -> None:
    stripped = "\n".join(line.rstrip() for line in YOUTUBE.split("\n"))

    assert texts(stripped) == ["okay so welcome", "to the course"]


def test_rolling_captions_keep_each_line_once() -> None:
    assert texts(ROLLING) == ["THE FIRST LINE COMES HERE", "THEN THE SECOND", "AND THE THIRD"]


def test_people_may_say_the_same_thing_twice() -> None:
    text = "".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i + 1},000\nNo.\n\n" for i in range(1, 5))

    assert texts(text) == ["No."] * 4


def test_inline_times_out_of_order_are_not_believed() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:03.000\none<00:02.500> two<00:01.500> three\n"

    assert read(text) == [RawCue(1.0, 3.0, "one two three")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[Music]", None, id="a label alone"),
        pytest.param("(audience applauds)", None, id="a label in round brackets"),
        pytest.param("♪ ♪♪", None, id="notes alone"),
        pytest.param("【音楽】", None, id="a Japanese label"),
        pytest.param("[LAUGHTER\nAND APPLAUSE] Thank you.", "Thank you.", id="a label over two lines"),
        pytest.param("Well (laughs) I tried.", "Well I tried.", id="a label within"),
        pytest.param("ten (in meters) long", "ten (in meters) long", id="brackets that were spoken"),
        pytest.param("♪ Oh say can you see ♪", "Oh say can you see", id="a song's words"),
        pytest.param(">> So it began.", "So it began.", id="a change of speaker"),
        pytest.param("&gt;&gt; John Smith: So it began.", "So it began.", id="a change of speaker with a name"),
        pytest.param(">> Yes? >> No.", "Yes? No.", id="two speakers on a line"),
        pytest.param("DR. LAZAR: Thank you.", "Thank you.", id="a name in capitals"),
        pytest.param("Speaker 2: Thank you.", "Thank you.", id="a numbered speaker"),
        pytest.param("- Is it?\n- It is.", "Is it? It is.", id="dashes of a dialogue"),
        pytest.param("It is as follows: two things.", "It is as follows: two things.", id="a colon in a sentence"),
        pytest.param("at 10:30 on Monday", "at 10:30 on Monday", id="a time of day"),
        pytest.param("minus -3 degrees", "minus -3 degrees", id="a minus"),
        pytest.param("{\\an8}Up <font color='red'>here</font>", "Up here", id="places and colours"),
        pytest.param("if a <b and c> d", "if a <b and c> d", id="comparisons that look like tags"),
    ],
)
def test_only_what_is_spoken_counts(text: str, words: str | None) -> None:
    assert texts(one_cue(text)) == ([words] if words else []) + ["last words"]


def test_cues_come_in_order_of_time_and_zero_length_ones_get_a_length() -> None:
    text = (
        "1\n00:00:05,000 --> 00:00:05,000\nfifth second\n\n2\n00:00:01,000 --> 00:00:06,000\nlong\n\n"
        "3\n00:00:02,000 --> 00:00:01,000\nbackwards\n"
    )
    cues = read(text)

    assert [cue.text for cue in cues] == ["long", "backwards", "fifth second"]
    assert all(cue.end_s > cue.start_s for cue in cues)
    assert cues[1].end_s < 3.0


def test_a_cue_written_twice_counts_once() -> None:
    assert texts(PLAIN + "\n" + PLAIN) == ["Hello there.", "Second line."]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "is empty: line 1", id="nothing"),
        pytest.param(b"\n\nDear all,\nhello", "from line 3 ('Dear all,')", id="a letter"),
        pytest.param(b"WEBVTT\n\n00:0x --> 00:02\nHi", "line 3 ('00:0x --> 00:02') is not a time", id="a broken time"),
        pytest.param(b"WEBVTT\n\n00:01.0 --> 00:02.0\n[Music]\n", "first at line 3", id="nothing but music"),
        pytest.param(bytes(range(256)) * 4, "is not SRT or WebVTT", id="not text"),
    ],
)
def test_files_without_words_are_refused_in_one_sentence_that_names_the_line(data: bytes, told: str) -> None:
    with pytest.raises(RefusedInput) as refused:
        parse_subtitles(data, "talk.srt")

    assert told in str(refused.value)
    assert str(refused.value).startswith("talk.srt ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("Hello, world - yes…", ["Hello,", "world", "yes…"], id="dashes are not words"),
        pytest.param("R & D at 5 %", ["R", "&", "D", "at", "5", "%"], id="signs that are spoken"),
        pytest.param("今日は、晴れ。", ["今", "日", "は、", "晴", "れ。"], id="Japanese by characters"),
        pytest.param("用Python写", ["用", "Python", "写"], id="Latin within Chinese"),
        pytest.param("น้ำ", ["น้", "ำ"], id="marks stay with their letter"),
    ],
)
def test_text_is_cut_into_words(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


@pytest.mark.parametrize("write", [to_srt, to_vtt])
def test_what_winnow_writes_it_reads(write) -> None:
    text = "if x < y & y > z, then the rest of this sentence fills two lines and more."
    words = [Word(token, i * 0.4, i * 0.4 + 0.4) for i, token in enumerate(text.split())]
    cues = build_cues(words, end_s=10.0)
    back = read(write(cues))

    assert " ".join(cue.text for cue in back) == text
    assert [(cue.start_s, cue.end_s) for cue in back] == [(cue.start_s, cue.end_s) for cue in cues]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["WEBVTT", "", "1", "00:01.000 --> 00:02.000", "00:00:03,5 --> 00:00:01,0", "NOTE", ">>"]),
            st.text("ab <>:0-[]()♪{}\\&;1.\x01", max_size=20),
        ),
        max_size=25,
    ).map("\n".join)
)
@example("WEBVTT\n\n00:01.000 --> 00:02.000\n<00:01.500>")
def test_any_file_is_read_or_refused(text: str) -> None:
    try:
        cues = read(text)
    except RefusedInput:
        return
    assert cues
    for cue in cues:
        assert 0 <= cue.start_s < cue.end_s
        assert tokens_of(cue.text)
        assert cue.words is None or [w.text for w in cue.words] == tokens_of(cue.text)
