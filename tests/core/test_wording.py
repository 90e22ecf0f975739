"""Descriptions and tags come from the clip's own words."""

from core.wording import DESCRIPTION_CHARS, LONGEST_TAG, MOST_TAGS, ClipText, describe, offline_wording, tags_of

TIDES = ClipText(
    title="Tides in a basin",
    sentences=(
        "And so it goes on like that.",
        "The Bay of Fundy has the highest tides in the world.",
        "Its basin resonates with the rhythm of the Moon.",
        "A basin that resonates can raise a tide to sixteen metres.",
    ),
    scores=(0.9, 0.4, 0.5, 0.8),
    slide_titles=("Resonance of a basin",),
    slide_texts=(),
    language="en",
)


def test_a_description_is_of_whole_sentences_that_stand_alone_in_their_order():
    told = describe(TIDES)
    assert told.startswith("The Bay of Fundy has the highest tides in the world.")
    assert told.endswith("A basin that resonates can raise a tide to sixteen metres.")
    assert "And so it goes" not in told
    assert len(told) <= DESCRIPTION_CHARS


def test_the_best_sentence_is_kept_where_there_is_room_for_few():
    long = "The basin " + "resonates and " * 18 + "sings."
    clip = ClipText("t", (long, "The best sentence of all of them is short."), (0.2, 0.9), (), (), "en")
    assert describe(clip) == "The best sentence of all of them is short."


def test_a_clip_without_whole_sentences_is_described_by_its_beginning():
    clip = ClipText("t", ("and then we " * 60,), (1.0,), (), (), "en")
    told = describe(clip)
    assert told.startswith("and then we") and told.endswith("…") and len(told) <= DESCRIPTION_CHARS


def test_tags_are_few_short_and_no_two_say_the_same():
    tags = tags_of(TIDES)
    assert 1 <= len(tags) <= MOST_TAGS
    assert all(len(tag) <= LONGEST_TAG for tag in tags)
    assert len({tag.casefold().removesuffix("s") for tag in tags}) == len(tags)
    said = " ".join((*TIDES.sentences, *TIDES.slide_titles)).casefold()
    assert all(tag.casefold() in said for tag in tags)


def test_a_clip_in_which_nothing_is_said_has_no_tags_and_no_description():
    silent = ClipText("Moment at 1:02", (), (), (), (), None)
    wording = offline_wording(silent)
    assert (wording.title, wording.description, wording.tags) == ("Moment at 1:02", "", ())
