"""The walk-through of docs/operate.md, as it stands there: a real server, real workers, on PostgreSQL and on SQLite."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core import catalog, media
from core.pools import ENCODING, POOLS, machine_name
from tests.postgres import database, programs
from tests.prefect_server import with_tables

ROOT = Path(__file__).parents[1]
PAGE, SECTION = "docs/operate.md", "## With a Prefect server\n"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
KEEPS_ITS_TERMINAL = ("prefect server start", "prefect worker start")
PORT, DATABASE = "4200", "postgresql+asyncpg://prefect:secret@127.0.0.1:5432/prefect"
"""As the page has them; here they are others."""
LENGTH_S = 26
UNUSED_S = 2.0
"""What the server supposes before any slot of a limit was held."""
SAID = "WEBVTT\n\n" + "".join(
    f"00:{s:02}.200 --> 00:{s + 5:02}.600\n{text}\n\n"
    for s, text in (
        (0, "Half of the tides are left out of the story."),
        (6, "The water on the far side rises as well."),
        (13, "Gravity fades with distance, and that is all it takes."),
        (19, "So there are two bulges, and two tides a day."),
    )
)


def walk() -> dict[str, list[list[str]]]:
    """The commands of the section, a list for each block, under the headings."""
    text = (ROOT / PAGE).read_text()
    section = text[text.index(SECTION) :].split("\n## ")[0]
    parts = {part.partition("\n")[0]: BLOCK.findall(part) for part in section.split("\n### ")[1:]}
    return {heading: [block.replace("\\\n", " ").splitlines() for block in blocks] for heading, blocks in parts.items()}


class Terminals:
    """Types commands as a person would: exports hold for what follows, and what keeps its terminal gets one."""

    def __init__(self, folder: Path, env: dict[str, str], exchanged: dict[str, str]) -> None:
        self.folder, self.env, self.exchanged = folder, env, exchanged
        self.exports: list[str] = []
        self.open: list[subprocess.Popen[bytes]] = []

    def type(self, block: list[str]) -> str:
        """Run a block to its end, or open terminals for what stays. Returns what was printed."""
        printed = ""
        for line in block:
            for shown, here in self.exchanged.items():
                line = line.replace(shown, here)
            if line.startswith("export "):
                self.exports.append(line)
            elif line.startswith(KEEPS_ITS_TERMINAL):
                self._keep(line)
            else:
                printed += self._run(line)
        return printed

    def _script(self, line: str) -> list[str]:
        return ["bash", "-eu", "-c", "\n".join([*self.exports, line])]

    def _run(self, line: str) -> str:
        ran = subprocess.run(
            self._script(line), cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=150
        )
        assert ran.returncode == 0, f"{line}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}\n{self.said()}"
        return ran.stdout

    def _keep(self, line: str) -> None:
        with (self.folder / f"terminal-{len(self.open)}.log").open("wb") as log:
            kept = subprocess.Popen(
                self._script(f"exec {line}"), cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        self.open.append(kept)
        if "server start" in line:
            self.until(lambda: self.answer("/health"), "the server did not start")

    def answer(self, path: str) -> Any:
        """What the API says, or None while it says nothing."""
        url = f"http://127.0.0.1:{self.exchanged[PORT]}/api{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as said:
                return json.load(said)
        except (urllib.error.URLError, OSError):
            return None

    def until(self, done: Callable[[], object], otherwise: str) -> None:
        end_s = time.monotonic() + 120
        while not done():
            assert time.monotonic() < end_s, f"{otherwise}\n{self.said()}"
            assert all(kept.poll() is None for kept in self.open), self.said()
            time.sleep(0.3)

    def said(self) -> str:
        logs = sorted(self.folder.glob("terminal-*.log"))
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-4000:]}" for log in logs)

    def close(self) -> None:
        kept_open, self.open = self.open, []
        for kept in reversed(kept_open):
            if kept.poll() is None:
                os.killpg(kept.pid, signal.SIGTERM)
        for kept in kept_open:
            try:
                kept.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(kept.pid, signal.SIGKILL)
                kept.wait()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short recording with captions beside it, so that no speech has to be recognised."""
    folder = tmp_path_factory.mktemp("talk")
    cut = ["-ss", "37.7", "-i", media.file_url(ROOT / "data/samples/tides.mp4"), "-t", str(LENGTH_S)]
    smaller = ["-vf", "scale=320:180,fps=12.5", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    media.run_ffmpeg([*cut, *smaller, media.file_url(folder / "tides.mp4")], what="Cutting", timeout_s=60)
    (folder / "tides.vtt").write_text(SAID)
    return folder


@pytest.fixture
def terminals(tmp_path: Path, talk: Path) -> Iterator[Callable[[str], Terminals]]:
    """In the project's folder, with the short recording as its sample."""
    folder, opened = tmp_path / "winnow", []
    (folder / "data").mkdir(parents=True)
    for name in ("core", "models", "tasks", "flows", "training", "deploy", "prefect.yaml", "prefect.toml"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(talk, folder / "data/samples")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    own = {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_API_PORT": port,
        "PREFECT_SERVER_UI_ENABLED": "false",
        "WINNOW_HOME": str(tmp_path / "home"),
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "WINNOW_"))}

    def begin(url: str) -> Terminals:
        opened.append(Terminals(folder, clean | own, {DATABASE: url, PORT: port}))
        return opened[0]

    yield begin
    for each in opened:
        each.close()


async def how_long_slots_were_held(url: str) -> float | None:
    """Of this machine's limit on encoding, on average, as the server keeps it in its database."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(
            "SELECT avg_slot_occupancy_seconds FROM concurrency_limit_v2 WHERE name = $1 AND active_slots = 0",
            f"{ENCODING}@{machine_name()}",
        )
    finally:
        await connection.close()


def queues(terminals: Terminals) -> set[str]:
    return {pool.name for pool in POOLS if terminals.answer(f"/work_pools/{pool.name}")}


def test_on_sqlite_the_server_takes_pools_and_deployments(terminals, prefect_server, tmp_path):
    with_tables(prefect_server, tmp_path / "prefect")
    desk, page = terminals(""), walk()
    desk.type(page["The server"][0])
    for block in page["Pools and limits"]:
        desk.type(block)
    listed = "".join(desk.type(block) for block in page["Deployments"])
    assert queues(desk) == {pool.name for pool in POOLS}
    for name in ("highlight/highlight", "nightly/on-upload", "nightly-recording/cpu", "retention/retention"):
        assert name in listed


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL with the extension pg_trgm is installed")
def test_on_postgresql_the_page_leads_to_clips(terminals):
    page = walk()
    page["Deployments"].pop()  # the list, which the test on SQLite reads
    to_try, *for_work = page.pop("The server")
    assert len(to_try) == 1
    look = page.pop("What to look at")
    with database() as url:
        desk = terminals(url)
        for block in [*for_work, *(block for blocks in page.values() for block in blocks)]:
            desk.type(block)
        store = desk.folder / "store"
        desk.until(lambda: list(store.glob("nightlies/**/*.json")), "nothing was made of what arrived")
        seen = "".join(desk.type(block) for block in look)
        occupied_s = asyncio.run(how_long_slots_were_held(url))
        desk.close()
    (manifest,) = (desk.folder / "clips").glob("tides-*/manifest.json")
    assert [clip["files"] for clip in json.loads(manifest.read_text())["clips"]]
    assert list((desk.folder / "clips").glob("tides-*/clips/*.mp4"))
    assert catalog.read(str(store), "clips").num_rows >= 1
    assert [run["status"] for run in catalog.read(str(store), "runs").to_pylist()] == ["done"]
    assert "nightly-recording" in seen or "tides.mp4" in seen
    assert occupied_s not in (None, UNUSED_S)
