"""Secrets out of a block of a real Prefect server, for an S3 server that asks for credentials."""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import s3fs
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings

from core.dead_letters import failures
from core.errors import BadSetting
from core.jobs import Job
from core.masking import Mask
from core.sources import list_inbox
from flows import secret_block
from flows.secret_block import take_secrets
from tests.s3 import own_bucket

HELD = {"AWS_ACCESS_KEY_ID": "kept-on-the-server", "AWS_SECRET_ACCESS_KEY": "not-told-to-anybody"}


@pytest.fixture
def block(prefect_here: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a block, for a process whose environment holds no secrets."""
    name = "winnow-test"
    for variable in HELD:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(secret_block, "_from_block", {})
    monkeypatch.setenv("WINNOW_SECRET_BLOCK", name)
    Secret(value=HELD).save(name, overwrite=True)
    yield name
    Secret.delete(name)
    for variable in HELD:
        os.environ.pop(variable, None)


def test_a_bucket_is_reached_with_what_the_block_holds(block, tmp_path, caplog):
    with own_bucket("secrets") as uri, pytest.MonkeyPatch.context() as patch:
        s3fs.S3FileSystem().pipe_file(f"{uri}/talk.mp4", b"talk")
        for variable in HELD:
            patch.delenv(variable)
        with caplog.at_level(logging.DEBUG):
            take_secrets()
            assert os.environ["AWS_ACCESS_KEY_ID"] == HELD["AWS_ACCESS_KEY_ID"]
            assert [found.name for found in list_inbox(uri).objects] == ["talk.mp4"]
        for variable in HELD:
            del os.environ[variable]
    assert HELD["AWS_SECRET_ACCESS_KEY"] not in caplog.text


def test_what_was_in_the_environment_stays_and_what_changed_in_the_block_is_taken(block, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "my own")
    take_secrets()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "my own"
    Secret(value=HELD | {"AWS_SECRET_ACCESS_KEY": "changed-since"}).save(block, overwrite=True)
    take_secrets()
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "changed-since"
    assert "changed-since" not in Mask().text("it is changed-since then")


def test_text_in_the_form_that_the_ui_keeps_is_read(block):
    Secret(value='{"WINNOW_WEBHOOK_SECRET": "0123456789abcdef"}').save(block, overwrite=True)
    take_secrets()
    assert os.environ.pop("WINNOW_WEBHOOK_SECRET") == "0123456789abcdef"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("only-a-password", "does not hold an object"),
        ({"AWS_ACCESS_KEY_ID": 12345678}, "does not hold an object"),
        ({"LD_PRELOAD": "harmful.so"}, "not LD_PRELOAD"),
    ],
)
def test_a_block_that_holds_something_else_is_refused_and_not_shown(block, held, said):
    Secret(value=held).save(block, overwrite=True)
    with pytest.raises(BadSetting, match=said) as refused:
        take_secrets()
    assert not any(str(value) in str(refused.value) for value in ("only-a-password", "12345678", "harmful"))
    assert "LD_PRELOAD" not in os.environ


def test_a_command_says_that_there_is_no_such_block(block, winnow, tmp_path):
    ran = winnow("status", "--store", tmp_path, env={"WINNOW_SECRET_BLOCK": "elsewhere"})
    assert (ran.code, ran.out) == (2, "")
    assert "no secret block called elsewhere" in ran.err and "Traceback" not in ran.err


def test_without_a_server_no_server_is_begun_for_the_question(block, monkeypatch):
    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(BadSetting, match="no Prefect server is configured"),
    ):
        take_secrets()


def test_a_nightly_reads_and_writes_a_bucket_with_them_and_tells_nobody(block, tmp_path, winnow_home, monkeypatch):
    from flows.nightly import nightly

    with own_bucket("night") as uri, pytest.MonkeyPatch.context() as patch:
        s3fs.S3FileSystem().pipe_file(f"{uri}/inbox/notes.mp4", b"Bring the projector.")
        for variable in HELD:
            patch.delenv(variable)
        s3fs.S3FileSystem.clear_instance_cache()
        report = nightly(f"{uri}/inbox", f"{uri}/store", settle_s=0)
        assert [(end.name, end.status) for end in report.recordings] == [("notes.mp4", "rejected")]
        files = s3fs.S3FileSystem(use_listings_cache=False)
        kept = b"".join(files.cat_file(path) for path in files.find(f"{uri}/store"))
        assert kept and HELD["AWS_SECRET_ACCESS_KEY"].encode() not in kept
        for variable in HELD:
            del os.environ[variable]


def test_a_worker_that_finds_no_block_tells_it_as_the_recording_s_end(block, tmp_path, winnow_home, monkeypatch):
    from flows.one_recording import take

    monkeypatch.setenv("WINNOW_SECRET_BLOCK", "elsewhere")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/talk.mp4").write_bytes(b"talk")
    found = list_inbox(str(tmp_path / "inbox"), settle_s=0).objects[0]
    end = take(Job(run_id="r1", began=datetime.now(UTC), store_uri=str(tmp_path / "store"), found=found))
    assert (end.status, end.error) == ("failed", "BadSetting")
    assert "no secret block called elsewhere" in (end.reason or "")
    told = failures(str(tmp_path / "store")).values()
    assert [(failure.name, failure.attempts) for failure in told] == [("talk.mp4", 0)], (
        "it is no fault of the recording"
    )


def test_nothing_is_asked_for_where_no_block_is_named(monkeypatch):
    monkeypatch.setenv("WINNOW_SECRET_BLOCK", "")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    take_secrets()
