"""Meetings of the AMI and ICSI corpora: what was said in order, topics, queries (QMSum) and extractive summaries (AMI).

Read from a folder that holds, anywhere below it or in `.tar.gz` archives in it, QMSum's `{train,val,test}/NAME.json`
and the AMI summaries as `NAME.story`. A story has its sentences grouped by speaker, so only its summary is read, and is
looked for in QMSum's turns of the same meeting, which stand in the order in which they were spoken.
"""

import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RefusedInput
from training.extracts import label_extracts
from training.lectures import LabelledLecture
from training.splits import SHARES, split_of

AMI = re.compile(r"(?:ES|IS|TS)\d{4}[a-z]")
ICSI = re.compile(r"B[a-z]{2}\d{3}")
COMMITTEE = re.compile(r"(?:covid|education)_\d+")
"""Parliament committees: their licence is not that of the others, so they are read only when asked for."""
NOT_SPEECH = re.compile(r"\{[^}]*\}|\[[^\]]*\]|<[^>]*>")
SENTENCE = re.compile(r"\S.*?(?:\s[.?!]+(?=\s|$)|(?<=[a-z]{2})[.?!]+(?=\s+[A-Z]|$)|$)")
"""A mark that ends a sentence stands apart from the word before it, in committees behind it; so "U.S." ends none."""
SPACE_BEFORE_MARK = re.compile(r"\s+([.,?!;:])")
HIGHLIGHT = "@highlight"


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question about a meeting."""

    text: str
    answer: str
    """Written by a person."""
    rows: NDArray[np.int32]
    """The sentences in the turns that answer it, ascending; empty for a question about the whole meeting."""


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """A meeting of QMSum. Nobody judged its sentences as highlights, so all labels are -1; segments are topics."""

    lecture: LabelledLecture
    turn: NDArray[np.int32]
    """[n] the turn, from 0, that each sentence belongs to."""
    queries: tuple[Query, ...]
    published_split: str
    """The split that QMSum has it in: train, val or test."""


def read_meetings(path: Path, split: str) -> list[LabelledLecture]:
    """What can be learned from: AMI meetings with their summaries as labels, ICSI meetings with topics alone.

    That a turn answers a query is not taken for a label: in the AMI meetings, sentences that do are in the summary
    hardly more often than others.

    Args:
        split: train, dev or test; meetings of one AMI series (the same people, one project) stay together.
    """
    if split not in SHARES:
        raise RefusedInput(f"Reading the meetings in {path}: there is no split {split!r}, only {', '.join(SHARES)}.")
    labelled = {lecture.recording: lecture for lecture in read_ami(path)}
    every = [labelled.get(m.lecture.recording, m.lecture) for m in read_qmsum(path)]
    return [lecture for lecture in every if split_of(series(lecture.recording)) == split]


def read_ami(path: Path) -> list[LabelledLecture]:
    """The AMI meetings whose extractive summary is there, labelled by it, by name. The whole meeting is clip 0.

    Raises RefusedInput where there are no summaries, or none of a summary's meeting in QMSum.
    """
    stories = dict(_files(path, ".story", (AMI,)))
    if not stories:
        raise RefusedInput(f"Reading AMI's summaries: {path} holds no NAME.story, such as ES2002a.story.")
    meetings = {meeting.lecture.recording: meeting for meeting in read_qmsum(path)}
    missing = sorted(stories.keys() - meetings.keys())
    if missing:
        raise RefusedInput(f"Reading AMI's summaries: {path} lacks QMSum's turns of {', '.join(missing[:5])}.")
    found = []
    for name, (_, content) in sorted(stories.items()):
        meeting = meetings[name].lecture
        passages = content.decode(errors="replace").replace("_", "").split(HIGHLIGHT)[1:]
        label, _ = label_extracts(meeting.sentences, passages)
        clip = np.zeros(len(label), np.int32)
        found.append(LabelledLecture(name, "ami", meeting.sentences, label, meeting.segment, clip))
    return found


def read_qmsum(path: Path, *, committees: bool = False) -> list[Meeting]:
    """The meetings of QMSum, by name. Raises RefusedInput where there is none or one is damaged.

    Args:
        committees: Also the 36 transcripts of parliament committees.
    """
    names = (AMI, ICSI, COMMITTEE) if committees else (AMI, ICSI)
    found = []
    for name, (folder, content) in sorted(dict(_files(path, ".json", names)).items()):
        try:
            found.append(_meeting(name, folder, json.loads(content)))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise RefusedInput(f"Reading QMSum's meeting {name} in {path} failed: {error!r}.") from error
    if not found:
        raise RefusedInput(f"Reading QMSum: {path} holds no meetings, such as train/ES2002a.json.")
    return found


def series(recording: str) -> str:
    """What meetings have in common that must not be parted: ES2002a to ES2002d are ES2002; others stand alone."""
    return recording[:-1] if AMI.fullmatch(recording) else recording


def sentences_of(turn: str) -> list[str]:
    """The sentences of a turn as QMSum writes it ("Hmm . {vocalsound} Okay , fine ."), in plain writing."""
    spoken = " ".join(NOT_SPEECH.sub(" ", turn).replace("_", "").split())  # "T_V_" is TV
    found = [SPACE_BEFORE_MARK.sub(r"\1", match[0]) for match in SENTENCE.finditer(spoken)]
    return [sentence for sentence in found if any(letter.isalnum() for letter in sentence)]


def _files(path: Path, ending: str, names: Iterable[re.Pattern[str]]) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Name, and folder with content, of each file so named, from archives first."""
    if not path.is_dir():
        raise RefusedInput(f"Reading meetings: there is no folder {path}.")

    def wanted(file: PurePosixPath | Path) -> bool:
        return file.suffix == ending and any(name.fullmatch(file.stem) for name in names)

    for archive in sorted(path.glob("*.tar.gz")):
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    inside = PurePosixPath(member.name)
                    content = tar.extractfile(member) if member.isreg() and wanted(inside) else None
                    if content:
                        yield inside.stem, (inside.parent.name, content.read())
        except (tarfile.TarError, EOFError, OSError) as error:
            raise RefusedInput(f"Reading the archive {archive} failed: {error}.") from error
    for file in sorted(path.rglob(f"*{ending}")):
        if wanted(file):
            yield file.stem, (file.parent.name, file.read_bytes())


def _meeting(name: str, folder: str, given: dict[str, Any]) -> Meeting:
    said = [sentences_of(turn["content"]) for turn in given["meeting_transcripts"]]
    turn = np.repeat(np.arange(len(said)), [len(sentences) for sentences in said]).astype(np.int32)
    topics = _topics([_spans(topic) for topic in given["topic_list"]], len(said))[turn]
    count = len(turn)
    lecture = LabelledLecture(
        recording=name,
        source="qmsum",
        sentences=tuple(sentence for sentences in said for sentence in sentences),
        label=np.full(count, -1, np.int8),
        segment=np.cumsum(np.append(0, topics[1:] != topics[:-1]) if count else []).astype(np.int32),
        clip=np.full(count, -1, np.int32),
    )
    asked = [*given["general_query_list"], *given["specific_query_list"]]
    queries = tuple(Query(str(one["query"]), str(one["answer"]), _rows(_spans(one), turn)) for one in asked)
    return Meeting(lecture, turn, queries, folder)


def _spans(given: dict[str, Any]) -> list[tuple[int, int]]:
    """[first turn, last turn] of what is relevant, both included."""
    return [(int(first), int(last)) for first, last in given.get("relevant_text_span", [])]


def _rows(spans: Iterable[tuple[int, int]], turn: NDArray[np.int32]) -> NDArray[np.int32]:
    inside = np.zeros(len(turn), dtype=bool)
    for first, last in spans:
        inside |= (turn >= first) & (turn <= last)
    return np.flatnonzero(inside).astype(np.int32)


def _topics(spans: list[list[tuple[int, int]]], turns: int) -> NDArray[np.int32]:
    """The topic of each turn, -1 between topics; where several overlap, the one that began last."""
    found = np.full(turns, -1, np.int32)
    for first, last, topic in sorted((first, last, topic) for topic, of in enumerate(spans) for first, last in of):
        found[max(first, 0) : last + 1] = topic
    return found
