"""The clips of the report: whose words and times they show, and what is said of formats, cuts and captions."""

import pytest

from core.report_clips import Playing, lines, shown_clips
from tests.core.report_parsed import Parsed
from tests.core.report_samples import SENTENCES, Recording, bare, dressed


def test_words_are_told_apart_by_sentence_and_timed_from_the_start_of_the_clip() -> None:
    clip = {"start_s": 4.0, "end_s": 20.0, "text": "unused"}
    from_recording = lines(clip, SENTENCES)
    assert from_recording == [[(0.0, "two"), (2.0, "three"), (4.0, "four.")], [(7.0, "Five"), (11.0, "six.")]]
    words = [{"text": " two ", "start_s": -0.05, "end_s": 1.9}, {"text": "Five", "start_s": 7.0, "end_s": 9.0}]
    assert lines({**clip, "words": words}, SENTENCES) == [[(0.0, "two")], [(7.0, "Five")]]
    assert lines(clip, []) == [[(None, "unused")]]


def test_behind_an_intro_and_without_what_was_removed_words_keep_their_sentences() -> None:
    gone = {"start_s": 10.0, "end_s": 11.0, "kind": "pause", "removed": True}
    clip = {"start_s": 4.0, "end_s": 20.0, "intro_s": 3.0, "tightening": [gone], "text": "unused"}
    playing = Playing.of(clip)
    assert [playing.played_s(at_s) for at_s in (4.0, 10.0, 10.5, 11.0, 20.0)] == [3.0, 9.0, 9.0, 9.0, 18.0]
    assert [playing.recording_s(at_s) for at_s in (3.0, 8.0, 9.0, 18.0)] == [4.0, 9.0, 11.0, 20.0]
    assert playing.length_s == 15.0
    assert lines(clip, SENTENCES) == [[(3.0, "two"), (5.0, "three"), (7.0, "four.")], [(9.0, "Five"), (13.0, "six.")]]
    words = [{"text": "four.", "start_s": 8.0, "end_s": 8.6}, {"text": "Five", "start_s": 9.0, "end_s": 12.0}]
    assert lines({**clip, "words": words}, SENTENCES) == [[(8.0, "four.")], [(9.0, "Five")]]


def test_every_rendition_playlist_and_picture_of_every_format_is_linked(lecture: Recording) -> None:
    page = Parsed(dressed(lecture).html())
    files = lecture.manifest["clips"][0]["files"]
    for name in [
        *(file for renditions in files["formats"].values() for file in renditions.values()),
        *files["hls"].values(),
        *files["posters"].values(),
        *(files[kind] for kind in ("poster", "srt", "vtt", "text")),
    ]:
        assert page.all("a", href="./" + name, download=""), name
    assert page.all("a", href="./" + files["sheet"]) and page.all("img", src="./" + files["sheet"], loading="lazy")
    choices = page.all("input", type="radio", name="format-1")
    assert [(choice["data-width"], choice["data-height"]) for choice in choices] == [("1280", "720"), ("1080", "1920")]
    assert [choice["data-poster"] for choice in choices] == ["./clips/1.jpg", "./clips/1-vertical.jpg"]
    assert not page.all("input", type="radio", name="format-2"), "one format needs no switch"


def test_a_clip_that_is_only_vertical_is_shown_as_such() -> None:
    files = {"video": "a.mp4", "poster": "a.jpg", "formats": {"vertical": {"hd": "a.mp4"}}}
    plan = {"format": "vertical", "width": 1080, "height": 1920}
    clip = {"rank": 1, "start_s": 3.0, "end_s": 20.0, "files": files, "framing": [plan]}
    page = Parsed(Recording({**bare().manifest, "clips": [clip]}).html())
    assert page.all("div", **{"class": "stage tall"})
    assert page.all("video", src="./a.mp4", poster="./a.jpg", width="1080", height="1920")


@pytest.mark.parametrize(
    ("removed", "said", "from_s"),
    [
        (False, "Nothing was removed. Without these it would be shorter by 2.0 s, 12.5% of the clip", ["6.0", "11.0"]),
        (True, "Removed 2.0 s, 12.5% of the clip: 1 pause and 1 filler.", ["6.0", "10.0"]),
    ],
    ids=["preview", "removed"],
)
def test_what_tightening_takes_out_is_listed_with_the_words_around(removed: bool, said: str, from_s: list[str]) -> None:
    around = {"before": "the far side", "after": "is left behind", "removed": removed}
    rows = [
        {"start_s": 9.0, "end_s": 10.0, "kind": "pause", "text": "", **around},
        {"start_s": 14.0, "end_s": 15.0, "kind": "filler", "text": "um, <b>", **around},
    ]
    clip = {"rank": 1, "start_s": 4.0, "end_s": 20.0, "intro_s": 3.0, "tightening": rows}
    html = Recording({**bare().manifest, "clips": [clip]}).html()
    page = Parsed(html)
    assert said in " ".join(Parsed(html.replace("<strong>", "").replace("</strong>", "")).text("p").split())
    assert [button["data-jump"] for button in page.all("button") if "data-jump" in button] == from_s
    assert len(page.all("del")) == 2 and "um, &lt;b&gt;" in html
    assert html.count("the far side") == html.count("is left behind") == 2
    assert page.is_sound()


def test_a_clip_in_which_nothing_would_go_says_so_where_it_was_asked() -> None:
    clip = {"rank": 1, "start_s": 4.0, "end_s": 20.0, "tightening": []}
    manifest = {**bare().manifest, "clips": [clip]}
    asked = {**manifest, "settings": {"look": {"tighten": "preview"}}}
    assert "No pause or filler of this clip" in Recording(asked).html()
    assert "No pause or filler of this clip" not in Recording(manifest).html()


def test_the_writer_and_what_captions_change_are_told_in_a_line_each(lecture: Recording) -> None:
    page = Parsed(dressed(lecture).html())
    said = page.text("p")
    assert "Title and description by a-model" in said and "It did not answer in time." in said
    assert "tides" in page.inside["li"] and "What it costs, in short." in said
    assert {"fosfor", "darn", "you know"} <= set(page.inside["del"]) and "phosphor" in page.inside["ins"]
    assert "The caption at 3.2 s is too fast." in said
    plain = lecture.manifest["clips"][1]
    plain["writing"] = {"description": "", "tags": [], "writer": "offline", "note": None}
    plain["captions"] = {"cues": 3, "mean_chars_per_s": 12.0, "max_chars_per_s": 14.0}
    said = Parsed(lecture.html()).text("p")
    assert "by offline" not in said and "All rules are kept." in said


def test_clips_come_in_order_of_rank() -> None:
    clips = [{"rank": rank, "start_s": 0.0, "end_s": 9.0} for rank in (2, 3, 1)]
    page = {"clips": clips, "source": {}, "transcript": {}}
    assert [clip["rank"] for clip in shown_clips(page, [])] == [1, 2, 3]
