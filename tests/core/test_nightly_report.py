"""The end of a nightly as data."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.nightly_report import (
    NightlyReport,
    RecordingEnd,
    failed_by_share,
    failed_share,
    to_json,
)
from core.records import StageTiming
from tests.core.nightly_samples import done, failed, night, whole_night


def test_totals_add_up_what_the_recordings_say():
    totals = whole_night().totals
    assert totals.counts == {"failed": 1, "rejected": 1, "done": 1, "skipped": 1}
    assert (totals.recordings, totals.clips, totals.bytes, totals.recorded_s) == (4, 4, 1_000, 500.0)
    assert totals.seconds == pytest.approx(60.5)
    assert totals.cost == pytest.approx(0.0605)


def test_without_a_price_there_is_no_cost():
    report = night(done(), price_per_hour=None)
    assert report.totals.cost is None
    assert [stage.cost for stage in report.stages] == [None, None]


def test_what_a_worker_cost_is_laid_on_its_stages_by_their_seconds():
    kept = (StageTiming("transcript", 45.0, True), StageTiming("render", 15.0, False))
    transcript, render = night(done(), done(stages=kept)).stages
    assert (transcript.computed, transcript.cached, transcript.seconds) == (1, 1, 45.0)
    assert transcript.cost == pytest.approx(0.05 * 45 / 60)
    assert render.cost == pytest.approx(0.05 * 15 / 60 + 0.05)
    assert render.share + transcript.share == pytest.approx(1.0)


def test_what_needs_a_person_comes_first():
    urgent = done("z.mp4").model_copy(update={"priority": "urgent"})
    ordered = night(done("b.mp4"), done("a.mp4"), urgent, failed()).ordered
    assert [end.status for end in ordered] == ["failed", "done", "done", "done"]
    assert [end.name for end in ordered[1:]] == ["z.mp4", "a.mp4", "b.mp4"]


@pytest.mark.parametrize(
    ("fine", "broken", "most", "fails"),
    [
        (9, 1, 0.1, False),
        (8, 2, 0.1, True),
        (9, 1, 0.0, True),
        (0, 3, 1.0, False),
        (5, 0, 0.0, False),
        (0, 0, 0.0, False),
    ],
)
def test_a_nightly_fails_when_more_than_the_share_let_pass_did(fine, broken, most, fails):
    assert failed_by_share(night(*[done()] * fine, *[failed()] * broken), most) is fails


def test_refused_and_skipped_recordings_do_not_water_the_share_down():
    assert failed_share(whole_night().recordings) == 0.5


@pytest.mark.parametrize("most", [-0.1, 1.1, float("nan")])
def test_a_share_outside_its_range_is_refused(most):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        failed_by_share(night(), most)


texts = st.text(max_size=30)
recordings = st.builds(
    RecordingEnd,
    name=texts,
    status=st.sampled_from(["done", "failed", "rejected", "skipped"]),
    reason=st.none() | texts,
    seconds=st.floats(0, 1e6),
    duration_s=st.none() | st.floats(0, 1e6),
    stages=st.lists(st.builds(StageTiming, name=texts, seconds=st.floats(0, 1e6), cached=st.booleans()), max_size=3),
)


@settings(max_examples=40)
@given(st.lists(recordings, max_size=4))
def test_any_report_survives_json_with_its_totals_beside_it(ends):
    report = night(*ends)
    text = to_json(report)
    assert json.loads(text)["totals"]["recordings"] == len(ends)
    assert NightlyReport.model_validate_json(text).totals == report.totals


def test_secrets_in_what_failed_do_not_reach_the_report(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    assert "wJalrXUtnFEMI" not in to_json(night(failed("wJalrXUtnFEMI was refused")))
