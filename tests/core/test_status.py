"""What files tell of the work."""

from core.markers import marked
from core.nightly_files import write_report
from core.status import status
from tests.core.nightly_samples import HOSTILE, whole_night


def test_what_runs_what_waits_and_how_the_last_night_went(tmp_path):
    home, store = tmp_path / "home", str(tmp_path / "store")
    write_report(store, whole_night(), html="", markdown="")
    with (
        marked(home, "nightly", run_id="n", name="nightly") as night,
        marked(home, "recording", run_id="n", name="talk.mp4", sha256="ab" * 32),
    ):
        night.waiting(5)
        found = status(home, store)
    assert [mark.name for mark in found.running] == ["talk.mp4"]
    assert [mark.run_id for mark in found.nightlies] == ["n"]
    assert found.waiting == 5
    assert found.last == whole_night()
    assert [end.name for end in found.failures] == [f"{HOSTILE}.mp4"]
    assert found.trouble == ()


def test_disk_use_is_told_by_folder_and_links_are_not_followed(tmp_path):
    home = tmp_path / "home"
    for name, size in (("analysis/ab/x.bin", 1_000), ("copies/y.bin", 20), ("rates.json", 3)):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x" * size)
    (tmp_path / "elsewhere.bin").write_bytes(b"x" * 5_000)
    (home / "link").symlink_to(tmp_path / "elsewhere.bin")
    disk = status(home).disk
    assert disk is not None
    assert disk.parts == {"analysis": 1_000, "copies": 20, "other": 3}
    assert disk.used == 1_023
    assert 0 < disk.free < disk.total


def test_a_machine_on_which_nothing_ran_has_nothing_to_tell(tmp_path):
    found = status(tmp_path / "nowhere", str(tmp_path / "none"))
    assert (found.running, found.waiting, found.last, found.disk, found.failures) == ((), 0, None, None, [])


def test_a_store_that_does_not_answer_is_trouble_and_the_rest_is_told(tmp_path, monkeypatch):
    for name, value in (
        ("ACCESS_KEY_ID", "test"),
        ("SECRET_ACCESS_KEY", "test"),
        ("ENDPOINT_URL", "http://127.0.0.1:9"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    with marked(tmp_path, "recording", run_id="n", name="talk.mp4"):
        found = status(tmp_path, "s3://nobody/there")
    assert len(found.running) == 1
    assert "Reading the reports" in found.trouble[0]
