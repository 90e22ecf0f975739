import numpy as np
import pytest

from core.audio import FRAME, HOP, RATE_HZ, Envelope, levels_and_centroids
from core.settings import SilenceSettings
from core.silences import find_silences


def envelope_of(*parts):
    samples = np.concatenate(parts).astype(np.float32)
    level, centroid = levels_and_centroids(np.pad(samples, (0, FRAME)))
    return Envelope(HOP / RATE_HZ, level, centroid), len(samples) / RATE_HZ


def tone(seconds, dbfs=-12.0, hz=220.0):
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * t)


def noise(seconds, dbfs=-70.0, bright=False):
    samples = np.random.default_rng(7).normal(0, 1, round(seconds * RATE_HZ))
    if bright:
        samples = np.diff(samples, prepend=0) / np.sqrt(2)
    return samples * 10 ** (dbfs / 20)


def spans(silences):
    return [(s.start_s, s.end_s) for s in silences]


@pytest.mark.parametrize(
    ("pause_s", "settings", "count"),
    [
        pytest.param(1.5, SilenceSettings(), 1, id="a pause over a second is a silence"),
        pytest.param(0.8, SilenceSettings(), 0, id="a shorter pause is none"),
        pytest.param(0.8, SilenceSettings(min_silence_ms=500), 1, id="the minimum is settable"),
        pytest.param(1.5, SilenceSettings(silence_dbfs=-80), 0, id="noise above the threshold is no silence"),
    ],
)
def test_what_counts_as_silence(pause_s, settings, count):
    envelope, duration_s = envelope_of(tone(2), noise(pause_s), tone(2))
    found = find_silences(envelope, settings, duration_s)
    assert len(found) == count
    for silence in found:
        assert silence.start_s == pytest.approx(2.0, abs=0.03)
        assert silence.end_s == pytest.approx(2.0 + pause_s, abs=0.03)
        assert silence.mean_dbfs == pytest.approx(-70, abs=1)


def test_a_click_does_not_end_a_silence():
    envelope, duration_s = envelope_of(tone(1), noise(1), tone(0.015, dbfs=-35), noise(1), tone(1))
    assert spans(find_silences(envelope, SilenceSettings(), duration_s)) == [
        (pytest.approx(1, abs=0.03), pytest.approx(3, abs=0.05))
    ]


def test_a_spoken_word_does_end_a_silence():
    envelope, duration_s = envelope_of(tone(1), noise(1.5), tone(0.2), noise(1.5), tone(1))
    assert len(find_silences(envelope, SilenceSettings(), duration_s)) == 2


def test_a_soft_hiss_at_the_edge_is_given_back_to_speech():
    hiss = noise(0.15, dbfs=-48, bright=True)
    envelope, duration_s = envelope_of(tone(1), hiss, noise(2, dbfs=-75), tone(1))
    (silence,) = find_silences(envelope, SilenceSettings(), duration_s)
    assert silence.start_s == pytest.approx(1.15, abs=0.03)


def test_silence_reaches_the_end_of_the_recording_and_no_further():
    envelope, duration_s = envelope_of(tone(1), np.zeros(2 * RATE_HZ))
    assert spans(find_silences(envelope, SilenceSettings(), duration_s)) == [(pytest.approx(1, abs=0.03), duration_s)]


def test_nothing_is_found_in_nothing():
    empty = np.zeros(0, np.float32)
    assert find_silences(Envelope(0.01, empty, empty), SilenceSettings(), 0.0) == []
