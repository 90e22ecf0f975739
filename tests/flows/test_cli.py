import json
from pathlib import Path

import pytest

from flows.cli import main

ROOT = Path(__file__).parents[2]
HELLO = "WEBVTT\n\n00:01.000 --> 00:02.000\nHello there.\n"
CAPTIONS = ROOT / "data/samples/captions/tides.vtt"


def test_score_ranks_every_sentence_of_a_transcript(winnow):
    ran = winnow("score", CAPTIONS, "--json")
    assert ran.code == 0, ran.err
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert sorted(row["index"] for row in rows) == list(range(len(rows)))
    assert {row["model"] for row in rows} == {"open@1"}
    said = " ".join(row["text"] for row in sorted(rows, key=lambda row: row["index"]))
    assert "Gravity fades with distance" in said


def test_score_for_people_shows_the_best(winnow_home, capsys):
    assert main(["score", str(CAPTIONS), "--top", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        pytest.param(None, (), "does not exist", id="a missing file"),
        pytest.param("no cues here", (), "bad.vtt", id="no captions"),
        pytest.param(HELLO, ("--model", "x"), "no model 'x'", id="no model"),
        pytest.param(HELLO, ("--top", "0"), "--top", id="top of nothing"),
    ],
)
def test_score_refuses_in_one_line(winnow_home, tmp_path, capsys, content, options, says):
    path = tmp_path / "bad.vtt"
    if content is not None:
        path.write_text(content)
    assert main(["score", str(path), *options]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line


def test_doctor_says_what_is_here(winnow):
    ran = winnow("doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(ran.out)}
    assert ran.code == 0, [f for f in findings.values() if f["verdict"] == "missing"]
    assert findings["ffmpeg features"]["verdict"] == "ok"
    networks = ("whisper-tiny.en", "retinaface-mobilenet-0.25", "pp-ocrv6-small")
    assert {findings[f"weights {name}"]["verdict"] for name in networks} == {"ok"}
    assert "auto chooses" in findings["encoder"]["found"]
    assert all(finding["advice"] for finding in findings.values() if finding["verdict"] != "ok")


def test_help_and_version_need_no_server(winnow):
    assert winnow("--version").out.startswith("winnow ")
    ran = winnow("highlight", "--help")
    assert "--burn-captions" in ran.out
