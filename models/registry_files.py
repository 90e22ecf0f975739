"""The registry's files on any fsspec file system: read, listed, created once; and `aliases.json`, which changes.

What a writer is promised depends on the storage:

- a local folder: a version appears in one rename, changes happen under a lock that dies with its process;
- S3 and what speaks its conditional writes (If-None-Match, If-Match): as exact, by the server's own decision;
- any other file system: created as exclusively as its fsspec driver can; changes compare what they read and are not
  guarded against a second writer in the same instant.
"""

import errno
import fcntl
import random
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import BadSetting, StoreError, WinnowError
from core.files import write_atomically

BUILTIN = "builtin:"
BUILTIN_FOLDER = Path(__file__).parent / "builtin"
CLAIMS = ".claims"
"""Beside the versions of a name in a bucket: `.claims/3` says who may write version 3. It stays, so that a writer that
fell asleep before its claim cannot take the number of a version that is long finished."""
ASIDE = ".writing-"
STALE_S = 24 * 3600.0
"""An aside folder older than this was left by a killed process."""
TRIES = 12
"""Attempts at a change that other writers come before."""


def read(uri: str) -> bytes:
    """The bytes of a file. Raises FileNotFoundError where there is none, StoreError when it cannot be read."""
    with _reaching(uri, "Reading") as (files, path):
        return files.cat_file(path)


def folders(uri: str) -> list[str]:
    """Names of the folders in a folder, sorted; none where it is missing."""
    with _reaching(uri, "Listing") as (files, path):
        if not files.isdir(path):
            return []
        found = [entry["name"] for entry in files.ls(path, detail=True) if entry["type"] == "directory"]
        return sorted(folder.rstrip("/").rsplit("/", 1)[-1] for folder in found)


def below(uri: str) -> list[str]:
    """Paths of all files below a folder, relative to it, sorted; none where it is missing."""
    with _reaching(uri, "Listing") as (files, path):
        prefix = f"{path.rstrip('/')}/"
        try:
            return sorted(found.removeprefix(prefix) for found in files.find(path) if found.startswith(prefix))
        except FileNotFoundError:  # not even the bucket
            return []


def create(uri: str, data: bytes) -> bool:
    """Write a file that must not exist yet. False where there is one with another content.

    A file with the same bytes counts as ours: a request that was answered too late is sent again by the driver.
    """
    folder = local_path(uri)
    if folder is not None:
        return _create_locally(folder, data)
    for attempt in range(1, TRIES + 1):
        with _reaching(uri, "Writing") as (files, path):
            try:
                files.pipe_file(path, data, mode="create")
                return True
            except OSError as error:  # the condition failed, or the request did: the file itself tells
                files.invalidate_cache()
                if files.exists(path):
                    return files.cat_file(path) == data
                if isinstance(error, FileNotFoundError):
                    raise _no_place(uri, error) from error
                if isinstance(error, PermissionError) or attempt == TRIES:
                    raise
        _wait(attempt)
    raise AssertionError("the last attempt returns or raises")


def create_folder(uri: str, contents: Mapping[str, bytes], *, last: str) -> bool:
    """Write a folder that must not exist yet, complete or not there at all. False where another writer has it.

    `last` is the file that makes the others count. Raises StoreError when the storage cannot be written.
    """
    folder = local_path(uri)
    if folder is not None:
        return _create_folder_locally(folder, contents)
    if not _claim(uri):
        return False
    written: list[str] = []
    try:
        for name in (name for name in contents if name != last):
            if not create(f"{uri}/{name}", contents[name]):
                return False  # something unfinished stands there that knew nothing of claims
            written.append(f"{uri}/{name}")
    except BaseException:
        _remove(written)
        raise
    # If this fails its outcome is unknown, so the other files stay: they may count by now.
    return create(f"{uri}/{last}", contents[last])


def change(uri: str, compute: Callable[[bytes | None], bytes]) -> None:
    """Replace a file's content by `compute(content)`, which is None where there is no file.

    Nobody's change in between is lost: `compute` is asked again where another writer came first, and may raise.
    Raises StoreError when others come first all the time, or the storage cannot be written.
    """
    path = local_path(uri)
    if path is not None:
        with _locked(path):
            write_atomically(path, compute(path.read_bytes() if path.exists() else None))
        return
    for attempt in range(1, TRIES + 1):
        current, tag = _tagged(uri)
        new = compute(current)
        with _reaching(uri, "Changing") as (files, target):
            try:
                if current is None:
                    files.pipe_file(target, new, mode="create")
                else:
                    files.pipe_file(target, new, **({"IfMatch": tag} if tag else {}))
                return
            except PermissionError:
                raise
            except FileNotFoundError as error:
                raise _no_place(uri, error) from error
            except OSError as error:
                files.invalidate_cache()
                if files.exists(target) and files.cat_file(target) == new:
                    return  # our own request, sent again by the driver
                if attempt == TRIES:
                    raise StoreError(
                        f"Changing {uri} failed {TRIES} times, the last time with: {error}. "
                        "Is somebody else changing it all the time? Try again."
                    ) from error
        _wait(attempt)


def local_path(uri: str) -> Path | None:
    """The path of `uri` where it is on this machine's file system, else None."""
    from fsspec.implementations.local import LocalFileSystem

    with _reaching(uri, "Opening") as (files, path):
        return Path(path) if isinstance(files, LocalFileSystem) else None


@contextmanager
def _reaching(uri: str, doing: str) -> Iterator[tuple[Any, str]]:
    """The file system and path of `uri`. Missing files raise FileNotFoundError, all other trouble StoreError.

    What the driver remembers of earlier listings is dropped: other processes write here too.
    """
    from fsspec.core import url_to_fs

    place = str(BUILTIN_FOLDER / uri.removeprefix(BUILTIN)) if uri.startswith(BUILTIN) else uri
    try:
        files, path = url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise BadSetting(f"Opening the model registry at {uri}: {error}. Set WINNOW_REGISTRY to another.") from error
    try:
        files.invalidate_cache()
        yield files, path
    except (WinnowError, FileNotFoundError):
        raise
    except Exception as error:  # drivers raise errors of their own network libraries: none of them is an OSError
        raise StoreError(
            f"{doing} {uri} failed: {error or type(error).__name__}. Check the storage, its credentials and "
            "WINNOW_REGISTRY."
        ) from error


def _tagged(uri: str) -> tuple[bytes | None, str]:
    """A file's content with the tag the storage gives exactly this content ("" where it gives none); None if none."""
    for attempt in range(1, TRIES + 1):
        with _reaching(uri, "Reading") as (files, path):
            try:
                if "s3" not in files.protocol:
                    return files.cat_file(path), ""
                with files.open(path, "rb") as file:  # fails if the tag changes between the two
                    return file.read(), file.details["ETag"]
            except FileNotFoundError:
                return None, ""
            except OSError as error:
                if isinstance(error, PermissionError) or attempt == TRIES:
                    raise
    raise AssertionError("the last attempt returns or raises")


def _claim(uri: str) -> bool:
    """Take the right to write the folder `uri`. False where another writer has it.

    Raises StoreError on a storage that lets a second writer create the same file: versions would not be safe there.
    """
    parent, _, name = uri.rpartition("/")
    claim = f"{parent}/{CLAIMS}/{name}"
    if not create(claim, uuid.uuid4().hex.encode()):
        return False
    with _reaching(claim, "Claiming") as (files, path):
        try:
            files.pipe_file(path, uuid.uuid4().hex.encode(), mode="create")
        except OSError:
            return True
    raise StoreError(
        f"Writing {uri}: this storage overwrites files that it was told only to create, so two writers could spoil "
        "each other's versions. Use a local folder, or an S3 storage that honours If-None-Match."
    )


def _remove(uris: Iterable[str]) -> None:
    """Clear away what a failed writer wrote, as far as the storage still answers: it counts for nobody."""
    for uri in uris:
        with suppress(StoreError, FileNotFoundError), _reaching(uri, "Removing") as (files, path):
            files.rm_file(path)


def _create_locally(path: Path, data: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{ASIDE}{uuid.uuid4().hex}")
    write_atomically(aside, data)
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return path.read_bytes() == data
    finally:
        aside.unlink()
    return True


def _create_folder_locally(folder: Path, contents: Mapping[str, bytes]) -> bool:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        aside = folder.with_name(f"{ASIDE}{uuid.uuid4().hex}")
        aside.mkdir()
        try:
            for name, data in contents.items():
                write_atomically(aside / name, data)
            aside.rename(folder)  # refuses a folder that holds something, so it is also the race's decision
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR) and folder.exists():
            return False
        raise StoreError(f"Writing {folder} failed: {error}. Is the disk full, or not yours to write?") from error
    return True


def _sweep(folder: Path) -> None:
    for aside in folder.glob(f"{ASIDE}*"):
        with suppress(FileNotFoundError):  # its writer has just finished
            if time.time() - aside.stat().st_mtime > STALE_S:
                shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a local file. The system lets it go when the process ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise StoreError(f"Changing {path} failed: {error}. Is the disk full, or not yours to write?") from error


def _no_place(uri: str, error: Exception) -> StoreError:
    return StoreError(f"Writing {uri} failed: {error}. Does the bucket exist?")


def _wait(attempt: int) -> None:
    """A moment, longer each time and never the same for two writers."""
    time.sleep(random.uniform(0.02, 0.05) * min(2**attempt, 32))
