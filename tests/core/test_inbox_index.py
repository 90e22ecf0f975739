import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from core import inbox_index
from core.errors import StoreError
from core.inbox_index import InboxIndex, split_new
from core.sources import InboxObject
from tests.core.s3_server import Server, misbehaving_s3


@pytest.fixture(scope="module")
def s3() -> Iterator[Server]:
    with misbehaving_s3() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def index(request, tmp_path) -> InboxIndex:
    if request.param == "folder":
        return InboxIndex(tmp_path / "store")
    return InboxIndex(f"{request.getfixturevalue('s3').uri}/{tmp_path.name}")


def found(name: str, size: int = 5, tag: str = "t1") -> InboxObject:
    return InboxObject(f"s3://in/{name}", size, 1.0, tag)


A, B, C = found("a.mp4"), found("b\n%.mp4"), found("ünï.mp4")


def test_what_was_identified_is_known_and_all_else_is_new(index):
    assert split_new([A], index.read()) == ([A], {})
    index.add([(A, "aa"), (B, "bb")])
    assert split_new([A, C, B], index.read()) == ([C], {A.uri: "aa", B.uri: "bb"})


@pytest.mark.parametrize("other", [found("a.mp4", size=6), found("a.mp4", tag="t2"), found("x.mp4")])
def test_an_object_that_changed_is_new(index, other):
    index.add([(A, "aa")])
    assert index.read().sha256_of(other) is None


def test_two_writers_lose_nothing(index):
    def write(writer: int) -> None:
        for number in range(3):
            index.add([(found(f"{writer}-{number}"), f"{writer}{number}")])

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = index.read()
    assert {seen.sha256_of(found(f"{w}-{n}")) for w in range(2) for n in range(3)} == {
        f"{w}{n}" for w in range(2) for n in range(3)
    }


def test_many_files_are_merged_into_one(index, monkeypatch):
    monkeypatch.setattr(inbox_index, "MERGE_FROM", 4)
    for number in range(4):
        index.add([(found(str(number)), str(number)), (A, "aa")])
    seen = index.read()
    assert seen.files == 1
    assert len(seen.by_fingerprint) == 5


def test_a_reader_that_meets_a_merge_looks_again(index, monkeypatch):
    for number in range(3):
        index.add([(found(str(number)), str(number))])
    names = index._names()
    index.merge()
    answers = iter([names, index._names()])
    monkeypatch.setattr(index, "_names", lambda: next(answers))
    assert len(index.read().by_fingerprint) == 3


def test_two_merges_at_once_lose_nothing(index):
    for number in range(4):
        index.add([(found(str(number)), str(number))])
    threads = [threading.Thread(target=index.merge) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index.merge()
    assert len(index.read().by_fingerprint) == 4


def test_a_forgotten_recording_is_new_again(index):
    index.add([(A, "aa"), (B, "bb")])
    index.add([(C, "aa")])
    assert index.forget("aa") == 2
    assert index.forget("aa") == 0
    assert split_new([A, B, C], index.read()) == ([A, C], {B.uri: "bb"})


def test_nothing_to_add_writes_nothing(index):
    index.add([])
    assert index.read().files == 0


def test_the_files_are_plain_parquet(tmp_path):
    index = InboxIndex(tmp_path)
    index.add([(A, "aa")])
    (row,) = ds.dataset(tmp_path / "inbox").to_table().to_pylist()
    assert (row["uri"], row["bytes"], row["tag"], row["sha256"]) == (A.uri, 5, "t1", "aa")
    assert row["seen_at"].year > 2000


def test_a_broken_file_is_named(tmp_path):
    index = InboxIndex(tmp_path)
    index.add([(A, "aa")])
    (path,) = Path(tmp_path, "inbox").glob("*.parquet")
    path.write_bytes(b"PAR1 cut")
    with pytest.raises(StoreError, match=f"{path.name}: it is no part of an index"):
        index.read()


def test_a_server_that_refuses_is_told(s3):
    s3.misbehave("GET", "deny")
    with pytest.raises(StoreError, match="Reading the inbox index in .* 403 AccessDenied"):
        InboxIndex(s3.uri).read()
