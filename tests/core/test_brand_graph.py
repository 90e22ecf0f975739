"""A template on a clip: what is drawn is seen where and when it should be, and all keeps its frame and its sample."""

import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg
import numpy as np
import pytest
from PIL import Image

from core import media
from core.brand import Template, load_template
from core.brand_assets import Prepared, prepare_assets
from core.brand_graph import brand, end_frames, ends_s, with_ends
from core.cutting import SOUND_OPTIONS, arguments, file_options, plan_cut, read_picture, read_sound
from core.picture import finish_picture, plan_colours
from core.probe import probe
from core.records import VideoStream

RATE_HZ = 48_000
WIDE, TALL = (320, 180), (180, 320)
H264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"]


@dataclass(frozen=True)
class Made:
    """A rendered clip, decoded."""

    frames: np.ndarray
    """frames x height x width x 3, RGB"""
    sound: np.ndarray
    """Mono, at 48 kHz."""
    video: VideoStream


def film(path: Path, frames: int, rate: str, *, size: str = "160x90", flash: int = 0, sound: bool = True) -> Path:
    """A dark grey clip with one white frame, and a beep that begins with it."""
    raw, wav, fps = path.with_suffix(".gray"), path.with_suffix(".wav"), Fraction(rate)
    width, height = map(int, size.split("x"))
    lit = np.where(np.arange(frames) == flash, 255, 40).astype(np.uint8)
    raw.write_bytes(lit.repeat(width * height).tobytes())
    made = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-framerate", rate, "-i", media.file_url(raw)]
    if sound:
        ticks = np.arange(round(frames / fps * RATE_HZ))
        begins, ends = float(flash / fps * RATE_HZ), float((flash + 3) / fps * RATE_HZ)
        on = (ticks >= begins) & (ticks < ends)
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes((np.sin(ticks * 0.131) * 12_000 * on).astype(np.int16).tobytes())
        made += ["-i", media.file_url(wav), "-c:a", "aac"]
    media.run_ffmpeg([*made, *H264, media.file_url(path)], what="Filming", timeout_s=60)
    return path


@pytest.fixture
def template(tmp_path: Path) -> Callable[[str], Template]:
    def load(text: str) -> Template:
        Image.new("RGB", (90, 30), "#ff0000").save(tmp_path / "logo.png")
        Image.new("RGB", (64, 36), "#0000ff").save(tmp_path / "card.png")
        (tmp_path / "mine.yaml").write_text(text)
        return load_template(str(tmp_path / "mine.yaml"))

    return load


def render(body: Path, mine: Template, size: tuple[int, int], speaker: str | None = None) -> tuple[Made, Prepared]:
    work = body.parent / "work"
    work.mkdir(exist_ok=True)
    info = probe(body)
    assert info.video
    cut = plan_cut(body, info, 0.0, info.duration_s)
    prepared = prepare_assets(mine, work, size=size, duration_s=cut.duration_s, title="", speaker=speaker)
    shown = finish_picture(read_picture(cut, threads=1), info.video, size, plan_colours(info.video))
    shown = brand(shown, prepared, frame_rate=cut.frame_rate, video=info.video)
    sound = read_sound(cut) if info.audio else None
    shown, sound = with_ends(shown, sound, prepared, frames=cut.frames, frame_rate=cut.frame_rate, video=info.video)
    streams = [stream for stream in (shown, sound) if stream is not None]
    options = {"c:v": "libx264", "preset": "ultrafast", "crf": 10, **SOUND_OPTIONS, **file_options("x")}
    call = arguments(ffmpeg.output(*streams, "clip.mp4", **options))
    media.run_ffmpeg(call, what="Rendering", timeout_s=120, cwd=work)
    return decoded(work / "clip.mp4", size), prepared


def decoded(clip: Path, size: tuple[int, int]) -> Made:
    info = probe(clip)
    assert info.video
    raw, heard = clip.with_suffix(".rgb"), clip.with_suffix(".pcm")
    took = [
        "-i",
        media.file_url(clip),
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
    ]
    took += [media.file_url(raw)]
    if info.audio:
        took += ["-map", "0:a", "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", media.file_url(heard)]
    media.run_ffmpeg(took, what="Looking", timeout_s=60)
    sound = np.fromfile(heard, np.int16) if info.audio else np.zeros(0)
    return Made(np.fromfile(raw, np.uint8).reshape(-1, size[1], size[0], 3), sound, info.video)


def lit(made: Made) -> list[int]:
    """Frames whose middle is white."""
    height, width = made.frames.shape[1:3]
    middle = made.frames[:, height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4]
    return np.flatnonzero(middle.mean(axis=(1, 2, 3)) > 200).tolist()


def beeps_s(made: Made) -> list[float]:
    loud = np.abs(made.sound[: len(made.sound) // 48 * 48].astype(float)).reshape(-1, 48).max(axis=1) > 2_000
    on = np.convolve(loud, np.ones(5), "full")[: len(loud)] > 0
    return (np.flatnonzero(np.diff(on.astype(int), prepend=0) == 1) / 1_000).tolist()


@pytest.mark.parametrize("rate", ["25/1", "30000/1001"])
def test_picture_and_sound_stay_together_through_intro_and_outro(tmp_path, template, rate):
    body = film(tmp_path / "body.mp4", 40, rate, flash=12)
    film(tmp_path / "opening.mp4", 29, "24/1", flash=8)
    film(tmp_path / "closing.mp4", 31, "50/1", flash=20, size="96x96")
    mine = template("intro: {file: opening.mp4}\noutro: {file: closing.mp4}")
    made, _ = render(body, mine, WIDE)
    fps = Fraction(rate)
    intro, outro = end_frames(mine, fps)
    assert abs(intro - round(29 / 24 * fps)) <= 1 and abs(outro - round(31 / 50 * fps)) <= 1
    assert len(made.frames) == intro + 40 + outro
    assert Fraction(made.video.frame_rate) == fps and not made.video.variable_frame_rate
    assert abs(len(made.sound) / RATE_HZ - float(len(made.frames) / fps)) < 0.03
    flashes = lit(made)
    assert intro + 12 in flashes, "the body has kept its frames"
    begins = [8 / 24, float((intro + 12) / fps), float((intro + 40) / fps) + 20 / 50]
    assert beeps_s(made) == pytest.approx(begins, abs=0.006)
    assert all(min(abs(frame / fps - when) for frame in flashes) < 1 / fps for when in begins)
    assert ends_s(mine, fps) == pytest.approx((intro / fps, outro / fps))


def test_a_still_intro_and_a_silent_outro_have_silence_and_the_ground_colour(tmp_path, template):
    body = film(tmp_path / "body.mp4", 25, "25/1", flash=5)
    film(tmp_path / "closing.mp4", 20, "25/1", flash=99, sound=False)
    colours = 'colours: {ground: "#c03020"}'
    mine = template(f"intro: {{file: card.png, seconds: 0.6}}\noutro: {{file: closing.mp4}}\n{colours}")
    made, _ = render(body, mine, TALL)
    assert end_frames(mine, Fraction(25)) == (15, 20) and len(made.frames) == 60
    assert lit(made) == [20] and beeps_s(made) == pytest.approx([20 / 25], abs=0.004)
    for frame in (2, 50):
        assert made.frames[frame, 10, 90] == pytest.approx([0xC0, 0x30, 0x20], abs=8)
    assert made.frames[2, 160, 90] == pytest.approx([0, 0, 255], abs=8)
    assert made.frames[50, 160, 90] == pytest.approx([40, 40, 40], abs=8)
    assert (made.video.sample_aspect_ratio, made.video.pixel_format) == ("1:1", "yuv420p")


def test_one_video_may_be_both_intro_and_outro(tmp_path, template):
    body = film(tmp_path / "body.mp4", 10, "25/1", flash=99)
    film(tmp_path / "sting.mp4", 15, "25/1", flash=4)
    mine = template("intro: {file: sting.mp4}\noutro: {file: sting.mp4}")
    made, _ = render(body, mine, WIDE)
    each, _ = end_frames(mine, Fraction(25))
    assert len(made.frames) == 10 + 2 * each
    assert np.abs(made.frames[:each].astype(int) - made.frames[-each:]).mean() < 3
    assert len(lit(made)) == len(beeps_s(made)) == 2


def test_an_end_may_fill_the_picture_with_its_middle(tmp_path, template):
    body = film(tmp_path / "body.mp4", 10, "25/1")
    film(tmp_path / "opening.mp4", 10, "25/1", flash=99)
    made, _ = render(body, template('intro: {file: opening.mp4, fit: crop}\ncolours: {ground: "#00ff00"}'), TALL)
    assert made.frames[3, 5, 5] == pytest.approx([40, 40, 40], abs=8)


@pytest.mark.parametrize("tags", [["-colorspace", "smpte170m"], ["-colorspace", "bt709"], []], ids=["sd", "hd", "none"])
def test_brand_colours_are_right_in_every_matrix_and_tags_are_those_of_the_body(tmp_path, template, tags):
    plain = film(tmp_path / "plain.mp4", 6, "25/1", sound=False, flash=99)
    body = tmp_path / "body.mp4"
    media.run_ffmpeg(["-i", str(plain), *tags, *H264, str(body)], what="Tagging", timeout_s=60)
    made, prepared = render(body, template("intro: {file: card.png, seconds: 0.2}\nlogo: {file: logo.png}"), WIDE)
    assert prepared.logo and made.video.color_space == (tags[1] if tags else None)
    x, y = map(int, prepared.logo.box.centre)
    assert made.frames[8, y, x] == pytest.approx([0.9 * 255 + 4, 4, 4], abs=8)
    assert made.frames[2, 90, 160] == pytest.approx([0, 0, 255], abs=8)


def test_the_logo_is_in_its_corner_all_the_time_and_nowhere_else(tmp_path, template):
    body = film(tmp_path / "body.mp4", 12, "25/1", sound=False, flash=99)
    made, prepared = render(body, template("logo: {file: logo.png, corner: bottom-left, opacity: 1}"), WIDE)
    assert prepared.logo and len(made.frames) == 12
    box = prepared.logo.box
    red = made.frames[..., 0].astype(int) - made.frames[..., 1] > 100
    for frame in red:
        rows, columns = np.flatnonzero(frame.any(axis=1)), np.flatnonzero(frame.any(axis=0))
        assert rows[[0, -1]] == pytest.approx([box.y, box.bottom - 1], abs=1)
        assert columns[[0, -1]] == pytest.approx([box.x, box.right - 1], abs=1)


def test_the_lower_third_comes_and_goes_at_its_times(tmp_path, template):
    body = film(tmp_path / "body.mp4", 75, "25/1", sound=False, flash=99)
    mine = template('lower_third: {start_s: 0.4, seconds: 1.6}\ncolours: {primary: "#000080"}')
    made, prepared = render(body, mine, WIDE, speaker="Ada Lovelace")
    assert prepared.lower_third
    box = prepared.lower_third.box
    x, y, right, bottom = map(round, (box.x, box.y, box.right, box.bottom))
    blue = made.frames[:, bottom - 4, x + 6 : right - 4, 2].astype(int).mean(axis=1) - 40
    seen = np.flatnonzero(blue > 4)
    assert seen[0] in (10, 11, 12) and seen[-1] in (47, 48, 49), "from 0.4 s to 2.0 s"
    assert np.all(blue[20:40] > 60) and np.all(np.diff(blue[10:18]) > -2) and np.all(np.diff(blue[42:50]) < 2)
    outside = made.frames.copy()
    outside[:, y - 2 : bottom + 2, x - 6 : right + 2] = 40
    assert np.abs(outside.astype(int) - 40).max() < 12, "nothing is drawn outside the box that captions avoid"
    letters = made.frames[30, y:bottom, x:right].min(axis=2) > 180
    assert letters.any()


def test_a_template_without_ends_changes_no_stream(tmp_path, template):
    body = film(tmp_path / "body.mp4", 5, "25/1", sound=False)
    info = probe(body)
    work = tmp_path / "work"
    work.mkdir()
    prepared = prepare_assets(template(""), work, size=WIDE, duration_s=0.2, title="x")
    picture = ffmpeg.input("body.mp4").video
    same = brand(picture, prepared, frame_rate=Fraction(25), video=info.video)
    assert same is picture
    assert with_ends(same, None, prepared, frames=5, frame_rate=Fraction(25), video=info.video) == (picture, None)
