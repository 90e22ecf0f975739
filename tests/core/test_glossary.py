"""A glossary puts terms right and leaves all else as it is."""

from pathlib import Path

import pytest

from core.caption_report import Replaced
from core.errors import BadSetting
from core.glossary import Glossary, Term, load_glossary
from core.records import Sentence, Transcript, Word

GLOSSARY = Glossary(
    (
        Term("PyTorch"),
        Term("Kubernetes", ("cooper netties",)),
        Term("C++", ("see plus plus",)),
        Term("Gaussian process"),
        Term("pandas"),
        Term("Winnow"),
        Term("Apple"),
        Term("Go", ("go lang",)),
        Term("Transformer"),
    )
)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        pytest.param("we use pytorch.", "we use PyTorch.", id="capitals"),
        pytest.param("we use pie torch, mostly", "we use PyTorch, mostly", id="two words that sound like it"),
        pytest.param("PiTorch's layers", "PyTorch's layers", id="a slip of a letter, with its s"),
        pytest.param('"Py torch" is one', '"PyTorch" is one', id="torn in two"),
        pytest.param("run cooper netties (cooper netties)", "run Kubernetes (Kubernetes)", id="a wrong form"),
        pytest.param("in see plus plus.", "in C++.", id="a term that ends with signs"),
        pytest.param("c++ is old", "C++ is old", id="its own small letter"),
        pytest.param("a gaussian Process here", "a Gaussian process here", id="two words"),
        pytest.param("Pandas is quick. Pandas too", "Pandas is quick. Pandas too", id="small term opens a sentence"),
        pytest.param("use Pandas", "use pandas", id="small term inside one"),
        pytest.param("so you can win now", "so you can win now", id="common words that sound like it"),
        pytest.param("an apple to go", "an apple to go", id="a common word is not a name"),
        pytest.param("in go lang", "in Go", id="unless its wrong form is given"),
        pytest.param("two transformers transform", "two transformers transform", id="other forms of the word"),
        pytest.param("a pie. Torch it", "a pie. Torch it", id="over a sentence's end"),
        pytest.param("nothing  at all", "nothing  at all", id="text without terms keeps its spaces"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_terms_are_put_right(text: str, right: str) -> None:
    assert GLOSSARY.correct_text(text) == right
    assert GLOSSARY.correct_text(right) == right


def transcript(text: str) -> Transcript:
    words = tuple(Word(t, 1 + i * 0.5, 1.4 + i * 0.5, 0.9) for i, t in enumerate(text.split()))
    return Transcript((Sentence(words[0].start_s, words[-1].end_s, text, words),), "en", "test")


def test_words_that_become_one_keep_their_time() -> None:
    corrected, told = GLOSSARY.correct(transcript("With pie torch we win."))
    (sentence,) = corrected.sentences

    assert sentence.text == "With PyTorch we win."
    assert sentence.words[1] == Word("PyTorch", 1.5, 2.4, 0.9)
    assert [word.text for word in sentence.words] == ["With", "PyTorch", "we", "win."]
    assert told == [Replaced(1.5, "pie torch", "PyTorch")]


def test_a_word_that_becomes_two_shares_its_time() -> None:
    glossary = Glossary((Term("machine learning", ("machinelearning",)),))
    corrected, _ = glossary.correct(transcript("Now machinelearning helps."))
    first, second = corrected.sentences[0].words[1:3]

    assert (first.text, second.text) == ("machine", "learning")
    assert (first.start_s, second.end_s) == (1.5, 1.9)
    assert first.end_s == second.start_s == pytest.approx(1.5 + 0.4 * 7 / 15)


def test_a_transcript_without_terms_stays_the_same() -> None:
    before = transcript("Nothing to see here.")

    assert GLOSSARY.correct(before) == (before, [])


def test_the_key_tells_glossaries_apart() -> None:
    assert GLOSSARY.key == Glossary(GLOSSARY.terms).key
    assert GLOSSARY.key != Glossary(GLOSSARY.terms[1:]).key


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("g.txt", "# terms\nPyTorch = pie torch, pi torch\n\nC#\nNo = know  # Norway\n", id="plain text"),
        pytest.param("g.yaml", "- PyTorch: [pie torch, pi torch]\n- C#\n- No: know\n", id="a YAML list"),
        pytest.param("g.yml", "PyTorch: [pie torch, pi torch]\nC#:\nNo: [know]\n", id="a YAML mapping"),
    ],
)
def test_glossaries_are_read(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert load_glossary(tmp_path / name).terms == (
        Term("PyTorch", ("pie torch", "pi torch")),
        Term("C#"),
        Term("No", ("know",)),
    )


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        pytest.param("g.txt", "A term\nPyTorch =\n", "line 2: no wrong form", id="an equals sign too many"),
        pytest.param("g.txt", "PyTorch = pie\nPie = pie\n", 'line 2: "Pie" stands for "PyTorch"', id="used twice"),
        pytest.param("g.txt", "PyTorch\nPyTorch\n", "line 2", id="a term twice"),
        pytest.param("g.txt", "= pie\n", 'line 1: "" holds no letter', id="no term"),
        pytest.param("g.yaml", "- A: [b]\n- [c, d]\n", "line 2: a term is expected", id="a list in a list"),
        pytest.param("g.yaml", "- A\n- B: {c: d}\n", "line 2: a term is expected", id="a mapping of mappings"),
        pytest.param("g.yaml", "- A: [b\n", "is not YAML", id="broken YAML"),
    ],
)
def test_a_wrong_glossary_is_refused_with_its_line(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(BadSetting, match=told.replace("[", r"\[")):
        load_glossary(tmp_path / name)


def test_a_missing_glossary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read"):
        load_glossary(tmp_path / "none.txt")


def test_an_empty_glossary_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("", encoding="utf-8")

    assert load_glossary(tmp_path / "g.yaml").correct_text("any text") == "any text"
