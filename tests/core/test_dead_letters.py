"""Recordings that failed: how often it counts, what ends the count, and which are meant by a name."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.catalog import record
from core.catalog_rows import Run
from core.dead_letters import chosen, failures, pardon
from core.errors import RefusedInput
from core.nightly_plan import plan_night
from tests.core.catalog_samples import MONDAY, A, B, manifest, run

URI = "s3://inbox/abab.mp4"


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def fail(store: str, *days: int, sha256: str | None = A, **more: object) -> None:
    for day in days:
        on = MONDAY + timedelta(days=day)
        record(store, run(sha256, id=f"night {day}", day=on, status="failed", reason="No space.", **more), None)


def test_where_nothing_failed_there_is_nothing(store):
    assert failures(store) == {}
    record(store, run(), manifest())
    assert failures(store) == {}


def test_failures_are_counted_and_the_last_one_is_told(store):
    fail(store, 0)
    fail(store, 1, error="MediaError", stage="render", log="store/failures/x.txt")
    found = failures(store)[URI]
    assert (found.attempts, found.tried, found.error, found.stage) == (2, 2, "MediaError", "render")
    assert found.last.date() == date(2026, 3, 3) and found.look == "store/failures/x.txt"
    assert not found.given_up(3) and found.given_up(2)


@pytest.mark.parametrize(("status", "left"), [("done", 0), ("rejected", 0)])
def test_an_end_makes_up_for_failures_before_it(store, status, left):
    fail(store, 0, 1)
    later = run(id="later", day=MONDAY + timedelta(days=2), status=status)
    record(store, later, manifest() if status == "done" else None)
    assert len(failures(store)) == left
    fail(store, 3)
    assert failures(store)[URI].tried == 1


def test_a_pardon_lets_what_was_before_it_count_no_more(store):
    fail(store, 0, 1, 2)
    pardon(store, [URI], at=datetime(2026, 3, 5, tzinfo=UTC))
    found = failures(store)[URI]
    assert (found.attempts, found.tried) == (0, 3)
    fail(store, 5)
    assert failures(store)[URI].attempts == 1


def test_nights_of_an_outage_make_no_dead_letters(store):
    fail(store, 0, 1, 2, 3, error="StoreError")
    fail(store, 4, error="ConnectError")
    found = failures(store)[URI]
    assert (found.attempts, found.tried) == (0, 5) and not found.given_up(1)


def test_a_recording_is_meant_by_its_name_its_uri_and_its_hash(store):
    fail(store, 0)
    fail(store, 0, sha256=B)
    every = failures(store).values()
    assert {failure.sha256 for failure in chosen(every, ["talk.mp4"])} == {A, B}
    assert [failure.sha256 for failure in chosen(every, [B[:8]])] == [B]
    assert [failure.uri for failure in chosen(every, [URI, A])] == [URI]
    with pytest.raises(RefusedInput, match="failures list"):
        chosen(every, [A[:6]])


def test_what_failed_too_often_is_left_by_a_plan_until_it_is_pardoned_or_changes(tmp_path, store):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    talk = inbox / "a talk.mp4"
    talk.write_bytes(b"talk")
    plan = plan_night(str(inbox), store, settle_s=0)
    uri = plan.new[0].found.uri
    now = datetime.now(UTC)
    for number in range(3):
        failed = Run(
            id=f"night {number}", day=now.date(), began=now, status="failed", name="a talk.mp4", uri=uri, seconds=1.0
        )
        record(store, failed, None)
    left = plan_night(str(inbox), store, settle_s=0)
    assert left.new == () and [found.name for found in left.given_up] == ["a talk.mp4"]
    assert any("winnow failures list" in note for note in left.notes)
    assert len(plan_night(str(inbox), store, settle_s=0, most_attempts=4).new) == 1
    pardon(store, [uri], at=now + timedelta(seconds=2))
    assert len(plan_night(str(inbox), store, settle_s=0).new) == 1


def test_a_plan_for_named_objects_looks_at_nothing_else(tmp_path, store):
    inbox = tmp_path / "in box"
    for name in ("one/a.mp4", "one/b.mp4", "two/c.mp4"):
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(name.encode())
    (inbox / "one/a.vtt").write_text("WEBVTT\n")
    (uri,) = [each.found.uri for each in plan_night(str(inbox), store, settle_s=0).new if each.found.name == "a.mp4"]
    plan = plan_night(str(inbox), store, settle_s=0, only=[uri])
    assert [each.found.name for each in plan.new] == ["a.mp4"] and plan.new[0].captions is not None
    by_path = plan_night(str(inbox), store, settle_s=0, only=[str(inbox / "one/a.mp4")])
    assert [each.found.uri for each in by_path.new] == [uri]
    assert plan_night(str(inbox), store, settle_s=0, only=[uri], include=["two/**"]).new == ()
    with pytest.raises(RefusedInput, match="not in the inbox"):
        plan_night(str(inbox), store, settle_s=0, only=[(tmp_path / "else.mp4").as_uri()])
