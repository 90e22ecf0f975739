"""The baseline ranks what carries a talk above what does not, and manages with whatever a recording lacks."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from core import timeline
from core.records import Sentence, SlideSpan
from core.units import units_without_speech
from models import registry
from models.baseline import Baseline
from models.scores import Scores

TALK = (
    "Good morning.",
    "Today I will explain how volcanoes form and why some eruptions are so explosive.",
    "So.",
    "Magma rises because molten rock is lighter than the solid rock around it.",
    "The magma collects in a chamber a few kilometres under the volcano.",
    "Okay, right.",
    "Gas dissolved in the magma drives the eruption, as in a bottle of soda that is shaken.",
    "In 1980 Mount Saint Helens lost 400 metres of its summit in one explosive eruption.",
    "Um, let me see.",
    "Eruptions of runny lava, as on Hawaii, are gentle because the gas escapes easily.",
)
FILLERS = [0, 2, 5, 8]
FINANCE = (
    "Central banks raise interest rates when inflation is too high.",
    "Higher interest rates make loans expensive for companies and households.",
    "Inflation then falls because people spend less money.",
    "Bond prices fall when the interest rates of a central bank rise.",
)
VOLCANO = tuple(TALK[i] for i in (1, 3, 4, 6, 9))


@dataclass(frozen=True)
class Sound:
    hop_s: float
    level_dbfs: np.ndarray
    centroid_hz: np.ndarray


@pytest.fixture(scope="module")
def model() -> Baseline:
    loaded = registry.load(registry.resolve("baseline"), threads=2)
    assert isinstance(loaded, Baseline)
    return loaded


def spoken(texts: tuple[str, ...], *, slides: list[SlideSpan] | None = None, levels: Sound | None = None) -> pa.Table:
    sentences = [Sentence(i * 10.0 + 1, i * 10.0 + 9, text, ()) for i, text in enumerate(texts)]
    return timeline.build_timeline(sentences, slides=slides, levels=levels, duration_s=len(texts) * 10.0)


def level_per_row(*levels_dbfs: float) -> Sound:
    level = np.repeat(np.array(levels_dbfs, np.float32), 1_000)
    return Sound(0.01, level, np.full(len(level), 1_000, np.float32))


def check(scores: Scores, count: int) -> None:
    boundary = [] if scores.boundary is None else [scores.boundary]
    for values in (scores.highlight, *boundary, *scores.parts.values()):
        assert values.shape == (count,)
        assert np.isfinite(values).all()
        assert ((values >= 0) & (values <= 1)).all()


def test_sentences_that_carry_the_talk_beat_its_fillers(model: Baseline):
    scores = model.predict(timeline.build_text_timeline(TALK))
    check(scores, len(TALK))
    carrying = [i for i in range(len(TALK)) if i not in FILLERS]
    assert scores.highlight[carrying].min() > scores.highlight[FILLERS].max()
    assert int(scores.parts["lexical"].argmax()) == 7, "the sentence with the numbers and the name"


def test_the_same_timeline_scores_the_same(model: Baseline):
    first, again = (model.predict(timeline.build_text_timeline(TALK)) for _ in range(2))
    assert (first.highlight == again.highlight).all()


def test_a_change_of_subject_is_the_likeliest_boundary(model: Baseline):
    boundary = model.predict(timeline.build_text_timeline(VOLCANO + FINANCE)).boundary
    assert boundary is not None
    assert int(boundary[:-1].argmax()) == len(VOLCANO) - 1
    assert boundary[-1] == 1


def test_a_new_slide_raises_the_boundary_before_it_and_a_camera_shot_does_not(model: Baseline):
    def boundary(kind: str) -> np.ndarray:
        slides = [SlideSpan(0, 39, "start"), SlideSpan(39, 100, kind)]  # type: ignore[arg-type]
        found = model.predict(spoken(TALK, slides=slides)).boundary
        assert found is not None
        return found

    changed = np.flatnonzero(boundary("slide") > boundary("shot") + 1e-9)
    assert changed.tolist() == [3]


def test_first_mentions_of_words_that_return_are_novel(model: Baseline):
    texts = ("Enzymes speed reactions.", "Enzymes speed reactions.", "Well then.", "Enzymes speed reactions.")
    novelty = model.predict(timeline.build_text_timeline(texts)).parts["novelty"]
    assert novelty[0] > novelty[1:].max()


def test_the_start_of_a_slide_counts_more_than_its_end(model: Baseline):
    slides = [SlideSpan(0, 19, "start"), SlideSpan(19, 100, "slide")]
    recency = model.predict(spoken(TALK, slides=slides)).parts["slide"]
    assert recency[:2].tolist() == [0.5, 0.5]
    assert (np.diff(recency[2:]) < 0).all()


def test_the_louder_of_two_equal_talks_sentences_scores_higher(model: Baseline):
    flat = level_per_row(*[-30] * 10)
    raised = level_per_row(-30, -30, -30, -30, -12, -30, -30, -30, -30, -30)
    rise = model.predict(spoken(TALK, levels=raised)).highlight - model.predict(spoken(TALK, levels=flat)).highlight
    assert int(rise.argmax()) == 4


def test_parts_that_are_unknown_are_neutral_and_do_not_count(model: Baseline):
    alone = model.predict(timeline.build_text_timeline(TALK))
    for name in ("prosody", "slide", "change"):
        assert (alone.parts[name] == 0.5).all()
    still = [SlideSpan(0, 100, "start")]
    assert model.predict(spoken(TALK, slides=still)).highlight == pytest.approx(alone.highlight)


def test_without_speech_cuts_and_loudness_decide(model: Baseline):
    cuts = [40.0, 46.0, 52.0, 58.0]
    edges = [0.0, *cuts, 120.0]
    slides = [SlideSpan(a, b, "shot" if a else "start") for a, b in zip(edges, edges[1:], strict=False)]
    sound = level_per_row(-40, -40, -40, -40, -15, -15, -40, -40, -40, -np.inf, -np.inf, -np.inf)
    units = units_without_speech(slides, sound.level_dbfs, 120)
    table = timeline.build_timeline(units, slides=slides, levels=sound, duration_s=120)
    scores = model.predict(table)
    check(scores, len(units))
    assert scores.boundary is None
    best, worst = units[int(scores.highlight.argmax())], units[int(scores.highlight.argmin())]
    assert 38 <= best.start_s < 60
    assert worst.start_s >= 88


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(timeline.build_text_timeline([]), id="no rows"),
        pytest.param(timeline.build_text_timeline(["Only one sentence."]), id="one sentence"),
        pytest.param(timeline.build_text_timeline(["Same words."] * 5), id="the same sentence again and again"),
        pytest.param(timeline.build_text_timeline(["", "Something is said here.", "  "]), id="some rows are empty"),
        pytest.param(timeline.build_text_timeline(["♪ ♪", "…", "-"]), id="text without a word"),
        pytest.param(
            timeline.build_text_timeline(["火山はどうやってできるのか。", "はい。"]), id="script without spaces"
        ),
        pytest.param(timeline.build_text_timeline(["word " * 3_000, "Short."]), id="a sentence without an end"),
        pytest.param(timeline.build_timeline(units_without_speech(None, None, 60)), id="nothing but time"),
        pytest.param(
            timeline.build_timeline(
                units_without_speech(None, None, 30), levels=level_per_row(*[-np.inf] * 3), slides=[]
            ),
            id="silence and no picture",
        ),
    ],
)
def test_strange_timelines_get_finite_scores(model: Baseline, table: pa.Table):
    check(model.predict(table), table.num_rows)


def test_progress_grows_to_one(model: Baseline):
    told: list[float] = []
    model.predict(timeline.build_text_timeline(TALK), on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
