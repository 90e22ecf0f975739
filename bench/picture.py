"""Make docs/report.png, the picture in the README, from a real report: `python bench/picture.py REPORT.html`."""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parents[1] / "docs/report.png"
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if len(sys.argv) != 2 or chromium is None:
        raise SystemExit(f"{__doc__}\nNeeds Chromium on PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1180, "height": 1985})
        page.goto(Path(sys.argv[1]).resolve().as_uri())
        for vertical in page.locator("#clip-1 .formats label", has_text="Vertical").all():
            vertical.click()
        page.wait_for_timeout(2_000)
        page.screenshot(path=TARGET)
        browser.close()
    # 256 colours are enough for a page, and make a third of the size.
    Image.open(TARGET).convert("RGB").quantize(256).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
