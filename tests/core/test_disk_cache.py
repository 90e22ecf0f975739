import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.disk_cache import DiskCache
from core.errors import StoreError

ROOT = Path(__file__).parents[2]
HOLDING = """
import sys
from pathlib import Path
from core.disk_cache import DiskCache
cache = DiskCache(Path(sys.argv[1]), 100)
with cache.pinned(sys.argv[2]) if sys.argv[3] == "pinned" else cache.arriving(sys.argv[2], 60) as path:
    print(path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def cache(tmp_path) -> DiskCache:
    return DiskCache(tmp_path / "cache", max_bytes=100)


def sha(letter: str) -> str:
    return letter * 64


def bring(cache: DiskCache, letter: str, size: int, used_s: float | None = None) -> None:
    with cache.arriving(f"key-{letter}", size) as part:
        part.write_bytes(letter.encode() * size)
        kept = cache.keep(part, sha(letter))
    if used_s is not None:
        os.utime(kept, (used_s, used_s))


def here(cache: DiskCache) -> str:
    return "".join(sorted(path.name[0] for path in (cache.root / "objects").rglob("*") if path.is_file()))


def holder(cache: DiskCache, what: str, name: str) -> subprocess.Popen[str]:
    """Another process that holds a file until its stdin closes."""
    arguments = [sys.executable, "-c", HOLDING, str(cache.root), name, what]
    process = subprocess.Popen(arguments, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline().strip() != "None"
    return process


def test_what_was_kept_is_found_by_its_content_and_by_where_it_came_from(cache):
    bring(cache, "a", 10)
    with cache.pinned(sha("a")) as path:
        assert path is not None
        assert path.read_bytes() == b"a" * 10
    assert cache.known("key-a") == sha("a")
    assert cache.used_bytes() == 10


def test_what_was_never_kept_is_not_here(cache):
    with cache.pinned(sha("a")) as path:
        assert path is None
    assert cache.known("key-a") is None


def test_what_was_not_used_for_longest_goes_first(cache):
    for letter, used_s in (("a", 3_000), ("b", 1_000), ("c", 2_000)):
        bring(cache, letter, 30, used_s)
    bring(cache, "d", 60)
    assert here(cache) == "ad"
    assert cache.used_bytes() == 90


def test_using_it_makes_it_the_latest(cache):
    bring(cache, "a", 40, 1_000)
    bring(cache, "b", 40, 2_000)
    with cache.pinned(sha("a")):
        pass
    bring(cache, "c", 40)
    assert here(cache) == "ac"


def test_what_is_pinned_stays_and_what_does_not_fit_beside_it_is_refused(cache):
    bring(cache, "a", 60, 1_000)
    with cache.pinned(sha("a")), cache.pinned(sha("a")):
        with pytest.raises(StoreError, match="no room for .* are in use"):
            bring(cache, "b", 60)
        assert here(cache) == "a"
        assert not cache.drop(sha("a"))
    bring(cache, "b", 60)
    assert here(cache) == "b"


def test_more_than_the_cache_may_hold_is_refused_before_anything_is_removed(cache):
    bring(cache, "a", 60)
    with pytest.raises(StoreError, match="does not fit the disk cache"):
        bring(cache, "b", 101)
    assert here(cache) == "a"


def test_the_disk_keeps_its_reserve(tmp_path):
    cache = DiskCache(tmp_path / "cache", max_bytes=10**6, reserve_bytes=10**18)
    with pytest.raises(StoreError, match="of the disk are free"):
        bring(cache, "a", 1)
    assert cache.used_bytes() == 0


def test_room_is_kept_for_what_is_still_arriving(cache):
    with cache.arriving("key-a", 60) as part:
        part.write_bytes(b"a")
        assert cache.used_bytes() == 60
        with pytest.raises(StoreError, match="no room"):
            bring(cache, "b", 60)


def test_a_broken_arrival_stays_to_be_resumed_and_gives_way_when_room_is_needed(cache):
    with pytest.raises(ZeroDivisionError), cache.arriving("key-a", 60) as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    with cache.arriving("key-a", 60) as part:
        assert part.read_bytes() == b"half"
    bring(cache, "b", 60)
    with cache.arriving("key-a", 10) as part:
        assert part.read_bytes() == b""


def test_the_same_thing_arrives_once_at_a_time(cache):
    entered = threading.Event()

    def other() -> None:
        with cache.arriving("key-a", 10):
            entered.set()

    with cache.arriving("key-a", 10) as part:
        thread = threading.Thread(target=other)
        thread.start()
        assert not entered.wait(0.1)
        part.write_bytes(b"a" * 10)
        cache.keep(part, sha("a"))
    thread.join(5)
    assert entered.is_set()
    assert here(cache) == "a"


@pytest.mark.parametrize("what", ["pinned", "arriving"])
def test_another_process_holds_what_it_uses_until_it_is_killed(cache, what):
    bring(cache, "a", 60)
    if what == "arriving":
        cache.drop(sha("a"))
    process = holder(cache, what, sha("a") if what == "pinned" else "key-a")
    with pytest.raises(StoreError, match="no room"):
        bring(cache, "b", 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    bring(cache, "b", 60)
    assert here(cache) == "b"


def test_dropping_leaves_no_trace(cache):
    bring(cache, "a", 10)
    bring(cache, "b", 10)
    assert cache.drop(sha("a"))
    assert cache.drop(sha("a"))
    left = [path for path in cache.root.rglob("*") if path.is_file() and "a" * 64 in path.name + path.read_text()]
    assert not left
    assert cache.known("key-b") == sha("b")


def test_what_was_not_used_for_long_expires(cache):
    bring(cache, "a", 10, 1_000)
    bring(cache, "b", 20, 3_000)
    with pytest.raises(ZeroDivisionError), cache.arriving("key-c", 30) as part:
        part.write_bytes(b"half!")
        os.utime(part, (1_000, 1_000))
        raise ZeroDivisionError
    assert cache.expire(2_000) == 15
    assert here(cache) == "b"
    assert cache.known("key-a") is None
    assert cache.used_bytes() == 20


def test_many_at_once_never_hold_more_than_allowed(cache):
    most: list[int] = []

    def some(letters: str) -> None:
        for letter in letters:
            bring(cache, letter, 40)
            most.append(cache.used_bytes())

    threads = [threading.Thread(target=some, args=(letters,)) for letters in ("abc", "def")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 6
    assert max(most) <= 100
