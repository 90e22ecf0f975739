"""QMSum's turns become sentences, topics and queries; AMI's summaries label them; splits keep series together."""

import json
import tarfile
from pathlib import Path

import pytest

from core.errors import RefusedInput
from training.meetings import read_ami, read_meetings, read_qmsum, sentences_of, series

TURNS = [
    "Okay . {vocalsound} So we begin .",
    "{disfmarker}",
    "The T_V_ costs twenty five Euro .",
    "Who disagrees ?",
    "Nobody , I think . Bye .",
]
MEETING = {
    "meeting_transcripts": [{"speaker": "Project Manager", "content": content} for content in TURNS],
    "topic_list": [
        {"topic": "Opening", "relevant_text_span": [["0", "1"]]},
        {"topic": "Price", "relevant_text_span": [["2", "3"]]},
    ],
    "general_query_list": [{"query": "Summarize.", "answer": "All of it."}],
    "specific_query_list": [{"query": "What price?", "answer": "25.", "relevant_text_span": [["2", "2"], ["4", "9"]]}],
}
STORY = (
    "The T_V_ costs twenty five Euro. Okay.\n\n@highlight\n\nThe T_V_ costs twenty five Euro .\n\n@highlight\n\nBye ."
)


def put(folder: Path, name: str, given: object = MEETING) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(given if isinstance(given, str) else json.dumps(given))
    return folder


@pytest.mark.parametrize(
    ("turn", "sentences"),
    [
        ("Hmm . {vocalsound} Okay , fine .", ["Hmm.", "Okay, fine."]),
        ("The U.S. is 3.5 times D_V_D_ . What ?!", ["The U.S. is 3.5 times DVD.", "What?!"]),
        ("Thank you, Mr. Speaker. Is it? Yes.", ["Thank you, Mr. Speaker.", "Is it?", "Yes."]),
        ("no end", ["no end"]),
        ("{gap} . <laugh> ?", []),
    ],
    ids=["marks apart", "points inside words", "marks behind words", "no mark", "no words"],
)
def test_a_turn_is_read_as_plain_sentences(turn, sentences):
    assert sentences_of(turn) == sentences


def test_a_meeting_has_its_sentences_topics_and_queries(tmp_path):
    (meeting,) = read_qmsum(put(tmp_path / "data/ALL/val", "Bmr001").parents[2])
    assert meeting.lecture.sentences == (
        "Okay.", "So we begin.", "The TV costs twenty five Euro.", "Who disagrees?", "Nobody, I think.", "Bye.",
    )  # fmt: skip
    assert meeting.turn.tolist() == [0, 0, 2, 3, 4, 4]
    assert meeting.lecture.segment.tolist() == [0, 0, 1, 1, 2, 2]
    assert set(meeting.lecture.label.tolist()) == {-1}
    assert [(query.text, query.answer, query.rows.tolist()) for query in meeting.queries] == [
        ("Summarize.", "All of it.", []),
        ("What price?", "25.", [2, 4, 5]),
    ]
    assert meeting.published_split == "val"


def test_committees_are_read_only_when_asked_for(tmp_path):
    put(put(tmp_path, "Bmr001"), "covid_3")
    assert [meeting.lecture.recording for meeting in read_qmsum(tmp_path)] == ["Bmr001"]
    assert [meeting.lecture.recording for meeting in read_qmsum(tmp_path, committees=True)] == ["Bmr001", "covid_3"]


def test_the_summary_labels_the_sentences_in_spoken_order(tmp_path):
    (put(tmp_path, "ES2002a") / "ES2002a.story").write_text(STORY)
    (lecture,) = read_ami(tmp_path)
    assert lecture.source == "ami"
    assert lecture.label.tolist() == [0, 0, 1, 0, 0, 1]
    assert lecture.clip.tolist() == [0] * 6


def test_archives_are_read_without_unpacking(tmp_path):
    loose, packed = tmp_path / "loose", tmp_path / "packed"
    (put(loose, "ES2002a") / "ES2002a.story").write_text(STORY)
    packed.mkdir()
    with tarfile.open(packed / "all.tar.gz", "w:gz") as archive:
        archive.add(loose, "data/train")
    assert read_ami(packed)[0].sentences == read_ami(loose)[0].sentences
    assert read_qmsum(packed)[0].published_split == "train"


def test_every_meeting_is_in_one_split_and_series_stay_together(tmp_path):
    names = [f"ES20{number:02}{part}" for number in range(15) for part in "ab"] + [f"Bmr{n:03}" for n in range(20)]
    for name in names:
        put(tmp_path, name)
        if name.startswith("ES"):
            (tmp_path / f"{name}.story").write_text(STORY)
    splits = {split: read_meetings(tmp_path, split) for split in ("train", "dev", "test")}
    assert sorted(one.recording for found in splits.values() for one in found) == sorted(names)
    homes = {(series(one.recording), split) for split, found in splits.items() for one in found}
    assert len(homes) == 15 + 20
    assert {one.source for one in splits["train"]} == {"ami", "qmsum"}


@pytest.mark.parametrize(("name", "key"), [("ES2002a", "ES2002"), ("TS3012d", "TS3012"), ("Bmr001", "Bmr001")])
def test_a_series_is_the_meetings_of_one_project(name, key):
    assert series(name) == key


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(RefusedInput, match="no split 'val', only train, dev, test"):
        read_meetings(put(tmp_path, "ES2002a"), "val")


@pytest.mark.parametrize(
    "given", ["{", "[]", "{}", json.dumps(MEETING | {"topic_list": [{"relevant_text_span": [["x", "1"]]}]})]
)
def test_a_damaged_meeting_is_refused_by_name(tmp_path, given):
    with pytest.raises(RefusedInput, match="meeting Bmr001"):
        read_qmsum(put(tmp_path, "Bmr001", given))


def test_a_folder_without_meetings_or_stories_is_refused(tmp_path):
    with pytest.raises(RefusedInput, match="holds no meetings"):
        read_qmsum(tmp_path)
    with pytest.raises(RefusedInput, match="holds no NAME.story"):
        read_ami(put(tmp_path, "ES2002a"))
    with pytest.raises(RefusedInput, match="no folder"):
        read_qmsum(tmp_path / "none")


def test_a_story_without_its_turns_is_refused(tmp_path):
    (put(tmp_path, "ES2002a") / "ES2002b.story").write_text(STORY)
    with pytest.raises(RefusedInput, match="lacks QMSum's turns of ES2002b"):
        read_ami(tmp_path)


def test_a_damaged_archive_is_refused(tmp_path):
    (tmp_path / "all.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(RefusedInput, match=r"archive .*all.tar.gz"):
        read_qmsum(tmp_path)
