"""Burned captions: the right word is lit at the right time, inside the safe area, in every style and format."""

import re
from pathlib import Path

import numpy as np
import pytest

from core import media
from core.caption_ass import block_sizes, burn_rules, to_ass
from core.caption_fonts import FONTS, default_font, read_font
from core.caption_places import Place, safe_area
from core.caption_styles import STYLES, caption_style, rgb
from core.captions import build_captions
from core.errors import BadSetting
from core.picture import copy_fonts
from core.reading import SpokenCue, Unit
from core.records import Cue, Word

RATE = 10


def drawn(ass: str, size: tuple[int, int], at_s: list[float], work: Path) -> list[np.ndarray]:
    """RGB frames of captions on mid grey, at these times."""
    copy_fonts(work)
    (work / "captions.ass").write_text(ass, encoding="utf-8")
    last_s = max(at_s) + 0.2
    source = f"color=0x808080:size={size[0]}x{size[1]}:rate={RATE}:duration={last_s},format=rgb24"
    call = ["-f", "lavfi", "-i", source, "-vf", "ass=captions.ass:fontsdir=fonts", "-f", "rawvideo", "frames.rgb"]
    media.run_ffmpeg(["-y", *call], what="Burning captions", timeout_s=60, cwd=work)
    frames = np.fromfile(work / "frames.rgb", np.uint8).reshape(-1, size[1], size[0], 3)
    return [frames[round(time_s * RATE)] for time_s in at_s]


def columns_of(frame: np.ndarray, colour: str) -> np.ndarray:
    """Where a frame has a colour, as sorted columns, one entry a pixel."""
    near = np.abs(frame.astype(int) - np.array(rgb(colour))).sum(axis=2) < 60
    return np.sort(np.nonzero(near)[1])


def cue_of(*words: tuple[str, float, float], end_s: float) -> SpokenCue:
    units = tuple(Unit(text, len(text), a, b, int(k > 0), k) for k, (text, a, b) in enumerate(words))
    return SpokenCue(Cue(0.0, end_s, (" ".join(text for text, _, _ in words),)), (units,))


THREE = cue_of(("wind", 0.5, 1.0), ("water", 1.0, 1.6), ("stone", 2.4, 3.0), end_s=3.6)


@pytest.mark.parametrize(("name", "colour"), [("highlight", "#1d4ed8"), ("bold", "#ffe14a")])
def test_the_word_that_is_spoken_is_lit_and_stays_so_through_the_pause_after_it(
    name: str, colour: str, tmp_path: Path
) -> None:
    style = caption_style(name)
    ass = to_ass([THREE], width_px=640, height_px=360, style=style)
    frames = drawn(ass, (640, 360), [0.2, 0.7, 1.2, 2.0, 2.7, 3.4], tmp_path)
    before, wind, water, pause, stone, after = [columns_of(frame, colour) for frame in frames]

    assert len(before) == 0
    assert wind.max() < water.min() <= water.max() < stone.min()
    assert np.array_equal(water, pause)
    assert np.array_equal(stone, after)


def test_karaoke_fills_from_the_left_as_the_words_are_spoken(tmp_path: Path) -> None:
    style = caption_style("karaoke")
    ass = to_ass([THREE], width_px=640, height_px=360, style=style)
    frames = drawn(ass, (640, 360), [0.2, 0.7, 1.2, 2.0, 2.3, 2.7, 3.4], tmp_path)
    filled = [columns_of(frame, style.lit) for frame in frames]
    before, *_ = filled
    ends = [int(columns.max()) for columns in filled[1:]]

    assert len(before) == 0
    assert ends == sorted(ends)
    assert ends[0] < ends[1] < ends[2]
    assert ends[2] == ends[3] < ends[4] < ends[5]
    assert len(columns_of(frames[-1], style.letters)) < 0.2 * len(filled[-1])


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (400, 400)], ids=["16 to 9", "9 to 16", "1 to 1"])
@pytest.mark.parametrize("name", STYLES)
def test_captions_stand_inside_the_safe_area_and_take_the_room_foretold(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    style = caption_style(name)
    texts = [
        "WIDE",
        "words",
        "mumble",
        "mightily,",
        "however",
        "many",
        "there",
        "may",
        "be",
        "of",
        "them",
        "in",
        "a",
        "line",
    ]
    words = [Word(text, 0.02 + i * 0.4, 0.4 + i * 0.4) for i, text in enumerate(texts)]
    captions = build_captions(words, end_s=9.0, rules=burn_rules(*size, style=style))
    first = next(each for each in captions.spoken if len(each.cue.lines) == 2)
    still = SpokenCue(Cue(0.0, 1.0, first.cue.lines), first.lines)
    ass = to_ass([still], width_px=size[0], height_px=size[1], style=style)
    (frame,) = drawn(ass, size, [0.2], tmp_path)
    rows, columns = np.nonzero(np.abs(frame.astype(int) - 0x80).sum(axis=2) > 60)
    safe, (block,) = safe_area(*size), block_sizes([still.cue], width_px=size[0], height_px=size[1], style=style)

    assert safe.x - block.pad_px - 2 <= columns.min() < columns.max() <= safe.right + block.pad_px + 2
    assert safe.y <= rows.min() < rows.max() <= safe.bottom + 1
    assert columns.max() - columns.min() == pytest.approx(block.w_px, rel=0.05)
    assert 0.6 * block.h_px < rows.max() - rows.min() <= block.h_px + 2


def test_a_place_is_where_the_caption_stands(tmp_path: Path) -> None:
    cue = Cue(0.0, 1.0, ("Here it stands",))
    (block,) = block_sizes([cue], width_px=640, height_px=360)
    for place in (Place(300, 200, 2), Place(340, 60, 8), Place(300, 200, 2, 0.75)):
        ass = to_ass([cue], width_px=640, height_px=360, places=[place])
        (frame,) = drawn(ass, (640, 360), [0.2], tmp_path)
        rows, columns = np.nonzero(np.abs(frame.astype(int) - 0x80).sum(axis=2) > 60)
        box = place.box_of(block)
        slack_px = 4 if place.scale == 1 else 0.1 * block.w_px
        assert (columns.min() + columns.max()) / 2 == pytest.approx(box.centre[0], abs=3)
        assert columns.max() - columns.min() == pytest.approx(box.w, abs=slack_px)
        assert rows.min() == pytest.approx(box.y, abs=5)
        assert rows.max() == pytest.approx(box.bottom, abs=5)


def test_a_word_said_before_its_caption_is_shown_is_not_lit() -> None:
    late = SpokenCue(Cue(1.0, 3.0, ("one two",)), ((Unit("one", 3, 0.2, 0.6, 0), Unit("two", 3, 0.6, 1.4, 1)),))
    ass = to_ass([late], width_px=640, height_px=360, style=caption_style("bold"))
    (event,) = re.findall(r"^Dialogue: .*", ass, re.MULTILINE)

    assert event.startswith("Dialogue: 0,0:00:01.00,0:00:03.00,")
    assert re.search(r"ONE \{\\1c[^}]*\}TWO\{", event)


def test_events_of_a_caption_follow_each_other_without_gap_or_overlap() -> None:
    ass = to_ass([THREE], width_px=640, height_px=360, style=caption_style("highlight"))
    times = re.findall(r"^Dialogue: 0,([\d:.]+),([\d:.]+),", ass, re.MULTILINE)

    assert times[0][0] == "0:00:00.00"
    assert times[-1][1] == "0:00:03.60"
    assert all(before[1] == after[0] for before, after in zip(times, times[1:], strict=False))


def test_text_in_a_lit_caption_cannot_become_a_command() -> None:
    cue = cue_of(("{\\an8}", 0.0, 0.5), ("\\N", 0.5, 0.9), end_s=1.0)
    for name in ("highlight", "karaoke", "bold"):
        ass = to_ass([cue], width_px=640, height_px=360, style=caption_style(name))
        assert "\\{\\\u2060" in ass
        assert "{\\an8}" not in ass
        assert "{\\AN8}" not in ass


def test_a_font_is_measured_in_its_file(tmp_path: Path) -> None:
    regular, bold = default_font(), default_font(bold=True)

    assert regular.size_per_em == pytest.approx(1.164, abs=0.001)
    assert regular.width_em("mmmm") > regular.width_em("iiii")
    assert bold.mean_em() > regular.mean_em()
    assert regular.width_em("漢字") == 2.0
    (tmp_path / "broken.ttf").write_bytes((FONTS / "DejaVuSans.ttf").read_bytes()[:300])
    for broken in (tmp_path / "broken.ttf", tmp_path / "missing.ttf"):
        with pytest.raises(BadSetting, match="cannot be read"):
            read_font(broken, "Broken")


def test_wider_letters_make_shorter_lines() -> None:
    chars = {name: burn_rules(1080, 1920, style=style).max_line_chars for name, style in STYLES.items()}

    assert chars["bold"] < chars["highlight"] < chars["plain"]
