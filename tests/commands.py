"""The `winnow` command as tests run it."""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    """How a `winnow` command ended."""

    code: int
    out: str
    err: str

    @property
    def manifests(self) -> list[Path]:
        """What `--json` printed."""
        return [Path(json.loads(line)["manifest"]) for line in self.out.splitlines()]

    @property
    def manifest(self) -> dict[str, Any]:
        (path,) = self.manifests
        return json.loads(path.read_text())


def run_here(arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Ran:
    """A `winnow` command, from the parsing of its arguments to its exit code, in this process.

    A process of its own costs five seconds for imports alone. Flows find the server that Prefect's settings name here.
    """
    from flows.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        for name, value in env.items():
            patch.setenv(name, value)
        try:
            code = main(list(arguments))
        except SystemExit as ended:  # of argparse
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Ran(code, out.getvalue(), err.getvalue())
