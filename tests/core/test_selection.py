"""The choice is the exact optimum, does not depend on order, and says truly why the others lost."""

import json
import random
import re
from dataclasses import asdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edges import Edges, find_edges
from core.records import Highlight, RunnerUp, Selection, Word
from core.selection import best_choice, select, total_with, why_lost
from core.windows import ScoredUnit, Windows

WORDS = ["clock", "liver", "gene", "mouse", "sleep", "insulin", "enzyme", "genome", "rhythm", "light"]


def talk(count: int, *, seed: int = 0, pause_s: float | None = None, score: float | None = None) -> list[ScoredUnit]:
    """Sentences of 3–9 s with pauses of 0.2–1.5 s between them."""
    chance, now, units = random.Random(seed), 0.5, []
    for _ in range(count):
        length = chance.uniform(3, 9)
        said = [chance.choice(WORDS) for _ in range(round(length * 2))]
        step = length / len(said)
        words = tuple(Word(word, now + k * step, now + (k + 1) * step) for k, word in enumerate(said))
        own = chance.random() if score is None else score
        text = " ".join(said).capitalize() + "."
        units.append(ScoredUnit(now, words[-1].end_s, text, own, words, parts={"centrality": own / 2}))
        now += length + (chance.uniform(0.2, 1.5) if pause_s is None else pause_s)
    return units


def chosen_from(
    units: list[ScoredUnit], *, clips: int = 3, min_s: float = 15, max_s: float = 40, gap_s: float = 0.0
) -> Selection:
    duration_s = units[-1].end_s + 2
    edges = find_edges(units, levels_dbfs=None, duration_s=duration_s)
    return select(units, edges, clips=clips, min_s=min_s, max_s=max_s, gap_s=gap_s, duration_s=duration_s)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Windows, np.ndarray, int, float]:
    """A few windows over at most seven units, in any order, with few distinct values so that ties are common."""
    times = np.cumsum(draw(st.lists(st.integers(1, 4), min_size=14, max_size=14))) / 2
    pairs = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9, unique_by=frozenset))
    first, last = np.array([sorted(pair) for pair in pairs], dtype=np.int32).T
    values = np.array(draw(st.lists(st.integers(1, 6), min_size=len(pairs), max_size=len(pairs)))) / 8
    windows = Windows(first, last, times[2 * first], times[2 * last + 1])
    return windows, values, draw(st.integers(1, 4)), draw(st.sampled_from([0.0, 0.5, 1.5]))


def admissible(windows: Windows, rows: tuple[int, ...], gap_s: float) -> bool:
    ordered = sorted(rows, key=lambda row: windows.first[row])
    return all(
        windows.last[a] < windows.first[b] and windows.start_s[b] - windows.end_s[a] >= gap_s
        for a, b in zip(ordered, ordered[1:], strict=False)
    )


def every_choice(windows: Windows, clips: int, gap_s: float) -> list[tuple[int, ...]]:
    rows = range(len(windows))
    return [c for count in range(clips + 1) for c in combinations(rows, count) if admissible(windows, c, gap_s)]


def order_of(windows: Windows, rows: tuple[int, ...]) -> list[tuple[int, int]]:
    return sorted((int(windows.first[row]), int(windows.last[row])) for row in rows)


@settings(max_examples=300, deadline=None)
@given(problem=problems())
def test_the_choice_is_the_best_of_all_and_of_equals_the_earliest_then_shortest(problem):
    windows, values, clips, gap_s = problem
    chosen = best_choice(windows, values, clips=clips, gap_s=gap_s)
    choices = every_choice(windows, clips, gap_s)
    best = max(values[list(rows)].sum() for rows in choices)
    assert chosen.total == best
    equals = [order_of(windows, rows) for rows in choices if values[list(rows)].sum() == best]
    assert order_of(windows, tuple(chosen.rows.tolist())) == min(equals)


@settings(max_examples=150, deadline=None)
@given(problem=problems(), seed=st.integers(0, 100))
def test_the_choice_does_not_depend_on_the_order_of_the_windows(problem, seed):
    windows, values, clips, gap_s = problem
    shuffled = np.random.default_rng(seed).permutation(len(windows))
    one = best_choice(windows, values, clips=clips, gap_s=gap_s)
    other = best_choice(windows.take(shuffled), values[shuffled], clips=clips, gap_s=gap_s)
    assert one.rows.tolist() == shuffled[other.rows].tolist()


@settings(max_examples=200, deadline=None)
@given(problem=problems())
def test_what_it_would_cost_to_take_a_window_in_is_exact(problem):
    windows, values, clips, gap_s = problem
    chosen = best_choice(windows, values, clips=clips, gap_s=gap_s)
    choices = every_choice(windows, clips, gap_s)
    for row in range(len(windows)):
        expected = max(values[list(rows)].sum() for rows in choices if row in rows)
        assert total_with(row, windows, values, chosen) == expected


@settings(max_examples=300, deadline=None)
@given(problem=problems())
def test_the_reason_why_a_window_lost_is_true(problem):
    windows, values, clips, gap_s = problem
    chosen = best_choice(windows, values, clips=clips, gap_s=gap_s)
    picks = chosen.rows.tolist()
    ranked = sorted(picks, key=lambda row: (-values[row], windows.start_s[row]))
    for row in set(range(len(windows))) - set(picks):
        lost = why_lost(row, windows, values, chosen, clips=clips, gap_s=gap_s)
        against = {rank for rank, pick in enumerate(ranked, start=1) if not admissible(windows, (pick, row), gap_s)}
        if "asked for" in lost:
            assert not against
            assert len(picks) == clips
            assert all(
                values[pick] > values[row] if "at least" not in lost else values[pick] >= values[row] for pick in picks
            )
            continue
        if (single := re.search(r"pick (\d+) \((\d\.\d\d)\), which scores (more|as much)", lost)) is not None:
            pick = ranked[int(single[1]) - 1]
            assert against == {int(single[1])}
            assert values[pick] > values[row] if single[3] == "more" else values[pick] == values[row]
            continue
        listed = re.search(r"picks ([\d, and]+); taking it instead would (.*)", lost)
        assert listed is not None
        assert {int(rank) for rank in re.findall(r"\d+", listed[1])} == against
        loss = chosen.total - max(values[list(c)].sum() for c in every_choice(windows, clips, gap_s) if row in c)
        assert listed[2] == (f"lower the total by {loss:.2f}" if loss else "not raise the total")


@pytest.mark.parametrize("gap_s", [0.0, 20.0])
def test_clips_keep_the_band_the_count_and_the_gap(gap_s):
    selection = chosen_from(talk(60, seed=3), clips=5, gap_s=gap_s)
    clips = selection.highlights
    assert len(clips) == 5
    assert all(15 <= clip.end_s - clip.start_s <= 40 for clip in clips)
    assert all(15 <= other.end_s - other.start_s <= 40 for other in selection.runners_up)
    for before, after in zip(clips, clips[1:], strict=False):
        assert before.end_s + gap_s <= after.start_s
        assert before.last_sentence < after.first_sentence
    assert sorted(clip.rank for clip in clips) == [1, 2, 3, 4, 5]
    assert selection.objective == pytest.approx(sum(clip.score for clip in clips))


def test_as_many_clips_as_asked_for_come_out_where_there_is_room_and_no_more_than_fit():
    assert len(chosen_from(talk(60), clips=7, max_s=30).highlights) == 7
    assert 1 <= len(chosen_from(talk(10), clips=8, max_s=30).highlights) <= 4


def test_with_nothing_to_tell_sentences_apart_clips_are_not_all_as_short_as_can_be():
    clips = chosen_from(talk(200, score=0.5), clips=6, min_s=20, max_s=120).highlights
    assert len(clips) == 6
    assert all(clip.end_s - clip.start_s > 30 for clip in clips)


def test_the_best_scored_stretch_is_found():
    units = talk(80, seed=5, score=0.3)
    units[40:45] = [ScoredUnit(u.start_s, u.end_s, u.text, 0.9, u.words) for u in units[40:45]]
    best = next(clip for clip in chosen_from(units).highlights if clip.rank == 1)
    assert best.first_sentence >= 40
    assert best.last_sentence <= 44


@pytest.mark.parametrize(
    ("min_s", "max_s"),
    [
        pytest.param(15.0001, 15.0002, id="no window has such a length"),
        pytest.param(900, 999, id="longer than the talk"),
    ],
)
def test_an_impossible_band_gives_an_empty_selection(min_s, max_s):
    assert chosen_from(talk(20), min_s=min_s, max_s=max_s) == Selection((), (), 0.0)


def test_no_units_give_an_empty_selection():
    assert select([], Edges((), ()), clips=8, min_s=1, max_s=9, duration_s=5) == Selection((), (), 0.0)


def test_a_short_recording_with_too_little_speech_becomes_one_clip():
    unit = ScoredUnit(5, 9, "One sentence alone.", 0.5)
    edges = find_edges([unit], levels_dbfs=None, duration_s=25)
    (clip,) = select([unit], edges, clips=8, min_s=20, max_s=120, duration_s=25).highlights
    assert (clip.start_s, clip.end_s, clip.text) == (0.0, 25.0, "One sentence alone.")


def test_runners_up_are_the_best_others_without_near_duplicates():
    selection = chosen_from(talk(60, seed=8), clips=5)
    assert 0 < len(selection.runners_up) <= 10
    scores = [other.score for other in selection.runners_up]
    assert scores == sorted(scores, reverse=True)
    seen: list[Highlight | RunnerUp] = list(selection.highlights)
    for other in selection.runners_up:
        for better in seen:
            both = min(other.end_s, better.end_s) - max(other.start_s, better.start_s)
            union = max(other.end_s, better.end_s) - min(other.start_s, better.start_s)
            assert both <= 0.5 * union + 1e-9
        seen.append(other)


def test_reasons_are_flat_plain_data():
    (clip,) = chosen_from(talk(20, seed=2), clips=1).highlights
    reasons = clip.reasons
    assert json.loads(json.dumps(asdict(clip)))["reasons"] == reasons
    assert all(value is None or type(value) in (float, int, str, bool) for value in reasons.values())
    assert reasons["length_s"] == pytest.approx(clip.end_s - clip.start_s, abs=0.001)
    assert clip.text.startswith(str(reasons["first_words"]).rstrip("…"))
    assert reasons["best_1_score"] >= reasons["best_2_score"] >= reasons["best_3_score"]
    assert reasons["best_1"] in clip.text
    assert reasons["model_centrality"] == pytest.approx(reasons["mean_score"] / 2, abs=1e-3)
    assert {"strength", "opening", "ending", "cuts", "length", "start_clean", "end_pause_s", "slide"} <= reasons.keys()


def test_rows_of_the_timeline_are_named_where_units_are_pieces_of_it():
    units = [ScoredUnit(u.start_s, u.end_s, u.text, u.score, u.words, row=k // 4) for k, u in enumerate(talk(40))]
    clip = chosen_from(units, clips=1).highlights[0]
    plain = chosen_from(talk(40), clips=1).highlights[0]
    assert (clip.start_s, clip.end_s) == (plain.start_s, plain.end_s)
    assert (clip.first_sentence, clip.last_sentence) == (plain.first_sentence // 4, plain.last_sentence // 4)


def test_clips_of_a_recording_without_speech_are_named_by_their_time():
    shots = [ScoredUnit(k * 8.0, k * 8.0 + 8, "", (k % 5) / 5, slide=k) for k in range(30)]
    clips = chosen_from(shots, clips=3).highlights
    assert len({clip.title for clip in clips}) == 3
    assert all(clip.title.startswith("Moment at ") and clip.text == "" for clip in clips)


def test_slide_titles_name_clips():
    units = [ScoredUnit(u.start_s, u.end_s, u.text, u.score, u.words, slide=2) for u in talk(20)]
    edges = find_edges(units, levels_dbfs=None, duration_s=500)
    titles = {2: "The circadian clock"}
    picked = select(units, edges, clips=1, min_s=15, max_s=40, duration_s=500, slide_titles=titles)
    assert picked.highlights[0].title == "The circadian clock"


def test_the_same_input_gives_the_same_selection():
    assert chosen_from(talk(60, seed=4)) == chosen_from(talk(60, seed=4))


def test_edges_of_other_units_and_scores_that_are_no_numbers_are_refused():
    units = talk(5)
    edges = find_edges(units[:4], levels_dbfs=None, duration_s=60)
    with pytest.raises(ValueError, match="got 4 for 5 units"):
        select(units, edges, clips=1, min_s=5, max_s=20, duration_s=60)
    with pytest.raises(ValueError, match="not finite"):
        chosen_from(talk(5, score=float("nan")))
