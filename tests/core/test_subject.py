"""Picks turn toward the subject, the better moments about it first, and everything else keeps its order."""

from dataclasses import replace

import numpy as np
import pytest

from core.edges import find_edges
from core.records import Selection, Word
from core.selection import select
from core.subject import LEAST, lift
from core.windows import ScoredUnit


def talk(count: int) -> list[ScoredUnit]:
    """Sentences of 5 s, one like the other, with a second between them."""
    said = ["The", "water", "rises", "twice", "a", "day", "everywhere."]
    units = []
    for k in range(count):
        words = tuple(Word(word, 6.0 * k + 0.7 * i, 6.0 * k + 0.7 * i + 0.6) for i, word in enumerate(said))
        units.append(ScoredUnit(words[0].start_s, words[-1].end_s, " ".join(said), 0.5, words))
    return units


def about(units: list[ScoredUnit], rows: range, probability: float = 0.6) -> list[ScoredUnit]:
    """The same talk, of which these rows are likely about the subject and the others hardly."""
    return [replace(unit, about=probability if k in rows else 0.01) for k, unit in enumerate(units)]


def chosen_from(units: list[ScoredUnit], clips: int = 1) -> Selection:
    duration_s = units[-1].end_s + 2
    edges = find_edges(units, levels_dbfs=None, duration_s=duration_s)
    return select(units, edges, clips=clips, min_s=20, max_s=40, duration_s=duration_s)


def test_the_pick_is_what_is_about_the_subject_and_says_so():
    units = [replace(unit, score=0.9 if k < 10 else 0.5) for k, unit in enumerate(talk(60))]
    assert chosen_from(units).highlights[0].first_sentence < 10
    (pick,) = chosen_from(about(units, range(40, 50))).highlights
    assert 40 <= pick.first_sentence < pick.last_sentence < 50
    assert pick.reasons["about"] == 1.0
    assert pick.reasons["about_probability"] == 0.6


def test_of_what_is_about_the_subject_the_better_wins():
    units = [replace(unit, score=0.9 if 50 <= k < 56 else 0.3) for k, unit in enumerate(talk(60))]
    (pick,) = chosen_from(about(units, range(20, 60))).highlights
    assert 45 <= pick.first_sentence <= 56


def test_the_best_of_the_rest_fills_the_other_places_at_lower_rank():
    units = [replace(unit, score=0.9 if k < 6 else 0.3) for k, unit in enumerate(talk(60))]
    picks = sorted(chosen_from(about(units, range(56, 60)), clips=2).highlights, key=lambda pick: pick.rank)
    assert picks[0].first_sentence == 56
    assert picks[1].first_sentence < 6
    assert picks[1].score < 0.2 * picks[0].score


@pytest.mark.parametrize("probability", [None, 0.0])
def test_where_nothing_is_about_it_the_picks_are_as_without_it(probability: float | None):
    units = [replace(unit, score=0.9 if 12 <= k < 18 else 0.5) for k, unit in enumerate(talk(60))]
    named = [replace(unit, about=probability) for unit in units]
    spans = [
        [(h.start_s, h.end_s, h.score) for h in chosen_from(given, clips=3).highlights] for given in (units, named)
    ]
    assert spans[0] == spans[1]
    assert "about" not in chosen_from(named).highlights[0].reasons


def test_the_lift_goes_from_the_least_to_one():
    assert lift(np.array([0.0, 0.2, 0.4]), 0.4).tolist() == pytest.approx([LEAST, LEAST + (1 - LEAST) / 4, 1.0])
    assert lift(np.zeros(2), 0.0).tolist() == [LEAST, LEAST]
