import numpy as np
import pytest

from core import audio, media
from core.probe import probe


def make(path, *arguments):
    media.run_ffmpeg([*arguments, media.file_url(path)], what="Making a test file", timeout_s=60)
    return path


def decoded(path, tmp_path):
    pcm = tmp_path / "audio.s16le"
    return pcm, audio.decode(path, probe(path), pcm)


def test_a_late_stream_is_heard_at_its_place(tmp_path):
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x64:duration=3"]
    late = [*picture, "-itsoffset", "0.75", "-f", "lavfi", "-i", "sine=duration=1"]
    pcm, length_s = decoded(make(tmp_path / "late.mkv", *late, "-map", "0", "-map", "1"), tmp_path)
    loud = np.flatnonzero(np.abs(audio.read(pcm, 0, length_s)) > 0.05)
    assert loud[0] / audio.RATE_HZ == pytest.approx(0.75, abs=0.02)


def test_reading_a_part_gives_its_samples(tmp_path):
    pcm = tmp_path / "a"
    np.arange(32_000, dtype=np.int16).tofile(pcm)
    part = audio.read(pcm, 0.5, 0.5 + 3 / audio.RATE_HZ)
    assert (part * 32_768).tolist() == [8_000, 8_001, 8_002]
    assert len(audio.read(pcm, 1.9, 5)) == 1_600


def test_levels_and_centroids_are_those_of_a_known_tone(tmp_path):
    t = np.arange(audio.RATE_HZ) / audio.RATE_HZ
    level, centroid = audio.levels_and_centroids((0.1 * np.sin(2 * np.pi * 1_000 * t)).astype(np.float32))
    assert level == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)
    assert centroid == pytest.approx(1_000, abs=60)


@pytest.mark.parametrize("samples", [0, 100, 16_000, 30 * 16_000, 30 * 16_000 + 1, 65 * 16_000 + 77])
def test_blocks_give_the_same_as_the_whole(tmp_path, samples):
    whole = np.random.default_rng(0).integers(-9_000, 9_000, samples).astype(np.int16)
    whole.tofile(tmp_path / "a")
    envelope = audio.measure(tmp_path / "a")
    level, _ = audio.levels_and_centroids(whole.astype(np.float32) / 32_768)
    assert len(envelope.level_dbfs) == samples // audio.HOP
    assert np.allclose(envelope.level_dbfs[: len(level)], level, atol=1e-4)


def test_an_envelope_comes_back_as_it_was_kept(tmp_path):
    kept = audio.Envelope(0.01, np.array([-20.0, -30.0], np.float32), np.array([1.0, 2.0], np.float32))
    kept.save(tmp_path / "e.npz")
    found = audio.Envelope.load(tmp_path / "e.npz")
    assert found.hop_s == 0.01
    assert found.level_dbfs.tolist() == [-20, -30]
    assert found.centroid_hz.tolist() == [1, 2]
