from dataclasses import replace

import pytest

from core.identity import key_of, sha256_of
from core.records import MediaRef, Span
from core.settings import SilenceSettings

REF = MediaRef(sha256="ab" * 32, bytes=3, uri="file:///a/talk.mp4", name="talk.mp4")


def test_hash_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_key_ignores_where_a_recording_lies():
    assert key_of(REF) == key_of(replace(REF, uri="s3://elsewhere/b.mp4", name="b.mp4"))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(REF, replace(REF, sha256="cd" * 32), id="another recording"),
        pytest.param(SilenceSettings(), SilenceSettings(silence_dbfs=-41), id="another setting"),
        pytest.param(1, 1.0, id="an integer is no float"),
        pytest.param(Span(0, 1), Span(0, 2), id="another span"),
    ],
)
def test_key_differs_for(a, b):
    assert key_of(a) != key_of(b)


def test_key_is_the_same_in_every_process():
    assert key_of("silences", SilenceSettings(), (1.5, None)) == "72add1b7a78e7147bd1c"


def test_what_has_no_stable_identity_is_refused():
    with pytest.raises(TypeError, match="set"):
        key_of({1, 2})
