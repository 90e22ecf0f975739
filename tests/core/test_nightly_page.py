"""A nightly's report as people read it."""

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser

import pytest
from playwright.sync_api import sync_playwright

from core.nightly_page import MARKDOWN_ROWS, factor, money, summary, to_html, to_markdown
from tests.core.nightly_samples import HOSTILE, done, failed, night, whole_night

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def links(self) -> list[str | None]:
        return [attributes["href"] for tag, attributes in self.elements if tag == "a"]


def test_the_page_says_how_each_recording_ended_and_where_to_look():
    words = Parsed(to_html(whole_night())).words
    for part in ("1 of 4 recordings done", "short.mp4 is shorter than one clip", "Reading failed.", "Error in audio",
                 "Another nightly is at it.", "transcript", "autumn", "high", "0.050 USD"):  # fmt: skip
        assert part in words


def test_the_page_has_no_script_and_its_style_is_the_one_its_policy_names():
    page = to_html(whole_night())
    policy = next(a["content"] or "" for t, a in Parsed(page).elements if t == "meta" and "http-equiv" in a)
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert not [tag for tag, _ in Parsed(page).elements if tag in ("script", "iframe", "object")]


@pytest.mark.parametrize("look", ["javascript:alert(1)", "data:text/html,x", "//evil.test/x", "http://[", HOSTILE])
def test_only_web_addresses_become_links(look):
    page = Parsed(to_html(night(failed(look=look))))
    assert page.links() == ["#recordings", "https://prefect.example/runs/0"]
    assert look in page.words


def test_hostile_text_stays_text():
    parsed = Parsed(to_html(night(failed(HOSTILE), done(HOSTILE))))
    assert HOSTILE in parsed.words
    assert not [a for t, a in parsed.elements if t == "script" or any(name.startswith("on") for name in a)]
    table = to_markdown(night(failed(f"{HOSTILE}\n# big\nsee https://evil.test www.evil.test"))).splitlines()[6:]
    assert len([line for line in table if line.startswith("|")]) == len(table) == 1
    assert not re.search(r"(?<!\\)(<|`|\[)(?!https://prefect\.example)", table[0])
    assert "://evil" not in table[0].replace("\\:", "")


def test_secrets_do_not_reach_page_or_table(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    report = night(failed("wJalrXUtnFEMI was refused"))
    assert "wJalrXUtnFEMI" not in to_html(report) + to_markdown(report)


def test_the_table_has_one_row_a_recording_and_only_columns_that_say_something():
    table, stages = to_markdown(whole_night()).split("\n\n")[2:4]
    head, rule, *rows = table.splitlines()
    assert len(rows) == 4
    assert head.count("|") == rule.count("|") == len(re.findall(r"(?<!\\)\|", rows[0]))
    assert "Failed" in rows[0]
    assert stages.splitlines()[2] == "| transcript | 45 s | 75.0 % | 1 | 0 | 0.038 USD |"
    plain = to_markdown(night(done().model_copy(update={"tags": (), "priority": "normal"}), price_per_hour=None))
    assert not any(column in plain for column in ("Cost", "Priority", "Tags", "Where to look"))
    assert "|" not in to_markdown(night())


def test_a_long_table_is_cut_with_a_word_about_the_rest():
    table = to_markdown(night(*[done()] * (MARKDOWN_ROWS + 7)))
    assert "… and 7 more." in table
    assert len(table.encode()) < 500_000


def test_a_night_without_anything_new_says_so():
    assert "Nothing new was found." in Parsed(to_html(night())).words
    assert summary(night()) == "nothing new; 0 clips in 1 min 10 s."


@pytest.mark.parametrize(
    ("amount", "words"),
    [(None, ""), (0.0, "0.00 USD"), (1234.5, "1,234.50 USD"), (0.05, "0.050 USD"), (1e-6, "< 0.001 USD")],
)
def test_amounts_are_shown_with_their_currency(amount, words):
    assert money(amount, "USD") == words


@pytest.mark.parametrize(("value", "words"), [(None, ""), (0.1, "10 ×"), (0.02, "50 ×"), (1.25, "0.8 ×")])
def test_the_factor_is_shown_as_speed(value, words):
    assert factor(value) == words


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on PATH to open the page with")
def test_in_a_browser_the_page_filters_fits_a_phone_and_nothing_is_refused(tmp_path):
    (tmp_path / "index.html").write_text(to_html(whole_night()))
    trouble: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme="dark")
        page.on("console", lambda message: trouble.append(message.text))
        page.goto((tmp_path / "index.html").as_uri())
        rows = page.locator(".recordings tbody tr:visible")
        assert rows.count() == 4
        page.get_by_label("Rejected").check(force=True)
        assert rows.count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 21, 19)"
        browser.close()
    assert trouble == []
