"""`winnow models`: what people and scripts see of the registry, and what they can do to it."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from models import aliases, registering, registry

ROOT = Path(__file__).parents[2]
CONSENT = "For research only.\n\nCC BY-NC-ND 4.0: https://creativecommons.org/licenses/by-nc-nd/4.0/"
Said = tuple[int, str, str]


@pytest.fixture
def mine(winnow_home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The registry of a user who has trained two models, one under a licence that asks for consent."""
    monkeypatch.delenv("WINNOW_REGISTRY", raising=False)
    root = str(winnow_home / "models")
    fields = {"kind": "highlight", "description": "Learned.", "licence": "Apache-2.0 [or later]"}
    files = {"config.json": b"{}" + b" " * 150_000}
    registering.register(root, "freed", files, {**fields, "metrics": {"vt-ssum dev": {"pk": 11, "top3_f1": 44.25}}})
    registering.register(root, "strict", {}, {**fields, "licence": "CC BY-NC-ND 4.0", "consent": CONSENT})
    return root


@pytest.fixture
def winnow_models(
    mine: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Run `winnow models …` as a script would: no terminal on either side."""

    def run(*arguments: str) -> Said:
        with Path(os.devnull).open() as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            code = main(["models", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def champion() -> str:
    ref = registry.resolve("champion", registry.roots())
    return f"{ref.name}@{ref.version}"


def test_list_shows_what_ships_and_what_is_the_users_own(winnow_models: Callable[..., Said]):
    code, out, err = winnow_models("list", "--json")
    assert (code, err) == (0, "")
    rows: dict[str, dict[str, Any]] = {row["reference"]: row for row in json.loads(out)}
    assert {"baseline@1", "freed@1", "strict@1"} <= set(rows)
    assert "champion" in rows[champion()]["aliases"]
    own = rows["freed@1"]
    assert own["licence"] == "Apache-2.0 [or later]"
    assert own["metric"] == {"name": "vt-ssum dev/top3_f1", "value": 44.25}
    assert own["bytes"] > 150_000
    assert (own["consent"], rows["strict@1"]["consent"]) == (False, True)
    assert (own["root"], rows["baseline@1"]["root"]) == (registry.user_root(), "builtin:")


def test_list_for_people_has_a_line_a_version(winnow_models: Callable[..., Said]):
    code, out, _ = winnow_models("list")
    (line,) = [line for line in out.splitlines() if line.startswith("freed@1")]
    assert code == 0
    for part in ("Apache-2.0 [or", "vt-ssum dev/top3_f1 44.25", "0.2 MB"):
        assert part in line


def test_show_gives_the_manifest_and_the_card(winnow_models: Callable[..., Said]):
    code, out, _ = winnow_models("show", "freed", "--json")
    shown = json.loads(out)
    ref = registry.resolve("freed", registry.roots())
    assert code == 0
    assert (shown["reference"], shown["sha256"]) == ("freed@1", ref.sha256)
    assert shown["manifest"] == registry.read_manifest(ref)
    assert shown["card"].startswith("# freed 1")
    code, out, _ = winnow_models("show", "strict")
    assert code == 0
    for part in ("strict@1", "CC BY-NC-ND 4.0", "For research only.", "# strict 1"):
        assert part in out


def test_use_makes_a_version_the_champion_and_rollback_goes_back(winnow_models: Callable[..., Said]):
    before = champion()
    assert winnow_models("use", "freed") == (0, f"champion is now freed@1 (was {before}).\n", "")
    assert champion() == "freed@1"
    assert winnow_models("use", "freed@1")[1] == "champion is freed@1 already.\n"
    assert winnow_models("rollback") == (0, f"champion is {before} again (was freed@1).\n", "")
    assert champion() == before


def test_use_of_what_ships_points_the_users_alias_there(winnow_models: Callable[..., Said], mine: str):
    assert winnow_models("use", "baseline")[0] == 0
    assert registry.aliases(mine) == {"champion": "baseline@1"}
    assert registry.resolve("champion", registry.roots()).uri == "builtin:baseline/1"


def test_promote_and_rollback_move_the_alias_they_are_told(winnow_models: Callable[..., Said], mine: str):
    before = champion()
    assert winnow_models("promote", "freed", "--alias", "challenger")[:2] == (0, "challenger is now freed@1.\n")
    assert winnow_models("promote", "baseline", "--alias", "challenger")[0] == 0
    assert winnow_models("rollback", "--alias", "challenger")[0] == 0
    assert registry.aliases(mine) == {"challenger": "freed@1"}
    assert champion() == before


@pytest.mark.parametrize("action", ["use", "promote"])
def test_what_does_not_score_is_listed_and_gets_no_alias(action: str, winnow_models: Callable[..., Said]):
    before = champion()
    rows = {row["reference"]: row for row in json.loads(winnow_models("list", "--json")[1])}
    assert rows["about@1"]["kind"] == "about"
    code, _, err = winnow_models(action, "about")
    assert (code, champion()) == (2, before)
    assert "about@1 does not score moments" in err


@pytest.mark.parametrize("action", ["use", "promote"])
def test_a_licence_that_asks_for_consent_is_refused_in_a_script_without_the_flag(
    action: str, winnow_models: Callable[..., Said]
):
    before = champion()
    code, out, err = winnow_models(action, "strict")
    assert (code, out) == (2, "")
    assert "--accept-licence" in err
    assert "CC BY-NC-ND 4.0" in err
    assert len(err.splitlines()) == 1
    assert champion() == before


@pytest.mark.parametrize("action", ["use", "promote"])
def test_with_the_flag_the_licence_is_shown_and_taken_as_accepted(action: str, winnow_models: Callable[..., Said]):
    code, out, _ = winnow_models(action, "strict", "--accept-licence")
    assert code == 0
    assert CONSENT in out
    assert champion() == "strict@1"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(b"y\n", 0, id="yes"),
        pytest.param(b"n\n", 2, id="no"),
        pytest.param(b"\n", 2, id="only the enter key"),
        pytest.param(b"\x04", 2, id="the end of the input"),
    ],
)
def test_at_a_terminal_the_licence_is_shown_and_asked_about(answer: bytes, code: int, mine: str):
    before, (ours, theirs) = champion(), pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "models", "use", "strict"],
            cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as asking:  # fmt: skip
            os.write(ours, answer)
            out, err = asking.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert asking.returncode == code, err.decode()
    assert "For research only." in out.decode()
    assert "accept" in out.decode()
    assert ("not accepted" in err.decode()) == (code == 2)
    assert champion() == ("strict@1" if code == 0 else before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("show", "nobody"), "no model 'nobody'", id="show what is not there"),
        pytest.param(("use", "freed@7"), "no model 'freed@7'", id="use what is not there"),
        pytest.param(("promote", "freed", "--alias", "strict"), "name of a model", id="a model's name as an alias"),
        pytest.param(("promote", "freed", "--alias", "a/b"), "cannot be an alias", id="a path as an alias"),
        pytest.param(("rollback",), "no earlier version", id="nothing to go back to"),
        pytest.param(("rollback", "--alias", "nobody"), "no earlier version", id="an alias that is not there"),
        pytest.param(("verify", "nobody"), "no model 'nobody'", id="verify what is not there"),
    ],
)
def test_mistakes_are_refused_in_one_sentence(
    arguments: tuple[str, ...], says: str, winnow_models: Callable[..., Said]
):
    code, out, err = winnow_models(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_verify_reads_every_version_and_says_that_all_is_well(winnow_models: Callable[..., Said]):
    code, out, _ = winnow_models("verify")
    assert code == 0
    assert {line.split()[1] for line in out.splitlines() if line.startswith("ok")} >= {
        "baseline@1",
        "freed@1",
        "strict@1",
    }
    assert out.splitlines()[-1].endswith("Problems: none.")


def test_verify_names_everything_that_is_broken(winnow_models: Callable[..., Said], mine: str):
    for _ in range(3):
        registering.register(mine, "more", {}, {"kind": "k", "description": "d", "licence": "l"})
    aliases.set_alias(mine, "lost", registry.resolve("more@3", [mine]))
    Path(mine, "freed/1/config.json").write_bytes(b"[]")
    Path(mine, "freed/1/README.md").unlink()
    Path(mine, "more/2/manifest.json").write_text("{")
    Path(mine, "more/3/manifest.json").unlink()
    code, out, _ = winnow_models("verify")
    broken = [line for line in out.splitlines() if line.startswith("BROKEN")]
    assert code == 1
    assert len(broken) == 5
    for part in ("config.json has sha256", "README.md cannot be read", "manifest of more@2", "more@3", "alias 'lost'"):
        assert any(part in line for line in broken), part
    assert any(line.startswith("ok") and "more@1" in line for line in out.splitlines())


def test_verify_of_one_version_reads_only_that(winnow_models: Callable[..., Said], mine: str):
    Path(mine, "freed/1/config.json").write_bytes(b"[]")
    assert winnow_models("verify", "strict")[0] == 0
    code, out, _ = winnow_models("verify", "freed")
    assert code == 1
    assert "config.json has sha256" in out


def test_a_broken_version_is_listed_and_cannot_be_used(winnow_models: Callable[..., Said], mine: str):
    before = champion()
    Path(mine, "freed/1/config.json").write_bytes(b"[]")
    Path(mine, "strict/1/manifest.json").write_text("{")
    code, out, err = winnow_models("list", "--json")
    assert code == 0
    assert {row["reference"]: bool(row["problem"]) for row in json.loads(out)}["strict@1"]
    assert "manifest of strict@1" in err
    code, _, err = winnow_models("use", "freed")
    assert code == 1
    assert "config.json has sha256" in err
    assert champion() == before


def test_the_registry_can_stand_elsewhere(
    winnow_models: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WINNOW_REGISTRY", str(tmp_path / "shared"))
    assert "freed@1" not in winnow_models("list")[1]
    assert winnow_models("use", "baseline")[0] == 0
    assert registry.aliases(str(tmp_path / "shared")) == {"champion": "baseline@1"}


def test_a_registry_nobody_knows_how_to_open_is_refused(
    winnow_models: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WINNOW_REGISTRY", "nosuch://bucket")
    code, _, err = winnow_models("list")
    assert code == 2
    assert "WINNOW_REGISTRY" in err
    assert len(err.splitlines()) == 1


def test_score_and_runs_find_the_users_models(mine: str, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    from core.settings import Settings
    from flows.resolving import resolve_models

    shipped = registry.read_version(registry.resolve("baseline@1"))
    fields = {key: shipped.manifest[key] for key in ("kind", "description", "licence", "encoder")}
    own = registering.register(mine, "mine", shipped.files, fields)
    assert resolve_models(Settings(model="mine")).highlight == own
    captions = tmp_path / "talk.vtt"
    captions.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello there.\n")
    assert main(["score", str(captions), "--model", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "mine@1"
