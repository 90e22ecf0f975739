"""Every command that the docs show runs, in the order shown, in one folder a page and one home folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core import media

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLONE = re.compile(r"^git clone .*$", re.MULTILINE)
NOT_FROM_INSIDE = ("make test",)
"""This very suite."""
WITH_NOTHING_CONFIGURED = "README.md"
"""Its commands start a Prefect server of their own; those of the other pages find the session's."""
SAMPLE = Path("data/samples/tides.mp4")
SAMPLE_S = 75
READY = ".ready"
"""What `make setup` leaves in the environment."""


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of a person who reads one page after the other, the README first."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of the sample with a smaller picture, which costs every command less."""
    path = tmp_path_factory.mktemp("sample") / SAMPLE.name
    smaller = ["-t", str(SAMPLE_S), "-vf", "scale=640:360", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy"]
    media.run_ffmpeg(
        ["-i", media.file_url(ROOT / SAMPLE), *smaller, media.file_url(path)], what="Scaling", timeout_s=300
    )
    return path


def clone(folder: Path, sample: Path) -> Path:
    """What a clone and `make setup` leave in a folder, without copying: the tree and the environment, by links."""
    folder.mkdir()
    own = {".git", ".venv", "demo", "clips", "results", "runs", "data"}
    (folder / SAMPLE.parent).mkdir(parents=True)
    entries = [*ROOT.iterdir(), *(ROOT / "data").iterdir(), *(ROOT / SAMPLE).parent.iterdir()]
    for entry in entries:
        if entry.name not in {*own, "samples", SAMPLE.name}:
            (folder / entry.relative_to(ROOT)).symlink_to(entry)
    (folder / SAMPLE).symlink_to(sample)
    environment = folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != READY:
            (environment / entry.name).symlink_to(entry)
    # Newer than all it is made from. Setup would install this folder into the real environment, through the links.
    (environment / READY).touch()
    return folder


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.name)
def test_commands_of_the_page_run(page, home, sample, prefect_server, tmp_path):
    folder = clone(tmp_path / "winnow", sample)
    programs = Path(sys.executable).parent
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    env |= {"WINNOW_HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    if page.name != WITH_NOTHING_CONFIGURED:
        env |= prefect_server
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
