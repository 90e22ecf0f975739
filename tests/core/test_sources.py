import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import bucket
from core.backoff import Backoff
from core.errors import BadSetting, RefusedInput, StoreError
from core.files import to_path
from core.sources import Listing, captions_beside, changes, list_inbox
from tests.core.s3_server import Server, misbehaving_s3

LATER_S = 10_000.0


@pytest.fixture(scope="module")
def s3() -> Iterator[Server]:
    with misbehaving_s3() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def inbox(request, tmp_path) -> str:
    """An empty inbox of either kind."""
    if request.param == "folder":
        (tmp_path / "in").mkdir()
        return str(tmp_path / "in")
    return f"{request.getfixturevalue('s3').uri}/{tmp_path.name}"


def put(inbox: str, *keys: str, content: bytes = b"123") -> None:
    for key in keys:
        if bucket.is_s3(inbox):
            name, prefix = bucket.folder(inbox)
            bucket.ask("put_object", what="Putting", Bucket=name, Key=prefix + key, Body=content)
        else:
            path = Path(inbox, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def listed(inbox: str, **settings) -> Listing:
    """The inbox once everything in it has settled."""
    return list_inbox(inbox, now_s=time.time() + LATER_S, **settings)


def keys(inbox: str, objects) -> list[str]:
    """Paths below the inbox."""
    if bucket.is_s3(inbox):
        return sorted(o.uri.removeprefix(f"{inbox}/") for o in objects)
    return sorted(os.path.relpath(to_path(o.uri), inbox) for o in objects)


ODD = ["with space.mp4", "100%.mp4", "a?b#c.mp4", "ünï/🎓.mp4", "plus+plus.mp4", "tab\tand'\"&<>.mp4", "empty.mp4"]


def test_everything_is_found_with_its_size_and_time(inbox):
    put(inbox, *ODD[:-1], "deep/er/talk.mkv")
    put(inbox, "empty.mp4", content=b"")
    found = listed(inbox)
    assert keys(inbox, found.objects) == sorted([*ODD, "deep/er/talk.mkv"])
    assert {o.bytes for o in found.objects if "empty" not in o.uri} == {3}
    assert [o.bytes for o in found.objects if "empty" in o.uri] == [0]
    assert all(abs(o.modified_s - time.time()) < 60 and o.tag for o in found.objects)
    assert [o.uri for o in found.objects] == sorted(o.uri for o in found.objects)


def test_hidden_files_and_what_was_published_are_passed_over(inbox):
    put(inbox, "talk.mp4", ".hidden.mp4", ".cache/a.mp4", "deep/.x/a.mp4")
    put(inbox, "talk-1234/manifest.json", "talk-1234/01-clip.mp4", "talk-1234/hls/a.mp4", "talk-12345/other.mp4")
    assert keys(inbox, listed(inbox, include=["*.mp4"]).objects) == ["talk-12345/other.mp4", "talk.mp4"]


def test_a_manifest_at_the_top_does_not_hide_the_inbox(inbox):
    put(inbox, "manifest.json", "talk.mp4")
    assert keys(inbox, listed(inbox).objects) == ["manifest.json", "talk.mp4"]


def test_patterns_choose(inbox):
    put(inbox, "a.mp4", "raw/a.mp4", "b.MKV", "notes.txt")
    assert keys(inbox, listed(inbox, include=["*.mp4", "*.mkv"], exclude=["raw/"]).objects) == ["a.mp4", "b.MKV"]
    with pytest.raises(BadSetting):
        listed(inbox, include=[""])


def test_captions_are_told_with_the_recording_they_belong_to(inbox):
    put(inbox, "a.mp4", "a.srt", "a.vtt", "b.mp4", "b.SRT", "c.mp4", "deep/c.srt")
    found = listed(inbox, include=["*.mp4"])
    beside = captions_beside(found)
    assert {to_path(k).name if k[0] == "f" else k.rpartition("/")[2]: v.name for k, v in beside.items()} == {
        "a.mp4": "a.vtt",
        "b.mp4": "b.SRT",
    }
    assert keys(inbox, found.captions) == ["a.srt", "a.vtt", "b.SRT", "deep/c.srt"]


def test_what_a_download_calls_unfinished_is_left_for_later(inbox):
    put(inbox, "a.mp4.part", "b.mp4.crdownload", "c.tmp", "whole.mp4", "d.mp4", "d.mp4.aria2")
    found = listed(inbox, include=["*.mp4"])
    assert keys(inbox, found.objects) == ["whole.mp4"]
    assert keys(inbox, found.unsettled) == ["a.mp4.part", "b.mp4.crdownload", "d.mp4", "d.mp4.aria2"]


def test_a_change_between_two_listings_is_told(inbox):
    put(inbox, "same.mp4", "changed.mp4", "gone.mp4")
    before = listed(inbox)
    put(inbox, "changed.mp4", content=b"456")
    put(inbox, "new.mp4")
    if bucket.is_s3(inbox):
        bucket.file_system().rm_file(f"{inbox}/gone.mp4")
    else:
        Path(inbox, "gone.mp4").unlink()
    told = changes(before, listed(inbox))
    assert keys(inbox, told.new) == ["new.mp4"]
    assert keys(inbox, told.changed) == ["changed.mp4"]
    assert keys(inbox, told.gone) == ["gone.mp4"]
    assert changes(before, before).new == ()


def test_a_file_that_is_being_written_again_is_not_gone(tmp_path):
    put(str(tmp_path), "a.mp4")
    before, now = listed(str(tmp_path)), list_inbox(str(tmp_path))
    assert changes(before, now).gone == ()


def test_a_local_file_settles(tmp_path):
    put(str(tmp_path), "a.mp4")
    os.utime(tmp_path / "a.mp4", (1, 1))  # as `cp -p` leaves it: old by one time, new by the other
    written_s = (tmp_path / "a.mp4").stat().st_ctime
    assert list_inbox(str(tmp_path), settle_s=60, now_s=written_s + 59).objects == ()
    assert len(list_inbox(str(tmp_path), settle_s=60, now_s=written_s + 61).objects) == 1
    assert len(list_inbox(str(tmp_path), settle_s=0).objects) == 1


def test_a_time_in_the_far_future_keeps_no_file_waiting(tmp_path):
    put(str(tmp_path), "a.mp4")
    os.utime(tmp_path / "a.mp4", (4e9, 4e9))
    assert len(listed(str(tmp_path)).objects) == 1


def test_links_are_followed_once_and_loops_end(tmp_path):
    inbox, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    put(str(inbox), "z/talk.mp4")
    put(str(elsewhere), "far.mp4")
    (inbox / "a-to-z").symlink_to(inbox / "z")
    (inbox / "z/up").symlink_to(inbox)
    (inbox / "mount").symlink_to(elsewhere)
    (inbox / "self").symlink_to("self")
    (inbox / "nowhere.mp4").symlink_to("missing")
    (inbox / "file.mp4").symlink_to(elsewhere / "far.mp4")
    found = listed(str(inbox))
    assert keys(str(inbox), found.objects) == ["file.mp4", "mount/far.mp4", "z/talk.mp4"]
    assert len(found.unreadable) == 2
    assert "nowhere.mp4: No such file" in found.unreadable[0]


def test_names_that_are_no_text_lead_back_to_their_file(tmp_path):
    name = os.fsdecode(b"\xff\xfe new\nline %41.mp4")
    put(str(tmp_path), name)
    (found,) = listed(str(tmp_path)).objects
    assert found.uri.isascii()
    assert to_path(found.uri).read_bytes() == b"123"
    assert found.name == name


def test_what_is_no_plain_file_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door.mp4"))
        assert listed(str(tmp_path)).objects == ()


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_listed(tmp_path, monkeypatch):
    put(str(tmp_path), "a.mp4", "locked/b.mp4")
    real = os.scandir

    def refusing(path):  # permissions do not hold back the superuser, who may run these tests
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = listed(str(tmp_path))
    assert keys(str(tmp_path), found.objects) == ["a.mp4"]
    assert found.unreadable == (f"{tmp_path}/locked: Permission denied",)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("/no/such/folder", "not a folder that exists"),
        ("gs://bucket/x", "not gs://"),
        ("s3://", "needs a bucket"),
        ("s3://AKIA:verysecret@bucket/x", "must not hold credentials"),
    ],
)
def test_an_inbox_that_is_none_is_refused(uri, says):
    with pytest.raises(RefusedInput, match=says) as refused:
        list_inbox(uri)
    assert "verysecret" not in str(refused.value)


def test_a_bucket_is_listed_in_pages_and_no_object_is_asked_for(s3, tmp_path, monkeypatch):
    inbox = f"{s3.uri}/{tmp_path.name}"
    put(inbox, *(f"{n}.mp4" for n in range(7)), "folder/")
    monkeypatch.setattr(bucket, "PAGE", 3)
    s3.served.clear()
    found = listed(inbox)
    assert len(found.objects) == 7
    assert found.requests == len(s3.served) == 3
    assert {line.partition("?")[0] for line in s3.served} == {f"GET /{s3.uri.removeprefix('s3://')}"}


def test_a_neighbouring_prefix_is_another_inbox(s3, tmp_path):
    put(f"{s3.uri}/{tmp_path.name}", "a.mp4")
    put(f"{s3.uri}/{tmp_path.name}-other", "b.mp4")
    assert [o.name for o in listed(f"{s3.uri}/{tmp_path.name}").objects] == ["a.mp4"]


def test_a_busy_server_is_asked_again(s3, tmp_path, monkeypatch):
    inbox = f"{s3.uri}/{tmp_path.name}"
    put(inbox, "a.mp4")
    monkeypatch.setattr("core.backoff.time.sleep", lambda _: None)
    s3.misbehave("GET", "busy", "busy")
    assert len(list_inbox(inbox).objects) == 1


def test_a_server_that_refuses_is_asked_once_and_no_secret_is_told(s3):
    s3.misbehave("GET", "deny")
    s3.served.clear()
    with pytest.raises(StoreError, match="Listing s3://.* 403 AccessDenied; these credentials") as refused:
        list_inbox(s3.uri)
    assert len(s3.served) == 1
    assert "AKIASECRET" not in str(refused.value)


def test_a_bucket_that_does_not_exist_is_told(s3):
    with pytest.raises(StoreError, match="404 NoSuchBucket; it is not there"):
        list_inbox("s3://no-such-bucket/x")


def test_a_server_that_is_away_is_told_by_the_setting_to_check(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="EndpointConnectionError; check AWS_ENDPOINT_URL"):
        bucket.ask("list_objects_v2", what="Listing", backoff=Backoff(attempts=2, base_s=0.01), Bucket="b")


def test_all_threads_share_their_connections_until_the_environment_leads_elsewhere(s3, monkeypatch):
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(bucket.file_system).result() is bucket.file_system()
    before = bucket.file_system()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    assert bucket.file_system() is not before
