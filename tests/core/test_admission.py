import hashlib
import os

import pytest

from core.admission import check_length, identify
from core.errors import RefusedInput
from core.records import MediaInfo
from core.settings import AdmissionSettings

TAKE = AdmissionSettings()


def info(duration_s, declared_s=None):
    return MediaInfo("mov", duration_s, declared_s or duration_s, None, None, None, truncated=declared_s is not None)


def test_a_file_is_what_its_bytes_are(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"abc")
    told = []
    ref = identify(path, TAKE, on_progress=told.append)
    assert ref.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert (ref.bytes, ref.name, told[-1]) == (3, "a.mp4", 1.0)


def test_a_pipe_and_a_folder_are_no_recordings(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(RefusedInput, match="not a plain file"):
            identify(path, TAKE)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        pytest.param(info(5), "5.0 s long, and the shortest clip is 20 s", id="too short"),
        pytest.param(info(5, 600), "only 5.0 s of it can be read", id="cut off to less than a clip"),
        pytest.param(info(50_000), "13.9 h long, the limit is 12 h", id="too long"),
    ],
)
def test_lengths_out_of_bounds_are_refused(found, says):
    with pytest.raises(RefusedInput, match=says):
        check_length("a.mp4", found, TAKE, min_s=20)


def test_a_length_within_bounds_is_taken():
    check_length("a.mp4", info(20), TAKE, min_s=20)
