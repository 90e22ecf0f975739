"""Stage outputs on any fsspec root: `analysis/<sha256>/<stage>/<key>/`, complete or not there at all.

A stage writes its files into a scratch folder; `Store.put` brings them into place with `files.json`, which lists them
and is written last. An entry without it, or with a file missing or of another size, does not exist for a reader.
"""

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import StoreError
from core.records import StageRef

LISTING = "files.json"
RECORD = "record.json"
"""What the orchestrator keeps beside the files: the task's own small result."""


class Store:
    """Entries under one root, a local folder or a bucket; both behave the same.

    Args:
        root_uri: A path, or any URI that fsspec knows, such as "s3://bucket/prefix".
        cache: Folder for local copies of remote files; needed only where the root is remote.
    """

    def __init__(self, root_uri: str | Path, cache: Path | None = None) -> None:
        self.fs, self.root = fsspec.core.url_to_fs(str(root_uri))
        self.local = isinstance(self.fs, LocalFileSystem)
        self.cache = cache

    def folder(self, ref: StageRef) -> str:
        """Where an entry stands, as the file system names it."""
        return str(PurePosixPath(self.root) / "analysis" / ref.sha256 / ref.stage / ref.key)

    def complete(self, ref: StageRef) -> bool:
        """True if the entry's listing is there and every file on it has its size."""
        try:
            listing: dict[str, int] = json.loads(self.fs.cat_file(f"{self.folder(ref)}/{LISTING}"))
            return all(self.fs.size(f"{self.folder(ref)}/{name}") == size for name, size in listing.items())
        except FileNotFoundError:
            return False
        except ValueError:  # a listing that is no JSON: somebody else's file, or a broken disk
            return False

    def names(self, ref: StageRef) -> list[str]:
        """The files of a complete entry, relative to its folder. Raises StoreError if it is gone."""
        try:
            listing: dict[str, int] = json.loads(self.fs.cat_file(f"{self.folder(ref)}/{LISTING}"))
        except FileNotFoundError as error:
            raise StoreError(f"Reading the files of {ref.stage}: it is gone. Run again to make it anew.") from error
        return sorted(listing)

    def drop(self, ref: StageRef) -> None:
        """Remove an entry, its listing first, so that a reader never sees half of it as whole."""
        folder = self.folder(ref)
        if self.fs.exists(folder):
            if self.fs.exists(f"{folder}/{LISTING}"):
                self.fs.rm_file(f"{folder}/{LISTING}")
            self.fs.rm(folder, recursive=True)
            self.fs.invalidate_cache()

    def sweep(self) -> None:
        """Remove what killed processes left in the scratch folder of a local store."""
        for folder in Path(self.root, "scratch").glob("*-*-*") if self.local else ():
            pid = folder.name.split("-")[1]
            if pid.isdigit() and not _alive(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def writing(self, ref: StageRef) -> Iterator[Path]:
        """A scratch folder whose files become the entry when the block ends well, and vanish when it does not."""
        parent = None
        if self.local:
            parent = Path(self.root, "scratch")
            parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f"{ref.stage}-{os.getpid()}-", dir=parent, ignore_cleanup_errors=True
        ) as name:
            yield Path(name)
            self.put(ref, Path(name))

    def put(self, ref: StageRef, scratch: Path) -> None:
        """Bring the files of `scratch` into place as the entry `ref`. Writing twice leaves the first in place."""
        if self.complete(ref):
            return
        files = {path.relative_to(scratch).as_posix(): path for path in sorted(scratch.rglob("*")) if path.is_file()}
        listing = json.dumps({name: path.stat().st_size for name, path in files.items()})
        try:
            if self.local:
                self._move_in(ref, scratch, listing)
            else:
                for name, path in files.items():
                    self.fs.put_file(str(path), f"{self.folder(ref)}/{name}")
                self.fs.pipe_file(f"{self.folder(ref)}/{LISTING}", listing.encode())
        except OSError as error:
            raise StoreError(
                f"Keeping the result of {ref.stage} in {self.folder(ref)} failed: {error}. Is the disk full?"
            ) from error

    def _move_in(self, ref: StageRef, scratch: Path, listing: str) -> None:
        (scratch / LISTING).write_text(listing)
        target, ready = Path(self.folder(ref)), scratch.with_name(f"{scratch.name}-{uuid.uuid4().hex}")
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.rename(ready)
        scratch.mkdir()  # the caller's context manager removes what it made
        try:
            if target.exists():
                shutil.rmtree(target, ignore_errors=True)
            ready.rename(target)
        except OSError:
            if not self.complete(ref):  # lost the race to another process that wrote the same thing
                raise
        finally:
            shutil.rmtree(ready, ignore_errors=True)

    def path(self, ref: StageRef, name: str) -> Path:
        """A local path to one file of a complete entry; remote files are copied into the cache once."""
        source = f"{self.folder(ref)}/{name}"
        if self.local:
            if not Path(source).is_file():
                raise StoreError(f"Reading {name} of {ref.stage}: {source} is gone. Run again to make it anew.")
            return Path(source)
        if self.cache is None:
            raise StoreError(f"Reading {source} needs a cache folder for the local copy.")
        copy = self.cache / ref.sha256 / ref.stage / ref.key / name
        if not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            aside = copy.with_name(f".{copy.name}-{uuid.uuid4().hex}")
            try:
                self.fs.get_file(source, str(aside))
            except FileNotFoundError as error:
                raise StoreError(
                    f"Reading {name} of {ref.stage}: {source} is gone. Run again to make it anew."
                ) from error
            aside.replace(copy)
        return copy

    def read_bytes(self, ref: StageRef, name: str) -> bytes:
        return self.path(ref, name).read_bytes()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
