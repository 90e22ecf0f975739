"""The report page in a real browser, where there is one."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ffmpeg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from core import media
from tests.core.report_samples import HOSTILE, Recording, attacked, bare, dressed, picture

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on PATH to open the page with")


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
            files = clip.get("files") or {}
            renditions = [*files.get("formats", {}).values(), {"video": files.get("video")}]
            pictures = [files.get("poster"), files.get("sheet"), *files.get("posters", {}).values()]
            for name in filter(None, [*(name for sizes in renditions for name in sizes.values()), *pictures]):
                (tmp_path / name).parent.mkdir(exist_ok=True)
                if name in pictures:
                    (tmp_path / name).write_bytes(picture(clip["rank"]))
                elif clips_present:
                    shutil.copy(tiny_clip, tmp_path / name)
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
def test_another_format_plays_on_from_the_same_moment_and_what_would_go_can_be_skipped(
    open_page: Any, lecture: Recording
) -> None:
    opened = open_page(dressed(lecture))
    video = opened.page.locator("#clip-1 video")
    video.evaluate("video => { video.currentTime = 2; return video.play(); }")
    opened.page.locator("#clip-1 .formats label", has_text="Vertical").click()
    opened.page.wait_for_function("() => document.querySelector('#clip-1 video').currentTime > 2")
    assert video.get_attribute("src") == "./clips/1-vertical.mp4"
    assert video.get_attribute("poster") == "./clips/1-vertical.jpg"
    assert opened.page.locator("#clip-1 .stage.tall").count() == 1
    assert not video.evaluate("video => video.paused")
    opened.page.locator("#clip-1 .formats input").nth(1).press("ArrowLeft")
    assert video.get_attribute("src") == "./clips/1.mp4", "the switch is a group of radio buttons"
    opened.page.locator("#clip-1 .cuts .stamp").nth(1).click()
    opened.page.wait_for_function("() => document.querySelector('#clip-1 video').currentTime > 1")
    assert video.evaluate("video => video.currentTime") < 2.5
    opened.page.get_by_label("Skip these while playing").check()
    video.evaluate("video => { video.currentTime = 1.2; }")
    opened.page.wait_for_function("() => document.querySelector('#clip-1 video').currentTime >= 2")
    assert opened.trouble == []


@needs_browser
def test_a_search_lists_what_is_said_and_shown_and_leads_to_it_in_its_clip(open_page: Any, lecture: Recording) -> None:
    lecture.slides[3] = replace(lecture.slides[3], title="Économie", text="Économie\nPrice of momentum")
    clip = dressed(lecture).manifest["clips"][0]
    inside = [s for s in lecture.sentences if clip["start_s"] <= s.start_s < clip["end_s"]][2]
    opened = open_page(lecture)
    field = opened.page.get_by_role("searchbox")
    field.fill("MOMENTUM gift")
    hits = opened.page.locator("#hits li")
    wanted = [s for s in lecture.sentences if "momentum" in s.text and "gift" in s.text]
    assert hits.count() == len(wanted) > 1 and hits.first.locator(".hit-at").inner_text().endswith(wanted[0].text)
    assert hits.first.locator("mark").all_inner_texts() == ["momentum", "gift"]
    assert opened.page.locator("#found").inner_text() == f"Found {len(wanted)} times"
    field.press("ArrowDown")
    opened.page.keyboard.press("Enter")
    assert opened.page.locator(".cursor").get_attribute("visibility") == "visible"
    field.fill("economie")
    assert hits.count() == 1 and "Slide" in hits.inner_text() and hits.locator("mark").inner_text() == "Économie"
    field.fill("xyzzy")
    assert hits.count() == 0 and "no slide shows it" in opened.page.locator("#found").inner_text()
    field.press("Escape")
    assert field.input_value() == "" and opened.page.locator("#found").inner_text() == ""
    field.fill(inside.text)
    row = opened.page.locator("#hits li", has=opened.page.get_by_role("button", name="Show it in clip 1"))
    row.get_by_role("button", name="Show it in clip 1").click()
    assert opened.focused() == "clip-1"
    assert opened.page.locator("#clip-1 .line.on").count() == 1
    field.fill("<img src=x>")
    assert opened.page.locator("#hits img").count() == 0
    assert opened.trouble == []


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
    assert not opened.page.locator("#find").is_visible()
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
    opened = open_page(dressed(lecture), width=400)
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
