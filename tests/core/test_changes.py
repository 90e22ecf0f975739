"""Pictures made by hand, so that what changes in them, and when, is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from core import changes
from core.changes import Change, find_changes_within, suspicious, tile

STEP_S = 0.08
TIMES_S = np.arange(0, 8, STEP_S)
TEXT = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "the",
    "lazy",
    "dog",
    "while",
    "nobody",
    "looks",
    "and",
    "then",
    "it",
    "sleeps",
    "under",
    "an",
    "old",
    "tree",
]


def slide(seed: int, lines: int = 5, paper: int = 245, ink: int = 30) -> np.ndarray:
    """A gray 160x90 slide whose words depend on `seed` alone, drawn at 1280x720."""
    words = np.random.default_rng(seed).permutation(TEXT)
    image = Image.new("L", (1280, 720), paper)
    draw = ImageDraw.Draw(image)
    for row in range(lines):
        text = " ".join(words[row * 4 : row * 4 + 4])
        draw.text((90, 80 + 110 * row), text, fill=ink, font=ImageFont.load_default(44))
    return np.asarray(image.resize((160, 90), Image.Resampling.BOX))


def with_inset(image: np.ndarray, time_s: float) -> np.ndarray:
    """`image` with a face-like blob that never stops moving in a corner of a sixteenth of the picture."""
    out = image.copy()
    x, y = 136 + 6 * np.sin(3 * time_s), 76 + 4 * np.cos(5 * time_s)
    out[66:88, 118:158] = 90
    rows, columns = np.mgrid[66:88, 118:158]
    out[66:88, 118:158][(rows - y) ** 2 + (columns - x) ** 2 < 60] = 200
    return out


def camera(seed: int, time_s: float) -> np.ndarray:
    """A blurred random landscape over which the view pans steadily."""
    grid = np.random.default_rng(seed).integers(0, 255, (12, 60)).astype(np.uint8)
    land = np.asarray(Image.fromarray(grid).resize((800, 100), Image.Resampling.BICUBIC))
    left = int(40 + 45 * time_s)
    return land[5:95, left : left + 160]


def film(picture_at) -> np.ndarray:
    return np.stack([picture_at(float(t)) for t in TIMES_S]).astype(np.uint8)


def changes_of(picture_at) -> list[Change]:
    return find_changes_within(TIMES_S, film(picture_at))


FIRST, SECOND = slide(1), slide(2)
NOISE = np.random.default_rng(0)


def test_slides_that_differ_in_their_words_alone_are_told_apart_at_the_first_new_frame() -> None:
    (change,) = changes_of(lambda t: SECOND if t >= 4.0 else FIRST)
    assert change.time_s == pytest.approx(4.0, abs=STEP_S)
    assert change.kind == "slide"


def test_a_slide_changes_while_the_speaker_moves_in_an_inset() -> None:
    (change,) = changes_of(lambda t: with_inset(SECOND if t >= 2.6 else FIRST, t))
    assert change.time_s == pytest.approx(2.6, abs=STEP_S)
    assert change.kind == "slide"


def test_a_cross_fade_is_one_change_dated_to_its_middle() -> None:
    def fading(t: float) -> np.ndarray:
        share = np.clip((t - 3.5) / 1.0, 0, 1)
        return (1 - share) * FIRST + share * SECOND

    (change,) = changes_of(fading)
    assert change.time_s == pytest.approx(4.0, abs=0.25)


def test_a_cut_between_moving_pictures_is_a_shot() -> None:
    (change,) = changes_of(lambda t: camera(3 if t < 4.4 else 4, t))
    assert change.time_s == pytest.approx(4.4, abs=STEP_S)
    assert change.kind == "shot"


def test_a_slide_that_gives_way_to_the_camera_is_a_change() -> None:
    (change,) = changes_of(lambda t: FIRST if t < 4.4 else camera(4, t))
    assert change.time_s == pytest.approx(4.4, abs=STEP_S)


def test_two_changes_in_one_stretch_are_both_found() -> None:
    third = slide(3)
    found = changes_of(lambda t: FIRST if t < 2.4 else SECOND if t < 5.6 else third)
    assert [change.time_s for change in found] == pytest.approx([2.4, 5.6], abs=STEP_S)


@pytest.mark.parametrize(
    "picture_at",
    [
        pytest.param(lambda t: FIRST, id="a slide that stays"),
        pytest.param(lambda t: with_inset(FIRST, t), id="a speaker who moves in an inset"),
        pytest.param(lambda t: np.clip(FIRST + NOISE.normal(0, 3, FIRST.shape), 0, 255), id="camera noise"),
        pytest.param(lambda t: np.clip(FIRST * (0.9 + 0.1 * np.sin(t)), 0, 255), id="light that comes and goes"),
        pytest.param(lambda t: FIRST * (0.8 if t > 4 else 1.0), id="a lamp that is switched off"),
        pytest.param(lambda t: camera(3, t), id="a camera that pans"),
        pytest.param(lambda t: np.where(abs(t - 4) < 0.06, 255, FIRST), id="a single white frame"),
    ],
)
def test_what_is_no_change_is_not_found(picture_at) -> None:
    assert changes_of(picture_at) == []


def test_a_mouse_pointer_is_no_change() -> None:
    def pointing(t: float) -> np.ndarray:
        out = FIRST.copy()
        x = 20 + 60 * (t > 2) + 50 * (t > 5)
        out[40:44, x : x + 3] = 0
        return out

    assert changes_of(pointing) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_images_to_tell_are_no_error(count: int) -> None:
    images = np.stack([FIRST] * count) if count else np.zeros((0, 90, 160), np.uint8)
    assert find_changes_within(TIMES_S[:count], images) == []


def pairs_with(inset: bool, slide_at: int | None, count: int = 12) -> changes.Blocks:
    pairs = np.zeros((count, changes.ROWS, changes.COLUMNS), bool)
    pairs[:, 6:9, 12:16] = inset
    if slide_at is not None:
        pairs[slide_at, 1:5, 2:10] = True
    return pairs


def quiet(pairs: changes.Blocks) -> changes.Cells:
    return np.zeros((len(pairs), 18, 32), bool)


def test_an_inset_makes_no_pair_of_samples_suspicious_but_where_it_comes_or_goes() -> None:
    pairs = pairs_with(inset=True, slide_at=None)
    inside = suspicious(pairs, quiet(pairs))[2:-2]
    assert not inside.any()


def test_a_new_slide_beside_an_inset_is_suspicious_for_what_lies_outside() -> None:
    pairs = pairs_with(inset=True, slide_at=6)
    blocks = suspicious(pairs, quiet(pairs))
    assert np.flatnonzero(blocks[2:-2]).tolist() == [4]
    assert blocks[6] == 4 * 8


def test_an_inset_that_appears_is_suspicious() -> None:
    pairs = pairs_with(inset=True, slide_at=None)
    pairs[:5] = False
    assert suspicious(pairs, quiet(pairs))[5] > 0


def test_no_pairs_at_all_are_no_error() -> None:
    assert suspicious(np.zeros((0, 9, 16), bool), np.zeros((0, 18, 32), bool)).tolist() == []


def test_a_row_of_cells_is_suspicious_and_a_pointer_or_the_fringe_of_an_inset_is_not() -> None:
    pairs = pairs_with(inset=True, slide_at=None)
    line, pointer, fringe = quiet(pairs), quiet(pairs), quiet(pairs)
    line[6, 8, 3:9] = True
    pointer[6, 8:10, 3:5] = True
    fringe[:, 2, 20:28] = True
    assert np.flatnonzero(suspicious(pairs, line)[2:-2]).tolist() == [4]
    assert not suspicious(pairs, pointer)[2:-2].any()
    assert not suspicious(pairs, fringe)[2:-2].any()


def with_lines(image: np.ndarray, *rows: int) -> np.ndarray:
    """`image` with short lines of text, 4 pixels high, at these rows."""
    out = image.copy()
    for row in rows:
        out[row : row + 4, 12:50:2] = 60
    return out


def test_a_line_that_is_added_is_a_change_also_beside_a_speaker_who_moves() -> None:
    blank = np.full((90, 160), 245, np.uint8)
    for inset in (False, True):

        def picture_at(time_s: float, inset: bool = inset) -> np.ndarray:
            image = with_lines(blank, 20) if time_s < 4 else with_lines(blank, 20, 40)
            return with_inset(image, time_s) if inset else image

        found = changes_of(picture_at)
        assert [(c.time_s, c.kind) for c in found] == [(pytest.approx(4.0, abs=STEP_S), "slide")]


def test_a_line_that_shows_for_a_moment_only_is_no_change() -> None:
    blank = np.full((90, 160), 245, np.uint8)
    assert changes_of(lambda t: with_lines(blank, 20, 40) if 4 <= t < 4.2 else with_lines(blank, 20)) == []


def test_the_signature_of_an_image_is_its_luma() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [0, 255, 0]]], np.uint8)
    assert changes.signature(colours).tolist() == [[255, 0, 149]]


def test_of_changes_close_together_the_strongest_begins_the_span() -> None:
    found = [Change(5.0, "slide", 20), Change(5.5, "shot", 90), Change(9.0, "slide", 30)]
    spans = tile(found, 20.0)
    assert [(s.start_s, s.end_s, s.kind) for s in spans] == [(0, 5.5, "start"), (5.5, 9, "shot"), (9, 20, "slide")]


@given(
    st.lists(st.floats(0, 130, allow_nan=False), max_size=40),
    st.floats(0.05, 120, allow_nan=False),
)
def test_spans_cover_the_recording_without_gaps(times_s: list[float], duration_s: float) -> None:
    spans = tile([Change(t, "slide", 10) for t in times_s], duration_s)
    assert spans[0].start_s == 0
    assert spans[-1].end_s == duration_s
    assert all(one.end_s == other.start_s for one, other in zip(spans, spans[1:], strict=False))
    assert len(spans) == 1 or min(s.end_s - s.start_s for s in spans) >= changes.MIN_SPAN_S - 0.002
