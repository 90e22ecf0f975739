import argparse

import pytest

from core.errors import BadSetting
from core.settings import Settings
from flows.options import add_options, fields, flow_parameters, settings_from


def given(*arguments):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return settings_from(parser.parse_args(arguments))


def test_without_options_the_settings_are_the_defaults():
    assert given() == Settings()


def test_space_around_a_subject_does_not_count():
    assert given("--about", "  the Bay of Fundy \n").selection.about == "the Bay of Fundy"
    assert given("--about", " ").selection == Settings().selection


def test_options_reach_their_groups():
    settings = given("--clips", "3", "--burn-captions", "--silence-dbfs", "-50", "--no-reel", "--language", "de")
    assert (settings.selection.clips, settings.rendering.burn_captions, settings.reel) == (3, True, False)
    assert (settings.silences.silence_dbfs, settings.speech.language) == (-50, "de")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--clips", "0"], "--clips: .*greater than or equal to 1, got '0'"),
        (["--silence-dbfs", "3"], "--silence-dbfs: .*less than 0"),
        (["--about", "tides " * 60], "--about: .*at most 300 characters"),
        (["--min-s", "9", "--max-s", "8"], "min_s must not exceed max_s, got 9 > 8"),
    ],
)
def test_what_is_wrong_is_named_as_the_option_is(arguments, says):
    with pytest.raises(BadSetting, match=says):
        given(*arguments)


def test_the_flow_takes_every_setting():
    from inspect import signature

    from flows.highlight import highlight

    taken = signature(highlight.fn).parameters
    passed = flow_parameters(Settings())
    assert set(passed) <= set(taken)
    grouped = {name for value in passed.values() if isinstance(value, dict) for name in value}
    assert {name for _, name, _ in fields()} <= set(passed) | grouped
