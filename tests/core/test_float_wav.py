"""Float WAV files: what ffmpeg writes is read, what is written ffmpeg reads."""

import numpy as np
import pytest

from core import float_wav, media
from core.errors import MediaError
from core.probe import probe


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_samples_survive_the_way_through_ffmpeg(tmp_path, channels):
    mine, theirs = tmp_path / "mine.wav", tmp_path / "theirs.wav"
    samples = np.random.default_rng(1).uniform(-2, 2, (999, channels)).astype(np.float32)
    float_wav.create(mine, 44_100, 999, channels)[:] = samples
    heard = probe(mine).audio
    assert heard is not None
    assert (heard.codec, heard.sample_rate_hz, heard.channels) == ("pcm_f32le", 44_100, channels)
    media.run_ffmpeg(
        ["-i", media.file_url(mine), "-c:a", "pcm_f32le", media.file_url(theirs)], what="Copying", timeout_s=30
    )
    for path in (mine, theirs):
        rate_hz, found = float_wav.read(path)
        assert rate_hz == 44_100
        assert np.array_equal(found, samples)


def test_what_a_file_that_is_cut_off_still_has_is_read(tmp_path):
    path = tmp_path / "a.wav"
    float_wav.create(path, 48_000, 100, 2)[:] = 1
    whole = path.read_bytes()
    path.write_bytes(whole[:-13])
    assert float_wav.read(path)[1].shape == (98, 2)
    path.write_bytes(whole[: float_wav.HEADER.size])
    assert float_wav.read(path)[1].shape == (0, 2)
    path.write_bytes(whole[:30])
    with pytest.raises(MediaError, match="cut off"):
        float_wav.read(path)


def test_a_file_without_samples_cannot_be_made(tmp_path):
    with pytest.raises(ValueError, match="needs a sample"):
        float_wav.create(tmp_path / "a.wav", 48_000, 0, 2)
