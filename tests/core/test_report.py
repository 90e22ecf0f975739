"""The report page as text: what it says, what it must never let through, and what is missing or too much."""

import base64
import hashlib
import math
import re
import xml.etree.ElementTree as ElementTree
from io import BytesIO

import pytest
from PIL import Image

from core import chart, report
from core.records import SlideSpan
from core.sights import LayoutSpan
from tests.core.report_parsed import Parsed
from tests.core.report_samples import HOSTILE, SENTENCES, Recording, attacked, bare, dressed, spoken, without


def test_the_page_lists_every_clip_with_its_player_words_and_link_from_the_timeline(lecture: Recording) -> None:
    page = Parsed(lecture.html())
    assert page.is_sound()
    for clip in lecture.manifest["clips"]:
        assert page.all("article", id=f"clip-{clip['rank']}")
        assert page.all("a", href=f"#clip-{clip['rank']}", **{"class": "pick"})
        assert page.all("video", src="./" + clip["files"]["video"], preload="none")
        assert page.all("a", href="./" + clip["files"]["srt"], download="")
    words = [attributes for attributes in page.all("span") if "data-t" in attributes]
    assert len(words) == sum(len(clip["words"]) for clip in lecture.manifest["clips"])
    assert "13:35–14:22" in page.text("a")
    assert len(page.all("img")) == 20


def test_nothing_is_loaded_from_another_origin(lecture: Recording) -> None:
    html = dressed(lecture).html()
    page = Parsed(html)
    assert page.links() and all(link.startswith(("./", "#", "data:")) for link in page.links())
    assert not re.search(r"https?:|@import|url\((?!#)", html)
    assert not any(name.startswith("on") or name == "style" for _, a in page.elements for name in a)


def test_the_content_security_policy_allows_only_the_script_and_style_that_stand_in_the_page(
    lecture: Recording,
) -> None:
    page = Parsed(lecture.html())
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    for kind, text in (("script-src", page.inside["script"][1]), ("style-src", page.inside["style"][0])):
        assert rules[kind] == [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"]
    assert rules["default-src"] == ["'none'"] and rules["form-action"] == ["'none'"]
    assert set(rules["img-src"] + rules["media-src"]) <= {"'self'", "file:", "data:"}
    order = [tag for tag, a in page.elements if tag in ("script", "style") or "http-equiv" in a]
    assert order[0] == "meta"


def test_hostile_text_in_every_field_stays_text(lecture: Recording) -> None:
    dressed(lecture).manifest["clips"][1]["files"]["formats"] = {HOSTILE: {HOSTILE: "a.mp4"}, "b": {"c": "d.mp4"}}
    page = Parsed(attacked(lecture).html())
    assert page.is_sound()
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert len(page.all("img")) == 21 and len(page.all("script")) == 2
    assert all(link.startswith(("./", "#", "data:")) for link in page.links())
    assert page.inside["h1"] == [HOSTILE]
    assert page.data()["sentences"][0][2] == HOSTILE
    data = lecture.html().split('id="data">')[1].split("</script>")[0]
    assert not re.search("[<>\u2028\u2029]", data)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(bare(), id="nothing at all"),
        pytest.param(bare(has_video=False, title="مرحبا بالعالم"), id="audio only with a right-to-left title"),
        pytest.param(Recording(without("has_audio")), id="no audio and one clip of which little is known"),
        pytest.param(Recording(without(), sentences=SENTENCES), id="sentences without scores"),
        pytest.param(Recording(without(), curve=[(2.0, 10.0, 0.0), (11.0, 19.0, 0.0)]), id="all scores zero"),
        pytest.param(Recording(without(), curve=[(2.0, 10.0, -3.0), (11.0, 19.0, -1.0)]), id="all scores negative"),
        pytest.param(bare(duration_s=0.4), id="shorter than a second"),
        pytest.param(Recording({**bare().manifest, "clips": None, "files": None, "models": None}), id="nulls"),
        pytest.param(Recording(bare().manifest, envelope=[0.5]), id="one bin of loudness"),
    ],
)
def test_what_is_missing_leaves_a_sound_page(recording: Recording) -> None:
    page = Parsed(recording.html())
    assert page.is_sound()
    assert len(page.all("article")) == len(recording.manifest.get("clips") or [])


@pytest.mark.parametrize(
    ("recording", "said"),
    [
        pytest.param(Recording({}), "no source.name", id="no source"),
        pytest.param(Recording({"source": {"name": "a"}}), "no source.duration_s", id="no duration"),
        pytest.param(
            Recording({**bare().manifest, "clips": [{"rank": 1}]}), r"no clips\[0\].start_s", id="clip without times"
        ),
        pytest.param(
            Recording(bare().manifest, curve=[(0.0, 1.0, math.nan)]), "not usable", id="score that is no number"
        ),
        pytest.param(bare(duration_s=0.0), "not usable", id="no length"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_name(recording: Recording, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recording.html()


def test_the_chart_is_well_formed_and_stays_inside_the_recording(lecture: Recording) -> None:
    html = lecture.html()
    chart = ElementTree.fromstring(html[html.index('<svg class="chart"') : html.index('<div class="readout"')].strip())
    views = {svg.get("viewBox") for svg in chart.iter("svg") if "stretch" in (svg.get("class") or "")}
    assert views == {"0 0 2400.0 100"}
    score = next(svg for svg in chart.iter("svg") if "score" in (svg.get("class") or "").split())
    path = score[0].get("d") or ""
    across = [float(x) for x in re.findall(r"[MH]([\d.]+)", path)]
    levels = [float(y) for y in re.findall(r"V([\d.]+)", path)]
    assert (
        across == sorted(across)
        and across[0] == 4.0
        and across[-1] == pytest.approx(lecture.sentences[-1].end_s, abs=0.01)
    )
    assert min(levels) == 6.0 and max(levels) == 100.0
    best = max(lecture.curve, key=lambda row: row[2])
    assert f"V6H{best[1]:.2f}".rstrip("0").rstrip(".") in path
    labels = [text.text for group in chart.iter("g") if group.get("class") == "axis" for text in group]
    assert labels == ["0:00", "5:00", "10:00", "15:00", "20:00", "25:00", "30:00", "35:00"]


def test_pauses_too_short_to_see_are_bridged_and_longer_ones_are_gaps() -> None:
    curve = [(0.0, 9.0, 1.0), (9.1, 20.0, 0.5), (40.0, 50.0, 1.0)]
    html = Recording(bare().manifest, curve=curve).html()
    assert 'd="M0 100V6H9V53H20V100M40 100V6H50V100"' in html


def test_a_subject_is_named_and_drawn_as_a_line_relative_to_its_top() -> None:
    about = [(0.0, 9.0, 0.1), (10.0, 20.0, 0.2)]
    manifest = {**bare().manifest, "settings": {"selection": {"about": "tides & <Moons>"}}}
    html = Recording(manifest, about=about).html()
    assert 'd="M0 53V53H9V6H20"' in html
    assert "tides &amp; &lt;Moons&gt;" in html
    for nothing in ([], [(0.0, 9.0, 0.0)]):
        assert 'class="stretch about"' not in Recording(bare().manifest, about=nothing).html()


@pytest.mark.parametrize(("language", "shown"), [("en", "</span> <span"), ("ja", "</span><span")])
def test_words_are_joined_as_their_language_writes_them(language: str, shown: str) -> None:
    recording = Recording({**without(), "transcript": {"language": language}}, sentences=SENTENCES)
    assert recording.html().count(shown) >= 2


def test_the_lane_of_layouts_has_a_colour_a_name_and_a_share_for_each(lecture: Recording) -> None:
    html = dressed(lecture).html()
    page = Parsed(html)
    assert 'class="slides" d="M0 0H1500V100H0Z"' in html
    assert "Slides, 0:00–25:00" in page.text("title") and "Picture-in-picture (PiP), 25:00–40:00" in page.text("title")
    assert page.all("g", role="img", **{"class": "layouts"})[0]["aria-label"].endswith(
        "Slides 62%, Picture-in-picture (PiP) 38%"
    )
    assert page.data()["layouts"] == {
        "names": ["Slides", "Picture-in-picture (PiP)"],
        "spans": [[0.0, 1500.0, 0], [1500.0, 2400.0, 1]],
    }
    assert "M0 0H" not in Recording(bare().manifest).html(), "no lane where nothing is known"


def test_only_the_longest_of_very_many_layouts_are_named() -> None:
    layouts = [LayoutSpan(i, i + 1, "slides" if i % 2 else "camera") for i in range(1000)]
    page = Parsed(Recording(bare(duration_s=1000.0).manifest, layouts=layouts).html())
    assert len(page.all("title")) == 1 + chart.MAX_LABELS
    assert len(page.data()["layouts"]["spans"]) == 1000


def test_a_build_is_marked_and_only_what_it_adds_is_searched() -> None:
    slides = [
        SlideSpan(0.0, 9.0, "slide", "a.jpg", "Tides", "Tides\nThe Moon pulls"),
        SlideSpan(9.0, 60.0, "slide", "b.jpg", "Tides", "Tides\nThe Moon pulls\nThe water rises"),
    ]
    recording = Recording(bare().manifest, slides=slides, thumbnails={"a.jpg": b"x", "b.jpg": b"y"}, builds={9.0})
    page = Parsed(recording.html())
    assert [item.get("class") for item in page.all("li") if "data-at" in item] == [None, "build"]
    assert [row[4:] for row in page.data()["slides"]] == [["Tides\nThe Moon pulls", 0], ["The water rises", 1]]


def test_thumbnails_are_thinned_out_evenly_over_the_recording() -> None:
    slides = [SlideSpan(i, i + 1, "slide", f"{i}.jpg") for i in range(600)]
    recording = Recording(
        bare(duration_s=600.0).manifest, slides=slides, thumbnails={f"{i}.jpg": b"x" for i in range(600)}
    )
    page = Parsed(recording.html())
    shown = [float(item["data-at"]) for item in page.all("li") if "data-at" in item]
    assert shown == [4.0 * i for i in range(report.MAX_THUMBNAILS)]
    places = [slide[3] for slide in page.data()["slides"]]
    assert places[0] == 0 and places[1] == -1 and places[4] == 1


def test_a_ten_hour_recording_stays_below_five_megabytes() -> None:
    text = "The answer to that question depends on what you are willing to measure, and how often you measure it."
    sentences = [spoken(i * 4.5, text, 4.0) for i in range(8_000)]
    slides = [SlideSpan(i * 90.0, (i + 1) * 90.0, "slide", f"{i}.jpg", text, f"{text}\n" * 6) for i in range(400)]
    noise = Image.effect_noise((200, 112), 60).convert("RGB")
    buffer = BytesIO()
    noise.save(buffer, "JPEG", quality=60)
    clips = [{"rank": i + 1, "start_s": i * 900.0, "end_s": i * 900.0 + 120, "title": text} for i in range(40)]
    manifest = {
        **bare(duration_s=36_000.0).manifest,
        "clips": clips,
        "silences": [{"start_s": i * 9.0, "end_s": i * 9.0 + 1.2, "mean_dbfs": -50.0} for i in range(4_000)],
    }
    recording = Recording(
        manifest,
        [(s.start_s, s.end_s, 0.5 + i % 7 / 20) for i, s in enumerate(sentences)],
        sentences,
        slides,
        {f"{i}.jpg": buffer.getvalue() for i in range(400)},
        [0.5] * 2_000,
        layouts=[LayoutSpan(i * 24.0, (i + 1) * 24.0, "side" if i % 2 else "slides") for i in range(1_500)],
    )
    assert len(buffer.getvalue()) > 6_000, "the pictures must be no easier than real ones"
    assert len(recording.html().encode()) < 5_000_000
