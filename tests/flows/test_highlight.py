"""The main job through the command, as a user runs it, on real recordings and a real Prefect server."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from core import media
from core.probe import probe
from tests.prefect_server import with_tables

ROOT = Path(__file__).parents[2]
FEW = ("--clips", "2", "--min-s", "12", "--max-s", "20")
ONE = ("--clips", "1", *FEW[2:], "--no-reel")
ONE_SHORT = ("--clips", "1", "--min-s", "5", "--max-s", "8")
CHEAP = ("silences", "merge", "select", "render", "reel")
"""Stages that take no model."""
TRUTH = json.loads((ROOT / "data/samples/tides.truth.json").read_text())


def make(path, *arguments):
    media.run_ffmpeg([*map(str, arguments), media.file_url(path)], what="Making a test file", timeout_s=60)
    return path


def cached(manifest):
    return {stage["name"]: stage["cached"] for stage in manifest["stages"]}


@pytest.fixture(scope="module")
def first(winnow, short_talk, tmp_path_factory):
    """The first run on the short talk."""
    ran = winnow("highlight", short_talk, *FEW, "--out", tmp_path_factory.mktemp("out"), "--json")
    assert ran.code == 0, ran.err
    return ran


def test_clips_are_in_band_apart_and_where_the_manifest_says(first):
    folder, manifest = first.manifests[0].parent, first.manifest
    assert folder.name == f"short talk-{manifest['source']['sha256'][:8]}"
    clips = manifest["clips"]
    assert len(clips) == 2
    assert all(clip["end_s"] - clip["start_s"] == pytest.approx(16, abs=4.1) for clip in clips)
    assert all(a["end_s"] <= b["start_s"] for a, b in pairwise(clips))
    assert sorted(clip["rank"] for clip in clips) == [1, 2]
    for clip in clips:
        info = probe(folder / clip["files"]["video"])
        assert info.video is not None
        assert info.audio is not None
        assert info.duration_s == pytest.approx(clip["end_s"] - clip["start_s"], abs=0.05)
        assert clip["checks"]["measures"]["loudness_lufs"] == pytest.approx(-14, abs=1)
        assert clip["title"]
        assert clip["reasons"]
        for kind in ("srt", "vtt", "poster"):
            assert (folder / clip["files"][kind]).stat().st_size > 0
    assert probe(folder / manifest["files"]["reel"]).duration_s == pytest.approx(
        sum(clip["end_s"] - clip["start_s"] for clip in clips), abs=0.2
    )


def test_no_edge_lies_inside_a_spoken_word(first):
    for clip in first.manifest["clips"]:
        for edge in (clip["start_s"], clip["end_s"]):
            assert not [w["text"] for w in TRUTH["words"] if w["start_s"] < edge < w["end_s"]]


def test_clip_text_is_what_is_said_there(first):
    for clip in first.manifest["clips"]:
        said = [w["text"].lower() for w in TRUTH["words"] if clip["start_s"] <= w["start_s"] < clip["end_s"]]
        heard = clip["text"].lower()
        assert sum(word in heard for word in said) > 0.8 * len(said)


def test_the_manifest_says_how_it_came_to_be(first):
    manifest = first.manifest
    assert manifest["version"] == 1
    assert manifest["models"]["highlight"]["name"] == "open"
    assert manifest["models"]["speech"]["sha256"].startswith("1a5afae0")
    assert manifest["settings"]["selection"] == {"clips": 2, "min_s": 12, "max_s": 20, "about": ""}
    assert set(manifest["tools"]) >= {"ffmpeg", "prefect", "torch"}
    names = [stage["name"] for stage in manifest["stages"]]
    assert set(names) >= {"admit", "probe", "audio", "silences", "transcript", "frames", "merge", "score", "select"}
    assert names[-1] == "publish"
    assert manifest["runners_up"]
    assert all(runner["lost"] for runner in manifest["runners_up"])
    assert manifest["silences"]


def test_report_is_one_page_that_names_every_clip(first):
    folder, manifest = first.manifests[0].parent, first.manifest
    page = (folder / manifest["files"]["report"]).read_text()
    assert "http://" not in page
    assert "https://" not in page
    assert all(Path(clip["files"]["video"]).name in page for clip in manifest["clips"])


def test_under_another_name_nothing_is_done_again(winnow, first, short_talk, tmp_path):
    renamed = tmp_path / "-we:ird 100%\n'ü.bin"
    shutil.copyfile(short_talk, renamed)
    ran = winnow("highlight", "--json", *FEW, "--out", tmp_path / "out", "--", renamed)
    assert ran.code == 0, ran.err
    again = cached(ran.manifest)
    assert {name for name, hit in again.items() if not hit} == {"admit", "publish", "reel"} - {
        name for name, hit in again.items() if hit
    }
    hashes = [
        [hashlib.sha256((path.parent / clip["files"]["video"]).read_bytes()).hexdigest() for clip in manifest["clips"]]
        for path, manifest in ((first.manifests[0], first.manifest), (ran.manifests[0], ran.manifest))
    ]
    assert hashes[0] == hashes[1]


def test_a_changed_setting_redoes_only_what_depends_on_it(winnow, first, short_talk, tmp_path):
    ran = winnow("highlight", short_talk, "--clips", "1", *FEW[2:], "--out", tmp_path, "--json")
    assert ran.code == 0, ran.err
    again = cached(ran.manifest)
    assert [
        name for name in ("probe", "audio", "silences", "transcript", "frames", "merge", "score") if not again[name]
    ] == []
    assert not again["select"]
    best = min(first.manifest["clips"], key=lambda clip: clip["rank"])
    assert ran.manifest["clips"][0]["start_s"] == best["start_s"]
    assert again["render"]


def test_a_result_that_was_damaged_is_made_anew(winnow, winnow_env, first, short_talk, tmp_path):
    entries = Path(winnow_env["WINNOW_HOME"], "analysis", first.manifest["source"]["sha256"])
    for value in entries.glob("silences/*/value.json"):
        value.write_text("[")
    ran = winnow("highlight", short_talk, *FEW, "--out", tmp_path, "--json")
    assert ran.code == 0, ran.err
    again = cached(ran.manifest)
    assert not again["silences"]
    assert again["transcript"]
    assert ran.manifest["silences"] == first.manifest["silences"]


def test_sound_alone_gets_a_picture(winnow, short_talk, tmp_path):
    sound = make(tmp_path / "sound.m4a", "-i", short_talk, "-t", "20", "-vn", "-c:a", "copy")
    ran = winnow("highlight", sound, *ONE_SHORT, "--out", tmp_path, "--json")
    assert ran.code == 0, ran.err
    info = probe(ran.manifests[0].parent / ran.manifest["clips"][0]["files"]["video"])
    assert info.video is not None
    assert info.audio is not None
    assert not ran.manifest["source"]["has_video"]


def test_a_film_in_which_nobody_speaks_gets_clips(winnow, tmp_path):
    film = make(tmp_path / "film.mp4", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10:duration=12", "-f", "lavfi",
                "-i", "mandelbrot=size=320x180:rate=10", "-filter_complex", "[1]trim=duration=12[b];[0][b]concat",
                "-c:v", "libx264", "-preset", "ultrafast", "-t", "24")  # fmt: skip
    ran = winnow("highlight", film, "--clips", "2", "--min-s", "5", "--max-s", "8", "--out", tmp_path, "--json")
    assert ran.code == 0, ran.err
    assert len(ran.manifest["clips"]) == 2
    assert ran.manifest["transcript"] is None
    assert any("No speech" in warning for warning in ran.manifest["warnings"])


def test_a_folder_is_taken_whole_and_stray_files_are_passed_over(winnow, first, short_talk, tmp_path):
    shutil.copyfile(short_talk, tmp_path / "a.mp4")
    (tmp_path / "notes.txt").write_text("Bring the projector.")
    ran = winnow("highlight", tmp_path, *FEW, "--out", tmp_path / "out", "--json")
    assert (ran.code, len(ran.manifests)) == (0, 1), ran.err


@pytest.mark.parametrize(
    ("name", "content", "options", "says"),
    [
        pytest.param("none.mp4", None, (), "does not exist", id="a missing file"),
        pytest.param("talk", "talk", ("--clips", "0"), "--clips: .*got '0'", id="a setting out of its range"),
        pytest.param("talk", "talk", ("--model", "genius"), "There is no model 'genius'", id="an unknown model"),
        pytest.param("talk", "talk", ("--model", "about"), "does not score moments", id="a model that finds subjects"),
        pytest.param("talk", "talk", ("--speech-model", "huge"), "huge", id="an unknown speech model"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(
    winnow, short_talk, tmp_path, name, content, options, says
):
    import re

    path = short_talk if content == "talk" else tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    ran = winnow("highlight", path, *options, "--out", tmp_path / "out", "--json")
    assert ran.code == 2
    assert ran.out == ""
    assert re.search(says, ran.err)
    assert len(ran.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(
            ("--min-s", "100"),
            {"empty.mp4": "is empty", "text.mp4": "not audio or video", "talk.mp4": "shorter than one clip"},
            id="nothing to cut from",
        ),
        pytest.param(
            ("--max-hours", "0.01", "--max-gb", "0.0005"),
            {"talk.mp4": "raise max_gb", "hum.m4a": "raise max_hours"},
            id="more than is taken",
        ),
    ],
)
def test_recordings_that_cannot_be_used_are_refused_in_a_line_each(winnow, short_talk, tmp_path, options, says):
    import re

    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_bytes(b"hello " * 999)
    shutil.copyfile(short_talk, tmp_path / "talk.mp4")
    make(tmp_path / "hum.m4a", "-f", "lavfi", "-i", "sine", "-t", "40", "-b:a", "48k")
    ran = winnow("highlight", *(tmp_path / name for name in says), *options, "--out", tmp_path / "out", "--json")
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.strip().splitlines()
    assert len(lines) == len(says)
    assert all(re.search(f"{name}.*{told}", line) for line, (name, told) in zip(lines, says.items(), strict=True))
    assert not (tmp_path / "out").exists()


def begun(winnow_env, recording, home, out, stage):
    """A run that has just reached `stage`."""
    command = [str(Path(sys.executable).with_name("winnow")), "highlight", str(recording), *ONE, "--out", str(out)]
    process = subprocess.Popen(command, env=winnow_env | {"WINNOW_HOME": str(home)}, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list((home / "scratch").glob(f"{stage}-*")):
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    time.sleep(0.3)
    return process


@pytest.mark.parametrize(
    ("number", "known"),
    [
        pytest.param(signal.SIGINT, False, id="SIGINT, nothing known before"),
        pytest.param(signal.SIGKILL, True, id="SIGKILL, heard and seen before"),
    ],
)
def test_a_stopped_run_leaves_nothing_behind_and_the_next_goes_on(
    winnow, winnow_env, first, short_talk, tmp_path, number, known
):
    home, recording = tmp_path / "home", short_talk
    if known:
        entries = Path("analysis", first.manifest["source"]["sha256"])
        done = Path(winnow_env["WINNOW_HOME"], entries)
        shutil.copytree(done, home / entries, ignore=shutil.ignore_patterns(*CHEAP))
    else:
        recording = make(tmp_path / "shorter.mp4", "-i", short_talk, "-t", "30", "-c", "copy")
    process = begun(winnow_env, recording, home, tmp_path / "out", "render")
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert not (tmp_path / "out").exists()
    ran = winnow("highlight", recording, *ONE, "--out", tmp_path / "out", "--json", env={"WINNOW_HOME": str(home)})
    assert ran.code == 0, ran.err
    again = cached(ran.manifest)
    assert all(
        again[name] for name in ("probe", "audio", "silences", "transcript", "frames", "merge", "score", "select")
    )
    assert not list((home / "scratch").iterdir())


def test_from_python_with_a_server_of_its_own(short_talk, winnow_env, tmp_path):
    script = (
        "import sys\nfrom flows.highlight import highlight\n"
        "(outcome,) = highlight([sys.argv[1]], out=sys.argv[2], clips=1, min_s=12, max_s=20, reel=False)\n"
        "print(outcome.status, outcome.manifest)\n"
    )
    own = {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120"}
    with_tables(winnow_env, tmp_path / "prefect")
    env = {k: v for k, v in winnow_env.items() if k != "PREFECT_API_URL"} | own
    ran = subprocess.run(
        [sys.executable, "-c", script, str(short_talk), str(tmp_path / "out")],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    status, _, manifest = ran.stdout.strip().splitlines()[-1].partition(" ")
    assert (status, Path(manifest).is_file()) == ("done", True)
