"""Whole clips: rendered from small recordings with flashes and beeps at known times, then taken apart again."""

import json
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import loudness, media, rendering, tools
from core.errors import Cancelled, MediaError
from core.probe import probe
from core.records import Cue
from core.rendering import RenderedClip, render_clip
from core.settings import RenderSettings

SYNC_S = 0.020
EVERY_S, FLASH_S = 2.0, 0.2
"""Flash and beep begin together at 1, 3, 5 … s of what is recorded."""
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60"]
AAC = ["-c:a", "aac", "-aac_coder", "fast"]
UNEVEN = ["-vf", r"select=not(mod(n\,7))+between(mod(t\,2)\,0.99\,1.25)"]
SETTINGS = RenderSettings(encoder_preset="ultrafast")


def one_period(rate: int) -> np.ndarray:
    """True while it flashes and beeps, over one period."""
    times = np.arange(round(EVERY_S * rate)) / rate
    return (times >= EVERY_S / 2) & (times < EVERY_S / 2 + FLASH_S)


def record(path: Path, seconds: float, *, fps: int = 25, size=(64, 36), options=(), sound: bool = True, picture=True,
           rate_hz: int = 16_000, gain: float = 0.3, audio=AAC) -> Path:  # fmt: skip
    """Film a grey ground that flashes, with a beep at each flash, over a faint hum."""
    made: list[str] = []
    if picture:
        raw = path.with_suffix(".gray")
        frames = np.where(one_period(fps), 250, 60).astype(np.uint8).repeat(size[0] * size[1])
        raw.write_bytes(np.resize(frames, round(seconds * fps) * size[0] * size[1]).tobytes())
        made += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{size[0]}x{size[1]}", "-framerate", str(fps)]
        made += ["-i", media.file_url(raw)]
    if sound:
        tone = np.sin(2 * np.pi * 1000 * np.arange(round(EVERY_S * rate_hz)) / rate_hz)
        tone = (tone * np.where(one_period(rate_hz), gain, gain / 100) * 32_767).astype(np.int16)
        with wave.open(str(path.with_suffix(".wav")), "wb") as file:
            file.setparams((1, 2, rate_hz, 0, "NONE", ""))
            file.writeframes(np.resize(tone, round(seconds * rate_hz)).tobytes())
        made += ["-i", media.file_url(path.with_suffix(".wav"))]
    coding = [*(H264 if picture else []), "-fps_mode", "passthrough", *options] if picture else []
    media.run_ffmpeg([*made, *coding, *(audio if sound else []), media.file_url(path)], what="Filming", timeout_s=120)
    return path


def flashes_s(clip: Path, fps: float) -> np.ndarray:
    raw = clip.with_suffix(".seen")
    top = "crop=iw:ih/2:0:0,scale=16:8,format=gray"
    shown = ["-map", "0:v", "-vf", top, "-fps_mode", "passthrough", "-f", "rawvideo"]
    media.run_ffmpeg(["-i", media.file_url(clip), *shown, media.file_url(raw)], what="Looking", timeout_s=60)
    lit = np.concatenate([[False], np.fromfile(raw, np.uint8).reshape(-1, 128).mean(axis=1) > 150])
    return np.flatnonzero(lit[1:] & ~lit[:-1]) / fps


def beeps_s(clip: Path) -> np.ndarray:
    raw = clip.with_suffix(".heard")
    mono = ["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le"]
    media.run_ffmpeg(["-i", media.file_url(clip), *mono, media.file_url(raw)], what="Listening", timeout_s=60)
    heard = np.abs(np.fromfile(raw, np.int16).astype(float))
    level = heard[: len(heard) // 48 * 48].reshape(-1, 48).max(axis=1)
    held = np.array([level[max(0, i - 4) : i + 1].max() for i in range(len(level))]) > heard.max() / 4
    return np.flatnonzero(np.diff(held.astype(int), prepend=0) == 1) / 1_000


def render(source: Path, start_s: float, end_s: float, folder: Path, *, settings: RenderSettings = SETTINGS,
           captions=(), title: str = "A title", on_progress=None) -> RenderedClip:  # fmt: skip
    folder.mkdir(exist_ok=True)
    return render_clip(
        source, probe(source), start_s, end_s, settings=settings, title=title, captions=captions, folder=folder,
        threads=1, on_progress=on_progress,
    )  # fmt: skip


def asked(clip: Path) -> dict:
    everything = ["-show_format", "-show_streams", "-show_chapters", "-of", "json", media.file_url(clip)]
    said, _ = media.run([tools.ffprobe(), "-v", "error", *everything], what="Asking", timeout_s=60)
    return json.loads(said)


def assert_in_step(made: RenderedClip, clip: Path, count: int) -> None:
    """Flashes and beeps fall together, and where the recording has them."""
    expected = [t - made.start_s for t in np.arange(1, made.end_s, EVERY_S) if t >= made.start_s]
    assert len(expected) == count
    flashes, beeps = flashes_s(clip, float(Fraction(made.frame_rate))), beeps_s(clip)
    assert flashes == pytest.approx(expected, abs=SYNC_S)
    assert beeps == pytest.approx(flashes, abs=SYNC_S)


def test_a_clip_is_what_was_asked_for(tmp_path):
    tags = ["-metadata", "title=secret", "-metadata", "comment=secret", "-metadata", "location=+1+1/"]
    source = record(tmp_path / "it's [a] talk; 100%: \\n.mp4", 14, size=(320, 180), options=tags)
    done_s: list[float] = []
    made = render(
        source,
        2.5,
        12.1,
        tmp_path / "clip",
        settings=RenderSettings(),
        title="It's a\ntitle = 1; #2",
        on_progress=done_s.append,
    )
    clip = tmp_path / "clip" / "clip.mp4"
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "poster.jpg"]
    assert (made.rejected, made.repairs, made.checks.problems) == (None, (), ())
    assert made.start_s == pytest.approx(2.5, abs=0.021) and made.end_s == pytest.approx(12.1, abs=0.041)
    assert (made.width, made.height, made.frame_rate) == (320, 180, "25/1")
    assert made.duration_s == pytest.approx(probe(clip).duration_s, abs=0.001)
    assert made.loudness_lufs == pytest.approx(SETTINGS.loudness_lufs, abs=1)
    assert made.true_peak_dbtp is not None and made.true_peak_dbtp < -1
    assert_in_step(made, clip, 5)
    found = asked(clip)
    assert found["format"]["tags"]["title"] == "It's a title = 1; #2"
    assert "secret" not in json.dumps(found) and "+1+1" not in json.dumps(found)
    assert found["chapters"] == []
    video, audio = found["streams"]
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (audio["codec_name"], audio["profile"], audio["channels"]) == ("aac", "LC", 2)
    assert clip.read_bytes().index(b"moov") < clip.read_bytes().index(b"mdat")
    assert done_s == sorted(done_s) and done_s[-1] == pytest.approx(9.6, abs=0.2)
    with Image.open(clip.with_name("poster.jpg")) as poster:
        assert poster.size == (320, 180)


def test_a_clip_from_minute_61_is_in_step(tmp_path):
    source = record(tmp_path / "long.mp4", 3_720, fps=5, size=(32, 18), rate_hz=8_000)
    made = render(source, 3_661.6, 3_667.4, tmp_path / "clip")
    assert made.rejected is None and made.frame_rate == "25/1"
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 3)


@pytest.mark.parametrize(("name", "audio"), [("uneven.mp4", AAC), ("uneven.mkv", ["-c:a", "flac"])])
def test_a_clip_of_uneven_frames_is_in_step(tmp_path, name, audio):
    source = record(tmp_path / name, 14, fps=30, options=UNEVEN, audio=audio)
    made = render(source, 4.33, 11.9, tmp_path / "clip")
    assert made.rejected is None and made.frame_rate == "30/1"
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 4)


def test_without_sound_there_is_no_sound_stream(tmp_path):
    made = render(record(tmp_path / "a.mp4", 6, sound=False), 1.0, 5.0, tmp_path / "clip")
    assert (made.rejected, made.loudness_lufs, made.true_peak_dbtp) == (None, None, None)
    assert [stream["codec_type"] for stream in asked(tmp_path / "clip" / "clip.mp4")["streams"]] == ["video"]


def test_sound_alone_gets_a_picture(tmp_path):
    source = record(tmp_path / "a.m4a", 8, picture=False)
    settings = SETTINGS.model_copy(update={"max_height": 360})
    made = render(source, 2.0, 5.0, tmp_path / "clip", settings=settings, title="{\\an8} 'title'")
    assert (made.rejected, made.width, made.height, made.frame_rate) == (None, 640, 360, "25/1")
    assert made.loudness_lufs == pytest.approx(-14, abs=1)
    clip = tmp_path / "clip" / "clip.mp4"
    assert beeps_s(clip) == pytest.approx([1.0], abs=0.01)
    found = probe(clip).video
    assert found and found.color_space == "bt709"
    with Image.open(clip.with_name("poster.jpg")) as poster:
        assert np.asarray(poster.convert("L"))[100:170].max() > 200  # the title


def test_silent_sound_alone_and_no_title_give_a_clip_still(tmp_path):
    source = record(tmp_path / "a.m4a", 6, picture=False, gain=0.0)
    made = render(source, 1.0, 3.0, tmp_path / "clip", title="")
    assert (made.rejected, made.repairs, made.loudness_lufs) == (None, (), None)


def test_silent_sound_stays_silent(tmp_path):
    source = record(tmp_path / "a.mp4", 6, gain=0.0)
    made = render(source, 1.0, 5.0, tmp_path / "clip")
    assert (made.rejected, made.repairs, made.loudness_lufs, made.true_peak_dbtp) == (None, (), None, None)
    assert any("silent" in warning for warning in made.checks.warnings)


def test_burned_captions_are_seen_while_they_last(tmp_path):
    source = record(tmp_path / "a.mp4", 8, size=(320, 180))
    captions = [Cue(1.2, 3.0, ("First line", "second {line}"))]
    settings = SETTINGS.model_copy(update={"burn_captions": True})
    made = render(source, 0.0, 5.0, tmp_path / "clip", settings=settings, captions=captions)
    assert made.rejected is None
    raw = tmp_path / "bottom.gray"
    bottom = ["-vf", "crop=iw:ih/3:0:ih*2/3,format=gray", "-f", "rawvideo"]
    clip = media.file_url(tmp_path / "clip" / "clip.mp4")
    media.run_ffmpeg(["-i", clip, *bottom, media.file_url(raw)], what="Looking", timeout_s=60)
    contrast = np.fromfile(raw, np.uint8).reshape(125, -1).std(axis=1)
    shown = np.flatnonzero(contrast > 10)
    assert (shown[0], shown[-1]) == (30, 74)


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        pytest.param([Cue(0.0, 2.0, ("a",)), Cue(1.0, 3.0, ("b",))], "overlap", id="overlapping"),
        pytest.param([Cue(3.0, 5.0, ("a",))], "after the clip", id="past the end"),
    ],
)
def test_captions_that_cannot_be_mended_reject_the_clip_at_once(tmp_path, captions, said):
    made = render(record(tmp_path / "a.mp4", 6), 1.0, 5.0, tmp_path / "clip", captions=captions)
    assert made.rejected is not None and said in made.rejected
    assert made.repairs == ()


def spoil(monkeypatch, module, name: str, times: int, spoiling) -> None:
    """Let what `module.name` reads from the recording go wrong, by `spoiling`, the first `times` times."""
    whole, calls = getattr(module, name), []

    def spoiled(*arguments, **options):
        calls.append(1)
        stream = whole(*arguments, **options)
        return spoiling(stream) if len(calls) <= times else stream

    monkeypatch.setattr(module, name, spoiled)


def black(picture):
    return picture.filter("drawbox", t="fill", c="black")


def late(sound):
    return sound.filter("adelay", delays=150, all=1).filter("atrim", end=5)


def test_a_spoiled_picture_is_cut_again(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    spoil(monkeypatch, rendering, "read_picture", 1, black)
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected is None
    assert len(made.repairs) == 1 and "is black where the recording is not" in made.repairs[0]
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 2)


def test_a_picture_that_stays_spoiled_is_rejected_with_the_reason(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    spoil(monkeypatch, rendering, "read_picture", 9, black)
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected == "The clip is black where the recording is not."
    assert made.rejected in made.checks.problems and len(made.repairs) == 1


def test_sound_that_came_late_is_cut_again(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    spoil(monkeypatch, loudness, "read_sound", 1, late)
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected is None and "ms late" in made.repairs[0]
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 2)


def test_sound_of_the_wrong_level_is_levelled_again_and_the_picture_kept(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    plans = [loudness.Levelling(-3.0, None)]
    monkeypatch.setattr(loudness, "plan_levelling", lambda *arguments: plans[0])
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected is None and made.loudness_lufs == pytest.approx(-14, abs=1)
    assert len(made.repairs) == 1 and made.repairs[0].startswith("Levelled the sound again")
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 2)
    assert sorted(path.name for path in (tmp_path / "clip").glob("*.[jm]p*")) == ["clip.mp4", "poster.jpg"]


def test_a_damaged_recording_gives_a_clip_or_a_reason(tmp_path):
    source = record(tmp_path / "a.mkv", 20)
    info = probe(source)
    data = bytearray(source.read_bytes())
    middle = slice(len(data) * 4 // 10, len(data) * 7 // 10)
    data[middle] = np.random.default_rng(5).bytes(middle.stop - middle.start)
    source.write_bytes(data)
    folder = tmp_path / "clip"
    folder.mkdir()
    made = render_clip(
        source, info, 8.0, 13.0, settings=SETTINGS, title="", captions=(), folder=folder, threads=1, on_progress=None
    )
    assert made.rejected is not None or made.duration_s == pytest.approx(5, abs=0.1)
    assert {path.name for path in folder.iterdir()} <= {"clip.mp4", "poster.jpg"}


def test_a_recording_that_vanished_is_an_error_and_leaves_nothing(tmp_path):
    source = record(tmp_path / "a.mp4", 4)
    info = probe(source)
    source.unlink()
    folder = tmp_path / "clip"
    folder.mkdir()
    with pytest.raises(MediaError, match="No such file"):
        render_clip(
            source, info, 1.0, 3.0, settings=SETTINGS, title="", captions=(), folder=folder, threads=1, on_progress=None
        )
    assert list(folder.iterdir()) == []


def test_being_told_to_stop_is_passed_on(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 4)
    monkeypatch.setattr(loudness, "extract_sound", lambda *arguments: (_ for _ in ()).throw(Cancelled("stop")))
    with pytest.raises(Cancelled):
        render(source, 1.0, 3.0, tmp_path / "clip")
    assert list((tmp_path / "clip").iterdir()) == []
