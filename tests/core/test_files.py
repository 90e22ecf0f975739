import os
from pathlib import Path

import pytest

from core.errors import RefusedInput
from core.files import (
    captions_beside,
    display_name,
    find_sources,
    output_folder_name,
    to_path,
    to_uri,
    write_atomically,
)

SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "name",
    [
        "talk.mp4",
        "-rf.mp4",
        "a b'c\"d.mp4",
        "we:ird%20.mp4",
        "ünï🙂.mp4",
        "new\nline.mp4",
        os.fsdecode(b"\xff\xfe.mp4"),
        "#?&.mp4",
    ],
    ids=ascii,
)
def test_any_file_name_survives_the_way_through_a_uri(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    uri = to_uri(path)
    assert uri.isascii()
    assert to_path(uri).read_bytes() == b"x"
    display_name(path).encode()
    assert (tmp_path / output_folder_name(path, SHA)).parent == tmp_path


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        pytest.param("lecture 1.mp4", "lecture 1-01234567", id="stem and hash"),
        pytest.param("a.b.mp4", "a.b-01234567", id="only the last ending goes"),
        pytest.param(".mp4", ".mp4-01234567", id="a name that is all ending"),
    ],
)
def test_output_folder(name, folder):
    assert output_folder_name(Path(name), SHA) == folder


def test_a_long_name_is_cut_to_what_file_systems_allow():
    assert len(output_folder_name(Path("ü" * 125 + ".mp4"), SHA).encode()) < 255


def test_sources_are_found_once_in_order_and_results_are_passed_over(tmp_path):
    for name in ("b.mp4", "a.mkv", "a.srt", ".hidden.mp4", "sub/c.wav", "done-01234567/clips/01.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "done-01234567/manifest.json").write_text("{}")
    found = find_sources([tmp_path / "b.mp4", tmp_path])
    assert [(s.path.name, s.named) for s in found] == [("b.mp4", True), ("a.mkv", False), ("c.wav", False)]


@pytest.mark.parametrize("kind", ["missing", "empty folder"])
def test_sources_that_are_not_there_are_refused(tmp_path, kind):
    with pytest.raises(RefusedInput, match="does not exist" if kind == "missing" else "holds no file"):
        find_sources([tmp_path / "no.mp4" if kind == "missing" else tmp_path])


def test_captions_are_those_of_the_same_stem(tmp_path):
    video = tmp_path / "talk.mp4"
    assert captions_beside(video) is None
    (tmp_path / "other.vtt").touch()
    (tmp_path / "talk.srt").touch()
    assert captions_beside(video) == tmp_path / "talk.srt"
    (tmp_path / "talk.vtt").touch()
    assert captions_beside(video) == tmp_path / "talk.vtt"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\udcff")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
