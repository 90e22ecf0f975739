"""Which recordings a user's words name, and how files are written so that nobody sees half of one."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit

from core.errors import RefusedInput

SUBTITLE_SUFFIXES = (".vtt", ".srt")
NAME_BYTES = 180
"""Longest stem kept in an output folder's name: leaves room under the 255 bytes that file systems allow."""
COPIED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file to look at. `named` is False if it was found in a folder rather than named by the user."""

    path: Path
    named: bool


def to_uri(path: Path) -> str:
    """A file URI in plain ASCII, whatever bytes the path has."""
    return path.absolute().as_uri()


def to_path(source: str | Path) -> Path:
    """The path that a file URI or a plain path names."""
    if isinstance(source, str) and source.startswith("file://"):
        return Path(os.fsdecode(unquote_to_bytes(urlsplit(source).path)))
    return Path(source)


def display_name(path: Path) -> str:
    """The file's name for people: bytes that are no UTF-8 and control characters become a replacement mark."""
    name = os.fsencode(path.name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def output_folder_name(path: Path, sha256: str) -> str:
    """`<stem>-<first 8 of sha256>`, shortened to what file systems allow."""
    stem = display_name(path.with_name(path.stem or path.name)).encode()[:NAME_BYTES].decode("utf-8", "ignore")
    return f"{stem.strip() or 'recording'}-{sha256[:8]}"


def find_sources(sources: Iterable[str | Path]) -> list[Source]:
    """Files named, and those in folders named, each once, in order.

    In folders hidden files, caption files and Winnow's own output folders are passed over.
    Raises RefusedInput for a path that does not exist and for a folder that holds no file.
    """
    found: dict[Path, Source] = {}
    for source in sources:
        path = to_path(source)
        if path.is_dir():
            inside = sorted(_files_below(path))
            if not inside:
                raise RefusedInput(f"Looking for recordings in {path}: the folder holds no file.")
            for file in inside:
                found.setdefault(file.resolve(), Source(file, named=False))
        elif path.exists():
            found[path.resolve()] = Source(path, named=True)
        else:
            raise RefusedInput(f"{path} does not exist; check the name.")
    return list(found.values())


def _files_below(folder: Path) -> Iterable[Path]:
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        if here != folder and (here / "manifest.json").is_file():
            folders.clear()  # what an earlier run published
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() not in SUBTITLE_SUFFIXES:
                yield here / name


def captions_beside(path: Path) -> Path | None:
    """The caption file that comes with a recording: same folder, same stem, .vtt before .srt."""
    for suffix in SUBTITLE_SUFFIXES:
        for beside in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
            if beside.is_file() and beside != path:
                return beside
    return None


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file aside and move it into place in one step."""
    with written_aside(path, content) as aside:
        aside.replace(path)


def copy_atomically(source: Path, path: Path) -> None:
    """Copy a file aside and move the copy into place in one step."""
    with source.open("rb") as content, written_aside(path, content) as aside:
        aside.replace(path)


@contextmanager
def written_aside(path: Path, content: bytes | str | BinaryIO) -> Iterator[Path]:
    """A whole file beside `path`, hidden and on the disk, to be moved or linked there; what is left of it goes."""
    data = content.encode() if isinstance(content, str) else content
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(source, file, COPIED_BYTES)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        yield aside
    finally:
        aside.unlink(missing_ok=True)
