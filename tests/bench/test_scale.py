"""The plan for large nights holds what its script computes."""

from pathlib import Path

from bench.scale import Assumed, Night, tables

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_tables_that_the_script_prints() -> None:
    assert tables(Night(10_000)) in (ROOT / "docs/scale.md").read_text()


def test_twice_the_hours_need_twice_the_cores_and_a_longer_night_fewer() -> None:
    night = Night(10_000)
    assert Night(20_000).cores == 2 * night.cores
    assert Night(10_000, assumed=Assumed(night_h=16)).cores == night.cores / 2
