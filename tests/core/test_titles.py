"""Titles name what a clip is about, are never empty, and no two of a recording are the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.titles import LONGEST, first_words, quote_from, title_for, titles_for

CLOCK = (
    "The circadian clock in the liver keeps time. A circadian clock is a loop of genes, and the circadian clock of the"
    " liver follows DNA methylation as well as food."
)


def test_the_slide_s_title_comes_first():
    assert title_for(CLOCK, slide_title="Metabolic  Syndrome\n") == "Metabolic Syndrome"


@pytest.mark.parametrize("noise", [None, "", " ", "7", "•"])
def test_a_slide_title_without_a_word_is_passed_over(noise):
    assert title_for(CLOCK, slide_title=noise) == "Circadian clock"


def test_capitals_of_acronyms_are_kept():
    titles = titles_for([CLOCK] * 6, starts_s=[0.0] * 6)
    assert "DNA methylation" in titles


def test_without_a_phrase_the_first_words_are_the_title():
    assert title_for("And so it is.") == "And so it is"
    title = title_for("so it was and so it is and " * 10)
    assert title.startswith("So it was and")
    assert title.endswith("…")


def test_a_clip_without_words_is_named_by_its_time():
    assert title_for("", start_s=754) == "Moment at 12:34"
    assert title_for(" \n", start_s=7_384.9) == "Moment at 2:03:04"
    assert title_for("") == "Moment"


def test_titles_of_one_recording_are_distinct():
    titles = titles_for(
        [CLOCK, CLOCK, "", ""], starts_s=[0, 10, 20, 20.5], slide_titles=["Clocks", "Clocks", None, None]
    )
    assert titles[0] == "Clocks"
    assert titles[1] == "Circadian clock"
    assert titles[2:] == ("Moment at 0:20", "Moment at 0:20 (2)")
    assert len({title.casefold() for title in titles}) == 4


def test_singular_and_plural_do_not_both_become_titles():
    titles = titles_for(["Histone deacetylase matters."] * 2 + ["Histone deacetylases matter."], starts_s=[0, 1, 2])
    assert not {"Histone deacetylase", "Histone deacetylases"} <= set(titles)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  Short   text.  ", "Short text.", id="short text stays"),
        pytest.param("word " * 30, ("word " * 12).strip() + "…", id="cut between words"),
        pytest.param("x" * 100, "x" * 59 + "…", id="a long word is cut inside"),
        pytest.param("時" * 100, "時" * 59 + "…", id="text without spaces is cut anywhere"),
        pytest.param("", "", id="nothing from nothing"),
    ],
)
def test_first_words(text, expected):
    shortened = first_words(text)
    assert len(shortened) <= LONGEST
    assert shortened == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("Die innere Uhr der Leber ist eine innere Uhr.", "de", id="German"),
        pytest.param("時計遺伝子は肝臓の代謝を調節する。" * 5, "ja", id="Japanese"),
        pytest.param("الساعة البيولوجية في الكبد", "ar", id="Arabic"),
        pytest.param("Vnitřní hodiny jater jsou hodiny.", "cs", id="Czech, which YAKE calls cz"),
        pytest.param("nuqneH tlhIngan maH", "tlh", id="a language nobody has stop words for"),
        pytest.param("🎉🎉 🎉", "en", id="only emoji"),
        pytest.param("!!!", "en", id="only punctuation"),
        pytest.param("\x00\x1b[31m \ud800 words here", "en", id="control characters and a lone surrogate"),
        pytest.param("Words in a language not named.", "", id="an empty language code"),
        pytest.param("Words.", "../../etc", id="a code that looks like a path"),
    ],
)
def test_every_script_gets_a_printable_title(text, language):
    title = title_for(text, language=language)
    assert 0 < len(title) <= LONGEST
    assert title.isprintable()
    assert title == title_for(text, language=language)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.text(max_size=80) | st.text(alphabet="ab .İſßé-'’(", max_size=80), min_size=1, max_size=4),
    language=st.sampled_from(["en", "de", "tr", "zh", "xx"]),
)
def test_any_text_gets_a_title_of_its_own(texts, language):
    titles = titles_for(texts, starts_s=[60.0] * len(texts), language=language)
    assert all(0 < len(title) <= LONGEST for title in titles)
    assert len(set(titles)) == len(texts)


@pytest.mark.parametrize(
    ("sentences", "quote"),
    [
        pytest.param(["Gravity fades with distance."], "Gravity fades with distance", id="a whole sentence"),
        pytest.param(["Which pulls harder, Moon or Sun?"], "Which pulls harder, Moon or Sun?", id="a question"),
        pytest.param(["It is 27 million times heavier.", "The ground has tides too."], "The ground has tides too",
                     id="the best that leans on nothing"),
        pytest.param(["And so it goes with us.", "deep water in the"], None, id="fragments and leaning ones"),
        pytest.param(["The water " + "facing the Moon " * 5 + "rises."], None, id="a long one"),
        pytest.param(["Tides."], None, id="a word"),
    ],
)  # fmt: skip
def test_a_sentence_that_stands_alone_is_a_title(sentences, quote):
    assert quote_from(sentences) == quote
