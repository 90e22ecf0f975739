"""Structured logs."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import BadSetting
from core.logs import OWN, bound, carried, configure, context, formatter, switch_on
from core.masking import Mask

log = logging.getLogger("core.somewhere")
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a configured log goes to; the root logger is as before afterwards."""
    root = logging.getLogger()
    before, levels = list(root.handlers), {name: logging.getLogger(name).level for name in OWN}
    yield io.StringIO()
    root.handlers[:] = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure("json", "INFO", stream=stream, secrets=[SecretStr("correct horse battery")])
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_time_level_logger_and_ids(lines):
    with bound(run_id="r1"), bound(sha256="ab" * 32, recording="talk.mp4", stage="render"):
        log.info("cut %d clips", 3, extra={"clips": 3})
    (event,) = lines()
    assert {name: event[name] for name in ("level", "logger", "event", "clips")} == {
        "level": "info",
        "logger": "core.somewhere",
        "event": "cut 3 clips",
        "clips": 3,
    }
    assert (event["run_id"], event["sha256"], event["recording"], event["stage"]) == (
        "r1",
        "ab" * 32,
        "talk.mp4",
        "render",
    )
    assert datetime.fromisoformat(event["time"]).utcoffset() == timedelta(0)


def test_ids_end_with_their_block_and_come_back_inside_out():
    with bound(run_id="r1", stage="probe"):
        with bound(stage="render"):
            assert context() == {"run_id": "r1", "stage": "render"}
        assert context() == {"run_id": "r1", "stage": "probe"}
    assert context() == {}


def test_threads_of_a_pool_carry_the_ids_of_whoever_started_them(lines):
    with ThreadPoolExecutor(4) as pool:
        for name in ("a.mp4", "b.mp4"):
            with bound(recording=name):
                list(pool.map(carried(lambda n, name=name: log.info("%s", name, extra={"n": n})), range(8)))
    assert all(event["recording"] == event["event"] for event in lines())
    assert len(lines()) == 16


def test_a_thread_carries_the_ids_after_the_block_that_started_it_has_ended(lines):
    with bound(recording="talk.mp4"):
        thread = threading.Thread(target=carried(log.info), args=("late",))
    thread.start()
    thread.join()
    assert lines()[0]["recording"] == "talk.mp4"


def test_an_exception_is_data_with_its_frames_and_its_cause(lines):
    try:
        try:
            int("no number")
        except ValueError as error:
            raise RuntimeError("reading the talk failed") from error
    except RuntimeError:
        log.exception("it failed")
    exception, cause = lines()[0]["exception"]
    assert (exception["exc_type"], exception["exc_value"]) == ("RuntimeError", "reading the talk failed")
    assert exception["frames"][-1]["name"] == "test_an_exception_is_data_with_its_frames_and_its_cause"
    assert cause["exc_type"] == "ValueError"
    assert "locals" not in exception["frames"][-1], "values of variables may be secrets"


def test_secrets_are_masked_in_words_data_and_exceptions(lines, stream, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    try:
        raise OSError("wJalrXUtnFEMI was refused")
    except OSError:
        log.exception("with %s", "correct horse battery", extra={"path": Path("/x/wJalrXUtnFEMI"), "api_key": "zz"})
    assert lines()[0]["exception"][0]["exc_type"] == "OSError"
    assert not any(secret in stream.getvalue() for secret in ("wJalrXUtnFEMI", "correct horse", "zz"))


def test_the_text_form_masks_the_same(stream, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    configure("text", stream=stream)
    try:
        raise OSError("wJalrXUtnFEMI was refused")
    except OSError:
        log.exception("at s3://me:pass@host/x", extra={"path": Path("/x/wJalrXUtnFEMI"), "api_key": "zz"})
    assert "OSError: ********** was refused" in stream.getvalue()
    assert not any(secret in stream.getvalue() for secret in ("wJalrXUtnFEMI", "me:pass", "zz"))


STRANGE = {
    "two lines": "two\nlines",
    "other line ends": "u\u2028\x85\r",
    "a lone surrogate": "lone \udc80 surrogate",
    "a colour": "\x1b[31mred",
    "not ASCII": "ünï 漢",
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_text_stays_on_one_line_and_comes_back_whole(name):
    # By the formatter alone: what pytest keeps of a logged surrogate cannot be sent between its processes.
    line = formatter("json", Mask()).format(logging.makeLogRecord({"msg": STRANGE[name], "name": "core.somewhere"}))
    assert line.isascii() and len(line.splitlines()) == 1
    assert json.loads(line)["event"] == STRANGE[name]


def test_values_that_json_lacks_do_not_lose_the_event(lines):
    log.info("odd", extra={"nan": float("nan"), "when": {1}, "who": object, "bytes": b"x"})
    (event,) = lines()
    assert (event["event"], event["nan"]) == ("odd", "nan")


def test_words_that_do_not_fit_their_arguments_do_not_lose_the_event():
    record = logging.makeLogRecord({"msg": "%d clips", "args": ("no number",), "name": "core.x"})
    assert json.loads(formatter("json", Mask()).format(record))["event"] == "%d clips ('no number',)"


def test_configuring_twice_writes_each_event_once(stream):
    for form in ("json", "text", "json"):
        configure(form, stream=stream)
    log.info("once")
    assert stream.getvalue().count("once") == 1


def test_other_libraries_stay_at_their_level_and_ours_follow(stream):
    configure("json", "DEBUG", stream=stream)
    log.debug("ours")
    logging.getLogger("some.library").info("theirs")
    assert "ours" in stream.getvalue()
    assert "theirs" not in stream.getvalue()


def test_the_text_form_has_the_ids_and_no_event_can_pass_for_another(stream):
    configure("text", stream=stream)
    with bound(recording="talk.mp4"):
        log.warning("first\n2026-01-01T00:00:00.000Z error core: forged\x1b[2J")
    first, second = stream.getvalue().splitlines()
    assert "[warning  ] first" in first
    assert second.startswith("    ")
    assert "\\x1b" in second
    assert "[core.somewhere]" in second and "recording=talk.mp4" in second


def test_an_exception_in_the_text_form_cannot_pass_for_an_event(stream):
    configure("text", stream=stream)
    try:
        raise ValueError("one\n2026-01-01T00:00:00.000Z [error    ] forged")
    except ValueError:
        log.exception("it failed", extra={"file": "a\x1b[2J"})
    head, *rest = stream.getvalue().splitlines()
    assert "it failed" in head and "\\x1b" in head
    assert rest and all(line.startswith("    ") or line.startswith("Traceback") for line in rest)


@pytest.mark.parametrize("form", ["json", "text"])
def test_fields_of_ours_are_not_overwritten_by_data(stream, form):
    configure(form, stream=stream)
    log.error("nothing was raised", exc_info=True, extra={"event": "other", "level": "other", "time": "other"})
    assert "nothing was raised" in stream.getvalue() and "other" not in stream.getvalue()


def test_without_a_setting_nothing_is_switched_on(stream, monkeypatch):
    monkeypatch.delenv("WINNOW_LOG", raising=False)
    before = list(logging.getLogger().handlers)
    assert switch_on() is None
    assert logging.getLogger().handlers == before


def test_the_first_switch_counts_and_its_level_holds(stream, monkeypatch, capsys):
    monkeypatch.setenv("WINNOW_LOG", "json")
    monkeypatch.setenv("WINNOW_LOG_LEVEL", "warning")
    assert switch_on() is switch_on() is not None
    log.info("quiet")
    log.warning("loud")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


@pytest.mark.parametrize(("name", "value"), [("WINNOW_LOG", "xml"), ("WINNOW_LOG_LEVEL", "louder")])
def test_settings_that_say_nothing_are_refused(stream, monkeypatch, name, value):
    monkeypatch.setenv("WINNOW_LOG", "json")
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=name):
        switch_on()


PREFECT = """
import logging, sys
import prefect.main
from prefect.logging.configuration import PROCESS_LOGGING_CONFIG, setup_logging
from core.logs import configure

def told(when):
    logging.getLogger("core.x").info("ours " + when)
    logging.getLogger("prefect.flow_runs").warning("theirs " + when)
    kinds = [type(h).__name__ for h in logging.getLogger("prefect.flow_runs").handlers]
    print(kinds, len(logging.getLogger().handlers))

configure("json")
told("after Prefect")
PROCESS_LOGGING_CONFIG.clear()  # as in a process where Prefect is imported only now
setup_logging()
told("before Prefect")
"""


def test_beside_prefect_nothing_is_doubled_and_its_handlers_stay(tmp_path):
    env = {**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore"}
    ran = subprocess.run([sys.executable, "-c", PREFECT], capture_output=True, text=True, timeout=120, env=env)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["['APILogHandler'] 1"] * 2
    events = [json.loads(line)["event"] for line in ran.stderr.splitlines()]
    assert events == [f"{whose} {when} Prefect" for when in ("after", "before") for whose in ("ours", "theirs")]
