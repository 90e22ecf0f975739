import pytest

from core.estimates import FIRST_RATES, STAGES, WHERE_ASKED, learn_rates, load_rates, remaining_s
from core.records import StageTiming


def test_what_was_measured_weighs_in_and_cached_stages_do_not(tmp_path):
    learn_rates(tmp_path, [StageTiming("transcript", 100, False), StageTiming("render", 0.1, True)], 1_000)
    rates = load_rates(tmp_path)
    assert rates["transcript"] == pytest.approx((FIRST_RATES["transcript"] + 0.1) / 2)
    assert rates["render"] == FIRST_RATES["render"]


def test_rates_that_cannot_be_read_are_the_first_ones(tmp_path):
    (tmp_path / "rates.json").write_text("{")
    assert load_rates(tmp_path) == FIRST_RATES


def test_an_estimate_falls_to_zero_and_follows_the_running_pace():
    rates = {"transcript": 0.1, "render": 0.05}
    assert remaining_s(rates, 1_000, {}, {}) == pytest.approx(150)
    assert remaining_s(rates, 1_000, {"transcript": 0.5}, {"transcript": 100}) == pytest.approx(100 + 50)
    assert remaining_s(rates, 1_000, {"transcript": 1, "render": 1}, {}) == 0


def test_every_stage_has_a_first_rate_but_those_that_most_runs_do_without():
    assert set(FIRST_RATES) == set(STAGES) - set(WHERE_ASKED)


def test_a_stage_that_is_new_here_has_its_first_rate_and_one_that_is_gone_is_forgotten(tmp_path):
    (tmp_path / "rates.json").write_text('{"render": 9.0, "a stage of long ago": 1.0}')
    assert load_rates(tmp_path) == FIRST_RATES | {"render": 9.0}
