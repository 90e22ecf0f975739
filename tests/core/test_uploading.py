import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import bucket, uploading
from core.errors import StoreError
from core.uploading import Uploaded, abort_unfinished, upload
from tests.core.s3_server import Server, misbehaving_s3
from tests.core.test_publishing import clip, manifest

FILES = {"01-clip.mp4": b"clip", "hls/a b%.m4s": b"segment", "manifest.json": b"{}", "empty.txt": b""}


@pytest.fixture(scope="module")
def s3() -> Iterator[Server]:
    with misbehaving_s3() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def target(request, tmp_path) -> str:
    return str(tmp_path / "to") if request.param == "folder" else f"{request.getfixturevalue('s3').uri}/{tmp_path.name}"


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, content in FILES.items():
        write(tmp_path / "from" / name, content)
    write(tmp_path / "from/.x.part", b"left by a process that was killed")
    (tmp_path / "from/link").symlink_to("/etc/hostname")
    return tmp_path / "from"


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def there(target: str) -> dict[str, bytes]:
    if not bucket.is_s3(target):
        return {p.relative_to(target).as_posix(): p.read_bytes() for p in Path(target).rglob("*") if p.is_file()}
    name, prefix = bucket.folder(target)
    found = {}
    for item in (item for page in bucket.pages(name, prefix) for item in page):
        answer = bucket.ask("get_object", what="Reading", Bucket=name, Key=item["Key"])
        found[item["Key"].removeprefix(prefix)] = bucket.read_block(answer, 10**8)
    return found


def unfinished(s3: Server) -> list[str]:
    answer = bucket.ask("list_multipart_uploads", what="Listing", Bucket=s3.uri[5:])
    return [begun["Key"] for begun in answer.get("Uploads", [])]


def test_everything_is_copied_the_manifest_last(target, folder):
    told: list[int] = []
    done = upload(folder, target, on_progress=told.append)
    assert there(target) == FILES
    assert done.sent == ("01-clip.mp4", "empty.txt", "hls/a b%.m4s", "manifest.json")
    assert done.sent_bytes == told[-1] == sum(map(len, FILES.values()))


def test_what_is_unchanged_is_not_sent_again(target, folder):
    upload(folder, target)
    assert upload(folder, target) == Uploaded((), ("01-clip.mp4", "empty.txt", "hls/a b%.m4s", "manifest.json"), (), 0)
    write(folder / "01-clip.mp4", b"CLIP")  # of the same size
    assert upload(folder, target).sent == ("01-clip.mp4",)
    assert there(target)["01-clip.mp4"] == b"CLIP"


def test_what_lies_there_beside_it_is_left_alone(target, folder, tmp_path):
    write(tmp_path / "else/notes.txt", b"mine")
    upload(tmp_path / "else", target)
    upload(folder, target)
    assert there(target) == FILES | {"notes.txt": b"mine"}


def test_an_object_says_what_it_is(s3, folder):
    upload(folder, f"{s3.uri}/kinds")
    head = bucket.ask("head_object", what="Looking", Bucket=s3.uri[5:], Key="kinds/hls/a b%.m4s")
    assert head["ContentType"] == "video/iso.segment"
    assert len(head["Metadata"]["sha256"]) == 64


def test_a_long_file_goes_in_parts(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(uploading, "PART_BYTES", 5 * 1024**2)
    content = os.urandom(5 * 1024**2 + 9)
    write(tmp_path / "from/long.mp4", content)
    s3.misbehave("PUT", "", "busy")
    upload(tmp_path / "from", f"{s3.uri}/long")
    assert there(f"{s3.uri}/long") == {"long.mp4": content}
    assert upload(tmp_path / "from", f"{s3.uri}/long").sent == ()


def test_an_upload_that_fails_leaves_no_parts_and_no_manifest(s3, tmp_path, folder, monkeypatch):
    monkeypatch.setattr(uploading, "PART_BYTES", 5 * 1024**2)
    write(folder / "00-long.mp4", bytes(5 * 1024**2 + 1))
    s3.misbehave("PUT", "", "deny")
    with pytest.raises(StoreError, match="Writing s3://.*00-long.mp4 failed: .* 403 AccessDenied"):
        upload(folder, f"{s3.uri}/failed")
    assert unfinished(s3) == []
    assert there(f"{s3.uri}/failed") == {}
    upload(folder, f"{s3.uri}/failed")
    assert there(f"{s3.uri}/failed").keys() == {*FILES, "00-long.mp4"}


def test_uploads_that_killed_processes_left_are_dropped_once_they_are_old(s3):
    bucket.ask("create_multipart_upload", what="Beginning", Bucket=s3.uri[5:], Key="left/a.mp4")
    bucket.ask("create_multipart_upload", what="Beginning", Bucket=s3.uri[5:], Key="other/a.mp4")
    began_s = 1_289_000_000  # moto says that every upload began in November 2010
    assert abort_unfinished(f"{s3.uri}/left", 3_600, now_s=began_s) == 0
    assert abort_unfinished(f"{s3.uri}/left", 3_600) == 1
    assert unfinished(s3) == ["other/a.mp4"]


def test_a_folder_that_cannot_be_written_is_told(folder, tmp_path):
    write(tmp_path / "file", b"")
    with pytest.raises(StoreError, match="Copying .*/from to .*: Not a directory"):
        upload(folder, str(tmp_path / "file/to"))


def published(folder: Path, *clips: str) -> Path:
    """A folder with a clip of each name and a manifest that names them."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in (f"{stem}{ending}" for stem in clips for ending in (".mp4", ".jpg")):
        write(folder / name, name.encode())
    write(folder / "report.html", b"<html>")
    (folder / "manifest.json").write_text(manifest(*(clip(name) for name in clips)).model_dump_json())
    return folder


def test_what_only_the_earlier_manifest_names_is_removed_and_nothing_else(target, tmp_path):
    upload(published(tmp_path / "from", "clips/01-a", "clips/02-b"), target)
    write(tmp_path / "else/notes.txt", b"mine")
    upload(tmp_path / "else", target)
    done = upload(published(tmp_path / "from", "clips/01-a"), target)
    assert done.removed == ("clips/02-b.jpg", "clips/02-b.mp4")
    assert done.sent == ("manifest.json",)
    assert there(target).keys() == {"clips/01-a.mp4", "clips/01-a.jpg", "report.html", "manifest.json", "notes.txt"}


def test_a_manifest_that_cannot_be_read_removes_nothing(target, tmp_path):
    write(tmp_path / "old/manifest.json", b"of another version")
    write(tmp_path / "old/clip.mp4", b"old")
    upload(tmp_path / "old", target)
    assert upload(published(tmp_path / "from", "01-a"), target).removed == ()
    assert "clip.mp4" in there(target)
