"""The shipped talk is what its truth says: bytes, streams, silences, words, slides and layouts."""

import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import media
from core.probe import probe
from core.records import MediaInfo

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
VIDEO = SAMPLES / "tides.mp4"
RATE_HZ = 16_000
QUIET_DBFS = -55.0
SMALL = (160, 90)

Truth = dict[str, Any]


@pytest.fixture(scope="module")
def truth() -> Truth:
    return json.loads((SAMPLES / "tides.truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def info() -> MediaInfo:
    return probe(VIDEO)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    target = tmp_path_factory.mktemp("sample") / "talk.f32"
    arguments = ["-i", media.file_url(VIDEO), "-vn", "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le"]
    media.run_ffmpeg([*arguments, media.file_url(target)], what="Decoding the sample", timeout_s=120)
    return np.fromfile(target, np.float32)


def level_dbfs(sound: np.ndarray, start_s: float, end_s: float) -> float:
    part = sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    return float(10 * np.log10(np.mean(part.astype(np.float64) ** 2)))


def loudest_dbfs(sound: np.ndarray, start_s: float, end_s: float) -> float:
    """The highest level of any 20 ms in the interval."""
    return max(level_dbfs(sound, t, t + 0.02) for t in np.arange(start_s, end_s - 0.02, 0.02))


def frames_until(number: int, folder: Path) -> np.ndarray:
    """Frames number-2, number-1 and number, small and gray."""
    target = folder / f"{number}.gray"
    arguments = ["-ss", f"{(number - 2) / 25 - 0.004:.3f}", "-i", media.file_url(VIDEO), "-an", "-frames:v", "3"]
    shrink = ["-vf", f"scale={SMALL[0]}:{SMALL[1]},format=gray", "-f", "rawvideo", media.file_url(target)]
    media.run_ffmpeg([*arguments, *shrink], what=f"Decoding frame {number}", timeout_s=60)
    return np.fromfile(target, np.uint8).reshape(3, SMALL[1], SMALL[0]).astype(np.int16)


def test_the_recording_is_the_one_that_truth_and_readme_describe(truth: Truth) -> None:
    sha256 = hashlib.sha256(VIDEO.read_bytes()).hexdigest()
    named = re.findall(r"\b([0-9a-f]{64}) +tides\.mp4", (SAMPLES / "README.md").read_text(encoding="utf-8"))
    assert truth["file"] == VIDEO.name
    assert [truth["sha256"], *named] == [sha256, sha256]


def test_the_recording_is_small_enough_to_ship() -> None:
    assert VIDEO.stat().st_size < 8_000_000


def test_streams_and_duration_agree_with_the_truth(truth: Truth, info: MediaInfo) -> None:
    video, audio = info.video, info.audio
    assert video is not None
    assert audio is not None
    assert (video.width, video.height, video.fps) == (truth["width"], truth["height"], truth["fps"])
    assert not video.variable_frame_rate
    assert (video.color_space, video.color_transfer, video.color_primaries) == ("bt709", "bt709", "bt709")
    assert (audio.sample_rate_hz, audio.channels) == (48_000, 1)
    assert video.duration_s == pytest.approx(truth["duration_s"], abs=0.001)
    assert info.duration_s == pytest.approx(truth["duration_s"], abs=0.05)
    assert not info.truncated


def test_silences_are_quiet(truth: Truth, sound: np.ndarray) -> None:
    longer = [s for s in truth["silences"] if s["end_s"] - s["start_s"] >= 1.0]
    assert len(longer) == len(truth["silences"]) >= 5
    # 50 ms at either edge belong to the codec, which spreads a word's onset and decay.
    levels = [loudest_dbfs(sound, s["start_s"] + 0.05, s["end_s"] - 0.05) for s in longer]
    assert max(levels) < QUIET_DBFS


def test_silences_are_all_the_long_gaps_between_utterances(truth: Truth) -> None:
    edges = [0.0, *(t for u in truth["utterances"] for t in (u["start_s"], u["end_s"])), truth["duration_s"]]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    assert [(s["start_s"], s["end_s"]) for s in truth["silences"]] == [(a, b) for a, b in gaps if round(b - a, 3) >= 1]


def test_every_utterance_is_heard_and_begins_and_ends_where_it_says(truth: Truth, sound: np.ndarray) -> None:
    for one in truth["utterances"]:
        assert level_dbfs(sound, one["start_s"], one["end_s"]) > -30, one
        assert loudest_dbfs(sound, one["start_s"], one["start_s"] + 0.15) > QUIET_DBFS + 10, one
        assert loudest_dbfs(sound, one["end_s"] - 0.15, one["end_s"]) > QUIET_DBFS + 10, one


def test_words_are_in_order_inside_their_utterances_and_make_up_the_text(truth: Truth) -> None:
    words = truth["words"]
    assert all(word["start_s"] < word["end_s"] for word in words)
    assert all(before["end_s"] <= after["start_s"] for before, after in pairwise(words))
    for one in truth["utterances"]:
        inside = [w for w in words if one["start_s"] <= w["start_s"] and w["end_s"] <= one["end_s"]]
        assert " ".join(w["text"] for w in inside) == one["text"]
    assert sum(len(one["text"].split()) for one in truth["utterances"]) == len(words)


def test_layouts_tile_the_talk_and_all_occur(truth: Truth) -> None:
    layouts = truth["layouts"]
    assert {one["layout"] for one in layouts} == {"slides", "pip", "side", "camera"}
    edges = [0.0, *(one["end_s"] for one in layouts)]
    assert [one["start_s"] for one in layouts] == edges[:-1]
    assert edges[-1] == truth["duration_s"]


@pytest.mark.parametrize(
    ("layout", "has_slide", "has_face"),
    [("slides", True, False), ("pip", True, True), ("side", True, True), ("camera", False, True)],
)
def test_boxes_lie_in_the_picture(truth: Truth, layout: str, has_slide: bool, has_face: bool) -> None:
    for one in (one for one in truth["layouts"] if one["layout"] == layout):
        assert (one["slide_box"] is not None, one["face_box"] is not None) == (has_slide, has_face)
        for x, y, width, height in filter(None, (one["slide_box"], one["face_box"])):
            assert min(x, y) >= 0
            assert min(width, height) > 0
            assert (x + width, y + height) <= (truth["width"], truth["height"])


def test_slides_are_seen_whenever_the_layout_has_one(truth: Truth) -> None:
    seen = [(one["start_s"], one["end_s"]) for one in truth["layouts"] if one["slide_box"]]
    slides = truth["slides"]
    assert all(before["end_s"] <= after["start_s"] for before, after in pairwise(slides))
    assert sum(s["end_s"] - s["start_s"] for s in slides) == pytest.approx(sum(b - a for a, b in seen))
    assert all(any(a <= s["start_s"] and s["end_s"] <= b for a, b in seen) for s in slides)


def test_a_build_repeats_the_slide_before_it_and_adds_to_it(truth: Truth) -> None:
    pairs = [(before, after) for before, after in pairwise(truth["slides"]) if after["build"]]
    assert pairs
    for before, after in pairs:
        assert before["end_s"] == after["start_s"]
        assert set(before["text"].splitlines()) < set(after["text"].splitlines())


def test_the_picture_changes_at_the_very_frames_of_the_truth(truth: Truth, tmp_path: Path) -> None:
    cuts = sorted({round(one["start_s"] * 25) for one in [*truth["slides"], *truth["layouts"]]} - {0})
    for cut in cuts:
        before, last, first = frames_until(cut, tmp_path)
        assert abs(first - last).mean() > 0.7, cut
        assert abs(first - last).mean() > 3 * abs(last - before).mean(), cut


def test_highlights_are_whole_utterances_long_enough_for_a_clip(truth: Truth) -> None:
    starts = {one["start_s"] for one in truth["utterances"]}
    ends = {one["end_s"] for one in truth["utterances"]}
    assert 3 <= len(truth["highlights"]) <= 4
    for one in truth["highlights"]:
        assert one["start_s"] in starts
        assert one["end_s"] in ends
        assert 20 <= one["end_s"] - one["start_s"] <= 120


def test_captions_say_the_true_words_at_about_the_true_times(truth: Truth) -> None:
    text = (SAMPLES / "captions" / "tides.vtt").read_text(encoding="utf-8")
    blocks = [block.strip().split("\n") for block in text.split("\n\n")[1:]]
    stamp = r"(\d\d):(\d\d):(\d\d\.\d{3})"
    times = [[int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in re.findall(stamp, block[0])] for block in blocks]
    assert " ".join(" ".join(block[1:]) for block in blocks) == " ".join(word["text"] for word in truth["words"])
    assert all(a < b for a, b in times)
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    counts = np.cumsum([0, *(len(" ".join(block[1:]).split()) for block in blocks)])
    for (a, b), first, last in zip(times, counts[:-1], counts[1:], strict=True):
        assert abs(a - truth["words"][first]["start_s"]) <= 0.5
        assert abs(b - truth["words"][last - 1]["end_s"]) <= 0.5
