"""Files that are written once and never changed: of several writers one wins, and the others are told.

In a bucket by a conditional write (If-None-Match), in a folder by a link that fails where the name is taken.
"""

import os
from pathlib import Path

import fsspec

from core.files import written_aside
from core.patience import asked, is_local

TAKEN = (409, 412)
"""What a server answers where the object is there already, or somebody else is just writing it."""


def create(fs: fsspec.AbstractFileSystem, path: str, content: bytes) -> bool:
    """Write a file, complete or not there at all; False, and nothing changed, where it already is.

    True as well where it holds exactly `content`: an answer that was lost makes a client send twice.

    Raises StoreError if the store cannot be written.
    """
    doing = f"Writing {path}"
    if is_local(fs):
        return asked(fs, doing, lambda: _linked(Path(path), content))
    return asked(fs, doing, lambda: _put(fs, path, content))


def read(fs: fsspec.AbstractFileSystem, path: str) -> bytes | None:
    """The bytes of a file; None if it is not there. Raises StoreError if the store does not answer."""

    def get() -> bytes | None:
        try:
            content = fs.cat_file(path)
            return content if isinstance(content, bytes) else str(content).encode()
        except FileNotFoundError:
            return None

    return asked(fs, f"Reading {path}", get)


def remove(fs: fsspec.AbstractFileSystem, path: str) -> bool:
    """Remove a file; False where there was none. Raises StoreError if the store does not let it."""

    def drop() -> bool:
        if not fs.exists(path):
            return False
        try:
            fs.rm_file(path)
        except FileNotFoundError:
            return False
        return True

    return asked(fs, f"Removing {path}", drop)


def _linked(path: Path, content: bytes) -> bool:
    with written_aside(path, content) as aside:
        try:
            os.link(aside, path)
        except FileExistsError:
            return path.read_bytes() == content
    return True


def _put(fs: fsspec.AbstractFileSystem, path: str, content: bytes) -> bool:
    from core.bucket import status

    try:
        fs.pipe_file(path, content, IfNoneMatch="*")
        return True
    except Exception as error:
        if not isinstance(error, FileExistsError) and status(error) not in TAKEN:
            raise
        there = fs.cat_file(path)
        return there == content
