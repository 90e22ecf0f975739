"""One way to ask a store for something, be it a folder or a bucket."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.backoff import Backoff
from core.errors import StoreError
from core.files import to_path, write_atomically

Answer = TypeVar("Answer")


def opened(store: str | Path) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a store and its root there. Listings are never remembered: others write here too.

    In a file URI %20 is a space, as everywhere; fsspec would take it as it stands.
    """
    place = str(to_path(store).expanduser()) if str(store).startswith("file://") else str(store)
    fs, root = fsspec.core.url_to_fs(place, use_listings_cache=False)
    return fs, root.rstrip("/")


def is_local(fs: fsspec.AbstractFileSystem) -> bool:
    return isinstance(fs, LocalFileSystem)


def asked(
    fs: fsspec.AbstractFileSystem, doing: str, call: Callable[[], Answer], backoff: Backoff | None = None
) -> Answer:
    """What `call` returns; a bucket is asked again while its trouble may pass, as patiently as `backoff` has it.

    Raises StoreError, which begins with `doing`, for everything that goes wrong.
    """
    if not is_local(fs):
        from core import bucket  # costs half a second, which a local store can save

        return bucket.patiently(call, what=doing, backoff=backoff or bucket.PATIENCE)
    try:
        return call()
    except OSError as error:
        raise StoreError(
            f"{doing} failed: {error.strerror or error}. Is the disk full, or the store not yours to write?"
        ) from error


def write(fs: fsspec.AbstractFileSystem, path: str, content: bytes) -> None:
    """Write a file in one step, whatever was there before. Raises StoreError if the store cannot be written."""
    if is_local(fs):
        asked(fs, f"Writing {path}", lambda: write_atomically(Path(path), content))
    else:
        asked(fs, f"Writing {path}", lambda: fs.pipe_file(path, content))
