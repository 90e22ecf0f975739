"""The caption report tells what is wrong with captions and what was done to them."""

import json
from dataclasses import asdict

import pytest

from core.caption_report import LeftOut, Replaced, breaches, caption_report
from core.reading import CaptionRules
from core.records import Cue

GOOD = [Cue(0.0, 2.0, ("That is one caption,",)), Cue(2.1, 4.0, ("and this another.",))]


def test_good_captions_have_a_clean_report() -> None:
    report = caption_report(GOOD)

    assert report.ok
    assert (report.cues, report.breaches, report.told, report.phrase_ends) == (2, {}, (), 1.0)
    assert report.mean_chars_per_s == pytest.approx((20 + 17) / 3.9, abs=0.01)
    assert report.max_chars_per_s == 10.0


def test_no_captions_have_a_report() -> None:
    assert caption_report([]).ok


def test_breaches_are_counted_by_rule() -> None:
    cues = [Cue(0.0, 0.5, ("a" * 43,)), Cue(0.4, 1.0, ("x", "y", "z"))]

    assert caption_report(cues).breaches == {"line_length": 1, "lines": 1, "overlap": 1, "speed": 1, "too_short": 2}


@pytest.mark.parametrize(
    ("cues", "torn"),
    [
        pytest.param([Cue(0, 4, ("we went to see New", "York in the spring"))], ["New York"], id="between lines"),
        pytest.param(
            [Cue(0, 3, ("it cost 3.5",)), Cue(3.1, 6, ("million in all",))], ["3.5 million"], id="between cues"
        ),
        pytest.param([Cue(0, 3, ("it cost 3.5",)), Cue(5, 8, ("million in all",))], [], id="over a pause"),
        pytest.param([Cue(0, 4, ("we went to see", "New York in spring"))], [], id="whole"),
    ],
)
def test_a_torn_name_or_number_is_told(cues: list[Cue], torn: list[str]) -> None:
    found = breaches(cues)

    assert [breach.rule for breach in found] == ["torn"] * len(torn)
    assert all(f'tears "{whole}" apart.' in breach.text for whole, breach in zip(torn, found, strict=True))


def test_what_no_line_can_hold_is_not_torn() -> None:
    assert breaches([Cue(0, 3, ("Bartholo", "Montgomery"))], CaptionRules(max_line_chars=10)) == []


def test_the_report_is_json_and_keeps_what_was_done() -> None:
    report = caption_report(
        GOOD,
        left_out=[LeftOut(1.5, "um", "hesitation"), LeftOut(2.0, "it is", "contracted", "it's")],
        corrected=[Replaced(0.2, "pie torch", "PyTorch")],
        masked=[Replaced(0.4, "shit", "s***")],
        over_text=[2.1],
    )

    assert not report.ok
    told = json.loads(json.dumps(asdict(report)))
    assert told["left_out"][1] == {"start_s": 2.0, "text": "it is", "reason": "contracted", "instead": "it's"}
    assert told["corrected"] == [{"start_s": 0.2, "text": "pie torch", "instead": "PyTorch"}]
    assert told["over_text"] == [2.1]
