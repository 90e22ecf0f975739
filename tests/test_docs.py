"""Every command that the docs show runs, in the order shown, in one folder a page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLONE = re.compile(r"^git clone .*$", re.MULTILINE)
NOT_FROM_INSIDE = ("make test",)
"""This very suite."""


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.name)
def test_commands_of_the_page_run(page, tmp_path, request):
    folder = tmp_path / "winnow"
    folder.mkdir()
    for entry in ROOT.iterdir():  # a clone as a user has it, without copying the environment
        if entry.name not in {".git", "demo", "clips", "results"}:
            (folder / entry.name).symlink_to(entry)
    programs = Path(sys.executable).parent
    env = {**os.environ, "WINNOW_HOME": str(tmp_path / "home"), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(page):
        script = CLONE.sub("", block).replace("cd winnow\n", "\n")
        script = "\n".join(line for line in script.splitlines() if line.strip() not in NOT_FROM_INSIDE)
        ran = subprocess.run(
            ["bash", "-eu", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=600
        )
        assert ran.returncode == 0, f"{block}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_inside_the_project_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_manifest_schema_in_the_docs_is_the_real_one():
    import json

    from core.manifest import Manifest

    assert json.loads((ROOT / "docs/manifest.schema.json").read_text()) == Manifest.model_json_schema()


def test_make_knows_the_two_commands():
    assert shutil.which("make")
    text = (ROOT / "Makefile").read_text()
    assert re.search(r"^demo: setup$", text, re.MULTILINE)
    assert re.search(r"^test: setup$", text, re.MULTILINE)
