"""Captions keep every word, obey the rules where speech allows, and are written so that every reader understands."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont

from core import media
from core.captions import CaptionRules, build_cues, burn_rules, retime, to_ass, to_srt, to_vtt, violations
from core.reading import text_width
from core.records import Cue, Word

FONTS = Path(__file__).parents[2] / "core/assets/fonts"
TALK = (
    "Good morning, everybody, and welcome to the annual lecture. Today I would like to talk about bridges, which are "
    "older than writing and younger than fire. The first ones were trees that had fallen across a stream. Nobody "
    "planned them. But somebody saw one, walked over it, and came back to tell the others."
)


def spoken(text: str, chars_per_s: float = 14.0, start_s: float = 0.0) -> list[Word]:
    words: list[Word] = []
    for token in text.split():
        end_s = start_s + (len(token) + 1) / chars_per_s
        words.append(Word(token, start_s, end_s))
        start_s = end_s
    return words


def text_of(cues: list[Cue]) -> str:
    return " ".join(line for cue in cues for line in cue.lines)


def letters(text: str) -> str:
    return re.sub(r"\s", "", text)


@st.composite
def awkward_words(draw: st.DrawFn) -> list[Word]:
    """Words as recognisers and people leave them: overlapping, out of order, too long, in any script."""
    token = st.one_of(
        st.sampled_from(
            ["a", "the", "and", "Yes.", "well,", "25", "kilograms", "Dr.", "Smith", "—", ".", "...", "(x)"]
        ),
        st.text("abc漢字。ไทยééالع-->{}\\<&", min_size=1, max_size=8).filter(lambda text: text.strip()),
        st.integers(43, 130).map(lambda n: "x" * n),
    )
    words: list[Word] = []
    at_s = 0.0
    for text in draw(st.lists(token, max_size=40)):
        at_s = max(0.0, at_s + draw(st.sampled_from([-0.2, 0.0, 0.0, 0.05, 0.4, 2.0, 9.0])))
        words.append(Word(text, at_s, at_s + draw(st.sampled_from([0.001, 0.1, 0.3, 1.0, 12.0]))))
        at_s += draw(st.sampled_from([0.0, 0.1, 0.3]))
    return words


@settings(max_examples=120, deadline=None)
@given(
    words=awkward_words(),
    end_s=st.sampled_from([0.5, 3.0, 20.0, 400.0]),
    chars=st.sampled_from([42, 24, 7]),
    gap_s=st.sampled_from([0.0, 2 / 24, 0.5]),
    lag_s=st.sampled_from([0.0, 1.5]),
)
def test_captions_hold_whatever_the_words_are(
    words: list[Word], end_s: float, chars: int, gap_s: float, lag_s: float
) -> None:
    rules = CaptionRules(max_line_chars=chars, min_gap_s=gap_s, max_lag_s=lag_s)
    cues = build_cues(words, end_s=end_s, rules=rules)

    assert letters(text_of(cues)) == letters("".join(word.text for word in words))
    assert all(1 <= len(cue.lines) <= 2 for cue in cues)
    assert all(0 < text_width(line) <= chars and line == line.strip() for cue in cues for line in cue.lines)
    assert all(0 <= cue.start_s < cue.end_s <= end_s for cue in cues)
    assert all(before.end_s <= after.start_s for before, after in pairwise(cues))


def test_speech_of_ordinary_speed_breaks_no_rule() -> None:
    words = spoken(TALK)
    cues = build_cues(words, end_s=words[-1].end_s + 1)

    assert violations(cues) == []
    assert text_of(cues) == TALK


def test_captions_end_with_sentences_where_they_can() -> None:
    words = spoken(TALK)
    cues = build_cues(words, end_s=words[-1].end_s + 1)
    ends = [cue.lines[-1] for cue in cues]

    assert [line for line in ends if line.endswith("lecture.")], ends
    assert sum(line.endswith((".", ",")) for line in ends) >= len(ends) / 2


def test_a_pause_separates_captions_and_ends_the_first_within_the_lag() -> None:
    words = [*spoken("and that is how it went"), *spoken("so we tried another way", start_s=10.0)]
    first, second = build_cues(words, end_s=15.0)

    assert first.lines == ("and that is how it went",)
    assert first.end_s <= words[5].end_s + CaptionRules().max_lag_s
    assert second.start_s == pytest.approx(10.0, abs=0.31)


def test_fast_speech_stays_on_screen_through_the_pause_behind_it() -> None:
    words = spoken("everything here was said in a terrible hurry", chars_per_s=28.0, start_s=1.0)
    cues = build_cues(words, end_s=10.0)

    assert violations(cues) == []
    assert cues[-1].end_s > words[-1].end_s + 0.5


def test_a_fast_passage_averages_out_over_a_slow_one() -> None:
    fast = spoken("this whole sentence is really spoken much too fast for anybody.", chars_per_s=22.0, start_s=1.0)
    slow = spoken("But this one is slow, and everybody can follow it.", chars_per_s=10.0, start_s=fast[-1].end_s)

    assert violations(build_cues([*fast, *slow], end_s=slow[-1].end_s + 0.2)) == []


def test_speech_too_fast_to_read_is_kept_and_reported_and_no_caption_lags_beyond_the_rule() -> None:
    words = spoken(TALK, chars_per_s=30.0)
    cues = build_cues(words, end_s=words[-1].end_s)
    told = violations(cues)

    assert text_of(cues) == TALK
    assert told
    assert all("characters a second, more than 17" in sentence for sentence in told)
    first = 0
    for cue in cues:
        lag_s = cue.start_s - words[first].start_s
        assert -0.31 <= lag_s <= CaptionRules().max_lag_s + 0.001
        first += len(" ".join(cue.lines).split())


def test_captions_with_short_gaps_are_joined_to_the_least_gap() -> None:
    words = spoken(TALK)
    gaps = [b.start_s - a.end_s for a, b in pairwise(build_cues(words, end_s=words[-1].end_s + 1))]

    assert all(gap == pytest.approx(2 / 24, abs=0.002) or gap >= 0.5 for gap in gaps), gaps


def test_a_whole_lecture_is_captioned_without_broken_lines() -> None:
    words = spoken(" ".join([TALK] * 60))
    cues = build_cues(words, end_s=words[-1].end_s + 1)

    assert len(text_of(cues).split()) == len(words) > 3_000
    assert not [told for told in violations(cues) if "line" in told]


def test_the_same_words_always_make_the_same_captions() -> None:
    words = spoken(TALK, chars_per_s=19.0)

    assert build_cues(words, end_s=60.0) == build_cues(words, end_s=60.0)


def test_a_recording_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="end_s > 0"):
        build_cues(spoken("a b"), end_s=0.0)


@pytest.mark.parametrize(
    ("cues", "told"),
    [
        pytest.param([Cue(1.0, 3.0, ("a", "b", "c"))], "at 1.000 s has 3 lines, more than 2", id="three lines"),
        pytest.param([Cue(1.0, 6.0, ("x" * 43,))], "a line of 43 characters, more than 42", id="a long line"),
        pytest.param([Cue(1.0, 2.0, ("x" * 34,))], "34.0 characters a second, more than 17", id="too fast"),
        pytest.param([Cue(1.0, 1.5, ("x",))], "shown for 0.500 s, less than 0.833 s", id="too short"),
        pytest.param([Cue(1.0, 9.0, ("x",))], "shown for 8.000 s, more than 7 s", id="too long"),
        pytest.param([Cue(1, 3, ("x",)), Cue(3, 5, ("y",))], "0.000 s after the one before", id="no gap"),
        pytest.param([Cue(1, 3, ("x",)), Cue(2, 5, ("y",))], "at 2.000 s overlaps the one before", id="overlap"),
    ],
)
def test_each_broken_rule_is_told_in_one_sentence_with_its_time(cues: list[Cue], told: str) -> None:
    (sentence,) = violations(cues)

    assert told in sentence
    assert sentence.startswith("The caption at")
    assert sentence.endswith(".")


def test_retime_keeps_words_whose_middle_is_inside_and_cuts_them_at_the_edges() -> None:
    words = [Word("out", 8.0, 10.1), Word("in", 9.75, 10.5, 0.5), Word("mid", 11.0, 12.0), Word("end", 14.0, 17.0)]

    assert retime(words, 10.0, 16.0) == [
        Word("in", 0.0, 0.5, 0.5),
        Word("mid", 1.0, 2.0),
        Word("end", 4.0, 6.0),
    ]


def test_srt_is_numbered_with_commas_in_its_times() -> None:
    cues = [Cue(0.0, 1.5, ("One,", "two.")), Cue(3661.0005, 3662.9996, ("Three",))]

    assert to_srt(cues) == ("1\n00:00:00,000 --> 00:00:01,500\nOne,\ntwo.\n\n2\n01:01:01,000 --> 01:01:03,000\nThree\n")


def test_text_cannot_break_out_of_its_cue() -> None:
    cues = [Cue(0.0, 1.0, ("a\n\n00:00:05.000 --> 00:00:06.000", "<b> & {\\an8} \\N"))]

    assert to_srt(cues).count("-->") == 1
    assert "\n\n" not in to_srt(cues)
    assert to_vtt(cues) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na 00:00:05.000 --&gt; 00:00:06.000\n&lt;b&gt; &amp; {\\an8} \\N\n"
    )
    assert to_ass(cues, width_px=640, height_px=360).endswith(
        "Caption,,0,0,0,,a 00:00:05.000 --> 00:00:06.000\\N<b> & \\{\\\u2060an8\\} \\\u2060N\n"
    )


def test_no_captions_make_files_that_are_still_valid() -> None:
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n"
    assert to_ass([], width_px=640, height_px=360).rstrip().endswith("Effect, Text")


def test_times_do_not_overlap_after_rounding() -> None:
    edges = [0.0, 1.00449, 1.00551, 2.0149999, 2.9999]
    cues = [Cue(a, b, ("x",)) for a, b in pairwise(edges)]
    times = re.findall(r"0:00:(\d\d\.\d\d)", to_ass(cues, width_px=640, height_px=360))

    assert times[1:-1:2] == times[2::2]
    assert re.findall(r"--> (\S+)", to_vtt(cues))[:-1] == re.findall(r"(\S+) -->", to_vtt(cues))[1:]


@pytest.mark.parametrize(
    ("size", "chars"),
    [
        pytest.param((1280, 720), 42, id="wide pictures take full lines"),
        pytest.param((640, 480), 35, id="4 to 3 takes somewhat fewer"),
        pytest.param((406, 720), 26, id="upright pictures take short lines"),
    ],
)
def test_lines_to_burn_are_as_long_as_the_picture_is_wide(size: tuple[int, int], chars: int) -> None:
    assert burn_rules(*size).max_line_chars == pytest.approx(chars, abs=1)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("The quick brown fox jumps over it, again", id="ordinary text"),
        pytest.param("WE HOLD THESE TRUTHS TO BE SELF-EVIDENT", id="capitals"),
        pytest.param("mmmm WWWW mmmm WWWW mmmm WWWW mmmm WWWW", id="the widest letters"),
        pytest.param("1,024 + 2,048 = 3,072 (about 3.1 thousand)", id="figures"),
    ],
)
def test_letters_are_small_enough_for_the_longest_line(line: str) -> None:
    styles = re.search(r"^Style: .*", to_ass([Cue(0, 1, (line,))], width_px=640, height_px=480), re.MULTILINE)
    assert styles
    letter_px = float(styles.group().split(",")[2]) / 1.164

    assert letter_px <= 0.052 * 480 + 0.01
    assert ImageFont.truetype(FONTS / "DejaVuSans.ttf", 100).getlength(line) / 100 * letter_px <= 0.8 * 640


@pytest.mark.parametrize("size", [(640, 360), (202, 360)], ids=["wide picture", "upright picture"])
def test_burned_captions_stand_readable_inside_the_safe_area(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    words = spoken(TALK)
    cues = build_cues(words, end_s=words[-1].end_s, rules=burn_rules(width, height))
    two = next(cue for cue in cues if len(cue.lines) == 2)
    shutil.copytree(FONTS, tmp_path / "fonts")
    ass = to_ass([Cue(0.0, 1.0, two.lines)], width_px=width, height_px=height)
    (tmp_path / "captions.ass").write_text(ass, encoding="utf-8")
    source = ["-f", "lavfi", "-i", f"color=white:size={width}x{height}:rate=5:duration=0.4"]
    graph = ["-vf", "ass=captions.ass:fontsdir=fonts", "-frames:v", "1", "frame.png"]
    media.run_ffmpeg([*source, *graph], what="Burning a caption", timeout_s=60, cwd=tmp_path)

    pixels = np.asarray(Image.open(tmp_path / "frame.png").convert("L"))
    rows, columns = np.nonzero(pixels < 128)
    assert 0.65 * height < rows.min() < rows.max() < 0.95 * height
    assert 0.07 * width < columns.min() < columns.max() < 0.93 * width
    assert columns.min() + columns.max() == pytest.approx(width, abs=4)
    box = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    luminance = (((box / 255) + 0.055) / 1.055) ** 2.4
    assert (luminance.max() + 0.05) / (np.median(luminance) + 0.05) > 4.5
    assert 0.05 < (box > 200).mean() < 0.5
