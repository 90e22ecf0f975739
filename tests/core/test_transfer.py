import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import bucket, transfer
from core.backoff import Backoff
from core.disk_cache import DiskCache
from core.errors import StoreError
from core.sources import InboxObject, list_inbox
from core.transfer import fetch
from tests.core.s3_server import Server, misbehaving_s3

BLOCK = 64 * 1024
CONTENT = os.urandom(10 * BLOCK + 7)
SHA = hashlib.sha256(CONTENT).hexdigest()
SOON = Backoff(attempts=4, base_s=0.001)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with misbehaving_s3() as running:
        yield running


@pytest.fixture
def s3(server, monkeypatch) -> Server:
    """A server that behaves until told otherwise, and transfers in small blocks."""
    monkeypatch.setattr(transfer, "HASH_BLOCK_BYTES", BLOCK)
    server.faults.clear()
    server.served.clear()
    server.ranges.clear()
    return server


@pytest.fixture
def cache(tmp_path) -> DiskCache:
    return DiskCache(tmp_path / "cache", max_bytes=10**7)


def put(s3: Server, content: bytes = CONTENT, key: str = "talk.mp4") -> InboxObject:
    bucket.ask("put_object", what="Putting", Bucket=s3.uri[5:], Key=key, Body=content)
    (found,) = (o for o in list_inbox(s3.uri).objects if o.name == key)
    s3.served.clear()
    return found


def gets(s3: Server) -> int:
    return sum(line.startswith("GET") for line in s3.served)


def parts(cache: DiskCache) -> list[Path]:
    return [path for path in (cache.root / "parts").glob("*") if path.suffix != ".json"]


def test_an_object_comes_with_its_hash_and_stays_while_it_is_used(s3, cache):
    told: list[int] = []
    with fetch(put(s3), cache, on_progress=told.append) as fetched:
        assert fetched.sha256 == SHA
        assert fetched.path.read_bytes() == CONTENT
        assert fetched.received_bytes == len(CONTENT)
        assert not cache.drop(SHA)
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)
    assert not parts(cache)
    assert cache.drop(SHA)


def test_what_is_here_is_not_fetched_again(s3, cache):
    found = put(s3)
    for received in (len(CONTENT), 0):
        with fetch(found, cache) as fetched:
            assert fetched.received_bytes == received
    assert gets(s3) == 1


def test_an_empty_object_is_fetched(s3, cache):
    with fetch(put(s3, b"", "empty.mp4"), cache) as fetched:
        assert fetched.path.read_bytes() == b""
        assert fetched.sha256 == hashlib.sha256().hexdigest()


def test_a_transfer_that_breaks_off_goes_on_where_it_was(s3, cache):
    found = put(s3)
    s3.misbehave("GET", "cut", "cut")
    with fetch(found, cache, backoff=SOON) as fetched:
        assert fetched.path.read_bytes() == CONTENT
        assert fetched.sha256 == SHA
        assert fetched.received_bytes == len(CONTENT)
    assert gets(s3) == 3
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in s3.ranges]
    assert 0 < starts[0] < starts[1] < len(CONTENT)


def test_a_transfer_is_resumed_by_the_next_process(s3, cache):
    found = put(s3)
    s3.misbehave("GET", "cut")
    with pytest.raises(StoreError, match="check AWS_ENDPOINT_URL"), fetch(found, cache, backoff=Backoff(attempts=1)):
        pass
    (part,) = parts(cache)
    had = part.stat().st_size
    assert 0 < had < len(CONTENT)
    with fetch(found, DiskCache(cache.root, cache.max_bytes)) as fetched:
        assert fetched.sha256 == SHA
        assert fetched.received_bytes == len(CONTENT) - had
    assert s3.ranges == [f"bytes={had}-"]


def test_patience_starts_anew_whenever_the_transfer_has_come_on(s3, cache):
    found = put(s3)
    s3.misbehave("GET", *["cut", "busy"] * 3)
    with fetch(found, cache, backoff=Backoff(attempts=3, base_s=0.001)) as fetched:
        assert fetched.sha256 == SHA
    assert gets(s3) == 7


def test_a_part_that_is_too_long_is_begun_anew(s3, cache):
    found = put(s3)
    with cache.arriving(transfer._key(found), found.bytes) as part:
        part.write_bytes(CONTENT + b"more")
    with fetch(found, cache) as fetched:
        assert fetched.sha256 == SHA


@pytest.mark.parametrize("other", [b"another" * 100_000, bytes(len(CONTENT))], ids=["other size", "same size"])
@pytest.mark.parametrize("broken", [False, True], ids=["before the transfer", "in the middle of it"])
def test_an_object_that_changed_is_fetched_as_it_is_now(s3, cache, other, broken):
    found = put(s3)
    if broken:
        s3.misbehave("GET", "cut")
        with pytest.raises(StoreError), fetch(found, cache, backoff=Backoff(attempts=1)):
            pass
    now = put(s3, other)
    with fetch(found, cache) as fetched:
        assert fetched.path.read_bytes() == other
        assert fetched.sha256 == hashlib.sha256(other).hexdigest()
        assert (fetched.found.tag, fetched.found.bytes) == (now.tag, len(other))
    assert not parts(cache)


def test_a_server_without_etags_is_held_to_the_size(s3, cache):
    found = put(s3)
    bare = replace(found, tag=f"{found.modified_s:.3f}")
    with fetch(bare, cache) as fetched:
        assert fetched.sha256 == SHA
    with fetch(replace(bare, bytes=5), cache) as fetched:
        assert fetched.found.bytes == fetched.path.stat().st_size == len(CONTENT)


def test_an_object_that_never_stays_the_same_is_left_for_later(s3, cache, monkeypatch):
    found = replace(put(s3), tag="old")
    monkeypatch.setattr(transfer, "_as_it_is", lambda _: found)
    with pytest.raises(StoreError, match="changes faster"), fetch(found, cache):
        pass
    assert not parts(cache)


def test_a_server_that_is_busy_or_silent_is_asked_again(s3, cache, monkeypatch):
    found = put(s3)
    monkeypatch.setattr(bucket, "READ_TIMEOUT_S", 0.2)
    s3.misbehave("GET", "busy", "hang", "busy")
    with fetch(found, cache, backoff=SOON) as fetched:
        assert fetched.sha256 == SHA
    assert gets(s3) == 4


def test_what_may_not_be_read_is_asked_for_once_and_no_secret_is_told(s3, cache):
    found = put(s3)
    s3.misbehave("GET", "deny")
    with (
        pytest.raises(StoreError, match="Fetching s3://.*talk.mp4 failed: .* 403 AccessDenied") as refused,
        fetch(found, cache),
    ):
        pass
    assert gets(s3) == 1
    assert "AKIASECRET" not in str(refused.value)


def test_what_is_gone_is_told(s3, cache):
    found = put(s3, key="gone.mp4")
    bucket.ask("delete_object", what="Removing", Bucket=s3.uri[5:], Key="gone.mp4")
    with pytest.raises(StoreError, match="it is not there"), fetch(found, cache):
        pass


def test_what_does_not_fit_is_not_fetched(s3, tmp_path):
    found = put(s3)
    with pytest.raises(StoreError, match="does not fit"), fetch(found, DiskCache(tmp_path, max_bytes=100)):
        pass
    assert gets(s3) == 0


def test_two_who_want_the_same_fetch_it_once(s3, cache):
    found, together, got = put(s3), threading.Barrier(2), []

    def one() -> None:
        together.wait()
        with fetch(found, cache) as fetched:
            got.append((fetched.sha256, fetched.path.read_bytes() == CONTENT))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [(SHA, True)] * 2
    assert gets(s3) == 1


def test_a_damaged_copy_is_fetched_again(s3, cache):
    found = put(s3)
    with fetch(found, cache) as fetched:
        os.truncate(fetched.path, 5)
    with fetch(found, cache) as fetched:
        assert fetched.path.read_bytes() == CONTENT


def test_a_local_file_is_hashed_where_it_lies(tmp_path, cache):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/odd %41 name.mp4").write_bytes(CONTENT)
    (found,) = list_inbox(str(tmp_path / "in"), settle_s=0).objects
    with fetch(found, cache) as fetched:
        assert fetched.path == tmp_path / "in/odd %41 name.mp4"
        assert fetched.sha256 == SHA
    (tmp_path / "in/odd %41 name.mp4").write_bytes(b"other")
    with pytest.raises(StoreError, match="changed since it was listed"), fetch(found, cache):
        pass
    (tmp_path / "in/odd %41 name.mp4").unlink()
    with pytest.raises(StoreError, match="No such file"), fetch(found, cache):
        pass
