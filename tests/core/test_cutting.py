"""Cuts are proven with flashes and beeps at known times: where they lie in the clip tells where the cut was made."""

import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from core import media, tools
from core.cutting import arguments, clip_frame_rate, file_options, plan_cut, read_picture, read_sound
from core.probe import probe
from core.records import VideoStream

SYNC_S, SOUND_S = 0.020, 0.005
RATE_HZ = 16_000
EVERY_S, FLASH_S = 2.0, 0.2
"""Flash and beep begin together at 1, 3, 5 … s of what is recorded."""
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "60"]


def record(path: Path, *, seconds: float, fps: int, video=(), audio=(), late=None, filters=(), extra=()) -> Path:
    """Film flashes and beeps into `path`; `late` is (stream, seconds) for a stream that begins late."""
    raw, wav = path.with_suffix(".gray"), path.with_suffix(".wav")
    times = np.arange(round(seconds * fps)) / fps
    lit = (times % EVERY_S >= EVERY_S / 2 - 1e-9) & (times % EVERY_S < EVERY_S / 2 + FLASH_S - 1e-9)
    ticks = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    loud = (ticks % EVERY_S >= EVERY_S / 2) & (ticks % EVERY_S < EVERY_S / 2 + FLASH_S)
    late_s = {"video": 0.0, "audio": 0.0} | dict([late] if late else [])
    lit, loud = lit[round(late_s["video"] * fps) :], loud[round(late_s["audio"] * RATE_HZ) :]
    raw.write_bytes(np.where(lit, 255, 0).astype(np.uint8).repeat(64 * 36).tobytes())
    with wave.open(str(wav), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        tone = np.sin(2 * np.pi * 1000 * ticks[len(ticks) - len(loud) :]) * 12_000 * loud
        file.writeframes(tone.astype(np.int16).tobytes())
    made: list[str] = []
    if video:
        made += [
            "-itsoffset",
            str(late_s["video"]),
            "-f",
            "rawvideo",
            "-pix_fmt",
            "gray",
            "-s",
            "64x36",
            "-framerate",
            str(fps),
        ]
        made += ["-i", media.file_url(raw)]
    if audio:
        made += ["-itsoffset", str(late_s["audio"]), "-i", media.file_url(wav)]
    if video:
        made += ["-pix_fmt", "yuv420p", "-fps_mode", "passthrough", *video, *filters]
    media.run_ffmpeg([*made, *audio, *extra, media.file_url(path)], what=f"Filming {path.name}", timeout_s=120)
    return path


def onsets(levels: np.ndarray, threshold: float) -> np.ndarray:
    """Indices at which something begins: a level above `threshold` after one below, or at the very start."""
    on = np.concatenate([[False], levels > threshold])
    return np.flatnonzero(on[1:] & ~on[:-1])


def beep_times(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """When beeps begin, in seconds: the loudest of each millisecond, held over the tone's zero crossings."""
    step = rate_hz // 1_000
    level = np.abs(samples[: len(samples) // step * step].astype(float)).reshape(-1, step).max(axis=1)
    held = np.array([level[max(0, i - 4) : i + 1].max() for i in range(len(level))])
    return onsets(held, 3_000) / 1_000


def as_recorded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(times of flashes, times of beeps) by decoding the whole file from its beginning, on the container's timeline."""

    def first_times(stream: str) -> np.ndarray:
        what = ["-select_streams", stream, "-show_entries", "frame=pts_time", "-of", "csv=p=0", media.file_url(path)]
        said, _ = media.run([tools.ffprobe(), "-v", "error", *what], what="Reading times", timeout_s=60)
        return np.array([float(line.strip(",").replace("N/A", "nan")) for line in said.split()])

    clock, _ = media.run(
        [tools.ffprobe(), "-v", "error", "-show_entries", "format=start_time", "-of", "csv=p=0", media.file_url(path)],
        what="Reading the clock", timeout_s=60,
    )  # fmt: skip
    clock_s = 0.0 if "N/A" in clock else float(clock.split()[0])
    raw, info = path.with_suffix(".all"), probe(path)
    flashes = beeps = np.array([])
    if info.video:
        grey = ["-map", "0:v", "-vf", "scale=16:8,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo"]
        media.run_ffmpeg(["-i", media.file_url(path), *grey, media.file_url(raw)], what="Decoding", timeout_s=60)
        frames = np.fromfile(raw, np.uint8).reshape(-1, 128).mean(axis=1)
        flashes = first_times("v")[: len(frames)][onsets(frames, 128)] - clock_s
    if info.audio:
        plain = ["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le"]
        media.run_ffmpeg(["-i", media.file_url(path), *plain, media.file_url(raw)], what="Decoding", timeout_s=60)
        beeps = beep_times(np.fromfile(raw, np.int16), 48_000) + first_times("a")[0] - clock_s
    return flashes, beeps


def cut_out(path: Path, start_s: float, end_s: float, *, careful: bool = False):
    """(cut, times of flashes, times of beeps) of a clip, the times being the clip's own."""
    cut = plan_cut(path, probe(path), start_s, end_s, careful=careful)
    flashes = beeps = np.array([])
    raw = path.with_suffix(".cut")
    if cut.info.video:
        seen = read_picture(cut, threads=1).filter("scale", 16, 8).filter("format", "gray")
        output = ffmpeg.output(seen, media.file_url(raw), f="rawvideo", fps_mode="passthrough")
        media.run_ffmpeg(arguments(output), what="Cutting", timeout_s=60)
        frames = np.fromfile(raw, np.uint8).reshape(-1, 128).mean(axis=1)
        assert len(frames) == cut.frames
        flashes = onsets(frames, 128) / float(cut.frame_rate)
    if cut.info.audio:
        output = ffmpeg.output(read_sound(cut), media.file_url(raw), f="s16le", acodec="pcm_s16le")
        media.run_ffmpeg(arguments(output), what="Cutting", timeout_s=60)
        samples = np.fromfile(raw, np.int16).reshape(-1, 2)
        assert len(samples) == cut.samples
        beeps = beep_times(samples[:, 0], 48_000)
    return cut, flashes, beeps


AAC, MP3, PCM = ["-c:a", "aac"], ["-c:a", "libmp3lame"], ["-c:a", "pcm_s16le"]
UNEVEN = ["-vf", r"select=not(mod(n\,7))+between(mod(t\,2)\,0.99\,1.25)", "-fps_mode", "vfr"]
RECORDINGS = [
    pytest.param("a.mp4", {"fps": 25, "video": H264, "audio": AAC}, 8.6, id="MP4 at 25 frames a second"),
    pytest.param("a.mov", {"fps": 30, "video": H264, "audio": PCM}, 8.61, id="MOV at 30 with PCM, off the frame grid"),
    pytest.param("a.mp4", {"fps": 5, "video": H264, "audio": AAC}, 8.63, id="MP4 at 5 frames a second"),
    pytest.param("a.mkv", {"fps": 30, "video": H264, "audio": MP3, "filters": UNEVEN}, 8.55, id="MKV, variable rate"),
    pytest.param("a.mp4", {"fps": 30, "video": H264, "audio": AAC, "filters": UNEVEN}, 8.55, id="MP4, variable rate"),
    pytest.param(
        "a.ts",
        {
            "fps": 25,
            "video": ["-c:v", "mpeg2video", "-g", "100", "-sc_threshold", "1000000000"],
            "audio": ["-c:a", "mp2"],
            "extra": ["-output_ts_offset", "41.5"],
        },
        8.7,
        id="MPEG-TS whose clock starts at 41 s, keyframes 4 s apart",
    ),  # fmt: skip
    pytest.param(
        "a.ts",
        {"fps": 25, "video": H264, "audio": AAC, "late": ("video", 0.8), "extra": ["-output_ts_offset", "7"]},
        6.3,
        id="MPEG-TS whose picture starts late",
    ),
    pytest.param(
        "a.mp4", {"fps": 25, "video": H264, "audio": AAC, "late": ("audio", 1.5)}, 4.4, id="sound starts late"
    ),
    pytest.param(
        "a.mp4", {"fps": 25, "video": H264, "audio": AAC, "late": ("video", 1.5)}, 4.4, id="picture starts late"
    ),
    pytest.param(
        "a.webm",
        {"fps": 25, "video": ["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "200k"], "audio": ["-c:a", "libopus"]},
        8.3,
        id="WebM with Opus",
    ),
    pytest.param("a.avi", {"fps": 25, "video": ["-c:v", "mpeg4"], "audio": MP3}, 8.3, id="AVI with MP3"),
    pytest.param("a.wmv", {"fps": 25, "video": ["-c:v", "wmv2"], "audio": ["-c:a", "wmav2"]}, 8.3, id="Windows Media"),
    pytest.param("a.mp3", {"fps": 25, "audio": [*MP3, "-q:a", "5"]}, 8.3, id="MP3 alone, variable bit rate"),
    pytest.param("a.aac", {"fps": 25, "audio": AAC}, 8.3, id="bare AAC alone"),
    pytest.param("a.flac", {"fps": 25, "audio": ["-c:a", "flac"]}, 8.3, id="FLAC alone"),
]


@pytest.mark.parametrize(("name", "how", "start_s"), RECORDINGS)
def test_a_cut_shows_and_sounds_what_the_recording_has_then(tmp_path, name, how, start_s):
    path = record(tmp_path / name, seconds=16, **how)
    recorded = as_recorded(path)
    for careful in (False, True):
        cut, *found = cut_out(path, start_s, 13.6, careful=careful)
        assert abs(cut.start_s - start_s) <= 0.5 / cut.frame_rate + 1e-6
        for name, times, then, near_s in zip(("video", "audio"), found, recorded, (SYNC_S, SOUND_S), strict=True):
            if name in how:
                inside = then[(then > start_s + 0.1) & (then < 13.5)] - cut.start_s
                assert len(inside) >= 3
                assert times == pytest.approx(inside, abs=near_s)


def test_what_a_late_stream_lacks_is_silence_or_its_first_frame(tmp_path):
    late_sound = record(tmp_path / "a.mov", seconds=8, fps=25, video=H264, audio=PCM, late=("audio", 2.5))
    _, flashes, beeps = cut_out(late_sound, 0.0, 6.0)
    assert flashes == pytest.approx([1, 3, 5], abs=SYNC_S)
    assert beeps == pytest.approx([3, 5], abs=SOUND_S)
    late_picture = record(tmp_path / "b.mov", seconds=8, fps=25, video=H264, audio=PCM, late=("video", 2.48))
    _, flashes, beeps = cut_out(late_picture, 0.0, 6.0)
    assert flashes == pytest.approx([3, 5], abs=SYNC_S)
    assert beeps == pytest.approx([1, 3, 5], abs=SOUND_S)


def test_a_frame_still_shown_when_the_clip_begins_is_in_it(tmp_path):
    only_changes = ["-vf", r"select=eq(n\,0)+eq(n\,225)+eq(n\,230)", "-fps_mode", "vfr"]
    path = record(tmp_path / "slides.mp4", seconds=12, fps=25, video=H264, audio=AAC, filters=only_changes)
    cut, flashes, _ = cut_out(path, 4.0, 10.0)
    assert cut.frame_rate == 30
    assert flashes == pytest.approx([5.0], abs=SYNC_S)  # dark from 4 s on, though the next frame only comes at 9 s


def test_a_clip_after_the_picture_has_ended_shows_its_last_frame(tmp_path):
    longer_sound = record(tmp_path / "a.mov", seconds=10, fps=25, video=H264, audio=PCM)
    shorter = tmp_path / "b.mov"
    both = ["-t", "5.1", "-i", media.file_url(longer_sound), "-i", media.file_url(longer_sound)]
    media.run_ffmpeg(
        [*both, "-map", "0:v", "-map", "1:a", "-c", "copy", media.file_url(shorter)], what="Filming", timeout_s=60
    )
    _, flashes, beeps = cut_out(shorter, 6.52, 9.52)
    assert flashes.tolist() == [0.0]  # the last frame is a lit one and stays
    assert beeps == pytest.approx([0.48, 2.48], abs=SOUND_S)


def test_a_picture_whose_size_changes_in_mid_stream_keeps_its_times(tmp_path):
    small = record(tmp_path / "a.ts", seconds=6, fps=25, video=H264, audio=AAC)
    large = tmp_path / "b.ts"
    media.run_ffmpeg(
        ["-i", media.file_url(small), "-vf", "scale=128:72", *H264, "-c:a", "copy", "-output_ts_offset", "6",
         media.file_url(large)],
        what="Filming", timeout_s=60,
    )  # fmt: skip
    joined = tmp_path / "c.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    cut, flashes, beeps = cut_out(joined, 2.4, 11.5)
    assert flashes + cut.start_s == pytest.approx(as_recorded(joined)[0][1:6], abs=SYNC_S)
    assert beeps == pytest.approx(flashes, abs=0.04)  # the seam repeats an AAC frame, which is evened out slowly


def test_sound_of_many_channels_is_mixed_to_two(tmp_path):
    path = tmp_path / "many.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((16, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.full((RATE_HZ * 3, 16), 8_000, np.int16).tobytes())
    cut, _, beeps = cut_out(path, 1.0, 2.5)
    assert cut.samples == 1.5 * 48_000 + 960  # 37.5 frames of the generated picture are 38
    assert beeps == pytest.approx([0.0], abs=0.005)


STREAM = VideoStream(
    index=0, codec="h264", width=64, height=36, frame_rate="25/1", average_frame_rate="25/1", variable_frame_rate=False,
    rotation_deg=0, sample_aspect_ratio="1:1", pixel_format="yuv420p", color_range=None, color_space=None,
    color_transfer=None, color_primaries=None, interlaced=False, start_s=0.0, duration_s=60.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "uneven", "made"),
    [
        pytest.param("25/1", False, Fraction(25), id="an ordinary rate is kept"),
        pytest.param("24000/1001", False, Fraction(24000, 1001), id="film rate is kept exactly"),
        pytest.param("60/1", False, Fraction(60), id="60 is kept"),
        pytest.param("120/1", False, Fraction(60), id="120 is halved"),
        pytest.param("100/1", False, Fraction(50), id="100 is halved"),
        pytest.param("5/1", False, Fraction(25), id="5 becomes a multiple"),
        pytest.param("25/2", False, Fraction(25), id="12.5 is doubled"),
        pytest.param("1852/929", True, Fraction(30), id="an uneven slow one becomes 30"),
        pytest.param("45/1", True, Fraction(45), id="an uneven fast one is kept"),
    ],
)
def test_clip_frame_rate(rate, uneven, made):
    assert clip_frame_rate(replace(STREAM, frame_rate=rate, variable_frame_rate=uneven)) == made


@pytest.mark.parametrize(("start_s", "end_s"), [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (20.0, 25.0), (float("nan"), 2.0)])
def test_an_interval_outside_the_recording_is_refused(tmp_path, start_s, end_s):
    path = record(tmp_path / "a.flac", seconds=4, fps=25, audio=["-c:a", "flac"])
    with pytest.raises(ValueError, match="inside its recording"):
        plan_cut(path, probe(path), start_s, end_s)


def test_a_title_cannot_end_its_line():
    assert file_options("one\ntwo\0three")["metadata"] == "title=one two three"
