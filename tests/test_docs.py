"""Every command that the docs show runs, in the order shown, in one folder a page and one home folder."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core import media
from tests.commands import run_here
from tests.prefect_server import with_tables

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLONE = re.compile(r"^git clone .*$", re.MULTILINE)
NOT_FROM_INSIDE = ("make test",)
"""This very suite."""
WITH_NOTHING_CONFIGURED = "README.md"
"""`make demo` starts a Prefect server of its own; other commands find the session's."""
SAMPLE = Path("data/samples/tides.mp4")
CONFIGS = Path("training/configs")
SAMPLE_S = 32
FEWER_STEPS = {
    "debug.yaml": ("max_steps: 60", "max_steps: 20"),
    "debug_finetuned.yaml": ("max_steps: 12", "max_steps: 6"),
}
"""What the pages train on made-up lectures ends at its first checkpoint."""
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
    """The beginning of the sample with a smaller picture and fewer frames, which costs every command less."""
    path = tmp_path_factory.mktemp("sample") / SAMPLE.name
    smaller = ["-t", str(SAMPLE_S), "-vf", "fps=10,scale=426:240", "-c:v", "libx264", "-preset", "ultrafast"]
    media.run_ffmpeg(
        ["-i", media.file_url(ROOT / SAMPLE), *smaller, "-c:a", "copy", media.file_url(path)],
        what="Scaling",
        timeout_s=300,
    )
    return path


def clone(folder: Path, sample: Path) -> Path:
    """What a clone and `make setup` leave in a folder, without copying: the tree and the environment, by links.

    What makes commands dear is smaller: the sample, and the steps of the configurations that train on nothing real.
    """
    folder.mkdir()
    own = {".git", ".venv", "demo", "clips", "results", "runs", "data", "training"}
    opened = [ROOT, ROOT / "data", (ROOT / SAMPLE).parent, ROOT / "training", ROOT / CONFIGS]
    for entry in (entry for opening in opened for entry in opening.iterdir()):
        if entry.name not in {*own, "samples", "configs", SAMPLE.name, *FEWER_STEPS}:
            link = folder / entry.relative_to(ROOT)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(entry)
    (folder / SAMPLE).symlink_to(sample)
    for name, (many, few) in FEWER_STEPS.items():
        text = (ROOT / CONFIGS / name).read_text()
        assert text.count(many) == 1
        (folder / CONFIGS / name).write_text(text.replace(many, few))
    environment = folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != READY:
            (environment / entry.name).symlink_to(entry)
    # Newer than all it is made from. Setup would install this folder into the real environment, through the links.
    (environment / READY).touch()
    return folder


SHELL = re.compile(r"[|&;<>$*?`(){}=#~\n]")
"""What only a shell understands."""


def steps(block: str) -> list[list[str] | str]:
    """A block's lines: the words of a plain `winnow` command, or a line for the shell; all at once if it has a text."""
    if "<<" in block:
        return [block]
    lines = block.replace("\\\n", " ").strip().splitlines()
    bare = (re.sub(r'"[^"]*"', "", line) for line in lines)
    return [
        shlex.split(line) if line.startswith("winnow ") and not SHELL.search(without) else line
        for line, without in zip(lines, bare, strict=True)
    ]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.name)
def test_commands_of_the_page_run(page, home, sample, prefect_server, prefect_here, tmp_path):
    folder = clone(tmp_path / "winnow", sample)
    programs = Path(sys.executable).parent
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    env |= {"WINNOW_HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    if page.name == WITH_NOTHING_CONFIGURED:
        with_tables(prefect_server, home / "prefect")
    else:
        env |= prefect_server
    for block in blocks(page):
        script = CLONE.sub("", block).replace("cd winnow\n", "\n")
        script = "\n".join(line for line in script.splitlines() if line.strip() not in NOT_FROM_INSIDE)
        for step in steps(script):
            if isinstance(step, list):
                done = run_here(step[1:], cwd=folder, env=env | prefect_server)
                assert done.code == 0, f"{step}\n{done.out[-3000:]}\n{done.err[-3000:]}"
                continue
            ran = subprocess.run(
                ["bash", "-eu", "-c", step], cwd=folder, env=env, capture_output=True, text=True, timeout=600
            )
            assert ran.returncode == 0, f"{step}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"


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
