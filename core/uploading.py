"""Copy what was published into a store, a folder or a bucket: what changed only, the manifest last.

In a bucket each object carries its sha256 as metadata; a file whose size and hash are there already is not sent
again. Files that an earlier manifest names and the new one does not are removed after it; nothing else is.
"""

import contextlib
import logging
import mimetypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from core import bucket
from core.errors import StoreError
from core.files import copy_atomically, to_path
from core.identity import sha256_of
from core.manifest import MANIFEST_NAME, Manifest
from core.publishing import named_files

PART_BYTES = 16 * 1024**2
"""Sent in one request and held in memory; S3 takes parts of 5 MiB and more, 10,000 of them at most."""
MOST_PARTS = 10_000
log = logging.getLogger(__name__)
KINDS = {".m3u8": "application/vnd.apple.mpegurl", ".vtt": "text/vtt", ".srt": "application/x-subrip"} | {
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload did, as names relative to the folder."""

    sent: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    sent_bytes: int


def upload(folder: Path, uri: str, *, on_progress: Callable[[int], None] | None = None) -> Uploaded:
    """Copy a folder's files to `uri`, a local folder or s3://bucket/prefix. Hidden files stay behind.

    Raises StoreError where that fails; what was there before stays readable, and a manifest that is there names
    only files that are there.
    """
    target = _Prefix(uri) if bucket.is_s3(uri) else _Folder(to_path(uri).expanduser())
    began_s = time.monotonic()
    try:
        done = _upload(folder, target, on_progress or (lambda _: None))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise StoreError(
            f"Copying {folder} to {uri} failed: {where}{error.strerror or error}; free some space there or check its "
            "permissions."
        ) from error
    counts = {"files": len(done.sent), "unchanged": len(done.unchanged), "removed": len(done.removed)}
    seconds = round(time.monotonic() - began_s, 3)
    log.info("uploaded", extra={"uri": uri, **counts, "bytes": done.sent_bytes, "seconds": seconds})
    return done


def abort_unfinished(uri: str, older_than_s: float, *, now_s: float | None = None) -> int:
    """Drop uploads under s3://bucket/prefix that killed processes began and never ended; nobody sees such parts, but
    they are paid for. Returns how many."""
    name, prefix = bucket.split(uri)
    what, dropped, more = f"Looking for unfinished uploads under {uri}", 0, {}
    while True:
        page = bucket.ask("list_multipart_uploads", what=what, Bucket=name, Prefix=prefix, **more)
        for begun in page.get("Uploads", ()):
            if begun["Initiated"].timestamp() < (time.time() if now_s is None else now_s) - older_than_s:
                _abort(name, begun["Key"], begun["UploadId"])
                dropped += 1
        if not page.get("IsTruncated"):
            return dropped
        more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def _upload(folder: Path, target: "_Folder | _Prefix", on_progress: Callable[[int], None]) -> Uploaded:
    names = sorted(_names(folder), key=lambda name: (name == MANIFEST_NAME, name))
    has_manifest = MANIFEST_NAME in names
    before = _manifest(target.read(MANIFEST_NAME)) if has_manifest else None
    after = _manifest((folder / MANIFEST_NAME).read_bytes()) if has_manifest else None
    there, sent, sent_bytes = target.sizes(), [], 0
    for name in names:
        path = folder / name
        size, sha256 = path.stat().st_size, sha256_of(path)
        if there.get(name) != size or target.sha256(name) != sha256:
            target.send(path, name, sha256)
            sent.append(name)
            sent_bytes += size
            on_progress(sent_bytes)
    stale = (named_files(before) - named_files(after) - set(names)) & there.keys() if before and after else set()
    for name in sorted(stale):
        target.remove(name)
    return Uploaded(tuple(sent), tuple(name for name in names if name not in sent), tuple(sorted(stale)), sent_bytes)


def _names(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]


def _manifest(data: bytes | None) -> Manifest | None:
    try:
        return Manifest.model_validate_json(data) if data else None
    except ValidationError:  # of another version: it is replaced, and what it names is left alone
        return None


@dataclass(frozen=True, slots=True)
class _Folder:
    """A local folder to copy into."""

    root: Path

    def sizes(self) -> dict[str, int]:
        return {name: (self.root / name).stat().st_size for name in _names(self.root)}

    def sha256(self, name: str) -> str:
        return sha256_of(self.root / name)

    def read(self, name: str) -> bytes | None:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def send(self, path: Path, name: str, sha256: str) -> None:
        copy_atomically(path, self.root / name)

    def remove(self, name: str) -> None:
        if (self.root / name).resolve().is_relative_to(self.root.resolve()):
            (self.root / name).unlink(missing_ok=True)


class _Prefix:
    """A prefix of a bucket to copy to."""

    def __init__(self, uri: str) -> None:
        self.bucket, self.prefix = bucket.folder(uri)

    def ask(self, method: str, name: str, doing: str, **parameters: Any) -> dict[str, Any]:
        what = f"{doing} s3://{self.bucket}/{self.prefix}{name}"
        return bucket.ask(method, what=what, Bucket=self.bucket, Key=self.prefix + name, **parameters)

    def sizes(self) -> dict[str, int]:
        listed = (item for page in bucket.pages(self.bucket, self.prefix) for item in page)
        return {item["Key"][len(self.prefix) :]: item["Size"] for item in listed}

    def sha256(self, name: str) -> str:
        return self.ask("head_object", name, "Looking at").get("Metadata", {}).get("sha256", "")

    def read(self, name: str) -> bytes | None:
        what = f"Reading s3://{self.bucket}/{self.prefix}{name}"

        def reading() -> bytes | None:
            try:
                answer = bucket.ask_once("get_object", Bucket=self.bucket, Key=self.prefix + name)
            except FileNotFoundError:
                return None
            return bucket.read_block(answer, answer["ContentLength"] + 1)

        return bucket.patiently(reading, what=what)

    def send(self, path: Path, name: str, sha256: str) -> None:
        about = {"Metadata": {"sha256": sha256}, "ContentType": _kind(name)}
        if path.stat().st_size <= PART_BYTES:
            self.ask("put_object", name, "Writing", Body=path.read_bytes(), **about)
            return
        begun = self.ask("create_multipart_upload", name, "Writing", **about)["UploadId"]
        try:
            parts = self._send_parts(path, name, begun)
            self.ask("complete_multipart_upload", name, "Writing", UploadId=begun, MultipartUpload={"Parts": parts})
        except BaseException:
            with contextlib.suppress(StoreError):  # the server is away: `abort_unfinished` finds it later
                _abort(self.bucket, self.prefix + name, begun)
            raise

    def _send_parts(self, path: Path, name: str, begun: str) -> list[dict[str, Any]]:
        size, parts = max(PART_BYTES, -(-path.stat().st_size // MOST_PARTS)), []
        with path.open("rb") as file:
            while block := file.read(size):
                which = {"UploadId": begun, "PartNumber": len(parts) + 1}
                answer = self.ask("upload_part", name, "Writing", Body=block, **which)
                parts.append({"PartNumber": len(parts) + 1, "ETag": answer["ETag"]})
        return parts

    def remove(self, name: str) -> None:
        self.ask("delete_object", name, "Removing")


def _kind(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return KINDS.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _abort(name: str, key: str, begun: str) -> None:
    what = f"Dropping an unfinished upload of s3://{name}/{key}"
    bucket.ask("abort_multipart_upload", what=what, Bucket=name, Key=key, UploadId=begun)
