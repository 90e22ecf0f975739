"""Letters stand out from whatever is behind them, or the style is refused."""

import pytest

from core.caption_styles import STYLES, CaptionStyle, caption_style, contrast, least_contrast
from core.errors import BadSetting


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        pytest.param("#ffffff", "#000000", 21.0, id="white on black"),
        pytest.param("#777777", "#ffffff", 4.48, id="the grey that just fails on white"),
        pytest.param("#767676", "#ffffff", 4.54, id="the grey that just passes"),
        pytest.param("#123456", "#123456", 1.0, id="a colour on itself"),
    ],
)
def test_contrast_is_that_of_the_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("name", STYLES)
def test_every_style_is_readable_over_any_picture(name: str) -> None:
    assert least_contrast(caption_style(name)) >= 4.5


def test_a_box_counts_with_the_worst_picture_behind_it() -> None:
    assert least_contrast(CaptionStyle("mine", ground_opacity=0.75)) == pytest.approx(10.4, abs=0.1)
    with pytest.raises(BadSetting, match=r"contrast of only 1\.00:1"):
        CaptionStyle("mine", ground_opacity=0.0)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"letters": "#888888"}, "contrast of only", id="grey letters"),
        pytest.param({"way": "fill", "lit": "#3333ff"}, "contrast of only", id="dark lit letters"),
        pytest.param({"ground": "outline", "outline_em": 0.01}, "outline of 0.01 em", id="a hairline"),
        pytest.param({"letters": "white"}, 'got "white"', id="a colour by name"),
        pytest.param({"way": "box", "lit_ground": "#1d4ed8"}, "letters with an outline", id="a box on a box"),
        pytest.param({"size": 0.5}, "a size of 0.02 to 0.2", id="huge letters"),
    ],
)
def test_a_style_that_cannot_be_read_is_refused(fields: dict[str, str | float], told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        CaptionStyle("mine", **fields)  # pyright: ignore[reportArgumentType]


def test_an_unknown_style_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(BadSetting, match="plain, highlight, karaoke, bold"):
        caption_style("comic")
