"""What a tightening does to times, words and numbers of frames."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import codec
from core.records import Word
from core.tightening import Removal, Tightening, preview

RATES = ["25/1", "30000/1001", "24000/1001", "60/1"]


def at_frames(rate: str, frames: int, *removed: tuple[int, int]) -> Tightening:
    def time_s(frame: int) -> float:
        return float(frame / Fraction(rate))

    return Tightening(time_s(frames), rate, tuple(Removal(time_s(a), time_s(b), "pause") for a, b in removed))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.integers(1, 400), min_size=2, max_size=81), st.data())
def test_every_kept_frame_is_shown_at_its_place(rate, lengths, data):
    borders = [sum(lengths[: i + 1]) for i in range(len(lengths) // 2 * 2)]
    made = at_frames(rate, borders[-1] + 7, *zip(borders[::2], borders[1::2], strict=True))
    kept = [frame for first, end in made.kept for frame in range(first, end)]
    assert made.kept_frames == len(kept) == made.frames - sum(lengths[1 : len(borders) : 2])
    for place in [0, len(kept) - 1, *data.draw(st.lists(st.integers(0, len(kept) - 1), max_size=9))]:
        shown_s, source_s = place / Fraction(rate), kept[place] / Fraction(rate)
        assert made.shown_s(float(source_s)) == pytest.approx(float(shown_s), abs=1e-9)
        assert made.source_s(float(shown_s)) == pytest.approx(float(source_s), abs=1e-9)
    times_s = sorted(data.draw(st.lists(st.floats(0, made.duration_s), max_size=20)))
    shown = [made.shown_s(time_s) for time_s in times_s]
    assert shown == sorted(shown)
    assert all(0 <= time_s <= made.shown_duration_s + 1e-9 for time_s in shown)
    assert codec.load(codec.dump(made, Tightening), Tightening) == made


def test_what_is_left_out_lies_at_its_join():
    made = at_frames("25/1", 250, (50, 75), (100, 150))
    assert [made.shown_s(t) for t in (1.9, 2.0, 2.5, 3.0, 4.5, 6.0, 10.0)] == [1.9, 2.0, 2.0, 2.0, 3.0, 3.0, 7.0]
    assert made.joins_s == (2.0, 3.0)
    assert made.source_s(2.0) == 3.0
    assert made.saved_s == 3.0
    assert made.retime_spans([(0.0, 2.5), (2.2, 2.8), (5.0, 7.0)]) == [(0.0, 2.0), (3.0, 4.0)]


def test_nothing_changes_where_nothing_is_left_out():
    made = at_frames("30000/1001", 300)
    words = [Word("one,", 0.1, 0.5), Word("two", 9.0, 9.5)]
    assert made.retime(words) == words
    assert made.kept == ((0, 300),)
    assert made.shown_duration_s == made.duration_s


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("It is, um, large", "It is large"),
        ("It is um, large", "It is large"),
        ("over. Um, we're here", "over. We're here"),
        ("over. Um, iPhones sell", "over. iPhones sell"),
        ("the um cat", "the cat"),
    ],
)
def test_commas_and_capitals_of_a_filler_go_with_it(said, stays):
    words = [Word(text, i, i + 0.5) for i, text in enumerate(said.split())]
    at = next(i for i, word in enumerate(words) if word.text.lower().startswith("um"))
    made = Tightening(5.0, "25/1", (Removal(at - 0.28, at + 0.8, "filler", words[at].text),))
    after = made.retime(words)
    assert " ".join(word.text for word in after) == stays
    assert after[at].start_s == pytest.approx(words[at + 1].start_s - 1.08)


def test_the_preview_tells_what_goes_where_on_either_timeline():
    words = [Word(text, i, i + 0.6) for i, text in enumerate(["we", "saw", "the", "um", "very", "large", "cat"])]
    made = Tightening(8.0, "25/1", (Removal(2.8, 3.8, "filler", "um"), Removal(5.8, 5.96, "pause")))
    rows = preview(made, words, clip_start_s=100.0)
    assert json.loads(json.dumps(rows)) == rows
    assert rows[0] == {
        "start_s": 102.8, "end_s": 103.8, "kind": "filler", "text": "um", "before": "we saw the",
        "after": "very large cat", "saved_s": 1.0, "share": 0.125, "join_s": 2.8,
    }  # fmt: skip
    assert (rows[1]["before"], rows[1]["join_s"]) == ("saw the very large", 4.8)
    assert [row["start_s"] for row in preview(made, words)] == [2.8, 5.8]
    assert preview(Tightening(8.0, "25/1"), words) == []


@pytest.mark.parametrize(
    "removed",
    [[(1.01, 2.0)], [(0.0, 1.0)], [(3.0, 4.0)], [(1.0, 2.0), (2.0, 3.0)], [(2.0, 3.0), (1.0, 1.4)]],
    ids=["off the grid", "reaches the start", "reaches the end", "touching", "out of order"],
)
def test_impossible_removals_are_refused(removed):
    with pytest.raises(ValueError, match=r"Tightening|Removals"):
        Tightening(4.0, "25/1", tuple(Removal(a, b, "pause") for a, b in removed))
