"""Tightened picture and sound, taken apart again: every kept frame, every kept sample, in step at every join."""

import wave
from fractions import Fraction
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from core import float_wav, loudness, media
from core.cutting import SOUND_OPTIONS, Cut, arguments, plan_cut, read_picture
from core.errors import MediaError
from core.probe import probe
from core.records import Word
from core.tighten_graph import CROSSFADE_S, crossfade, tighten_picture, tighten_wav
from core.tighten_plan import plan_tightening
from core.tightening import Removal, Tightening

RATE_HZ = 48_000
SIDE = 16
BEEP_S = 0.2
RATES = [Fraction(25), Fraction(30_000, 1_001), Fraction(60)]


def at_frames(rate: Fraction, frames: int, *removed: tuple[int, int]) -> Tightening:
    def time_s(frame: int) -> float:
        return float(frame / rate)

    text = f"{rate.numerator}/{rate.denominator}"
    return Tightening(time_s(frames), text, tuple(Removal(time_s(a), time_s(b), "pause") for a, b in removed))


def film(path: Path, rate: Fraction, frames: int, lit: np.ndarray, sound: np.ndarray | None = None) -> Path:
    """Each frame tells its number by the grey of its left and middle thirds, and whether it is lit by the right one."""
    number = np.arange(frames)
    pixels = np.zeros((frames, SIDE, 3 * SIDE), np.uint8)
    pixels[:, :, :SIDE] = (24 + number % 27 * 8)[:, None, None]
    pixels[:, :, SIDE : 2 * SIDE] = (24 + number // 27 * 8)[:, None, None]
    pixels[:, :, 2 * SIDE :] = np.where(lit, 230, 30)[:, None, None]
    raw = path.with_suffix(".gray")
    raw.write_bytes(pixels.tobytes())
    made = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{3 * SIDE}x{SIDE}", "-framerate", f"{rate}"]
    made += ["-i", media.file_url(raw)]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p"]
    if sound is not None:
        with wave.open(str(path.with_suffix(".wav")), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes((sound * 32_767).astype(np.int16).tobytes())
        made += ["-i", media.file_url(path.with_suffix(".wav"))]
        coded += ["-c:a", "pcm_s16le"]
    media.run_ffmpeg([*made, *coded, media.file_url(path)], what="Filming", timeout_s=60)
    return path


def cut_whole(path: Path, frames: int) -> Cut:
    info = probe(path)
    assert info.video is not None
    cut = plan_cut(path, info, 0.0, float(frames / Fraction(info.video.frame_rate)) + 0.001)
    assert cut.frames == frames
    return cut


def seen(picture: object, raw: Path) -> tuple[list[int], np.ndarray]:
    """The numbers of the frames that a stream shows, and which are lit."""
    grey = picture.filter("format", "gray")  # pyright: ignore
    output = ffmpeg.output(grey, media.file_url(raw), f="rawvideo")
    media.run_ffmpeg(arguments(output), what="Looking", timeout_s=60)
    thirds = np.fromfile(raw, np.uint8).reshape(-1, SIDE, 3, SIDE).mean(axis=(1, 3))
    low, high = (np.round((thirds[:, part] - 24) / 8).astype(int) for part in (0, 1))
    return (27 * high + low).tolist(), thirds[:, 2] > 130


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_exactly_the_kept_frames_are_shown(tmp_path, rate):
    frames = 500
    source = film(tmp_path / "a.mkv", rate, frames, np.zeros(frames, bool))
    removed = [(3, 4), *((first, first + 1 + first % 5) for first in range(9, 480, 8))]
    made = at_frames(rate, frames, *removed)
    assert len(made.kept) > 60
    numbers, _ = seen(tighten_picture(read_picture(cut_whole(source, frames), threads=1), made), tmp_path / "raw")
    assert numbers == [frame for first, end in made.kept for frame in range(first, end)]


def test_an_empty_plan_leaves_the_picture_as_it_is():
    stream = ffmpeg.input("a").video
    assert tighten_picture(stream, Tightening(4.0, "25/1")) is stream


def joined(tmp_path: Path, made: Tightening, sound: np.ndarray) -> np.ndarray:
    source = float_wav.create(tmp_path / "sound.wav", RATE_HZ, len(sound), 2)
    source[:] = np.repeat(sound.astype(np.float32)[:, None], 2, axis=1)
    tighten_wav(tmp_path / "sound.wav", tmp_path / "tight.wav", made)
    rate_hz, after = float_wav.read(tmp_path / "tight.wav")
    assert rate_hz == RATE_HZ
    return np.array(after)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_sound_keeps_every_sample_outside_the_crossfades_at_its_place(tmp_path, rate):
    made = at_frames(rate, 700, *((first, first + 7) for first in range(20, 680, 11)))
    ramp = np.arange(round(700 / rate * RATE_HZ)) / 1e6
    after = joined(tmp_path, made, ramp)[:, 0]
    assert len(after) == round(made.kept_frames / rate * RATE_HZ)
    half = round(CROSSFADE_S / 2 * RATE_HZ)
    for (first, end), start in zip(made.kept, made.starts, strict=True):
        begin, at = (round(frame / rate * RATE_HZ) for frame in (first, start))
        long = round((start + end - first) / rate * RATE_HZ) - at
        inner = slice(half if start else 0, long - half if end < 700 else long)
        assert np.abs(after[at : at + long][inner] - ramp[begin : begin + long][inner]).max() < 1e-6


def test_a_join_makes_no_click_and_no_dip(tmp_path):
    """A sound that is cut in mid-wave: what is high in it stays what it was, as does its power."""
    times_s = np.arange(10 * RATE_HZ) / RATE_HZ
    hum = 0.3 * np.sin(2 * np.pi * 101 * times_s)
    rng = np.random.default_rng(1)
    made = at_frames(Fraction(25), 250, *((first, first + 9) for first in range(20, 230, 20)))
    steps = np.abs(np.diff(hum, 2)).max()
    after = joined(tmp_path, made, hum)[:, 0]
    assert np.abs(np.diff(after, 2)).max() < 1.5 * steps
    hard = np.concatenate([hum[a * 1920 : b * 1920] for a, b in made.kept])
    assert np.abs(np.diff(hard, 2)).max() > 10 * steps
    power = joined(tmp_path, made, 0.1 * rng.standard_normal(len(hum)))[:, 0] ** 2
    near = [np.mean(power[round((t - 0.01) * RATE_HZ) : round((t + 0.01) * RATE_HZ)]) for t in made.joins_s]
    assert np.mean(near) == pytest.approx(np.mean(power), rel=0.1)


def test_a_crossfade_of_one_sound_with_itself_is_that_sound():
    tone = np.sin(np.arange(1_000) / 9).astype(np.float32)[:, None]
    assert crossfade(tone, tone) == pytest.approx(tone, abs=1e-6)
    assert crossfade(0 * tone, 0 * tone) == pytest.approx(0 * tone)


def test_sound_that_ends_early_is_followed_by_silence(tmp_path):
    made = at_frames(Fraction(25), 250, (50, 75))
    after = joined(tmp_path, made, np.full(5 * RATE_HZ, 0.5))
    assert len(after) == 9 * RATE_HZ
    assert np.flatnonzero(after[:, 1])[-1] == pytest.approx(4 * RATE_HZ, abs=1)


def test_flash_and_beep_stay_together_through_every_join(tmp_path):
    """Words are beeps with a flash each, pauses are long; planned, cut, encoded, and measured on the file."""
    rate, frames = Fraction(30_000, 1_001), 720
    starts = [12, 31, 83, 101, 180, 197, 290, 309, 420, 441, 560, 579, 660, 678]
    lit = np.zeros(frames, bool)
    sound = 1e-4 * np.random.default_rng(3).standard_normal(round(frames / rate * RATE_HZ))
    words = []
    for start in starts:
        lit[start : start + 6] = True
        begin_s = float(start / rate)
        at = round(begin_s * RATE_HZ)
        sound[at : at + round(BEEP_S * RATE_HZ)] += 0.3 * np.sin(np.arange(round(BEEP_S * RATE_HZ)) / 7)
        words.append(Word("beep", begin_s, begin_s + BEEP_S))
    cut = cut_whole(film(tmp_path / "a.mkv", rate, frames, lit, sound), frames)
    level = np.full(2_400, -70.0)
    for word in words:
        level[round(word.start_s * 100) - 2 : round(word.end_s * 100) + 1] = -10
    made = plan_tightening(
        words, duration_s=cut.duration_s, frame_rate=rate, level_dbfs=level, hop_s=0.01, min_piece_s=0.5,
        cuts_per_minute=100,
    )  # fmt: skip
    assert len(made.removed) == 6
    loudness.extract_sound(cut, tmp_path / "sound.wav")
    tighten_wav(tmp_path / "sound.wav", tmp_path / "tight.wav", made)
    heard = ffmpeg.input(media.file_url(tmp_path / "tight.wav"), **media.input_options("wav")).audio
    shown = tighten_picture(read_picture(cut, threads=1), made)
    clip = tmp_path / "clip.mp4"
    coding = {"c:v": "libx264", "preset": "ultrafast", **SOUND_OPTIONS}
    media.run_ffmpeg(
        arguments(ffmpeg.output(shown, heard, media.file_url(clip), **coding)), what="Encoding", timeout_s=60
    )
    found = probe(clip)
    assert found.video is not None and found.audio is not None
    assert (found.video.frame_rate, found.video.duration_s) == ("30000/1001", pytest.approx(made.shown_duration_s))
    _, bright = seen(ffmpeg.input(media.file_url(clip)).video, tmp_path / "raw")
    loudness.extract_sound(cut_whole(clip, made.kept_frames), tmp_path / "heard.wav")
    strong = np.abs(float_wav.read(tmp_path / "heard.wav")[1][:, 0]) > 0.1
    flashes_s = np.flatnonzero(np.diff(bright.astype(int), prepend=0) == 1) / float(rate)
    loud = np.flatnonzero(strong)
    beeps_s = loud[np.diff(loud, prepend=-RATE_HZ) > RATE_HZ // 10] / RATE_HZ
    expected_s = [word.start_s for word in made.retime(words)]
    assert flashes_s == pytest.approx(expected_s, abs=0.001)
    assert beeps_s == pytest.approx(flashes_s, abs=0.02)


def test_a_sound_of_another_kind_is_refused(tmp_path):
    made = at_frames(Fraction(25), 100, (30, 50))
    with wave.open(str(tmp_path / "whole.wav"), "wb") as file:
        file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(bytes(400))
    (tmp_path / "none.wav").write_bytes(b"ID3")
    for name, said in (("whole.wav", "32-bit floats"), ("none.wav", "no WAV")):
        with pytest.raises(MediaError, match=said):
            tighten_wav(tmp_path / name, tmp_path / "out.wav", made)
