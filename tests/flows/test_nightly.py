"""A nightly over an inbox, a folder or a bucket: each recording once, whatever it is called, and all of it told."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest

from core import catalog, media
from core.catalog_files import CatalogFiles
from core.errors import StoreError
from core.manifest import Manifest
from core.nightly_files import last_report
from core.nightly_report import NightlyReport
from core.settings import EncodingSettings, RenderSettings, SelectionSettings, Settings
from tests.s3 import own_bucket

ROOT = Path(__file__).parents[2]
LENGTH_S = 12
SAID = "WEBVTT\n\n00:00.300 --> 00:04.400\nHalf of the tides are left out.\n\n00:06.300 --> 00:11.400\nGravity fades.\n"
SETTINGS = Settings(
    selection=SelectionSettings(clips=1, min_s=5, max_s=12),
    rendering=RenderSettings(**EncodingSettings(encoder_preset="ultrafast").model_dump()),
    reel=False,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inbox: a talk with captions, the same talk under another name, and a text that is called a film."""
    folder = tmp_path_factory.mktemp("desk")
    cut = ["-ss", "37.7", "-i", media.file_url(ROOT / "data/samples/tides.mp4"), "-t", str(LENGTH_S)]
    smaller = ["-vf", "scale=320:180,fps=12.5", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    (folder / "monday").mkdir()
    media.run_ffmpeg([*cut, *smaller, media.file_url(folder / "monday/talk.mp4")], what="Cutting", timeout_s=60)
    (folder / "monday/talk.vtt").write_text(SAID)
    shutil.copyfile(folder / "monday/talk.mp4", folder / "zz copy.mp4")
    (folder / "notes.mp4").write_text("Bring the projector.")
    return folder


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with own_bucket("night") as uri:
        yield uri


@pytest.fixture(scope="module", params=["folder", "bucket"])
def places(request: pytest.FixtureRequest, desk: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Where the inbox and the store are."""
    if request.param == "folder":
        inbox, kept = tmp_path_factory.mktemp("inbox"), tmp_path_factory.mktemp("store")
        shutil.copytree(desk, inbox, dirs_exist_ok=True)
        return str(inbox), str(kept)
    uri = request.getfixturevalue("bucket")
    fs, root = fsspec.core.url_to_fs(f"{uri}/inbox")
    fs.put(str(desk), root, recursive=True)
    return f"{uri}/inbox", f"{uri}/store"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("WINNOW_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def run(home: Path, prefect_here: None) -> Callable[..., NightlyReport]:
    from flows.nightly import nightly

    def run(inbox: str, store: str, **more: Any) -> NightlyReport:
        return nightly(inbox, store, settings=SETTINGS, settle_s=0, **more)

    return run


@pytest.fixture(scope="module")
def first(places: tuple[str, str], run: Callable[..., NightlyReport]) -> NightlyReport:
    return run(*places)


def test_each_recording_is_taken_once_and_each_end_is_told(first):
    assert {end.name: end.status for end in first.recordings} == {
        "talk.mp4": "done", "zz copy.mp4": "skipped", "notes.mp4": "rejected"
    } or {end.name: end.status for end in first.recordings} == {
        "talk.mp4": "skipped", "zz copy.mp4": "done", "notes.mp4": "rejected"
    }  # fmt: skip
    assert next(end.reason for end in first.recordings if end.status == "skipped").endswith(
        "under another name as well."
    )


def test_what_was_made_stands_in_the_store_and_in_the_catalog(places, first):
    end = next(end for end in first.recordings if end.status == "done")
    assert end.manifest is not None
    with fsspec.open(end.manifest) as file:
        manifest = Manifest.model_validate_json(file.read())
    fs, folder = fsspec.core.url_to_fs(end.manifest.rpartition("/")[0])
    assert all(fs.exists(f"{folder}/{file}") for clip in manifest.clips for file in clip.files.all)
    clips = catalog.read(places[1], "clips").to_pylist()
    assert [clip["title"] for clip in clips] == [clip.title for clip in manifest.clips]
    assert sorted(run["status"] for run in catalog.read(places[1], "runs").to_pylist()) == ["done", "rejected"]


def test_the_report_is_kept(places, first):
    kept = last_report(places[1])
    assert kept is not None and kept.run_id == first.run_id
    assert [end.status for end in kept.recordings] == [end.status for end in first.recordings]


def test_a_store_with_a_space_in_its_name_is_one_place_for_clips_and_catalog(tmp_path, desk, run):
    inbox, kept = tmp_path / "in box", tmp_path / "the store"
    shutil.copytree(desk / "monday", inbox)
    assert [end.status for end in run(inbox.as_uri(), kept.as_uri()).recordings] == ["done"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in box", "the store"]
    assert {"clips", "catalog", "nightlies", "ends"} <= {path.name for path in kept.iterdir()}


def test_the_next_nightly_has_nothing_to_do(places, first, run):
    again = run(*places)
    assert again.recordings == ()
    assert len(catalog.read(places[1], "clips")) == 1


def test_rows_of_a_killed_nightly_are_moved_by_the_next_one_even_with_nothing_new(tmp_path, desk, run, monkeypatch):
    class Killed(BaseException):
        """What no code of the nightly stops, as SIGKILL."""

    def kill(_: str) -> None:
        raise Killed

    (tmp_path / "inbox").mkdir()
    shutil.copyfile(desk / "notes.mp4", tmp_path / "inbox/notes.mp4")
    inbox, store = str(tmp_path / "inbox"), str(tmp_path / "store")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("flows.nightly.compact", kill)
        run(inbox, store)
    files = CatalogFiles(store)
    assert files.pending("runs") and not files.parts("runs")
    assert run(inbox, store).recordings == ()
    assert files.parts("runs") and not files.pending("runs")


def test_a_damaged_day_of_the_catalog_fails_the_nightly_after_its_report(tmp_path, desk, run):
    (tmp_path / "inbox").mkdir()
    shutil.copyfile(desk / "notes.mp4", tmp_path / "inbox/notes.mp4")
    store = str(tmp_path / "store")
    run(str(tmp_path / "inbox"), store)
    (part,) = CatalogFiles(store).parts("runs")
    whole = Path(part.path).read_bytes()
    Path(part.path).write_bytes(whole[:-9])
    (tmp_path / "inbox/more.mp4").write_text("Bring the screen as well.")
    with pytest.raises(StoreError, match=r"part\.parquet of the catalog failed"):
        run(str(tmp_path / "inbox"), store)
    told = last_report(store)
    assert told is not None and [end.name for end in told.recordings] == ["more.mp4"]
    Path(part.path).write_bytes(whole)
    run(str(tmp_path / "inbox"), store)
    assert catalog.read(store, "runs").num_rows == 2 and not CatalogFiles(store).pending("runs")


def test_a_plan_tells_what_is_new_and_does_nothing(places, first, desk):
    from core.nightly_plan import plan_night

    fresh = plan_night(places[0], f"{places[1]}-other", settle_s=0)
    assert sorted(each.found.name for each in fresh.new) == ["notes.mp4", "talk.mp4", "zz copy.mp4"]
    assert [each.captions.name for each in fresh.new if each.captions] == ["talk.vtt"]
    assert plan_night(*places, settle_s=0).new == ()
    assert (
        plan_night(places[0], f"{places[1]}-other", include=["monday/**"], settle_s=0).new[0].found.name == "talk.mp4"
    )


def test_a_file_that_is_still_written_is_left_for_later(tmp_path, desk):
    from core.nightly_plan import plan_night

    shutil.copytree(desk, tmp_path / "inbox")
    plan = plan_night(str(tmp_path / "inbox"), str(tmp_path / "store"), settle_s=3_600)
    assert plan.new == () and any("still be being written" in note for note in plan.notes)


def test_what_failed_is_listed_with_its_log_and_tried_again_by_name(tmp_path, desk, run, monkeypatch, winnow, home):
    from flows import nightly as module
    from flows import one_recording

    inbox, kept = tmp_path / "inbox", tmp_path / "store"
    shutil.copytree(desk / "monday", inbox)
    with monkeypatch.context() as patch:

        def full(folder: Path, uri: str) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(one_recording, "upload", full)
        with pytest.raises(module.NightlyFailed) as failed:
            run(str(inbox), str(kept))
    assert [(end.status, end.error) for end in failed.value.report.recordings] == [("failed", "OSError")]
    assert [row["status"] for row in catalog.read(str(kept), "runs").to_pylist()] == ["failed"]
    (failure,) = json.loads(winnow("failures", "list", "--store", kept, "--json").out)
    assert (failure["name"], failure["tried"], failure["given_up"]) == ("talk.mp4", 1, False)
    log = Path(failure["look"]).read_text()
    assert "No space left on device" in log and "Traceback" in log and "stage: publish" in log
    assert "next nightly" in winnow("failures", "list", "--store", kept).out
    asked = ("--settle-s", "0", "--clips", "1", "--min-s", "5", "--max-s", "12", "--no-reel")
    again = winnow("failures", "retry", "talk.mp4", "--store", kept, *asked, "--json", env={"WINNOW_HOME": str(home)})
    assert again.code == 0, again.err
    assert [end["status"] for end in json.loads(again.out)["recordings"]] == ["done"]
    assert json.loads(winnow("failures", "list", "--store", kept, "--json").out) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param(["retry", "--store", "STORE"], "--all", id="nothing named"),
        pytest.param(["retry", "no.mp4", "--store", "STORE"], "no.mp4", id="a name that did not fail"),
        pytest.param(["list", "--store", "nowhere"], "nowhere", id="no such store"),
        pytest.param(["retry", "--all", "--store", "STORE", "--at-once", "0"], "--at-once", id="none at once"),
    ],
)
def test_a_retry_that_cannot_be_is_refused_in_a_line(winnow, tmp_path, wrong, told):
    ran = winnow("failures", *(str(tmp_path) if word == "STORE" else word for word in wrong))
    assert ran.code == 2, ran.err
    assert told in ran.err


def test_what_arrives_becomes_an_event_on_the_server(winnow, tmp_path, desk, prefect_server):
    inbox = tmp_path / "in box"
    shutil.copytree(desk / "monday", inbox)
    ran = winnow("watch", "--inbox", inbox, "--store", tmp_path / "store", "--settle-s", "0", "--once")
    assert ran.code == 0, ran.err
    asked = {"filter": {"event": {"name": ["winnow.recording.arrived"]}}}
    end_s, payloads = time.monotonic() + 30, []
    while not payloads:
        assert time.monotonic() < end_s, "the server has no such event"
        found = httpx.post(f"{prefect_server['PREFECT_API_URL']}/events/filter", json=asked).json()["events"]
        payloads = [event["payload"] for event in found if event["payload"]["inbox"] == inbox.as_uri()]
        time.sleep(0.2)
    assert [(told["uri"], told["store"]) for told in payloads] == [
        ((inbox / "talk.mp4").as_uri(), (tmp_path / "store").as_uri())
    ]


def test_the_command_tells_what_it_would_do_as_json(winnow, tmp_path, desk):
    ran = winnow("nightly", "--inbox", desk, "--store", tmp_path, "--settle-s", "0", "--dry-run", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert len(told["new"]) == 3 and told["known"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param(["--inbox", "nowhere"], "nowhere", id="no such inbox"),
        pytest.param(["--inbox", "ftp://host/x"], "ftp", id="an inbox of another kind"),
        pytest.param(["--inbox", ".", "--template", "none"], "none", id="no such template"),
    ],
)
def test_what_cannot_begin_is_refused_in_a_line(winnow, tmp_path, wrong, told):
    ran = winnow("nightly", *wrong, "--store", tmp_path / "store", "--dry-run")
    assert ran.code == 2, ran.err
    assert told in ran.err and "Traceback" not in ran.err
    assert not (tmp_path / "store").exists()


def test_the_status_tells_how_the_last_nightly_ended(winnow, places, first):
    env = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    ran = winnow("status", "--store", places[1], env=env)
    assert ran.code == 0, ran.err
    assert "Last nightly" in ran.out and "0 waiting" in ran.out
    told = json.loads(winnow("status", "--store", places[1], "--json", env=env).out)
    kept = last_report(places[1])
    assert kept is not None and told["last"]["run_id"] == kept.run_id


def test_a_recording_that_is_forgotten_leaves_the_store_and_is_not_taken_again(tmp_path, desk, run, winnow, home):
    inbox, kept = tmp_path / "inbox", tmp_path / "store"
    shutil.copytree(desk / "monday", inbox)
    sha256 = next(end.sha256 for end in run(str(inbox), str(kept)).recordings)
    ran = winnow("forget", sha256, "--store", kept, env={"WINNOW_HOME": str(home)})
    assert ran.code == 0, ran.err
    assert not [path for path in kept.rglob("*") if sha256 in str(path)]
    assert catalog.read(str(kept), "clips").num_rows == 0
    assert [(end.status, end.reason) for end in run(str(inbox), str(kept)).recordings] == [
        ("skipped", "The recording was forgotten.")
    ]


def test_forgetting_what_is_no_hash_is_refused(winnow, tmp_path):
    ran = winnow("forget", "../../etc", "--store", tmp_path)
    assert ran.code == 2 and "SHA-256" in ran.err
