"""Claims: of those who end a recording one names the run, and all see the same."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import claims, once
from core.errors import StoreError
from core.patience import opened
from tests.s3 import own_bucket

SHA256 = "ab" * 32
MONDAY, TUESDAY = datetime(2026, 3, 2, 23, 50, tzinfo=UTC), datetime(2026, 3, 3, 0, 5, tzinfo=UTC)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "store")
        return
    with own_bucket("claims") as uri:
        yield f"{uri}/store"


def test_the_first_claim_stands_for_everybody(store):
    assert claims.claim(store, SHA256, "first", MONDAY).run_id == "first"
    assert claims.claim(store, SHA256, "second", TUESDAY) == claims.Claim(run_id="first", began=MONDAY)
    assert claims.claim(store, SHA256, "first", MONDAY).began == MONDAY


def test_of_many_at_once_one_wins_and_all_are_told_the_same(store):
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda n: claims.claim(store, SHA256, f"run {n}", MONDAY), range(8)))
    assert len(set(seen)) == 1


def test_an_end_is_noted_once_and_may_be_taken_back(store):
    assert claims.concluded(store, SHA256) is None
    done = claims.End(run_id="first", status="done", manifest="somewhere/manifest.json")
    assert claims.conclude(store, SHA256, done)
    assert not claims.conclude(store, SHA256, claims.End(run_id="second", status="rejected"))
    assert claims.concluded(store, SHA256) == done
    claims.claim(store, SHA256, "first", MONDAY)
    assert claims.reopen(store, SHA256) == 2
    assert claims.concluded(store, SHA256) is None and claims.reopen(store, SHA256) == 0


def test_what_is_no_claim_is_told_and_not_overwritten(tmp_path):
    fs, root = opened(tmp_path)
    path = f"{root}/ends/ab/{SHA256}.claim.json"
    assert once.create(fs, path, b"{}")
    with pytest.raises(StoreError, match=r"claim\.json"):
        claims.claim(tmp_path, SHA256, "first", MONDAY)
    assert Path(path).read_bytes() == b"{}"


def test_a_file_that_is_written_once_is_whole_and_leaves_nothing_beside_it(tmp_path):
    fs, root = opened(tmp_path)
    assert once.create(fs, f"{root}/a/b", b"one")
    assert once.create(fs, f"{root}/a/b", b"one"), "the same again is no conflict"
    assert not once.create(fs, f"{root}/a/b", b"two")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"] and once.read(fs, f"{root}/a/b") == b"one"
    assert (
        once.remove(fs, f"{root}/a/b") and not once.remove(fs, f"{root}/a/b") and once.read(fs, f"{root}/a/b") is None
    )
