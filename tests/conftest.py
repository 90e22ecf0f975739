"""Fixtures shared by all tests."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Ran, run_here
from tests.prefect_server import shared

ROOT = Path(__file__).parents[1]
WINNOW = str(Path(sys.executable).with_name("winnow"))


LONGEST_FIRST = (
    "tests/test_docs.py",
    "tests/test_operate.py",
    "tests/flows/test_highlight.py",
    "tests/flows/test_chaos.py",
    "tests/flows/test_engines.py",
    "tests/training/test_fit.py",
    "tests/flows/test_promote.py",
    "tests/flows/test_retrain.py",
    "tests/notebooks",
)
"""Files that take minutes. Begun last, one would keep one process busy while the other has nothing left to do."""


TOGETHER = ("tests/flows/test_promote.py", "tests/flows/test_retrain.py")
"""Files that look at one retraining: in one process it is done once for both."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of `--dist loadfile`, one in which `TOGETHER` counts as one file; None, which is xdist's own, otherwise."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FilesTogether(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER[0] if file in TOGETHER else file

    return FilesTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((n for n, name in enumerate(LONGEST_FIRST) if item.nodeid.startswith(name)), len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A real Prefect server for all processes of the test run; its value is the environment that leads to it."""
    own = tmp_path_factory.getbasetemp()
    with shared((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prefect") as env:
        yield env


@pytest.fixture(scope="session")
def prefect_here(prefect_server: dict[str, str]) -> Iterator[None]:
    """Flows in this process run on the session's server, and have told it all when that ends."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogHandler
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
        temporary_settings,
    )

    own = {
        PREFECT_API_URL: prefect_server["PREFECT_API_URL"],
        PREFECT_HOME: prefect_server["PREFECT_HOME"],
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
    }
    with temporary_settings(own):
        yield
        APILogHandler().flush()
        EventsWorker.drain_all(timeout=5)


@pytest.fixture(scope="session")
def winnow_env(prefect_server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a user whose home folder is used by all tests of a session, as a person's is by all runs."""
    return {**os.environ, **prefect_server, "WINNOW_HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture(scope="session")
def winnow(
    winnow_env: dict[str, str], prefect_here: None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Ran]:
    """Do a `winnow` command in an empty folder, in this process."""
    folder = tmp_path_factory.mktemp("cwd")

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Ran:
        return run_here([str(argument) for argument in arguments], cwd=folder, env=winnow_env | (env or {}))

    return run


@pytest.fixture(scope="session")
def winnow_process(winnow_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    """Run the `winnow` program in an empty folder."""
    folder = tmp_path_factory.mktemp("cwd")

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Ran:
        ran = subprocess.run(
            [WINNOW, *map(str, arguments)],
            cwd=folder,
            env=winnow_env | (env or {}),
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


@pytest.fixture(scope="session")
def short_talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 60 s of the sample, its picture much smaller, its sound as it is."""
    from core import media

    path = tmp_path_factory.mktemp("media") / "short talk.mp4"
    source = media.file_url(ROOT / "data/samples/tides.mp4")
    smaller = ["-vf", "scale=426:240", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy"]
    media.run_ffmpeg(["-i", source, "-t", "60", *smaller, media.file_url(path)], what="Cutting", timeout_s=60)
    return path


@pytest.fixture
def winnow_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder for one test."""
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
