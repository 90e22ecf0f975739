"""The report page: its structure and safety by parsing, its behaviour in a real browser where there is one."""

import base64
import hashlib
import json
import math
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import ffmpeg
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from core import media, report
from core.records import Sentence, SlideSpan, Word

TOPICS = ("gradients", "momentum", "the learning rate", "batch size", "regularisation", "early stopping", "curvature")
FRAMES = (
    "Now look at what {} does to the error over the first hundred steps.",
    "If you remember one thing about {}, remember that it is a trade and never a gift.",
    "We tried {} on four machines and measured the same thing each time.",
    "So why does {} fail here, when it worked an hour ago?",
    "Let me write down {} once more, slowly.",
    "People ask me about {} after every talk, and the answer is short.",
)
VOID = {"meta", "link", "img", "input", "br"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on PATH to open the page with")


@dataclass
class Recording:
    """What `render_report` is given; tests change what they are about."""

    manifest: dict[str, Any]
    curve: list[tuple[float, float, float]] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    slides: list[SlideSpan] = field(default_factory=list)
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    envelope: list[float] = field(default_factory=list)

    def html(self) -> str:
        return report.render_report(
            self.manifest,
            curve=self.curve,
            sentences=self.sentences,
            slides=self.slides,
            thumbnails=self.thumbnails,
            envelope=self.envelope,
        )


def spoken(start_s: float, text: str, seconds: float) -> Sentence:
    parts = text.split()
    step = seconds / len(parts)
    words = tuple(Word(part, start_s + i * step, start_s + (i + 0.9) * step, 0.98) for i, part in enumerate(parts))
    return Sentence(start_s, words[-1].end_s, text, words)


def picture(index: int) -> bytes:
    image = Image.new("RGB", (200, 112), f"hsl({(index * 47) % 360}, 32%, 88%)")
    draw = ImageDraw.Draw(image)
    draw.rectangle((14, 16, 120 + index % 4 * 16, 26), fill=f"hsl({(index * 47) % 360}, 45%, 35%)")
    for row in range(2 + index % 4):
        draw.rectangle((14, 42 + row * 14, 90 + (row * 37 + index * 13) % 90, 47 + row * 14), fill="#8a8578")
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def clip_entry(rank: int, start_s: float, sentences: list[Sentence]) -> dict[str, Any]:
    inside = [s for s in sentences if s.start_s >= start_s][:6]
    start_s, end_s = inside[0].start_s - 0.2, inside[-1].end_s + 0.3
    stem = f"clips/{rank:02}-{TOPICS[rank % 7].replace(' ', '-')}"
    return {
        "rank": rank,
        "start_s": start_s,
        "end_s": end_s,
        "score": 0.94 - 0.055 * rank,
        "title": f"What {TOPICS[rank % 7]} really costs",
        "text": " ".join(s.text for s in inside),
        "reasons": {
            "centrality": 0.81 - 0.06 * rank,
            "novelty": 0.35 + 0.07 * rank,
            "position": 0.5,
            "prosody": -0.4 + 0.2 * rank,
            "length_s": end_s - start_s,
            "sentences": 6,
            "speech_share": 0.934,
            "starts_after_pause": True,
            "slide": "Why the step size matters",
            "key_words": f"{TOPICS[rank % 7]}, error, hundred steps, machines",
            "face": None,
        },
        "files": {"video": f"{stem}.mp4", "srt": f"{stem}.srt", "vtt": f"{stem}.vtt", "poster": f"{stem}.jpg"},
        "words": [
            {"text": w.text, "start_s": w.start_s - start_s, "end_s": w.end_s - start_s}
            for s in inside
            for w in s.words
        ],
        "checks": {
            "measures": {"loudness_lufs": -14.06, "true_peak_dbtp": -1.21, "duration_s": 33.4, "av_offset_ms": 4.0},
            "warnings": ["The picture stands still for 12 s."] if rank == 2 else [],
            "repairs": ["The end was moved 0.1 s later, into the pause."] if rank == 3 else [],
        },
    }


@pytest.fixture
def lecture() -> Recording:
    """40 minutes: 300 sentences with pauses, 20 slides, 6 clips, 5 runners-up."""
    sentences = []
    for index in range(300):
        text = FRAMES[index % 6].format(TOPICS[(index * 5) % 7])
        sentences.append(spoken(4 + index * 7.95, text, 5.2 + index % 4 * 0.7))
    curve = [
        (s.start_s, s.end_s, 0.45 + 0.3 * math.sin(i / 9) * math.cos(i / 23) + 0.15 * math.sin(i * 1.7))
        for i, s in enumerate(sentences)
    ]
    slides = [
        SlideSpan(
            index * 120.0, (index + 1) * 120.0, "start" if index == 0 else "slide", f"{index:04}.jpg", f"Step {index}"
        )
        for index in range(20)
    ]
    silences = [{"start_s": 310.0 + i * 287, "end_s": 318.0 + i * 289, "mean_dbfs": -52.4} for i in range(7)]
    clips = [clip_entry(r, at, sentences) for r, at in enumerate((812, 1405, 1450, 268, 2104, 1890), start=1)]
    runners_up = [
        {
            "start_s": at,
            "end_s": at + 48.0,
            "score": 0.5 - i / 50,
            "text": sentences[int(at / 8)].text + " " + sentences[int(at / 8) + 1].text,
            "lost": lost,
        }
        for i, (at, lost) in enumerate(
            (
                (830.0, "overlaps clip 1, which scores higher"),
                (1100.0, "the eight places went to higher scores"),
                (1460.0, "overlaps clip 3, which scores higher"),
                (520.0, "repeats what clip 4 says"),
                (2200.0, "the eight places went to higher scores"),
            )
        )
    ]
    manifest = {
        "version": 1,
        "winnow": "0.1.0",
        "created": "2026-03-05T14:02:11+00:00",
        "source": {
            "name": "optimisation-lecture-07.mp4",
            "sha256": "9f2c" * 16,
            "bytes": 412_345_678,
            "duration_s": 2400.0,
            "width": 1280,
            "height": 720,
            "frame_rate": "30000/1001",
            "has_video": True,
            "has_audio": True,
            "title": "Optimisation for people in a hurry, lecture 7",
        },
        "models": {
            "highlight": {"name": "baseline", "version": "1", "sha256": "ab12" * 16},
            "speech": {"name": "tiny.en", "version": "1", "sha256": "cd34" * 16},
            "text": {"name": "all-MiniLM-L6-v2", "version": "2", "sha256": "ef56" * 16},
        },
        "settings": {
            "selection": {"clips": 8, "min_s": 20.0, "max_s": 120.0},
            "rendering": {"burn_captions": False, "loudness_lufs": -14.0, "encoder_preset": "veryfast"},
            "speech": {"speech_model": "tiny.en", "language": None},
            "model": "baseline",
        },
        "tools": {"ffmpeg": "6.0", "ffprobe": "6.0", "decord": "0.6.0", "faster-whisper": "1.2.1"},
        "stages": [
            {"name": name, "seconds": seconds, "cached": cached}
            for name, seconds, cached in (
                ("admit", 0.8, False),
                ("silences", 1.4, True),
                ("transcript", 96.2, True),
                ("frames", 8.9, True),
                ("score", 3.1, False),
                ("select", 0.2, False),
                ("render", 41.7, False),
            )
        ],
        "clips": clips,
        "rejected": [{"start_s": 1700.0, "end_s": 1741.0, "reason": "The picture is black for 18 of its 41 s."}],
        "runners_up": runners_up,
        "silences": silences,
        "transcript": {
            "language": "en",
            "source": "tiny.en",
            "dropped": ["12:10 to 12:21: the same words 9 times in a row, taken for a repetition loop."],
        },
        "files": {"report": "report.html", "reel": "reel.mp4", "srt": "transcript.srt", "vtt": "transcript.vtt"},
        "warnings": ["The file is cut off: it declares 41:02 and ends at 40:00."],
    }
    envelope = [0.35 + 0.3 * math.sin(i * 0.9) * math.sin(i / 17) + 0.1 * math.sin(i * 2.3) for i in range(1500)]
    return Recording(
        manifest,
        curve,
        sentences,
        slides,
        {slide.thumbnail or "": picture(i) for i, slide in enumerate(slides)},
        envelope,
    )


class Parsed(HTMLParser):
    """The page as a browser's parser sees it: elements with attributes, text by element, and unbalanced tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.inside.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        wanted = attributes.items()
        return [found for name, found in self.elements if name == tag and all(found.get(k) == v for k, v in wanted)]

    def text(self, tag: str) -> str:
        return " ".join("".join(self.inside.get(tag, [])).split())

    def data(self) -> dict[str, Any]:
        return json.loads(self.inside["script"][0])

    def is_sound(self) -> bool:
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        targets = [a["href"][1:] for _, a in self.elements if a.get("href", "").startswith("#")]
        return not self.unbalanced and not self.open and len(ids) == len(set(ids)) and set(targets) <= set(ids)


def bare(**source: Any) -> Recording:
    return Recording({"source": {"name": "a.mp4", "duration_s": 60.0, **source}})


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
    html = lecture.html()
    page = Parsed(html)
    links = [a[name] for _, a in page.elements for name in ("src", "href", "poster", "data-vtt", "srcset") if name in a]
    assert links and all(link.startswith(("./", "#", "data:")) for link in links)
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


HOSTILE = '</script></title><img src=x onerror="document.body.dataset.broken=1">\'{{ 7 * 7 }}\u2028\u2029<!-- ]]> &amp;'


def hostile(value: Any) -> Any:
    """Every text of a manifest made hostile, its structure kept."""
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


def attacked(recording: Recording) -> Recording:
    recording.manifest = hostile(recording.manifest)
    recording.sentences = [Sentence(s.start_s, s.end_s, HOSTILE, s.words) for s in recording.sentences]
    recording.slides = [SlideSpan(s.start_s, s.end_s, s.kind, s.thumbnail, HOSTILE) for s in recording.slides]
    return recording


def test_hostile_text_in_every_field_stays_text(lecture: Recording) -> None:
    page = Parsed(attacked(lecture).html())
    assert page.is_sound()
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert len(page.all("img")) == 20 and len(page.all("script")) == 2
    assert page.inside["h1"] == [HOSTILE]
    assert page.data()["sentences"][0][2] == HOSTILE
    data = lecture.html().split('id="data">')[1].split("</script>")[0]
    assert not re.search("[<>\u2028\u2029]", data)


@pytest.mark.parametrize(
    "path",
    [
        "javascript:alert(1)",
        "//elsewhere.example/x.mp4",
        "clips/a b#c?d%41.mp4",
        "clips/ümläut \" '.mp4",
        "data:text/html,x",
    ],
)
def test_a_file_name_can_name_no_scheme_and_no_host(path: str) -> None:
    link = report.href(path)
    assert re.fullmatch(r"\./[A-Za-z0-9/._%~-]*", link) and not link.startswith(".//.")


def without(*parts: str) -> dict[str, Any]:
    source = {"name": "a.mp4", "duration_s": 60.0, **dict.fromkeys(parts, False)}
    return {"source": source, "clips": [{"rank": 1, "start_s": 3.0, "end_s": 20.0}]}


SENTENCES = [spoken(2.0, "One two three four.", 8.0), spoken(11.0, "Five six.", 8.0)]


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


def test_words_are_told_apart_by_sentence_and_timed_from_the_start_of_the_clip() -> None:
    clip = {"start_s": 4.0, "end_s": 20.0, "text": "unused"}
    from_recording = report._lines(clip, SENTENCES)
    assert from_recording == [[(0.0, "two"), (2.0, "three"), (4.0, "four.")], [(7.0, "Five"), (11.0, "six.")]]
    words = [{"text": " two ", "start_s": -0.05, "end_s": 1.9}, {"text": "Five", "start_s": 7.0, "end_s": 9.0}]
    assert report._lines({**clip, "words": words}, SENTENCES) == [[(0.0, "two")], [(7.0, "Five")]]
    assert report._lines(clip, []) == [[(None, "unused")]]


@pytest.mark.parametrize(("language", "shown"), [("en", "</span> <span"), ("ja", "</span><span")])
def test_words_are_joined_as_their_language_writes_them(language: str, shown: str) -> None:
    recording = Recording({**without(), "transcript": {"language": language}}, sentences=SENTENCES)
    assert recording.html().count(shown) >= 2


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
    slides = [SlideSpan(i * 90.0, (i + 1) * 90.0, "slide", f"{i}.jpg", text) for i in range(400)]
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
    )
    assert len(buffer.getvalue()) > 6_000, "the pictures must be no easier than real ones"
    assert len(recording.html().encode()) < 5_000_000


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (754.2, "12:34"), (3599.7, "1:00:00"), (36_123, "10:02:03")],
)
def test_a_position_is_shown_as_a_clock(seconds: float, shown: str) -> None:
    assert report.clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (46.4, "46 s"), (59.7, "1 min"), (725, "12 min 5 s"), (36_125, "10 h 2 min"), (7200, "2 h")],
)
def test_a_duration_is_shown_in_words(seconds: float, shown: str) -> None:
    assert report.length_of(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((0.8123, "0.81"), (-14.06, "−14.1"), (-0.0001, "0.00"), (12_345.6, "12,346"), (6, "6"), (-3, "−3")),
        *((True, "yes"), (False, "no"), (None, "not known"), ("as it is", "as it is"), (["é", 1], '["é", 1]')),
        *((math.nan, "not a number"), (-math.inf, "−∞")),
    ],
)
def test_a_value_is_shown_for_people(value: object, shown: str) -> None:
    assert report.number(value) == shown


def test_facts_have_units_and_bars_only_where_clips_can_be_compared() -> None:
    found = report.facts(
        {
            "slide": "Why the step size matters",
            "loudness_lufs": -14.0,
            "words_per_s": 2.5,
            "speech_share": 0.934,
            "tone": -0.5,
        },
        {"tone": (-1.0, 1.0)},
    )
    assert [(fact.label, fact.value) for fact in found] == [
        ("Tone", "−0.50"),
        ("Loudness", "−14.0 LUFS"),
        ("Words", "2.50 per second"),
        ("Speech", "93.4%"),
        ("Slide", "Why the step size matters"),
    ]
    assert found[0].bar == (25.0, 25.0, 50.0) and all(fact.bar is None for fact in found[1:])


def test_a_time_of_making_that_is_no_iso_time_is_shown_as_it_is() -> None:
    assert report.day("2026-03-05T14:02:11+00:00") == "5 March 2026, 14:02 UTC"
    assert report.day("last Tuesday") == "last Tuesday"


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_reach_the_contrast_of_wcag_aa(scheme: str) -> None:
    style = (report.ASSETS / "style.css").read_text()
    block = style.split("@media (prefers-color-scheme: dark)")[scheme == "dark"]
    colours = dict(reversed(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for ground in ("paper", "card", "lane"):
        assert min(contrast("ink", ground), contrast("soft", ground), contrast("accent", ground)) >= 4.5
        assert min(contrast("curve", ground), contrast("edge", ground)) >= 3.0, f"graphics on {ground}"
    assert (
        min(contrast("on-accent", "accent"), contrast("warn-ink", "warn-paper"), contrast("ink", "accent-wash")) >= 4.5
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    quiet = ("gpu", "quic", "background-networking", "component-update", "sync")
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in quiet)]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of picture and sound that a browser plays."""
    path = tmp_path_factory.mktemp("clip") / "tiny.mp4"
    video = ffmpeg.input("testsrc2=s=160x90:r=15:d=4", f="lavfi")
    audio = ffmpeg.input("sine=d=4", f="lavfi")
    coded = {"vcodec": "libx264", "preset": "ultrafast", "pix_fmt": "yuv420p", "acodec": "aac", "g": 5}
    made = ffmpeg.output(video, audio, media.file_url(path), f="mp4", movflags="+faststart", **coded)
    media.run_ffmpeg(made.get_args(), what="Making a clip", timeout_s=30)
    return path


@dataclass
class Opened:
    """A page opened from disk; `trouble` gathers what a console, a failed script or another origin would say."""

    page: Page
    trouble: list[str]

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.id")


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path, tiny_clip: Path) -> Iterator[Any]:
    contexts = []

    def opened(recording: Recording, *, width: int = 1280, scripts: bool = True, clips_present: bool = True) -> Opened:
        for clip in recording.manifest.get("clips") or []:
            for kind, name in (clip.get("files") or {}).items():
                (tmp_path / name).parent.mkdir(exist_ok=True)
                if kind == "video" and clips_present:
                    shutil.copy(tiny_clip, tmp_path / name)
                if kind == "poster":
                    (tmp_path / name).write_bytes(picture(clip["rank"]))
        (tmp_path / "report.html").write_text(recording.html(), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
        contexts.append(context)
        page = context.new_page()
        trouble: list[str] = []
        page.on(
            "console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda asked: trouble.append(asked.url) if re.match("https?:|ws", asked.url) else None)
        page.goto((tmp_path / "report.html").as_uri())
        return Opened(page, trouble)

    yield opened
    for context in contexts:
        context.close()


@needs_browser
def test_pressing_a_pick_focuses_its_clip(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture)
    opened.page.locator("a.pick[href='#clip-5'] .badge").click()
    assert opened.focused() == "clip-5"
    opened.page.locator("a.pick[href='#clip-3']").focus()
    opened.page.keyboard.press("Enter")
    assert opened.focused() == "clip-3"
    assert opened.trouble == []


@needs_browser
def test_pressing_a_word_plays_the_clip_from_there_and_marks_the_word(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture)
    card = opened.page.locator("#clip-1")
    times = [word["start_s"] for word in lecture.manifest["clips"][0]["words"]]
    assert card.locator("video").evaluate("video => video.readyState") == 0, "nothing is loaded before it is asked for"
    card.locator(".line span").nth(4).click()
    opened.page.wait_for_function("() => !document.querySelector('#clip-1 video').paused")
    opened.page.wait_for_function(f"() => document.querySelector('#clip-1 video').currentTime > {times[4]}")
    assert card.locator("video").evaluate("video => video.currentTime") < times[4] + 2
    assert card.locator(".now").count() == 1 and card.locator(".line.on").count() == 1
    opened.page.locator("#clip-2 .stamp").first.click()
    opened.page.wait_for_function("() => !document.querySelector('#clip-2 video').paused")
    assert card.locator("video").evaluate("video => video.paused"), "one clip plays at a time"
    assert opened.trouble == []


@needs_browser
def test_captions_from_disk_are_made_from_the_words_and_stay_off_until_asked_for(
    open_page: Any, lecture: Recording
) -> None:
    opened = open_page(lecture)
    video = opened.page.locator("#clip-1 video")
    assert video.evaluate("video => video.textTracks[0].mode") == "disabled"
    video.evaluate("video => { video.textTracks[0].mode = 'hidden'; video.load(); video.play(); }")
    opened.page.wait_for_function("() => document.querySelector('#clip-1 video').textTracks[0].cues.length > 0")
    first = video.evaluate("(v) => { const c = v.textTracks[0].cues[0]; return [c.startTime, c.endTime, c.text]; }")
    words = lecture.manifest["clips"][0]["words"]
    assert first[0] == pytest.approx(words[0]["start_s"], abs=0.01) and first[1] > first[0]
    assert first[2].split() == [word["text"] for word in words[: len(first[2].split())]]
    assert opened.trouble == []


@needs_browser
def test_a_clip_that_is_gone_says_so_in_words(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture, clips_present=False)
    opened.page.locator("#clip-1 .stamp").first.click()
    problem = opened.page.locator("#clip-1 .problem")
    problem.wait_for(state="visible")
    assert "clips/01-momentum.mp4" in problem.inner_text()


@needs_browser
def test_the_pointer_and_the_keyboard_read_the_timeline(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture)
    sentence, score = lecture.sentences[150], lecture.curve[150][2]
    box = opened.page.locator(".plot").bounding_box()
    assert box
    opened.page.mouse.move(box["x"] + box["width"] * (sentence.start_s + 2) / 2400, box["y"] + 60)
    readout = opened.page.locator(".readout")
    assert sentence.text in readout.inner_text() and f"Score {score:.2f}" in readout.inner_text()
    assert readout.locator("img").count() == 1 and "Step 9" in readout.inner_text()
    opened.page.mouse.move(5, 5)
    assert readout.is_hidden()
    slider = opened.page.get_by_role("slider")
    slider.focus()
    opened.page.keyboard.press("Home")
    opened.page.keyboard.press("ArrowRight")
    assert lecture.sentences[1].text in (slider.get_attribute("aria-valuetext") or "")
    assert opened.trouble == []


@needs_browser
def test_zooming_keeps_picks_curve_and_axis_in_step(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture)
    plot = opened.page.locator(".plot").bounding_box()
    opened.page.get_by_role("button", name="Zoom in").click()
    assert opened.page.locator(".window").inner_text() == "10:00 to 30:00"
    assert opened.page.locator(".score").get_attribute("viewBox") == "600 0 1200 100"
    clip = lecture.manifest["clips"][0]
    cap = opened.page.locator("a.pick[href='#clip-1'] .cap").bounding_box()
    assert plot and cap
    assert cap["x"] - plot["x"] == pytest.approx(plot["width"] * (clip["start_s"] - 600) / 1200, abs=1.5)
    opened.page.get_by_role("button", name="All").click()
    assert opened.page.locator(".score").get_attribute("viewBox") == "0 0 2400 100"
    ghosts = opened.page.locator(".ghosts rect").first
    assert ghosts.is_visible()
    opened.page.get_by_role("checkbox", name="Runners-up").uncheck()
    assert not ghosts.is_visible()
    assert opened.trouble == []


@needs_browser
def test_dragging_moves_a_zoomed_timeline_and_opens_no_clip(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture)
    opened.page.get_by_role("button", name="Zoom in").click()
    plot = opened.page.locator(".plot").bounding_box()
    badge = opened.page.locator("a.pick[href='#clip-2'] .badge circle").bounding_box()
    assert plot and badge
    opened.page.mouse.move(badge["x"] + 8, badge["y"] + 8)
    opened.page.mouse.down()
    opened.page.mouse.move(badge["x"] + 8 + plot["width"] / 4, badge["y"] + 8, steps=4)
    opened.page.mouse.up()
    assert opened.page.locator(".window").inner_text() == "5:00 to 25:00"
    assert opened.focused() != "clip-2"
    opened.page.locator("a.pick[href='#clip-2']").focus()
    opened.page.keyboard.press("Enter")
    assert opened.focused() == "clip-2"
    assert opened.trouble == []


@needs_browser
def test_without_scripts_the_timeline_thumbnails_and_links_are_there(open_page: Any, lecture: Recording) -> None:
    opened = open_page(lecture, scripts=False)
    assert opened.page.locator(".chart .axis text").count() == 8
    assert opened.page.locator(".strip img").count() == 20
    assert not opened.page.get_by_role("button", name="Zoom in").is_visible()
    opened.page.locator("a.pick[href='#clip-2'] .badge").click()
    assert opened.page.url.endswith("#clip-2")


@needs_browser
def test_hostile_text_runs_nothing_in_a_browser(open_page: Any, lecture: Recording) -> None:
    files = [clip["files"] for clip in lecture.manifest["clips"]]
    attacked(lecture)
    for clip, kept in zip(lecture.manifest["clips"], files, strict=True):
        clip["files"] = kept
    opened = open_page(lecture)
    opened.page.locator(".plot").hover()
    assert opened.page.evaluate("document.body.dataset.broken") is None
    assert HOSTILE in (opened.page.locator("h1").text_content() or "")
    assert opened.trouble == []


@needs_browser
def test_nothing_is_wider_than_a_narrow_screen(open_page: Any, lecture: Recording) -> None:
    lecture.manifest["source"]["title"] = "Donaudampfschifffahrtsgesellschaft" * 4
    lecture.manifest["clips"][0]["title"] = "x" * 300
    lecture.manifest["clips"][1]["title"] = "هذه هي اللحظة التي تستحق المشاهدة"
    opened = open_page(lecture, width=400)
    opened.page.locator("summary").click()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 400
    assert opened.page.locator("#clip-2 h3").evaluate("h => getComputedStyle(h).direction") == "rtl"
    assert opened.trouble == []


@needs_browser
def test_a_page_with_nothing_on_it_works(open_page: Any) -> None:
    opened = open_page(bare())
    opened.page.locator(".plot").hover()
    opened.page.get_by_role("button", name="Zoom in").click()
    opened.page.get_by_role("slider").press("ArrowRight")
    assert opened.page.get_by_text("No moment of this recording became a clip.").is_visible()
    assert opened.trouble == []
