"""Ladders as data: what is made of a clip, and what a person's own file may say."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadSetting
from core.ladder import DEFAULT_LADDER, Rendition, choose_renditions, plan_renditions, read_ladder


def sizes(size: tuple[int, int]) -> list[tuple[str, int, int]]:
    return [(one.name, one.width, one.height) for one in plan_renditions(size, DEFAULT_LADDER)]


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        pytest.param((1280, 720), [(1280, 720), (854, 480), (640, 360)], id="a wide clip goes by its height"),
        pytest.param((1080, 1920), [(1080, 1920), (480, 854), (360, 640)], id="a vertical clip goes by its width"),
        pytest.param((1080, 1080), [(1080, 1080), (480, 480), (360, 360)], id="a square clip goes by either"),
        pytest.param((640, 480), [(640, 480), (480, 360)], id="a rung of the clip's own size is not made twice"),
        pytest.param((320, 240), [(320, 240)], id="a small clip is never scaled up"),
        pytest.param((427, 241), [(426, 240)], id="odd sides become even"),
    ],
)
def test_sizes_made(clip: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    assert [(width, height) for _, width, height in sizes(clip)] == expected


def test_the_tallest_rung_is_made_at_the_clips_size_where_it_is_taller() -> None:
    ladder = (Rendition(name="low", height_px=240), Rendition(name="uhd", height_px=2160))
    assert [(one.name, one.height, one.scaled) for one in plan_renditions((1280, 720), ladder)] == [
        ("uhd", 720, False),
        ("low", 240, True),
    ]


def test_a_ladder_may_end_below_the_clip() -> None:
    (only,) = plan_renditions((1920, 1080), (Rendition(name="small", height_px=540),))
    assert (only.width, only.height, only.scaled) == (960, 540, True)


@given(st.integers(1, 2000).map(lambda n: 2 * n), st.integers(1, 2000).map(lambda n: 2 * n))
def test_every_rendition_is_even_smaller_and_of_the_clips_aspect(width: int, height: int) -> None:
    planned = plan_renditions((width, height), DEFAULT_LADDER)
    assert planned[0].name == "hd"
    for one in planned:
        assert one.width % 2 == one.height % 2 == 0
        assert 2 <= one.width <= width
        assert 2 <= one.height <= height
        factor = Fraction(min(one.width, one.height), min(width, height))
        assert max(abs(one.width - width * factor), abs(one.height - height * factor)) <= 1


def test_the_level_asked_for_holds_only_for_pictures_that_keep_within_it() -> None:
    mobile = plan_renditions((1280, 720), DEFAULT_LADDER)[2]
    assert mobile.level(Fraction(30000, 1001)) == "3.0"
    assert mobile.level(Fraction(60)) is None


def test_a_file_gives_a_ladder(tmp_path: Path) -> None:
    path = tmp_path / "ladder.yaml"
    path.write_text("renditions:\n- {name: big, height_px: 720}\n- {name: 240, height_px: 240, level: 2.1, crf: 28}\n")
    big, small = read_ladder(path)
    assert (big.name, big.height_px, big.crf) == ("big", 720, None)
    assert (small.name, small.level, small.crf) == ("240", "2.1", 28)
    path.write_text('[{"name": "only"}]')
    assert read_ladder(path) == (Rendition(name="only"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "must be a list", id="an empty file"),
        pytest.param("{a: 1}", "must be a list", id="another mapping"),
        pytest.param("[]", "at least 1", id="no rungs"),
        pytest.param("[{name: x}, 5]", "rendition 2: Input should be a valid", id="a rung that is a number"),
        pytest.param("[{height_px: 480}]", "rendition 1, name: Field required", id="a rung without a name"),
        pytest.param("- {name: ../x}", "rendition 1, name", id="a name that would leave the folder"),
        pytest.param("- {name: subtitles}", "used for something else", id="a reserved name"),
        pytest.param("- {name: x, height_px: 481}", "(x), height_px: Input should be a multiple of 2", id="odd height"),
        pytest.param("- {name: x, bitrate: 3}", "rendition 1 (x), bitrate: Extra inputs", id="an unknown field"),
        pytest.param("- {name: x, level: 9.9}", "(x), level: Input should be '2.1'", id="an unknown level"),
        pytest.param("- {name: x, buffer_kbit: 900}", "needs max_kbps", id="a buffer without a rate"),
        pytest.param("[{name: x}, {name: x, height_px: 90}]", "the same name: x", id="a name twice"),
        pytest.param("[{name: x}, {name: y}]", "the same height_px", id="the clip's own size twice"),
        pytest.param("a: [", "is not YAML", id="no YAML"),
        pytest.param("- " * 30_000 + "x" * 10_000, "larger than 64 KiB", id="a huge file"),
        pytest.param("[" * 20_000, "is not YAML", id="brackets without end"),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(BadSetting) as refused:
        read_ladder(path)
    assert "mine.yaml" in str(refused.value)
    assert expected in str(refused.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be opened"):
        read_ladder(tmp_path / "none.yaml")
    with pytest.raises(BadSetting, match="cannot be opened"):
        read_ladder(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(BadSetting, match="not YAML or JSON in UTF-8"):
        read_ladder(tmp_path / "b.yaml")


def test_renditions_are_chosen_by_name() -> None:
    assert [rung.name for rung in choose_renditions(DEFAULT_LADDER, ["mobile", "hd"])] == ["hd", "mobile"]
    with pytest.raises(BadSetting, match="no 'uhd'; the ladder has hd, sd, mobile"):
        choose_renditions(DEFAULT_LADDER, ["hd", "uhd"])
    with pytest.raises(BadSetting, match="none was named"):
        choose_renditions(DEFAULT_LADDER, [])
