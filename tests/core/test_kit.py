"""What settings name is loaded before anything begins, or refused with what is wrong."""

import json
from pathlib import Path

import pytest

from core import encoders
from core.errors import BadSetting
from core.kit import load_kit
from core.ladder import DEFAULT_LADDER
from core.settings import Settings


def settings(look=None, writing=None, rendering=None) -> Settings:
    return Settings.model_validate({"look": look or {}, "writing": writing or {}, "rendering": rendering or {}})


def written(folder: Path, text: str, name: str = "mine.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_settings_that_name_nothing_give_the_recording_s_picture_in_its_own_size():
    kit = load_kit(Settings())
    assert (kit.formats, kit.style.name, kit.metrics.name) == (("source",), "plain", "DejaVu Sans")
    assert [rung.name for rung in kit.ladder] == ["hd"] and kit.encoder.name == "x264"
    assert (kit.template, kit.glossary, kit.overrides) == (None, None, ())


def test_formats_are_the_person_s_own_before_the_template_s(tmp_path):
    upright = written(tmp_path, "aspect: [vertical, square]")
    assert load_kit(settings(look={"template": upright})).formats == ("vertical", "square")
    assert load_kit(settings(look={"template": upright, "formats": "source"})).formats == ("source",)
    assert load_kit(settings(look={"template": "plain", "formats": "square,square"})).formats == ("square",)


def test_captions_are_drawn_in_the_template_s_font_style_and_colours(tmp_path):
    look = 'fonts: {caption: Manrope Bold}\ncaption: {style: highlight, colour: "#eeeeee", highlight: "#7a1fa2"}'
    kit = load_kit(settings(look={"template": written(tmp_path, look)}))
    assert (kit.style.name, kit.style.font, kit.metrics.name) == ("highlight", "Manrope Bold", "Manrope Bold")
    assert (kit.style.letters, kit.style.lit_ground, kit.style.lit) == ("#eeeeee", "#7a1fa2", "#ffffff")
    other = load_kit(settings(look={"template": str(tmp_path / "mine.yaml"), "caption_style": "karaoke"}))
    assert (other.style.name, other.style.font) == ("karaoke", "Manrope Bold")
    assert (other.style.letters, other.style.lit) == ("#ffffff", "#ffd84a"), "its colours were chosen for another style"


def test_a_highlight_colours_the_word_or_its_box_as_the_style_lights_up(tmp_path):
    look = 'caption: {style: karaoke, highlight: "#ffc0cb", box: "#101010"}'
    style = load_kit(settings(look={"template": written(tmp_path, look)})).style
    assert (style.lit, style.lit_ground, style.ground_colour) == ("#ffc0cb", None, "#101010")


def test_colours_that_cannot_be_read_in_the_template_s_style_are_refused(tmp_path):
    look = written(tmp_path, 'caption: {style: bold, colour: "#303030"}')
    with pytest.raises(BadSetting, match=r'letters of the caption style "bold" have a contrast of only'):
        load_kit(settings(look={"template": look}))
    assert load_kit(settings(look={"template": look, "caption_style": "plain"})).style.letters == "#ffffff"


def test_the_ladder_is_what_was_chosen_of_the_shipped_one_or_of_one_s_own(tmp_path):
    assert load_kit(settings(rendering={"renditions": "mobile,hd"})).ladder == (DEFAULT_LADDER[0], DEFAULT_LADDER[2])
    own = written(tmp_path, "- {name: big}\n- {name: tiny, height_px: 120}\n", "ladder.yaml")
    (rung,) = load_kit(settings(rendering={"ladder": own, "renditions": "tiny"})).ladder
    assert (rung.name, rung.height_px) == ("tiny", 120)
    with pytest.raises(BadSetting, match="there is no 'hd'; the ladder has big, tiny"):
        load_kit(settings(rendering={"ladder": own}))


def test_glossary_and_framings_are_read(tmp_path):
    terms = written(tmp_path, "PyTorch = pie torch\n", "terms.txt")
    framing = written(tmp_path, json.dumps([{"clip": 2, "vertical": {"crop": [0, 0, 90, 160]}}]), "framing.json")
    kit = load_kit(settings(look={"framing": framing}, writing={"glossary": terms}))
    assert kit.glossary and kit.glossary.correct_text("We use pie torch") == "We use PyTorch"
    assert [override.clip for override in kit.overrides] == [2]


@pytest.mark.parametrize(
    ("chosen", "told"),
    {
        "template": ({"look": {"template": "lectures"}}, "no template called 'lectures'"),
        "style": ({"look": {"caption_style": "loud"}}, 'no caption style "loud"; choose one of plain, highlight'),
        "a template's style": ({"look": {"template": "{folder}/odd.yaml"}}, 'no caption style "loud"'),
        "framing": ({"look": {"framing": "{folder}/gone.json"}}, r"Reading the framing in .*gone\.json"),
        "glossary": ({"writing": {"glossary": "{folder}/gone.txt"}}, r"gone\.txt"),
        "ladder": ({"rendering": {"ladder": "{folder}/gone.yaml"}}, r"Reading the ladder gone\.yaml"),
        "rendition": ({"rendering": {"renditions": ["huge"]}}, "no 'huge'; the ladder has hd, sd, mobile"),
        "encoder": ({"rendering": {"encoder": "nvenc"}}, "nvenc cannot be used here: no such card"),
    }.values(),
    ids=["template", "style", "style of a template", "framing", "glossary", "ladder", "rendition", "encoder"],
)
def test_what_is_not_there_is_refused_with_its_name(tmp_path, monkeypatch, chosen, told):
    written(tmp_path, "caption: {style: loud}", "odd.yaml")
    monkeypatch.setattr(encoders, "trial", lambda name: "no such card.")
    asked = json.loads(json.dumps(chosen).replace("{folder}", str(tmp_path)))
    with pytest.raises(BadSetting, match=told):
        load_kit(settings(**asked))
