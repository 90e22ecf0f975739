"""What a template draws: the logo where it belongs in every format, and names of all kinds that fit their card."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.boxes import Box, shared
from core.brand import Template, load_template
from core.brand_assets import Prepared, prepare_assets, safe_box
from core.brand_text import plain_line, wrapped
from core.errors import BadSetting

WIDE, TALL, SQUARE = (640, 360), (360, 640), (360, 360)


def template(folder: Path, text: str) -> Template:
    if not (folder / "logo.png").exists():
        Image.new("RGB", (90, 30), "#ff0000").save(folder / "logo.png")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return load_template(str(folder / "mine.yaml"))


def prepared(folder: Path, text: str, size: tuple[int, int], *, title: str = "", speaker: str = "") -> Prepared:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return prepare_assets(template(folder, text), work, size=size, duration_s=20, title=title, speaker=speaker)


def card(folder: Path, made: Prepared) -> Image.Image:
    assert made.lower_third
    with Image.open(folder / "work" / made.lower_third.file) as image:
        assert image.size == (made.lower_third.box.w, made.lower_third.box.h)
        return image.convert("RGBA")


@pytest.mark.parametrize("size", [WIDE, TALL, SQUARE], ids=["wide", "tall", "square"])
@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_the_logo_lies_in_its_corner_as_large_in_every_format(tmp_path, corner, size):
    made = prepared(tmp_path, f"logo: {{file: logo.png, corner: {corner}, width: 0.1, opacity: 0.5}}", size)
    assert made.logo
    box, (x, y) = made.logo.box, made.logo.box.centre
    assert (box.w, box.h) == (64, 22)
    assert ("left" in corner) == (x < size[0] / 2) and ("top" in corner) == (y < size[1] / 2)
    assert Box(0, 0, *size).grown(-13, -13).contains(box)
    assert all(value % 2 == 0 for value in (box.x, box.y, box.w, box.h))
    if size == TALL:
        assert safe_box(size).grown(100, 1).contains(box)
    with Image.open(tmp_path / "work" / made.logo.file) as image:
        assert image.size == (64, 22) and set(image.getchannel("A").tobytes()) == {128}


def test_a_logo_of_strange_shape_stays_small(tmp_path):
    Image.new("RGB", (20, 900), "#ff0000").save(tmp_path / "logo.png")
    made = prepared(tmp_path, "logo: {file: logo.png, width: 0.4}", WIDE)
    assert made.logo and made.logo.box.h <= 0.23 * 360


@pytest.mark.parametrize(
    ("speaker", "title"),
    {
        "plain": ("Ada Lovelace", "Notes on the engine"),
        "accents": ("Åse Łukasz Żółć", "Ça va ñoño"),
        "right to left": ("ד״ר שרה כהן", "محمد بن موسى الخوارزمي"),
        "emoji": ("Zoë 😀", "👩‍👩‍👧 family"),
        "commands": (r"a\N{\b1}b", "{\\pos(0,0)}c"),
        "very long": ("Prof. Dr. Maximiliane " + "Hohenstein " * 20, "A title that goes on " * 20),
        "one endless word": ("W" * 300, "\u0301" * 50 + "i" * 300),
        "control": ("a\x00b\nc\u202ed", "\u2028\ufeff"),
    }.values(),
    ids=["plain", "accents", "right to left", "emoji", "commands", "very long", "one endless word", "control"],
)
def test_any_name_fits_its_card_and_the_card_the_picture(tmp_path, speaker, title):
    for size in (WIDE, TALL):
        made = prepared(tmp_path, "lower_third: {}", size, title=title, speaker=speaker)
        image = card(tmp_path, made)
        assert made.lower_third and safe_box(size).grown(1, 1).contains(made.lower_third.box)
        assert made.lower_third.box.h < 0.3 * max(size)
        letters = np.asarray(image.convert("RGB")).min(axis=2) > 180
        assert letters.sum() > 40
        edge = letters.copy()
        edge[3:-3, 6:-3] = False
        assert not edge.any(), "letters reach the border of the card"
        assert np.asarray(image)[:, 0, :3].tolist()[0] == [0x4E, 0xA1, 0xFF]


def test_a_name_that_no_font_can_write_is_left_out_whole(tmp_path, monkeypatch):
    (tmp_path / "fonts.conf").write_text("<fontconfig/>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))  # a machine without fonts of its own
    made = prepared(tmp_path, "lower_third: {}", WIDE, title="Tides", speaker="Ann \u738b\u4f1f")
    alone = prepared(tmp_path, "lower_third: {}", WIDE, title="Tides")
    assert made.lower_third and alone.lower_third and made.lower_third.box.h < alone.lower_third.box.h
    assert "\u738b\u4f1f" in made.warnings[0] and not alone.warnings
    assert "does without; give the template one" in made.warnings[0]
    nothing = prepared(tmp_path, "lower_third: {}", WIDE, speaker="\u738b")
    assert nothing.lower_third is None and nothing.occupied == ()


def test_the_card_says_the_speaker_and_the_role_or_else_the_title(tmp_path):
    def look(text: str, title: str, speaker: str) -> bytes:
        return card(tmp_path, prepared(tmp_path, text, WIDE, title=title, speaker=speaker)).tobytes()

    own = "lower_third: {speaker: Ada, role: Analyst}"
    assert look(own, "Tides", "") == look("lower_third: {role: Analyst}", "else", "Ada")
    assert look(own, "Tides", "Bob") == look("lower_third: {}", "Analyst", "Bob")
    assert look("lower_third: {}", "Tides", "") == look("lower_third: {role: Tides}", "else", "")
    assert prepared(tmp_path, "lower_third: {}", WIDE).lower_third is None


def test_what_is_covered_is_told_with_its_times(tmp_path):
    text = "logo: {file: logo.png}\nlower_third: {start_s: 1, seconds: 4}"
    made = prepared(tmp_path, text, SQUARE, speaker="Ada")
    assert made.logo and made.lower_third
    (_, end_s, logo), third = made.occupied
    assert end_s == float("inf") and third[:2] == (1, 5) and shared(logo, third[2]) is None
    work, mine = tmp_path / "work", template(tmp_path, text)
    short = prepare_assets(mine, work, size=SQUARE, duration_s=4, title="", speaker="Ada")
    assert short.lower_third and short.lower_third.end_s == 3.5
    too_short = prepare_assets(mine, work, size=SQUARE, duration_s=2.5, title="", speaker="Ada")
    assert too_short.lower_third is None


def test_an_asset_that_changed_since_it_was_checked_is_told(tmp_path):
    loaded = template(tmp_path, "logo: {file: logo.png}")
    Image.new("RGB", (90, 30), "#00ff00").save(tmp_path / "logo.png")
    with pytest.raises(BadSetting, match=r"logo\.png of the template mine has vanished or changed"):
        prepare_assets(loaded, tmp_path, size=WIDE, duration_s=9, title="")
    (tmp_path / "logo.png").unlink()
    with pytest.raises(BadSetting, match="has vanished or changed"):
        prepare_assets(loaded, tmp_path, size=WIDE, duration_s=9, title="")


def test_lines_break_evenly_between_words_and_end_in_an_ellipsis(tmp_path):
    font = template(tmp_path, "").body_font
    assert wrapped("one two three four", font, 20, 1_000, 2) == ["one two three four"]
    assert wrapped("one two three four five six", font, 20, 150, 2) == ["one two three", "four five six"]
    cut = wrapped("one two three four five six seven eight nine", font, 20, 120, 2)
    assert len(cut) == 2 and cut[-1].endswith("\u2026")
    assert plain_line("  e\u0301\x07 \u202ex\ufe0f\n") == "\u00e9 x"
