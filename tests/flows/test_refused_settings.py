"""Settings that cannot be used: refused in one sentence before anything is begun, with exit code 2."""

import re

import pytest

from core import encoders
from flows.cli import main

FILES = {
    "terms.yaml": "- PyTorch: [pie torch\n",
    "wrong.json": '[{"clip": 1, "vertical": {"crops": [0, 0, 90, 160]}}]',
    "early.json": '[{"clip": 0, "vertical": {"crop": [0, 0, 90, 160]}}]',
    "ladder.yaml": "- {name: hd, height_px: tall}\n",
}


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """What the command says to a recording with these options; nothing but that sentence must come of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path / "home"))
    for name in ("WINNOW_WRITER_URL", "WINNOW_WRITER_MODEL", "WINNOW_WRITER_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "talk.mp4").write_bytes(b"never looked at")
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)

    def run(*options: str) -> str:
        assert main(["highlight", "talk.mp4", "--json", *options]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert {path.name for path in tmp_path.iterdir()} == {"talk.mp4", *FILES}
        (line,) = said.err.strip().splitlines()
        return line

    return run


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(("--template", "gala"), "'?gala'?.*lecture", id="a template that nobody has"),
        pytest.param(("--glossary", "terms.yaml"), "terms.yaml", id="a broken glossary"),
        pytest.param(("--glossary", "none.txt"), "none.txt", id="a glossary that is not there"),
        pytest.param(
            ("--renditions", "hd,imax"), "no 'imax'; the ladder has hd, sd, mobile", id="an unknown rendition"
        ),
        pytest.param(("--ladder", "ladder.yaml"), "ladder.yaml.*height_px", id="a ladder that is none"),
        pytest.param(("--framing", "wrong.json"), "wrong.json, entry 1.*crop", id="a framing with a wrong field"),
        pytest.param(("--framing", "early.json"), "from 1, got 0", id="a framing of no clip"),
        pytest.param(("--caption-style", "comic"), "comic.*karaoke", id="an unknown caption style"),
        pytest.param(("--formats", "source,round"), "^winnow: --formats: .*got 'round'", id="an unknown format"),
        pytest.param(("--titles", "endpoint"), "WINNOW_WRITER_URL", id="a writer that is not set up"),
        pytest.param(("--clips", "0"), "--clips: .*got '0'", id="a number out of its range"),
        pytest.param(("--clips", "many"), "--clips: .*got 'many'", id="a number that is none"),
        pytest.param(("--min-s", "50", "--max-s", "40"), "must not exceed", id="an empty band"),
        pytest.param(("--transcript", "no.vtt"), "no.vtt does not exist", id="captions not there"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_with_the_reason(refused, options, says):
    assert re.search(says, refused(*options))


@pytest.mark.skipif(
    all(encoders.trial(name) is None for name in encoders.HARDWARE), reason="every encoder in hardware is here"
)
def test_an_encoder_that_is_not_there_is_refused_with_what_to_choose(refused):
    name = next(name for name in encoders.HARDWARE if encoders.trial(name))
    assert re.search(f"{name} cannot be used here: .*Choose auto or x264", refused("--encoder", name))


def test_all_that_is_wrong_with_a_template_is_told_at_once(tmp_path, capsys):
    (tmp_path / "torn.yaml").write_text("colours: {accent: blue}\nlogo: {file: none.png}\n")
    (tmp_path / "talk.mp4").write_bytes(b"never looked at")
    assert main(["highlight", str(tmp_path / "talk.mp4"), "--template", str(tmp_path / "torn.yaml")]) == 2
    _, *problems = capsys.readouterr().err.strip().splitlines()
    assert len(problems) == 2
    assert {problem.split()[1].rstrip(":") for problem in problems} == {"colours.accent", "logo.file"}
