import threading
from collections.abc import Iterator

import pytest

from core.errors import StoreError
from core.records import StageRef
from core.store import LISTING, Store
from tests.s3 import own_bucket

REF = StageRef(sha256="ab" * 32, stage="silences", key="k1")


@pytest.fixture(scope="module")
def s3_root() -> Iterator[str]:
    """A bucket on a real S3 server of our own, spoken to over HTTP."""
    with own_bucket("recordings") as uri:
        yield f"{uri}/winnow"


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path):
    root = tmp_path / "root" if request.param == "folder" else f"{request.getfixturevalue('s3_root')}/{tmp_path.name}"
    return Store(root, cache=tmp_path / "cache")


def write(store, ref=REF, content=b"[]"):
    with store.writing(ref) as folder:
        (folder / "value.json").write_bytes(content)
        (folder / "sub").mkdir()
        (folder / "sub" / "a.bin").write_bytes(b"123")


def test_what_is_written_is_read(store):
    write(store)
    assert store.complete(REF)
    assert store.read_bytes(REF, "value.json") == b"[]"
    assert store.path(REF, "sub/a.bin").read_bytes() == b"123"


def test_the_files_of_an_entry_are_told_in_order_and_those_of_none_are_gone(store):
    write(store)
    assert store.names(REF) == ["sub/a.bin", "value.json"]
    store.drop(REF)
    with pytest.raises(StoreError, match="silences: it is gone"):
        store.names(REF)


def test_an_entry_that_was_not_written_does_not_exist(store):
    assert not store.complete(REF)
    with pytest.raises(StoreError, match="is gone"):
        store.path(REF, "value.json")


def test_a_stage_that_fails_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError), store.writing(REF) as folder:
        (folder / "value.json").write_bytes(b"half")
        raise ZeroDivisionError
    assert not store.complete(REF)
    assert not store.fs.exists(store.folder(REF))


def test_writing_twice_keeps_the_first(store):
    write(store, content=b"first")
    write(store, content=b"later")
    assert store.read_bytes(REF, "value.json") == b"first"


@pytest.mark.parametrize("damage", ["missing file", "cut file", "missing listing", "broken listing"])
def test_a_damaged_entry_does_not_exist_and_is_made_anew(store, damage):
    write(store)
    value, listing = f"{store.folder(REF)}/value.json", f"{store.folder(REF)}/{LISTING}"
    if damage == "missing file":
        store.fs.rm_file(value)
    elif damage == "cut file":
        store.fs.pipe_file(value, b"[")
    elif damage == "missing listing":
        store.fs.rm_file(listing)
    else:
        store.fs.pipe_file(listing, b"{")
    store.fs.invalidate_cache()
    assert not store.complete(REF)
    write(store)
    assert store.complete(REF)


def test_two_writers_of_the_same_entry_do_no_harm(tmp_path):
    store = Store(tmp_path)
    barrier = threading.Barrier(4)

    def race() -> None:
        barrier.wait()
        write(store)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.complete(REF)
    assert not list((tmp_path / "scratch").iterdir())


def test_dropping_an_entry_leaves_its_neighbours(store):
    other = StageRef(REF.sha256, REF.stage, "k2")
    write(store)
    write(store, other)
    store.drop(REF)
    assert not store.complete(REF)
    assert store.complete(other)


def test_what_a_killed_process_left_is_swept_and_what_lives_is_kept(tmp_path):
    import os
    import subprocess

    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        (tmp_path / "scratch" / f"audio-{pid}-abc").mkdir(parents=True)
    Store(tmp_path).sweep()
    assert [p.name for p in (tmp_path / "scratch").iterdir()] == [f"audio-{os.getpid()}-abc"]
