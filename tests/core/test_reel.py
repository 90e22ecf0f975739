"""The reel: its length, its chapters, and that flash and beep still fall together in the last clip."""

import json
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core import media, tools
from core.cutting import SOUND_OPTIONS
from core.errors import MediaError
from core.probe import probe
from core.reel import chapters_text, join_clips

RATE_HZ, FPS = 48_000, 25
H264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"]
AAC = [f"-{name}" if i == 0 else str(name) for option in SOUND_OPTIONS.items() for i, name in enumerate(option)]


def make_clip(path: Path, frames: int, *, sound: bool = True, size: str = "64x36", flash: int = 10, rate: str = "25",
              encoding=()) -> Path:  # fmt: skip
    """A dark clip with one lit frame, and a beep that begins with it."""
    raw, wav = path.with_suffix(".gray"), path.with_suffix(".wav")
    width, height = map(int, size.split("x"))
    lit = (np.arange(frames) == flash).astype(np.uint8) * 255
    raw.write_bytes(lit.repeat(width * height).tobytes())
    made = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-framerate", rate, "-i", media.file_url(raw)]
    if sound:
        ticks = np.arange(round(frames / Fraction(rate) * RATE_HZ))
        on = (ticks >= flash / Fraction(rate) * RATE_HZ) & (ticks < (flash + 3) / Fraction(rate) * RATE_HZ)
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes((np.sin(ticks * 0.131) * 12_000 * on).astype(np.int16).tobytes())
        made += ["-i", media.file_url(wav), *AAC, "-ac", "2"]
    media.run_ffmpeg([*made, *H264, *encoding, media.file_url(path)], what="Filming", timeout_s=60)
    return path


def lit_frames(path: Path) -> list[int]:
    raw = path.with_suffix(".seen")
    grey = ["-map", "0:v", "-vf", "scale=16:8,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo"]
    media.run_ffmpeg(["-i", media.file_url(path), *grey, media.file_url(raw)], what="Looking", timeout_s=60)
    return np.flatnonzero(np.fromfile(raw, np.uint8).reshape(-1, 128).mean(axis=1) > 128).tolist()


def frame_count(path: Path) -> int:
    asked = [tools.ffprobe(), "-v", "error", "-count_frames", "-select_streams", "v", "-of", "csv=p=0"]
    asked += ["-show_entries", "stream=nb_read_frames", media.file_url(path)]
    return int(media.run(asked, what="Counting", timeout_s=60)[0])


def beeps_s(path: Path) -> list[float]:
    raw = path.with_suffix(".heard")
    mono = ["-map", "0:a", "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le"]
    media.run_ffmpeg(["-i", media.file_url(path), *mono, media.file_url(raw)], what="Listening", timeout_s=60)
    heard = np.abs(np.fromfile(raw, np.int16).astype(float))
    level = heard[: len(heard) // 48 * 48].reshape(-1, 48).max(axis=1)
    on = np.convolve(level > 3_000, np.ones(5), "full")[: len(level)] > 0
    return (np.flatnonzero(np.diff(on.astype(int), prepend=0) == 1) / 1_000).tolist()


def chapters_of(path: Path) -> list[tuple[float, float, str]]:
    asked = [tools.ffprobe(), "-v", "error", "-show_chapters", "-of", "json", media.file_url(path)]
    said, _ = media.run(asked, what="Reading chapters", timeout_s=60)
    return [
        (float(chapter["start_time"]), float(chapter["end_time"]), chapter["tags"]["title"])
        for chapter in json.loads(said)["chapters"]
    ]


def test_picture_and_sound_stay_together_to_the_last_clip(tmp_path):
    frames = [31, 47, 29, 38, 33]  # none is a whole number of AAC frames
    clips = [make_clip(tmp_path / f"{n}.mp4", count, flash=5 + n) for n, count in enumerate(frames)]
    reel = tmp_path / "reel.mp4"
    titles = [r"a = b; #1 \ c", "It's \N{LATIN SMALL LETTER E WITH ACUTE}", "two\nlines", "", "[last]"]
    join_clips(clips, titles, target=reel, durations_s=[count / FPS for count in frames], title="All of it")
    found = probe(reel)
    assert found.duration_s == pytest.approx(sum(frames) / FPS, abs=0.03)
    assert found.video and found.audio and found.title == "All of it"
    flashes = [sum(frames[:n]) + 5 + n for n in range(5)]
    assert lit_frames(reel) == flashes
    assert beeps_s(reel) == pytest.approx([frame / FPS for frame in flashes], abs=0.01)
    edges = [sum(frames[:n]) / FPS for n in range(6)]
    chapters = chapters_of(reel)
    assert [name for *_, name in chapters if name] == [name for name in titles if name]
    assert [start for start, *_ in chapters] == pytest.approx(edges[:-1], abs=0.002)
    assert [end for _, end, _ in chapters] == pytest.approx(edges[1:], abs=0.002)
    head = reel.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")
    assert sorted(path.name for path in tmp_path.glob("reel*")) == ["reel.heard", "reel.mp4", "reel.seen"]


def test_the_frames_of_the_clips_are_kept_bit_for_bit(tmp_path):
    clips = [make_clip(tmp_path / f"{n}.mp4", 30) for n in range(2)]
    join_clips(clips, ["one", "two"], target=tmp_path / "reel.mp4", durations_s=[1.2, 1.2])

    def checksums(path: Path) -> list[str]:
        frames = ["-i", media.file_url(path), "-map", "0:v", "-f", "framemd5", "-"]
        said, _ = media.run([tools.ffmpeg(), *media.QUIET, *frames], what="Comparing", timeout_s=60)
        return [line.rsplit(",", 1)[1] for line in said.splitlines() if not line.startswith("#")]

    assert checksums(tmp_path / "reel.mp4") == checksums(clips[0]) + checksums(clips[1])


@pytest.mark.parametrize("name", ["it's.mp4", "a b [c] #d;e=f\\g.mp4", "two\nlines.mp4", "-dash.mp4", "%03d.mp4"])
def test_any_file_name_is_joined(tmp_path, name):
    clip = make_clip(tmp_path / "plain.mp4", 12).rename(tmp_path / name)
    join_clips([clip, clip], ["one", "two"], target=tmp_path / "reel.mp4", durations_s=[12 / FPS] * 2)
    assert lit_frames(tmp_path / "reel.mp4") == [10, 22]


def test_clips_without_sound_and_a_single_clip_are_joined(tmp_path):
    silent = [make_clip(tmp_path / f"{n}.mp4", 20, sound=False) for n in range(2)]
    join_clips(silent, ["one", "two"], target=tmp_path / "silent.mp4", durations_s=[0.8, 0.8])
    assert probe(tmp_path / "silent.mp4").audio is None
    assert lit_frames(tmp_path / "silent.mp4") == [10, 30]
    single = make_clip(tmp_path / "single.mp4", 20)
    join_clips([single], ["only"], target=tmp_path / "one.mp4", durations_s=[0.8])
    assert chapters_of(tmp_path / "one.mp4") == [(0.0, 0.8, "only")]


@pytest.mark.parametrize("rate", ["25", "30000/1001"])
@pytest.mark.parametrize("reordered", ["0", "3"])
def test_between_clips_there_is_no_outro_and_no_intro(tmp_path, rate, reordered):
    """Three clips of intro, body and outro; a flash in the intro would be seen, one in each body is."""
    intro, bodies, outro, fps = 13, (30, 26, 33), 11, Fraction(rate)
    clips, starts = [], []
    for number, body in enumerate(bodies):
        joints = f"expr:eq(n,{intro})+eq(n,{intro + body})"
        encoding = ["-force_key_frames", joints, "-flags:v", "+cgop", "-bf", reordered, "-preset", "veryfast"]
        frames = intro + body + outro
        clips.append(
            make_clip(tmp_path / f"{number}.mp4", frames, flash=intro + 2 * number, rate=rate, encoding=encoding)
        )
        starts.append(sum(bodies[:number]) + (intro if number else 0))
    reel = tmp_path / "reel.mp4"
    lengths_s = [float((intro + body + outro) / fps) for body in bodies]
    ends_s = [(float(intro / fps), float(outro / fps))] * 3
    join_clips(clips, ["one", "two", "three"], target=reel, durations_s=lengths_s, ends_s=ends_s)
    shown = [intro, starts[1] + 2, starts[2] + 4]
    assert lit_frames(reel) == shown
    assert beeps_s(reel) == pytest.approx([float(frame / fps) for frame in shown], abs=0.01)
    assert frame_count(reel) == intro + sum(bodies) + outro
    edges_s = [float(frame / fps) for frame in (0, *starts[1:], intro + sum(bodies) + outro)]
    assert [start for start, *_ in chapters_of(reel)] == pytest.approx(edges_s[:-1], abs=0.002)
    found = probe(reel)
    assert found.duration_s == pytest.approx(edges_s[-1], abs=0.03)
    assert found.video and found.video.fps == fps and not found.video.variable_frame_rate


def test_clips_whose_intro_cannot_be_cut_off_exactly_are_joined_whole(tmp_path):
    clips = [make_clip(tmp_path / f"{n}.mp4", 30, flash=20) for n in range(2)]
    join_clips(
        clips, ["one", "two"], target=tmp_path / "reel.mp4", durations_s=[1.2, 1.2], ends_s=[(0.4, 0.0), (0.4, 0.0)]
    )
    assert lit_frames(tmp_path / "reel.mp4") == [20, 50]
    assert [start for start, *_ in chapters_of(tmp_path / "reel.mp4")] == pytest.approx([0.0, 1.2], abs=0.002)


def test_clips_of_different_form_are_refused(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 12)
    for other in (make_clip(tmp_path / "b.mp4", 12, size="80x36"), make_clip(tmp_path / "c.mp4", 12, sound=False)):
        with pytest.raises(MediaError, match="differs from the first"):
            join_clips([clip, other], ["one", "two"], target=tmp_path / "reel.mp4", durations_s=[0.5, 0.5])
    assert not list(tmp_path.glob("reel*"))


def test_lists_of_unequal_length_are_refused(tmp_path):
    with pytest.raises(ValueError, match="as many titles"):
        join_clips([tmp_path / "a.mp4"], [], target=tmp_path / "reel.mp4", durations_s=[1.0])
    with pytest.raises(ValueError, match="as many titles"):
        join_clips([], [], target=tmp_path / "reel.mp4", durations_s=[])


def test_chapters_text_escapes_what_metadata_files_give_a_meaning():
    lines = chapters_text(["a=b;c#d\\e\nf", "g"], [1.5, 0.25]).splitlines()
    assert lines[0] == ";FFMETADATA1"
    assert lines[5:7] == ["title=a\\=b\\;c\\#d\\\\e\\", "f"]
    assert lines[8:11] == ["TIMEBASE=1/1000", "START=1500", "END=1750"]
