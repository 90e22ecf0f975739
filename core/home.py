"""Where Winnow keeps state and caches on this machine."""

import os
from pathlib import Path

import platformdirs

from core.store import Store


def home() -> Path:
    """`WINNOW_HOME`, else the platform's folder for user data."""
    return (
        Path(os.environ.get("WINNOW_HOME") or platformdirs.user_data_dir("winnow", appauthor=False))
        .expanduser()
        .absolute()
    )


def store() -> Store:
    """The store of stage outputs: under the home folder."""
    return Store(home(), cache=home() / "copies")
