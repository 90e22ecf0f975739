"""A subject that somebody names turns the picks, through the real flow on a recording that is cheap to render."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from core import media
from core.errors import RefusedInput
from flows.cli import main
from flows.outcomes import Outcome

ROOT = Path(__file__).parents[2]
CAPTIONS = ROOT / "data/samples/captions/tides.vtt"
SUN, GALILEO, ELSEWHERE = "how strong the Sun pulls", "What does he say about Galileo?", "the French Revolution"
BEFORE = ("probe", "audio", "silences", "transcript", "frames", "merge", "score")
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def plain_talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is said in the sample, with its captions beside it, over a small picture of one colour."""
    folder = tmp_path_factory.mktemp("plain")
    shutil.copyfile(CAPTIONS, folder / "talk.vtt")
    sample, path = media.file_url(ROOT / "data/samples/tides.mp4"), folder / "talk.mp4"
    media.run_ffmpeg(
        ["-f", "lavfi", "-i", "color=silver:size=160x90:rate=5:duration=260", "-i", sample, "-map", "0:v",
         "-map", "1:a", "-g", "25", "-c:a", "copy", "-shortest", media.file_url(path)],
        what="Making a test file", timeout_s=60,
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def run(prefect_here: None, plain_talk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Cut one clip of the talk, by the flow itself and in one home folder; returns the manifest."""
    from flows.highlight import highlight

    def cut(about: str = "", **parameters: Any) -> Manifest:
        out = str(tmp_path_factory.mktemp("out"))
        given = {"clips": 1, "min_s": 10, "max_s": 25, "reel": False, "about": about, **parameters}
        (outcome,) = cast(list[Outcome], highlight([str(plain_talk)], out=out, **given))
        assert outcome.manifest, outcome.reason
        return json.loads(Path(outcome.manifest).read_text()) | {"folder": Path(outcome.manifest).parent}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("WINNOW_REGISTRY", raising=False)
        yield cut


@pytest.fixture(scope="module")
def unasked(run: Callable[..., Manifest]) -> Manifest:
    return run()


@pytest.fixture(scope="module")
def sun(run: Callable[..., Manifest], unasked: Manifest) -> Manifest:
    return run(SUN)


@pytest.fixture(scope="module")
def galileo(run: Callable[..., Manifest], sun: Manifest) -> Manifest:
    """Two clips so long that the talk has enough for one about him."""
    return run(f"  {GALILEO}\n", clips=2, min_s=40, max_s=50)


def cached(manifest: Manifest) -> dict[str, bool]:
    return {stage["name"]: stage["cached"] for stage in manifest["stages"]}


def best(manifest: Manifest) -> dict[str, Any]:
    return min(manifest["clips"], key=lambda clip: clip["rank"])


def spans(manifest: Manifest) -> list[tuple[float, float]]:
    return [(clip["start_s"], clip["end_s"]) for clip in manifest["clips"]]


def test_each_subject_gets_the_clip_that_is_about_it(sun: Manifest, galileo: Manifest, unasked: Manifest):
    assert "The Sun, and by a long way." in sun["clips"][0]["text"]
    assert "Galileo" in best(galileo)["text"]
    assert spans(sun) != spans(unasked)
    assert not any("Galileo" in clip["text"] for clip in (*sun["clips"], *unasked["clips"]))


def test_clips_that_are_not_about_it_are_told(sun: Manifest, galileo: Manifest):
    first, second = sorted(galileo["clips"], key=lambda clip: clip["rank"])
    assert first["reasons"]["about_probability"] > second["reasons"]["about_probability"]
    assert sun["warnings"] == []
    assert galileo["warnings"] == [
        f"Clips that seem to be about “{GALILEO}”: 1 of 2. The others are the best of the rest."
    ]


def test_the_manifest_and_the_report_say_what_the_picks_were_turned_toward(galileo: Manifest, unasked: Manifest):
    reasons = best(galileo)["reasons"]
    assert galileo["settings"]["selection"]["about"] == GALILEO
    assert galileo["models"]["about"]["name"] == "about"
    assert 0.5 < reasons["about"] <= 1
    assert 0 < reasons["about_probability"] < 1
    page, plain = ((m["folder"] / "report.html").read_text() for m in (galileo, unasked))
    assert GALILEO in page
    assert 'class="stretch about"' in page
    assert 'class="stretch about"' not in plain
    assert "about" not in unasked["models"]
    assert "about" not in unasked["clips"][0]["reasons"]
    assert "relevance" not in cached(unasked)


def test_another_subject_redoes_only_what_depends_on_it(sun: Manifest, galileo: Manifest):
    for manifest in (sun, galileo):
        again = cached(manifest)
        assert [name for name in BEFORE if not again[name]] == []
        assert not again["relevance"]
        assert not again["select"]


def test_the_same_subject_again_comes_from_the_cache(run: Callable[..., Manifest], sun: Manifest):
    again = run(SUN)
    assert [name for name in (*BEFORE, "relevance", "select", "render") if not cached(again)[name]] == []
    assert spans(again) == spans(sun)


def test_what_nobody_spoke_of_is_told_and_the_picks_are_as_without_it(run: Callable[..., Manifest], unasked: Manifest):
    manifest = run(ELSEWHERE)
    (warning,) = manifest["warnings"]
    assert "Nothing in the recording seems to be about “the French Revolution”" in warning
    assert spans(manifest) == spans(unasked)
    assert cached(manifest)["render"]
    assert warning in (manifest["folder"] / "report.html").read_text()


def test_it_is_no_model_that_scores(run: Callable[..., Manifest]):
    with pytest.raises(RefusedInput, match="about@1 does not score moments"):
        run(model="about")


def test_score_turns_its_ranking_too(winnow_home: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["score", str(CAPTIONS), "--about", "the Bay of Fundy", "--top", "3", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any("Fundy" in row["text"] for row in rows)
    assert all(row["about_probability"] > 0.1 for row in rows)
    assert main(["score", str(CAPTIONS), "--about", ELSEWHERE, "--top", "1", "--json"]) == 0
    said = capsys.readouterr()
    assert "seems to be about “the French Revolution”" in said.err
    assert "about_probability" not in json.loads(said.out)
    assert main(["score", str(CAPTIONS), "--model", "about"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
