"""Sentences end where a reader would end them, and no word is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import Word
from core.sentences import sentences_from_words


def spoken(text: str, gap_s: float = 0.05, pauses: dict[int, float] | None = None) -> list[Word]:
    """`text` split at spaces, each word 0.3 s; `pauses` gives the gap in seconds before a word's index."""
    words, at_s = [], 0.0
    for i, part in enumerate(text.split()):
        at_s += (pauses or {}).get(i, gap_s)
        words.append(Word(part, round(at_s, 3), round(at_s + 0.3, 3)))
        at_s += 0.3
    return words


def texts(*args, **kwargs) -> list[str]:
    return [sentence.text for sentence in sentences_from_words(spoken(*args, **kwargs))]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("We met Dr. Smith at noon.", id="a doctor"),
        pytest.param("Ask Mrs. Jones or Prof. Lee about it.", id="other titles"),
        pytest.param("Use a tool, e.g. Python, for that.", id="e.g."),
        pytest.param("That is, i.e. Nothing at all, is left.", id="i.e. before a capital"),
        pytest.param("It was J. F. Kennedy who said so.", id="initials"),
        pytest.param("The U.S. Government paid for it.", id="U.S. in a name"),
        pytest.param("See No. 5 and Fig. 3 below.", id="numbers of things"),
        pytest.param("It grew by 3.5 percent a year.", id="a decimal"),
        pytest.param("Go to example.com for more.", id="an address"),
        pytest.param("He waited... and waited.", id="an ellipsis before a small letter"),
        pytest.param('"Why?" she asked him.', id="a quoted question inside a sentence"),
        pytest.param("There were approx. 30 people.", id="approx."),
        pytest.param("(It was late.) ", id="a closing bracket"),
    ],
)
def test_a_sentence_stays_whole(text):
    assert texts(text) == [text.strip()]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("It is. Is it? Yes! Good.", ["It is.", "Is it?", "Yes!", "Good."], id="all kinds of stops"),
        pytest.param('He said "no." Then he left.', ['He said "no."', "Then he left."], id="a closing quote"),
        pytest.param("Did you? No. We did not.", ["Did you?", "No.", "We did not."], id="No as an answer"),
        pytest.param("Apples, pears, etc. Then cake.", ["Apples, pears, etc.", "Then cake."], id="etc."),
        pytest.param("In 1999. 5 people came.", ["In 1999.", "5 people came."], id="a year before a number"),
        pytest.param("यह पानी है। वह आग है।", ["यह पानी है।", "वह आग है।"], id="Hindi"),
        pytest.param("هل هذا ماء؟ نعم.", ["هل هذا ماء؟", "نعم."], id="Arabic"),
        pytest.param("it is late. we should go.", ["it is late.", "we should go."], id="no capitals anywhere"),
    ],
)
def test_sentences_end_at_punctuation(text, parts):
    assert texts(text) == parts


def test_a_closing_quote_that_is_a_word_of_its_own_stays_with_its_sentence():
    found = sentences_from_words(spoken('He said "no. " Then he left.'))
    assert [sentence.words[0].text for sentence in found] == ["He", "Then"]


def test_chinese_is_joined_without_spaces_and_ends_at_its_own_stops():
    words = [Word(c, i * 0.2, i * 0.2 + 0.2) for i, c in enumerate(["你", "好。", "我", "是", "A", "I", "吗？"])]
    found = [sentence.text for sentence in sentences_from_words(words)]
    assert found[0] == "你好。"
    assert len(found) == 2 and found[1].startswith("我是") and found[1].endswith("吗？")


def test_a_dotted_abbreviation_ends_a_sentence_only_before_a_pause():
    assert texts("He lives in the U.S. Then he moved.", pauses={5: 0.9}) == ["He lives in the U.S.", "Then he moved."]


def test_a_long_pause_ends_a_sentence_without_punctuation():
    assert texts("so that is it and now", pauses={4: 2.5}) == ["so that is it", "and now"]


def test_a_short_pause_does_not_end_a_sentence():
    assert len(texts("so that is it and now", pauses={4: 1.2})) == 1


def test_a_run_on_is_cut_at_its_longest_pause():
    words = spoken(" ".join(["word"] * 120), pauses={50: 1.4})
    found = sentences_from_words(words)
    assert all(s.end_s - s.start_s <= 30 for s in found)
    assert any(s.words[0] is words[50] for s in found)


def test_a_run_on_without_pauses_is_cut_after_a_comma():
    parts = ["word"] * 100
    parts[48] = "word,"
    words = spoken(" ".join(parts))
    assert any(s.words[-1].text == "word," for s in sentences_from_words(words))


def test_no_words_make_no_sentences():
    assert sentences_from_words([]) == []


pieces = st.sampled_from(
    ["a", "Dr.", "Well,", "end.", "What?", '"', ")", "…", "你", "好。", "3.5", "I", "x" * 500, " "]
)
steps = st.tuples(pieces, st.floats(0, 5), st.floats(0.01, 40))


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=80))
def test_every_word_is_in_exactly_one_sentence_in_order(drawn):
    words, at_s = [], 0.0
    for text, gap_s, length_s in drawn:
        words.append(Word(text, at_s + gap_s, at_s + gap_s + length_s))
        at_s += gap_s + length_s
    found = sentences_from_words(words)
    assert [word for sentence in found for word in sentence.words] == words
    for sentence in found:
        assert (sentence.start_s, sentence.end_s) == (sentence.words[0].start_s, sentence.words[-1].end_s)
        assert len(sentence.words) == 1 or sentence.end_s - sentence.start_s <= 30
        gaps_s = [b.start_s - a.end_s for a, b in zip(sentence.words, sentence.words[1:], strict=False)]
        assert all(gap_s <= 2.0 for gap_s in gaps_s)
