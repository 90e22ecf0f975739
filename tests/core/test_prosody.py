"""Prosody of spans is what the arrays hold there, and pitch is that of the voice."""

import numpy as np
import pytest

from core.prosody import SILENT, pitch_track, span_prosody

RATE_HZ = 16_000


def voice(pitch_hz: float, seconds: float = 1.0) -> np.ndarray:
    """Five harmonics, each weaker than the one below, with a little noise."""
    times = np.arange(round(RATE_HZ * seconds)) / RATE_HZ
    tone = sum(0.1 / k * np.sin(2 * np.pi * k * pitch_hz * times) for k in range(1, 6))
    return (tone + np.random.default_rng(1).normal(0, 0.003, len(times))).astype(np.float32)


def test_gaps_between_words_do_not_lower_the_level():
    level = np.tile(np.repeat(np.array([-20, -90], np.float32), 10), 10)
    found = span_prosody([(0, 2)], level)[0]
    assert found.level_dbfs == pytest.approx(-20)
    assert found.level_range_db == pytest.approx(0)


def test_a_lively_span_has_the_wider_range():
    level = np.concatenate([np.full(100, -25.0), np.linspace(-35, -15, 100)]).astype(np.float32)
    flat, lively = span_prosody([(0, 1), (1, 2)], level)
    assert flat.level_range_db == pytest.approx(0)
    assert lively.level_range_db == pytest.approx(16, abs=1)


@pytest.mark.parametrize(
    ("span", "level"),
    [
        pytest.param((5, 6), np.full(100, -20.0), id="a span beyond the recording"),
        pytest.param((0, 1), np.full(100, -np.inf), id="digital silence"),
        pytest.param((0, 1), np.full(100, np.nan), id="levels that are no numbers"),
        pytest.param((0, 1), np.zeros(0), id="no sound at all"),
    ],
)
def test_where_nothing_sounds_nothing_is_told(span: tuple[float, float], level: np.ndarray):
    assert span_prosody([span], level.astype(np.float32)) == [SILENT]


def test_a_span_shorter_than_a_hop_takes_the_hop_it_begins_in():
    level = np.array([-10, -20, -30], np.float32)
    assert span_prosody([(0.011, 0.012)], level)[0].level_dbfs == pytest.approx(-20)


def test_infinite_and_missing_values_do_not_spoil_a_mean():
    level = np.array([-20, -np.inf, -20, -20], np.float32)
    centroid = np.array([1_000, np.nan, np.nan, 2_000], np.float32)
    found = span_prosody([(0, 0.04)], level, centroid_hz=centroid)[0]
    assert (found.level_dbfs, found.centroid_hz) == (pytest.approx(-20), pytest.approx(1_500))


def test_arrays_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="centroid_hz"):
        span_prosody([(0, 1)], np.zeros(100), centroid_hz=np.zeros(99))


@pytest.mark.parametrize("pitch_hz", [70.0, 110.0, 165.0, 220.0, 330.0, 390.0])
def test_pitch_of_a_steady_voice_is_found_without_octave_errors(pitch_hz: float):
    track = pitch_track(voice(pitch_hz), RATE_HZ)
    assert len(track) == 100
    inner = track[5:-5]
    assert np.isfinite(inner).all()
    assert inner == pytest.approx(pitch_hz, rel=0.02)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)
    assert np.isfinite(pitch_track(noise, RATE_HZ)).mean() < 0.02
    assert not np.isfinite(pitch_track(np.zeros(RATE_HZ, np.float32), RATE_HZ)).any()


@pytest.mark.parametrize(("samples", "hops"), [(0, 0), (1, 1), (159, 1), (160, 1), (161, 2), (16_001, 101)])
def test_a_pitch_track_has_a_value_a_hop(samples: int, hops: int):
    assert len(pitch_track(np.zeros(samples, np.float32), RATE_HZ)) == hops


def test_an_octave_between_two_voices_is_twelve_semitones():
    track = np.concatenate([pitch_track(voice(110), RATE_HZ), pitch_track(voice(220), RATE_HZ)])
    found = span_prosody([(0, 2)], np.full(200, -20, np.float32), pitch_hz=track)[0]
    assert found.pitch_range_semitones == pytest.approx(12, abs=0.3)
