"""Composed clips, rendered from small recordings drawn for it: what stands where, when, and how evenly it moves."""

from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from core import media
from core.boxes import Box
from core.cutting import arguments, plan_cut, read_picture
from core.errors import BadSetting
from core.framing_graph import compose, ramps
from core.framing_plan import FramingPlan, Panel, Scene, Station
from core.picture import clip_size, finish_picture, plan_colours
from core.probe import probe

RED, GREEN, BLUE, WHITE = (200, 40, 40), (40, 170, 60), (50, 60, 200), (230, 230, 230)
RATE = 25


def film(path: Path, frames: np.ndarray, *, rate: str = str(RATE), tags: tuple[str, ...] = ()) -> Path:
    """Encode `frames` (count x height x width x 3, RGB) into `path`."""
    raw = path.with_suffix(".rgb")
    raw.write_bytes(frames.astype(np.uint8).tobytes())
    shown = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{frames.shape[2]}x{frames.shape[1]}", "-framerate"]
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p", *tags]
    call = [*shown, rate, "-i", media.file_url(raw), *encoding, media.file_url(path)]
    media.run_ffmpeg(call, what="Filming", timeout_s=60)
    return path


def quarters(width: int, height: int) -> np.ndarray:
    """Red and green above blue and white."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, WHITE
    return picture


def rendered(path: Path, plan: FramingPlan | None) -> np.ndarray:
    """The frames of the whole recording in `plan`, RGB; without one, as clips of the source are finished."""
    info = probe(path)
    assert info.video
    cut = plan_cut(path, info, 0.0, info.duration_s)
    shown = clip_size(info.video, 10**6)
    picture = finish_picture(read_picture(cut, threads=1), info.video, shown, plan_colours(info.video))
    if plan:
        picture = compose(picture, plan, shown_size=shown, frame_rate=cut.frame_rate, frames=cut.frames)
    clip, raw = path.with_suffix(".clip.mp4"), path.with_suffix(".out")
    options = {"c:v": "libx264", "preset": "ultrafast", "crf": 4}
    media.run_ffmpeg(arguments(ffmpeg.output(picture, media.file_url(clip), **options)), what="Rendering", timeout_s=60)
    made = probe(clip).video
    assert made and made.frame_rate == info.video.frame_rate and made.sample_aspect_ratio == "1:1"
    view = ["-vf", "format=rgb24", "-f", "rawvideo", media.file_url(raw)]
    media.run_ffmpeg(["-i", media.file_url(clip), *view], what="Showing", timeout_s=60)
    return np.fromfile(raw, np.uint8).reshape(-1, made.height, made.width, 3)


def seen(frame: np.ndarray, x: int, y: int) -> np.ndarray:
    return frame[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].mean(axis=(0, 1))


def near(colour: np.ndarray, wanted: tuple[int, int, int]) -> bool:
    return bool(np.abs(colour - wanted).max() < 16)


def still(target: Box, view: Box) -> Panel:
    return Panel(target, (Station(0.0, view),))


def test_panels_stand_where_the_plan_puts_them_and_scenes_change_at_their_frame(tmp_path: Path) -> None:
    path = film(tmp_path / "talk.mp4", np.stack([quarters(160, 90)] * 30))
    above = still(Box(0, 10, 90, 50), Box(0, 0, 160, 90))
    below = still(Box(0, 60, 90, 80), Box(100, 50, 36, 32))
    scenes = (
        Scene(0.0, 0.52, (above, below), "blur"),
        Scene(0.52, 0.8, (still(Box(0, 0, 90, 160), Box(10, 0, 45, 80)),)),
        Scene(0.8, 1.2, (above,), "plain"),
    )
    frames = rendered(path, FramingPlan("vertical", 90, 160, scenes))
    assert frames.shape == (30, 160, 90, 3)
    for number in (0, 12):  # 0.52 s is the start of frame 13
        frame = frames[number]
        assert near(seen(frame, 20, 20), RED) and near(seen(frame, 70, 20), GREEN) and near(seen(frame, 20, 50), BLUE)
        assert near(seen(frame, 45, 110), WHITE)
        ground = [seen(frame, 45, 3), seen(frame, 45, 158)]
        assert all(20 < light.mean() < 150 for light in ground), f"the ground is dark, but not black: {ground}"
    for number in (13, 19):
        assert near(seen(frames[number], 30, 40), RED) and near(seen(frames[number], 30, 130), BLUE)
    assert near(seen(frames[20], 20, 20), RED) and seen(frames[20], 45, 120).max() < 50


def test_a_whole_panel_gives_what_the_source_gives(tmp_path: Path) -> None:
    """Same colours, to the value: composing touches neither pixels nor tags."""
    path = film(tmp_path / "hd.mp4", np.stack([quarters(320, 180)] * 3), tags=("-colorspace", "bt709"))
    whole = FramingPlan("source", 320, 180, (Scene(0, 1, (still(Box(0, 0, 320, 180), Box(0, 0, 320, 180)),)),))
    source, tag = rendered(path, None), probe(path.with_suffix(".clip.mp4")).video
    composed, composed_tag = rendered(path, whole), probe(path.with_suffix(".clip.mp4")).video
    assert np.array_equal(source, composed)
    assert tag and composed_tag and (tag.color_space, tag.color_range) == ("bt709", "tv")
    assert (composed_tag.color_space, composed_tag.color_range) == ("bt709", "tv")


@pytest.mark.parametrize("ground", ["blur", "plain"])
def test_tags_survive_grounds_and_scene_changes(tmp_path: Path, ground: str) -> None:
    path = film(tmp_path / "hd.mp4", np.stack([quarters(64, 36)] * 4), tags=("-colorspace", "bt709"))
    panel = still(Box(0, 20, 36, 20), Box(0, 0, 64, 36))
    scenes = (Scene(0, 0.08, (panel,), ground), Scene(0.08, 0.16, (panel,), "plain"))  # type: ignore[arg-type]
    frames = rendered(path, FramingPlan("vertical", 36, 64, scenes))
    made = probe(path.with_suffix(".clip.mp4")).video
    assert len(frames) == 4 and made and (made.color_space, made.color_range) == ("bt709", "tv")


def test_a_moving_view_keeps_what_it_follows_in_place_to_a_pixel(tmp_path: Path) -> None:
    """A bright bar that moves 0.9 px a frame is followed at its speed: three times as large, it stands."""
    frames = np.full((50, 60, 200, 3), 60.0)
    columns = np.arange(200)
    for number in range(50):
        middle = 60 + 0.9 * number
        frames[number] += (170 * np.clip(4.5 - np.abs(columns + 0.5 - middle), 0, 1))[None, :, None]
    path = film(tmp_path / "walk.mp4", frames)
    way = tuple(Station(t, Box(60 + 0.9 * RATE * t - 20, 0, 40, 60)) for t in (0.0, 1.0, 49 / RATE))
    plan = FramingPlan("vertical", 120, 180, (Scene(0, 2, (Panel(Box(0, 0, 120, 180), way),)),))
    shown = rendered(path, plan)[:, 90].mean(axis=2) - 60
    weight = np.clip(shown - 10, 0, None)
    middles = (weight * (np.arange(120) + 0.5)).sum(axis=1) / weight.sum(axis=1)
    assert np.abs(middles - 60).max() < 1.2, middles


@pytest.mark.parametrize(
    ("size", "view"),
    [
        pytest.param((160, 90), Box(150, -20, 50.6, 90), id="tiny, reaching outside"),
        pytest.param((90, 160), Box(0.5, 3.3, 80.4, 142.9), id="portrait, between pixels"),
        pytest.param((90, 160), Box(-30, -30, 270, 480), id="larger than the picture"),
        pytest.param((162, 94), Box(100, 10, 12, 21), id="twenty times enlarged"),
    ],
)
def test_any_view_of_any_picture_fills_its_target(tmp_path: Path, size: tuple[int, int], view: Box) -> None:
    path = film(tmp_path / "odd.mp4", np.full((3, size[1], size[0], 3), WHITE))
    moved = Panel(Box(0, 0, 90, 160), (Station(0.0, view), Station(0.1, view.moved(1.3, 0.7))))
    frames = rendered(path, FramingPlan("vertical", 90, 160, (Scene(0, 1, (moved,)),)))
    assert frames.shape == (3, 160, 90, 3) and frames.min() > 200


def test_a_camera_that_never_rests_for_an_hour_is_refused_with_advice() -> None:
    times_s = [float(t) for t in range(9_000)]
    with pytest.raises(BadSetting, match="fewer stations"):
        ramps(times_s, [float(number % 2) for number in range(9_000)])


def test_a_way_is_written_as_the_ramps_on_which_it_moves() -> None:
    assert ramps([0.0, 1.0, 3.0, 3.5], [10.0, 10.0, 14.0, 14.0]) == "10.000+2.0000*clip(t-1.0000,0,2.0000)"


def test_a_plan_longer_or_shorter_than_its_clip_gives_all_frames_of_the_clip(tmp_path: Path) -> None:
    path = film(tmp_path / "short.mp4", np.stack([quarters(64, 36)] * 10), rate="30000/1001")
    panel = still(Box(0, 0, 36, 64), Box(0, 0, 20, 36))
    for ends in ((0.2, 0.3), (0.2, 5.0), (9.0, 10.0)):
        scenes = (Scene(0, ends[0], (panel,)), Scene(ends[0], ends[1], (panel,), "blur"))
        assert len(rendered(path, FramingPlan("vertical", 36, 64, scenes))) == 10
