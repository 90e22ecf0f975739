"""Brand templates: which are found, what they say, and that everything wrong with one is told at once, beforehand."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from pydantic import TypeAdapter

from core import media
from core.brand import Template, load_template, template_names
from core.brand_fonts import shipped_fonts
from core.brand_look import contrast
from core.brand_text import Line, draw_lines
from core.errors import BadSetting
from core.identity import key_of
from core.picture import FONTS, copy_fonts

FULL = """
aspect: [source, vertical]
logo: {file: art/logo.png, corner: bottom-left, width: 0.12, opacity: 0.8, margin: 0.05}
colours: {primary: "#17202b", accent: "#f2b134", text: "#ffffff", ground: "#0f151d"}
fonts: {title: Manrope Bold, body: own.ttf, caption: DejaVu Sans}
intro: {file: opening.mp4, fit: crop}
outro: {file: art/card.jpg, seconds: 2}
lower_third: {style: plain, start_s: 0.5, seconds: 4, speaker: Ada Lovelace, role: Analyst}
caption: {style: highlight, colour: "#ffffff", highlight: "#f2b134", box: "#17202b"}
"""


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every kind of asset, and some that are broken."""
    folder = tmp_path_factory.mktemp("assets")
    (folder / "art").mkdir()
    logo = Image.new("RGBA", (60, 20), (0, 0, 0, 0))
    ImageDraw.Draw(logo).rectangle((10, 5, 50, 15), fill="#f2b134")
    logo.save(folder / "art/logo.png")
    Image.new("RGB", (64, 36), "#ff0000").save(folder / "art/card.jpg")
    Image.new("RGBA", (64, 36), (255, 255, 255, 0)).save(folder / "clear.png")
    Image.new("RGB", (4, 4), "#ff0000").save(folder / "tiny.png")
    noise = Image.effect_noise((200, 200), 80)
    noise.save(folder / "whole.png")
    (folder / "cut.png").write_bytes((folder / "whole.png").read_bytes()[:9_000])
    noise.save(folder / "picture.tiff")
    (folder / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "empty.png").touch()
    (folder / "text.mp4").write_text("not a video")
    (folder / "text.ttf").write_text("not a font")
    (folder / "cut.ttf").write_bytes((FONTS / "Manrope-Bold.ttf").read_bytes()[:3_000])
    shutil.copyfile(FONTS / "Manrope-Medium.ttf", folder / "own.ttf")
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=0.6", "-f", "lavfi", "-i", "sine=d=0.6"]
    made = ["opening.mp4", "-map", "1", media.file_url(folder / "sound.mp4")]
    media.run_ffmpeg([*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", *made], what="x", timeout_s=60, cwd=folder)
    return folder


def written(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(BadSetting) as caught:
        load_template(str(written(folder, text)))
    return str(caught.value)


def test_the_shipped_templates_load_and_say_what_they_are():
    assert template_names() == ["lecture", "plain"]
    plain, lecture = load_template("plain"), load_template("lecture")
    assert plain.look.lower_third is None and plain.logo is plain.intro is plain.outro is None
    assert lecture.look.lower_third and lecture.title_font.name == "Manrope Bold"
    assert plain.key != lecture.key == load_template("lecture").key


def test_a_template_that_says_nothing_has_defaults_for_everything(tmp_path):
    look = load_template(str(written(tmp_path, "# nothing yet\n"))).look
    assert (look.aspect, look.logo, look.lower_third, look.colours.text) == ((), None, None, "#ffffff")


def test_everything_that_a_template_says_is_understood(assets):
    template = load_template(str(written(assets, FULL)))
    assert template.look.aspect == ("source", "vertical") and template.name == "mine"
    assert template.body_font.name == "Manrope Medium" and template.caption_font.family == "DejaVu Sans"
    assert template.intro and template.intro.info and template.intro.info.duration_s == pytest.approx(0.6, abs=0.05)
    assert template.outro and template.outro.info is None and template.look.outro and template.look.outro.seconds == 2
    codec = TypeAdapter(Template)
    assert codec.validate_json(codec.dump_json(template)) == template


def test_the_key_is_the_content_and_not_the_place(assets, tmp_path):
    first = load_template(str(written(assets, FULL)))
    copy = tmp_path / "elsewhere"
    shutil.copytree(assets, copy)
    (copy / "art/logo.png").rename(copy / "sign.png")
    moved = load_template(str(written(copy, FULL.replace("art/logo.png", "sign.png"), "other")))
    assert moved.key == first.key and key_of(moved) == key_of(first)
    Image.new("RGB", (60, 20), "#00ff00").save(copy / "sign.png")
    redrawn = load_template(str(copy / "other.yaml"))
    paler = load_template(str(written(assets, FULL.replace("opacity: 0.8", "opacity: 0.7"))))
    assert len({first.key, redrawn.key, paler.key}) == 3


def test_a_folder_of_ones_own_comes_before_the_shipped_ones(tmp_path, monkeypatch):
    written(tmp_path, 'colours: {accent: "#123456"}', "lecture")
    assert load_template("lecture", folder=tmp_path).look.colours.accent == "#123456"
    monkeypatch.setenv("WINNOW_TEMPLATES", str(tmp_path))
    assert load_template("lecture").look.colours.accent == "#123456"
    assert load_template("plain").name == "plain"
    with pytest.raises(BadSetting, match=r"no template called 'lectures' in .*choose one of lecture, plain"):
        load_template("lectures")
    monkeypatch.setenv("WINNOW_TEMPLATES", str(tmp_path / "gone"))
    with pytest.raises(BadSetting, match=r"gone, does not exist.*WINNOW_TEMPLATES"):
        load_template("lecture")


@pytest.mark.parametrize("name", ["nowhere/x.yaml", "../lecture", "", "lecture\0"])
def test_a_name_that_leads_nowhere_is_refused(name):
    with pytest.raises(BadSetting, match="no template"):
        load_template(name)


@pytest.mark.parametrize(
    ("text", "told"),
    {
        "missing": ("logo: {file: gone.png}", r"logo\.file: 'gone\.png' does not exist; put it beside"),
        "empty": ("logo: {file: empty.png}", r"logo\.file: 'empty\.png' is empty"),
        "cut off": ("logo: {file: cut.png}", r"logo\.file: 'cut\.png' is damaged or cut off"),
        "svg": ("logo: {file: drawing.svg}", r"not a picture in PNG, JPEG or WebP; save it as PNG"),
        "other format": ("logo: {file: picture.tiff}", r"not a picture in PNG, JPEG or WebP"),
        "transparent": ("logo: {file: clear.png}", "fully transparent"),
        "tiny": ("logo: {file: tiny.png}", "only 4x4 pixels"),
        "a folder": ("logo: {file: art}", "is not a file"),
        "no file": ('logo: {file: " "}', "is not the name of a file"),
        "absolute": ("logo: {file: /etc/hostname}", "absolute path"),
        "windows": ("logo: {file: 'C:\\x.png'}", "absolute path"),
        "leaves": ("logo: {file: art/../../x.png}", "lies outside the template's folder"),
        "link": ("logo: {file: link.png}", "lies outside the template's folder"),
        "address": ("logo: {file: 'https://example.org/x.png'}", "is an address"),
        "no video": ("intro: {file: text.mp4}", r"intro\.file: 'text\.mp4' is neither a picture nor a video"),
        "only sound": ("outro: {file: sound.mp4}", r"outro\.file: 'sound\.mp4' has no moving picture"),
        "no seconds": ("intro: {file: art/card.jpg}", "is a still image; say for how long"),
        "seconds of a video": ("intro: {file: opening.mp4, seconds: 3}", "is a video, which is shown whole"),
        "no font": ("fonts: {title: text.ttf}", r"fonts\.title: 'text\.ttf' is not a TrueType"),
        "cut font": ("fonts: {body: cut.ttf}", r"fonts\.body: 'cut\.ttf' cannot be read as a font"),
        "unknown font": ("fonts: {caption: Comic Sans}", r"fonts\.caption: .*not a shipped font; choose one of DejaVu"),
        "colour": ('colours: {text: "#fff"}', r"""colours\.text: '#fff' is not a colour; write it as six digits"""),
        "unquoted colour": ("colours:\n  text: #ffffff\n", r"colours\.text is empty; a colour needs quotes"),
        "time": ("lower_third: {start_s: -1}", r"lower_third\.start_s: -1 cannot be used"),
        "not a number": ("lower_third: {seconds: .nan}", r"lower_third\.seconds: nan cannot be used"),
        "key": ("logos: {}", r"logos: there is no such key; .*known here: aspect, logo"),
        "inner key": ("colours: {main: red}", r"colours\.main: there is no such key; .*known here: primary"),
        "format": ("aspect: wide", "'source', 'vertical' or 'square'"),
        "contrast": ('lower_third: {}\ncolours: {primary: "#eeeeee"}', r"colours\.text: .*contrast of 1\.2:1"),
        "captions": ('caption: {colour: "#777777", box: "#888888"}', r"caption\.colour: .*contrast of 1\.3:1"),
        "yaml": ("logo: {file: x", r"not valid YAML: line 1"),
        "alias": ("a: &x [1]\nb: *x", r"aliases \(\*name\) are not taken"),
        "twice": ("aspect: square\naspect: source", "'aspect' comes twice"),
        "code": ("aspect: !!python/object/apply:os.system [ls]", "not valid YAML"),
        "list": ("- logo", "must be a list of keys with values"),
        "deep": ("[" * 5_000, "not (valid|readable)"),
        "long": ("# " + "x" * 70_000, "larger than 64 KiB"),
    }.values(),
    ids=lambda value: None,
)
def test_what_is_wrong_is_told_by_key_and_file(assets, text, told):
    if not (assets / "link.png").is_symlink():
        (assets / "link.png").symlink_to("/etc/hostname")
    message = refused(assets, text)
    assert str(assets / "mine.yaml") in message
    assert re.search(told, message), message


def test_all_that_is_wrong_is_told_at_once(assets):
    text = """
logo: {file: gone.png}
intro: {file: text.mp4}
fonts: {title: text.ttf, body: Nothing}
colours: {primary: "blue", accent: "#12345g"}
lower_third: {seconds: 0}
"""
    problems = refused(assets, text).splitlines()[1:]
    assert [line.split(":")[0] for line in problems] == [
        "- colours.primary",
        "- colours.accent",
        "- lower_third.seconds",
        "- fonts.title",
        "- fonts.body",
        "- logo.file",
        "- intro.file",
    ]
    assert all(line.endswith(".") for line in problems)


def test_the_template_in_the_docs_is_one_that_loads(assets):
    page = (Path(__file__).parents[2] / "docs/templates.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (assets / "fonts").mkdir(exist_ok=True)
    for ours, theirs in {
        "art/logo.png": "logo.png",
        "own.ttf": "fonts/Ours-Regular.ttf",
        "opening.mp4": "intro.mp4",
        "art/card.jpg": "thanks.png",
    }.items():
        shutil.copyfile(assets / ours, assets / theirs)
    look = load_template(str(written(assets, text))).look
    plain = load_template(str(written(assets, "logo: {file: logo.png}"))).look
    assert (look.logo, look.colours) == (plain.logo, plain.colours), "the defaults are those of the docs"
    for font in shipped_fonts().values():
        assert font.name in page.replace("\n", " ")


def test_contrast_is_that_of_wcag():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the well-known grey that just fails


def test_libass_finds_each_shipped_font_by_its_name(tmp_path):
    copy_fonts(tmp_path)
    fonts = list(shipped_fonts().values())
    drawn, missing = draw_lines([Line("Hamburgefonstiv", font, 40) for font in fonts], tmp_path, 800)
    looks = {line.ink.tobytes() for line in drawn}
    assert len(looks) == len(fonts) == 7 and not missing
    for licence in ("DejaVu", "Manrope", "SourceSansPro"):
        assert (FONTS / f"LICENSE.{licence}").is_file()
