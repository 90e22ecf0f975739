"""Captions meet the sound: cue edges move to speech, words keep out of pauses."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.alignment import align_cues, estimate_offset_s, find_speech
from core.records import Word
from core.subtitles import RawCue, tokens_of

HOP_S = 0.01
DURATION_S = 60.0


def levels_of(
    spoken: list[tuple[float, float]], duration_s: float = DURATION_S, noise_dbfs: float = -60.0
) -> np.ndarray:
    """Levels of speech at about -20 dBFS, with dips between syllables, over noise."""
    rng = np.random.default_rng(3)
    levels = noise_dbfs + rng.normal(0, 1.5, round(duration_s / HOP_S))
    for start_s, end_s in spoken:
        begin, end = round(start_s / HOP_S), round(end_s / HOP_S)
        levels[begin:end] = -20 + rng.normal(0, 3, end - begin)
        levels[begin + 20 : end - 20 : 23] -= 30
    return levels


def sentences(seed: int = 1, count: int = 14) -> list[tuple[float, float]]:
    """Stretches of speech of uneven length with uneven pauses."""
    rng = np.random.default_rng(seed)
    spans: list[tuple[float, float]] = []
    at_s = 1.0
    for _ in range(count):
        length_s, pause_s = float(rng.uniform(1.2, 3.5)), float(rng.uniform(0.5, 1.8))
        spans.append((at_s, at_s + length_s))
        at_s += length_s + pause_s
    return spans


def edges(words: list[Word], cues: list[RawCue]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    first = 0
    for cue in cues:
        count = len(tokens_of(cue.text))
        found.append((words[first].start_s, words[first + count - 1].end_s))
        first += count
    return found


def test_speech_is_found_between_pauses_and_not_cut_at_syllables() -> None:
    speech = find_speech(levels_of([(2.0, 5.0), (6.0, 9.0)]), HOP_S)

    assert speech is not None
    assert speech.starts_s.tolist() == pytest.approx([2.0, 6.0], abs=0.02)
    assert speech.ends_s.tolist() == pytest.approx([5.0, 9.0], abs=0.02)


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(np.full(500, -20.0), id="a steady tone"),
        pytest.param(np.full(500, -np.inf), id="digital silence"),
        pytest.param(np.full(500, np.nan), id="no level at all"),
        pytest.param(np.array([]), id="nothing"),
        pytest.param(np.linspace(-90, -70, 500), id="only noise below the floor"),
    ],
)
def test_sound_that_does_not_tell_speech_from_pauses_moves_nothing(levels: np.ndarray) -> None:
    cues = [RawCue(1.0, 2.0, "one two"), RawCue(2.5, 3.0, "three")]

    assert find_speech(levels, HOP_S) is None
    assert align_cues(cues, levels, HOP_S, 5.0) == align_cues(cues, None, HOP_S, 5.0)


@pytest.mark.parametrize("late_s", [-2.6, -1.0, -0.4, 0.4, 1.0, 2.6], ids=lambda s: f"captions {s:+} s late")
def test_a_constant_offset_is_removed(late_s: float) -> None:
    spans = [span for span in sentences() if span[0] + late_s > 0]
    cues = [RawCue(a + late_s, b + late_s, f"words of sentence {i}, spoken") for i, (a, b) in enumerate(spans)]
    words = align_cues(cues, levels_of(sentences()), HOP_S, DURATION_S)

    assert edges(words, cues) == [(pytest.approx(a, abs=0.05), pytest.approx(b, abs=0.05)) for a, b in spans]


@pytest.mark.parametrize(
    ("cues", "why"),
    [
        pytest.param([(a, b) for a, b in sentences()], "aligned", id="captions in place"),
        pytest.param([(4.0 * i, 4.0 * i + 4) for i in range(14)], "unrelated", id="captions without gaps on a raster"),
        pytest.param([(a + 0.9, b + 0.9) for a, b in sentences()[:2]], "few", id="only two captions"),
        pytest.param(sentences(seed=77), "unrelated", id="captions of another recording"),
    ],
)
def test_no_offset_is_invented(cues: list[tuple[float, float]], why: str) -> None:
    speech = find_speech(levels_of(sentences()), HOP_S)
    assert speech is not None

    assert estimate_offset_s([RawCue(a, b, why) for a, b in cues], speech, DURATION_S) == 0.0


def test_edges_snap_to_speech_within_half_a_second_only() -> None:
    levels = levels_of([(2.0, 5.0), (10.0, 13.0)], 20.0)
    words = align_cues([RawCue(2.4, 4.7, "near enough"), RawCue(11.0, 12.0, "too far")], levels, HOP_S, 20.0)

    assert (words[0].start_s, words[1].end_s) == (pytest.approx(2.0, abs=0.02), pytest.approx(5.0, abs=0.02))
    assert (words[2].start_s, words[3].end_s) == (11.0, 12.0)


def test_a_cue_does_not_snap_across_its_neighbour() -> None:
    levels = levels_of([(2.0, 3.0), (3.3, 6.0)], 20.0)
    words = align_cues([RawCue(2.0, 3.2, "one two"), RawCue(3.2, 6.0, "three four")], levels, HOP_S, 20.0)

    assert words[1].end_s == pytest.approx(3.0, abs=0.02)
    assert words[2].start_s == pytest.approx(3.3, abs=0.02)


def test_words_lie_where_speech_is_and_not_in_the_pause_between() -> None:
    levels = levels_of([(1.0, 3.0), (5.0, 7.0)], 20.0)
    cue = RawCue(1.0, 7.0, "Here is the first part. And here is the other.")
    words = align_cues([cue], levels, HOP_S, 20.0)
    first = [word for word in words if word.end_s <= 3.05]
    second = [word for word in words if word.start_s >= 4.95]

    assert len(first) + len(second) == len(words) == 10
    assert [word.text for word in second] == ["And", "here", "is", "the", "other."]


def test_longer_words_take_longer() -> None:
    words = align_cues([RawCue(0.0, 2.0, "a extraordinarily")], None, HOP_S, 2.0)

    assert [word.end_s - word.start_s for word in words] == pytest.approx([2 * 2 / 18, 2 * 16 / 18])
    assert all(word.probability == 1.0 for word in words)


def test_times_that_a_file_gives_to_words_are_kept_less_the_pause_after_them() -> None:
    own = (Word("so", 1.0, 3.0), Word("then", 3.0, 3.5))
    cue = RawCue(1.0, 3.5, "so then", own)

    assert align_cues([cue], None, HOP_S, 20.0) == list(own)
    so, then = align_cues([cue], levels_of([(1.0, 1.4), (3.0, 3.5)], 5.0), HOP_S, 5.0)
    assert (so.start_s, so.end_s) == pytest.approx((1.0, 1.4), abs=0.02)
    assert (then.start_s, then.end_s) == pytest.approx((3.0, 3.5), abs=0.02)


def test_captions_after_the_end_of_the_recording_are_left_out() -> None:
    words = align_cues([RawCue(1.0, 2.0, "in"), RawCue(4.0, 9.0, "half"), RawCue(6.0, 7.0, "out")], None, HOP_S, 5.0)

    assert words == [Word("in", 1.0, 2.0), Word("half", 4.0, 5.0)]


def test_words_of_captions_shown_at_once_follow_each_other() -> None:
    words = align_cues([RawCue(1.0, 3.0, "one two"), RawCue(1.0, 3.0, "three four")], None, HOP_S, 5.0)

    assert [word.text for word in words] == ["one", "two", "three", "four"]
    assert (words[0].start_s, words[-1].end_s) == (1.0, 3.0)


def test_no_captions_have_no_words() -> None:
    assert align_cues([], levels_of([(1.0, 2.0)]), HOP_S, DURATION_S) == []


cue_lists = st.lists(
    st.builds(
        lambda start_s, length_s, text: RawCue(start_s, start_s + length_s, text),
        st.floats(0, 12),
        st.sampled_from([0.001, 0.05, 0.5, 2.0, 6.0]),
        st.sampled_from(["one", "one two", "a, b. c d e f g h i j k l", "今日は晴れ。", "word " * 40]),
    ),
    max_size=12,
)


@settings(max_examples=120, deadline=None)
@given(cues=cue_lists, spoken=st.lists(st.tuples(st.floats(0, 8), st.floats(0.1, 2)), max_size=5), sound=st.booleans())
def test_words_are_always_in_order_apart_and_inside_the_recording(
    cues: list[RawCue], spoken: list[tuple[float, float]], sound: bool
) -> None:
    levels = levels_of([(a, a + length) for a, length in spoken], 11.0) if sound else None
    words = align_cues(cues, levels, HOP_S, 11.0)
    inside = [cue for cue in sorted(cues, key=lambda cue: cue.start_s) if cue.start_s < 7]

    assert all(0 <= word.start_s < word.end_s <= 11.0 for word in words)
    assert all(before.end_s <= after.start_s for before, after in pairwise(words))
    assert all(word.end_s - word.start_s >= 0.02 - 1e-9 for word in words)
    expected = [token for cue in inside for token in tokens_of(cue.text)]
    assert [word.text for word in words][: len(expected)] == expected
