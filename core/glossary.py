"""A glossary: terms as they are written right, put in place of what was misheard, in transcripts and titles.

A plain text file holds a term a line, alone or with its wrong forms: `PyTorch = pie torch, pi torch`; `#` begins a
comment. A YAML file holds a list of terms, each alone or with a list of wrong forms, or one mapping of them.

Wrong forms are replaced wherever they stand. A term alone gets its capitals, and replaces what is near to it
(`core.near_terms`); common English words are left alone.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path

import yaml

from core.caption_report import Replaced
from core.errors import BadSetting
from core.near_terms import common_words, is_near, letters_of, sound_of
from core.reading import join_words
from core.records import Sentence, Transcript, Word

LEFT_EDGE = re.compile(r"^[\"'“‘(\[{«¿¡]*")
RIGHT_EDGE = re.compile(r"(?:(?:'s|’s))?[\"'”’)\]}».,;:!?…]*$")
SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]»]*$")
MORE_WORDS = 2
"""What was heard may have so many words more than the term."""
GLOSSARY_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Term:
    """A term and the forms in which recognisers write it wrong."""

    right: str
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Glossary:
    """Terms, ready to correct texts. Correcting what is corrected changes nothing."""

    terms: tuple[Term, ...]

    @property
    def key(self) -> str:
        """The same for the same terms: to be part of a cache key."""
        told = json.dumps([GLOSSARY_VERSION, [(term.right, term.wrong) for term in self.terms]], ensure_ascii=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def correct(self, transcript: Transcript) -> tuple[Transcript, list[Replaced]]:
        """The transcript with its terms put right, and what was changed, in order.

        Words keep their times; where a term has fewer or more words than what was heard, its words share that time.
        """
        found: list[Replaced] = []
        sentences: list[Sentence] = []
        for sentence in transcript.sentences:
            words, changed = self.correct_words(sentence.words)
            found += changed
            text = join_words([word.text for word in words]) if changed else sentence.text
            sentences.append(replace(sentence, words=tuple(words), text=text) if changed else sentence)
        return replace(transcript, sentences=tuple(sentences)), found

    def correct_words(self, words: Sequence[Word]) -> tuple[list[Word], list[Replaced]]:
        """The same for words of one or more sentences."""
        texts = [word.text for word in words]
        right: list[Word] = []
        found: list[Replaced] = []
        at = 0
        for first, last, instead in self._matches(texts):
            heard = words[first:last]
            right += [*words[at:first], *_timed(instead, heard)]
            found.append(Replaced(round(heard[0].start_s, 3), " ".join(texts[first:last]), " ".join(instead)))
            at = last
        return [*right, *words[at:]], found

    def correct_text(self, text: str) -> str:
        """The same for a line of text, such as a title."""
        texts = text.split()
        right: list[str] = []
        at = 0
        for first, last, instead in self._matches(texts):
            right += [*texts[at:first], *instead]
            at = last
        return " ".join([*right, *texts[at:]]) if at else text

    def _matches(self, texts: Sequence[str]) -> list[tuple[int, int, list[str]]]:
        """(first, last, what to write instead) of all that changes, in order, the longest first at each place."""
        found: list[tuple[int, int, list[str]]] = []
        i = 0
        while i < len(texts):
            for n in range(min(self._longest, len(texts) - i), 0, -1):
                term = self._term(texts[i : i + n])
                if term is None:
                    continue
                instead = _dressed(term, texts[i : i + n], opens=i == 0 or bool(SENTENCE_END.search(texts[i - 1])))
                if instead != list(texts[i : i + n]):
                    found.append((i, i + n, instead))
                i += n
                break
            else:
                i += 1
        return found

    def _term(self, texts: Sequence[str]) -> str | None:
        """The term that `texts` stand for; None where they are none, or where a mark stands between them."""
        if any(_bare(a) != LEFT_EDGE.sub("", a) for a in texts[:-1]) or any(
            LEFT_EDGE.sub("", a) != a for a in texts[1:]
        ):
            return None
        heard = tuple(_bare(text).casefold() for text in texts)
        if heard in self._forms:
            return self._forms[heard]
        near = self._sounds.get(sound_of(letters_of(heard)), ())
        fits = (t for t in near if len(heard) <= len(t.split()) + MORE_WORDS and is_near(heard, letters_of([t])))
        return next(fits, None)

    @cached_property
    def _forms(self) -> dict[tuple[str, ...], str]:
        forms: dict[tuple[str, ...], str] = {}
        for term in self.terms:
            own = _form(term.right)
            if len(own) > 1 or not common_words().issuperset(own):
                forms.setdefault(own, term.right)
        for term in self.terms:
            forms |= {_form(wrong): term.right for wrong in term.wrong}
        return forms

    @cached_property
    def _sounds(self) -> dict[str, list[str]]:
        sounds: dict[str, list[str]] = {}
        for term in self.terms:
            sounds.setdefault(sound_of(letters_of([term.right])), []).append(term.right)
        return sounds

    @cached_property
    def _longest(self) -> int:
        forms = max((len(form) for form in self._forms), default=0)
        return max([forms, *(len(term.right.split()) + MORE_WORDS for term in self.terms)], default=0)


def load_glossary(path: Path) -> Glossary:
    """The glossary in a `.yaml`, `.yml` or plain text file. Raises BadSetting, naming the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"The glossary {path} cannot be read ({error}); give a text or YAML file in UTF-8.") from error
    entries = _yaml_entries(text, path) if path.suffix.lower() in (".yaml", ".yml") else _plain_entries(text, path)
    terms: list[Term] = []
    owners: dict[tuple[str, ...], tuple[str, int]] = {}
    for line, right, wrong in entries:
        for form in (right, *wrong):
            if not any(c.isalnum() for c in form):
                raise _bad(path, line, f'"{form}" holds no letter; write "right term = wrong form, wrong form"')
            owner, owned_at = owners.setdefault(_form(form), (right, line))
            if owner != right or (form == right and owned_at != line):
                raise _bad(path, line, f'"{form}" stands for "{owner}" already, in line {owned_at}; keep one of them')
        terms.append(Term(right, tuple(wrong)))
    return Glossary(tuple(terms))


def _plain_entries(text: str, path: Path) -> list[tuple[int, str, list[str]]]:
    entries: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:^|\s)#\s.*|^#.*", "", line).strip()
        if not line:
            continue
        right, mark, rest = line.partition("=")
        wrong = [form for part in rest.split(",") if (form := " ".join(part.split()))]
        if mark and not wrong:
            raise _bad(path, number, f'no wrong form follows "{line}"; write one, or the term alone without "="')
        entries.append((number, " ".join(right.split()), wrong))
    return entries


def _yaml_entries(text: str, path: Path) -> list[tuple[int, str, list[str]]]:
    """Read as nodes, so that each knows its line and "No" is no truth value."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadSetting(f"The glossary {path} is not YAML: {' '.join(str(error).split())}.") from error
    items = root.value if isinstance(root, yaml.SequenceNode) else [root] if root else []
    entries: list[tuple[int, str, list[str]]] = []
    for item in items:
        pairs = item.value if isinstance(item, yaml.MappingNode) else [(item, None)]
        for term, forms in pairs:
            entries.append((term.start_mark.line + 1, _scalar(term, path), _wrong_forms(forms, path)))
    return entries


def _wrong_forms(node: yaml.Node | None, path: Path) -> list[str]:
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null")):
        return []
    return [_scalar(each, path) for each in (node.value if isinstance(node, yaml.SequenceNode) else [node])]


def _scalar(node: yaml.Node, path: Path) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _bad(path, node.start_mark.line + 1, 'a term is expected; write "- PyTorch: [pie torch, pi torch]"')
    return " ".join(node.value.split())


def _bad(path: Path, line: int, why: str) -> BadSetting:
    return BadSetting(f"The glossary {path}, line {line}: {why}.")


def _bare(text: str) -> str:
    """A word without marks at its edges and without "'s"; what belongs to it, as in C++, stays."""
    return RIGHT_EDGE.sub("", LEFT_EDGE.sub("", text)) or text


def _form(text: str) -> tuple[str, ...]:
    return tuple(_bare(part).casefold() for part in text.split())


def _dressed(term: str, heard: Sequence[str], *, opens: bool) -> list[str]:
    """The term's words with the marks around what was heard; one in small letters keeps a sentence's capital."""
    lead = LEFT_EDGE.match(heard[0])
    tail = RIGHT_EDGE.search(heard[-1])
    words = term.split()
    first = _bare(heard[0])
    if opens and first[:1].isupper() and words[0].islower():
        words[0] = words[0][:1].upper() + words[0][1:]
    after = tail.group() if tail and tail.group() != heard[-1] else ""
    words[-1] += "" if after and words[-1].endswith(after) else after
    words[0] = (lead.group() if lead else "") + words[0]
    return words


def _timed(texts: Sequence[str], heard: Sequence[Word]) -> list[Word]:
    """`texts` over the time of the words `heard`: each its own where they are as many, else by its share of letters."""
    if len(texts) == len(heard):
        return [replace(word, text=text) for word, text in zip(heard, texts, strict=True)]
    start_s, end_s = heard[0].start_s, max(word.end_s for word in heard)
    probability = min(word.probability for word in heard)
    done = [0, *accumulate(len(text) for text in texts)]
    edges = [start_s + (end_s - start_s) * part / done[-1] for part in done]
    edges[-1] = end_s
    return [Word(text, a, b, probability) for text, (a, b) in zip(texts, pairwise(edges), strict=True)]
