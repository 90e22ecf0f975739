"""How the report shows values: positions, durations, numbers, facts, links; and the contrast of its colours."""

import math
import re

import pytest

from core import report, report_values


@pytest.mark.parametrize(
    "path",
    [
        "javascript:alert(1)",
        "//elsewhere.example/x.mp4",
        "clips/a b#c?d%41.mp4",
        "clips/ümläut \" '.mp4",
        "data:text/html,x",
    ],
)
def test_a_file_name_can_name_no_scheme_and_no_host(path: str) -> None:
    link = report_values.href(path)
    assert re.fullmatch(r"\./[A-Za-z0-9/._%~-]*", link) and not link.startswith(".//.")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (754.2, "12:34"), (3599.7, "1:00:00"), (36_123, "10:02:03")],
)
def test_a_position_is_shown_as_a_clock(seconds: float, shown: str) -> None:
    assert report_values.clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (46.4, "46 s"), (59.7, "1 min"), (725, "12 min 5 s"), (36_125, "10 h 2 min"), (7200, "2 h")],
)
def test_a_duration_is_shown_in_words(seconds: float, shown: str) -> None:
    assert report_values.length_of(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((0.8123, "0.81"), (-14.06, "−14.1"), (-0.0001, "0.00"), (12_345.6, "12,346"), (6, "6"), (-3, "−3")),
        *((True, "yes"), (False, "no"), (None, "not known"), ("as it is", "as it is"), (["é", 1], '["é", 1]')),
        *((math.nan, "not a number"), (-math.inf, "−∞")),
    ],
)
def test_a_value_is_shown_for_people(value: object, shown: str) -> None:
    assert report_values.number(value) == shown


def test_facts_have_units_and_bars_only_where_clips_can_be_compared() -> None:
    found = report_values.facts(
        {
            "slide": "Why the step size matters",
            "loudness_lufs": -14.0,
            "words_per_s": 2.5,
            "speech_share": 0.934,
            "tone": -0.5,
        },
        {"tone": (-1.0, 1.0)},
    )
    assert [(fact.label, fact.value) for fact in found] == [
        ("Tone", "−0.50"),
        ("Loudness", "−14.0 LUFS"),
        ("Words", "2.50 per second"),
        ("Speech", "93.4%"),
        ("Slide", "Why the step size matters"),
    ]
    assert found[0].bar == (25.0, 25.0, 50.0) and all(fact.bar is None for fact in found[1:])


def test_a_time_of_making_that_is_no_iso_time_is_shown_as_it_is() -> None:
    assert report_values.day("2026-03-05T14:02:11+00:00") == "5 March 2026, 14:02 UTC"
    assert report_values.day("last Tuesday") == "last Tuesday"


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_reach_the_contrast_of_wcag_aa(scheme: str) -> None:
    style = (report.ASSETS / "style.css").read_text()
    block = style.split("@media (prefers-color-scheme: dark)")[scheme == "dark"]
    colours = dict(reversed(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for ground in ("paper", "card", "lane"):
        assert min(contrast("ink", ground), contrast("soft", ground), contrast("accent", ground)) >= 4.5
        assert min(contrast("curve", ground), contrast("edge", ground)) >= 3.0, f"graphics on {ground}"
    for layout in ("slides", "camera", "pip", "side", "board", "other"):
        assert contrast("ink", layout) >= 4.5, f"the name of {layout} on its band"
    assert (
        min(contrast("on-accent", "accent"), contrast("warn-ink", "warn-paper"), contrast("ink", "accent-wash")) >= 4.5
    )
