"""Loudness: what is measured, and that the planned levelling reaches the target without passing its peaks."""

import math
import wave
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from core import media
from core.cutting import arguments, plan_cut
from core.loudness import PEAK_DBTP, Levelling, extract_sound, measure_loudness, plan_levelling
from core.probe import probe

RATE_HZ = 48_000


def write_wav(path: Path, samples: np.ndarray) -> Path:
    """16-bit stereo with the same sound on both sides; `samples` in -1 … 1."""
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32_767).astype(np.int16).repeat(2).tobytes())
    return path


def sine(seconds: float, dbfs: float, hz: float = 997) -> np.ndarray:
    return 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def speech(seconds: float, dbfs: float) -> np.ndarray:
    """Bursts of noise with pauses between and single high peaks, as speech has them."""
    rng = np.random.default_rng(7)
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    bursts = np.maximum(0, np.sin(2 * np.pi * 3 * times)) * (np.sin(2 * np.pi * 0.4 * times) > -0.6)
    return 10 ** (dbfs / 20) * bursts * np.clip(rng.standard_normal(len(times)), -4, 4) / 4


def levelled(tmp_path: Path, samples: np.ndarray, target_lufs: float):
    """(plan, loudness before, loudness after, samples after) of levelling `samples`."""
    path = write_wav(tmp_path / "source.wav", samples)
    info = probe(path)
    cut = plan_cut(path, info, 0.0, info.duration_s)
    before = extract_sound(cut, tmp_path / "sound.wav")
    plan = plan_levelling(tmp_path / "sound.wav", before, target_lufs, cut.duration_s)
    sound = plan.apply(ffmpeg.input(media.file_url(tmp_path / "sound.wav"), **media.input_options("wav")).audio)
    after = tmp_path / "after.wav"
    output = ffmpeg.output(sound, media.file_url(after), f="wav", acodec="pcm_s16le")
    media.run_ffmpeg(arguments(output), what="Levelling", timeout_s=60)
    with wave.open(str(after)) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    return plan, before, measure_loudness(after, "wav", cut.duration_s), heard


def test_a_full_scale_sine_on_both_sides_measures_as_the_standard_says(tmp_path):
    """EBU Tech 3341, case 1: a 1 kHz sine at -23 dBFS in both channels is -23 LUFS."""
    path = write_wav(tmp_path / "a.wav", sine(5, -23))
    found = measure_loudness(path, "wav", 5.0)
    assert found.integrated_lufs == pytest.approx(-23, abs=0.2)
    assert found.true_peak_dbtp == pytest.approx(-23, abs=0.3)


def test_silence_measures_as_silent_and_is_left_alone(tmp_path):
    plan, before, _, heard = levelled(tmp_path, np.zeros(3 * RATE_HZ), -14)
    assert before.silent and before.true_peak_dbtp == -math.inf
    assert plan == Levelling(0.0, None)
    assert not heard.any()


def test_faint_noise_is_not_raised(tmp_path):
    noise = np.random.default_rng(1).uniform(-1, 1, 3 * RATE_HZ) * 10 ** (-62 / 20)
    plan, before, *_ = levelled(tmp_path, noise, -14)
    assert before.silent and plan.gain_db == 0


@pytest.mark.parametrize("target_lufs", [-14.0, -23.0])
@pytest.mark.parametrize("dbfs", [-30.0, -6.0])
def test_a_plain_gain_is_used_where_peaks_allow(tmp_path, dbfs, target_lufs):
    plan, before, after, _ = levelled(tmp_path, sine(4, dbfs), target_lufs)
    assert plan.ceiling_dbfs is None
    assert plan.gain_db == pytest.approx(target_lufs - before.integrated_lufs)
    assert after.integrated_lufs == pytest.approx(target_lufs, abs=0.2)


def test_high_peaks_are_limited_and_the_target_still_reached(tmp_path):
    plan, before, after, _ = levelled(tmp_path, speech(12, -12), -14)
    assert before.true_peak_dbtp - before.integrated_lufs > 12  # so a plain gain would pass the ceiling
    assert plan.ceiling_dbfs is not None
    assert after.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert after.true_peak_dbtp <= PEAK_DBTP + 0.4


def test_the_limiter_neither_delays_nor_shortens(tmp_path):
    samples = speech(6, -12)
    clicks = np.arange(RATE_HZ, 6 * RATE_HZ, RATE_HZ)
    samples[clicks] = 1.0
    plan, *_, heard = levelled(tmp_path, samples, -14)
    assert plan.ceiling_dbfs is not None
    assert len(heard) == 6 * RATE_HZ
    shift = np.correlate(heard[:RATE_HZ, 0].astype(float), samples[1_000 : RATE_HZ - 1_000], "valid").argmax() - 1_000
    assert abs(shift) <= 2


def test_peaks_without_substance_end_as_loud_as_their_ceiling_allows(tmp_path):
    """Clicks in near silence cannot reach the target; the attempt must end, below the ceiling."""
    samples = sine(4, -70)
    samples[:: RATE_HZ // 2] = 0.9
    *_, after, heard = levelled(tmp_path, samples, -14)
    assert after.integrated_lufs < -14
    assert np.abs(heard).max() <= 32_767 * 10 ** (PEAK_DBTP / 20)


def test_the_extracted_sound_is_faded_at_its_edges_and_has_the_exact_length(tmp_path):
    path = write_wav(tmp_path / "source.wav", sine(3, -6))
    cut = plan_cut(path, probe(path), 0.5, 2.1)
    extract_sound(cut, tmp_path / "sound.wav")
    raw = (tmp_path / "sound.wav").read_bytes()
    heard = np.frombuffer(raw[raw.index(b"data") + 8 :], np.float32).reshape(-1, 2)
    assert len(heard) == cut.samples == 1.6 * RATE_HZ
    assert np.abs(heard[[0, -1]]).max() < 0.01
    assert np.abs(heard[480:-480]).max() == pytest.approx(0.5, abs=0.01)
