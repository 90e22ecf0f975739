"""Where the reports of nightlies are kept: `<store>/nightlies/<day>/<time>-<run>/`, the JSON last."""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from fsspec import AbstractFileSystem
from pydantic import ValidationError

from core.backoff import Backoff
from core.nightly_report import NightlyReport, to_json
from core.patience import asked, opened, write

NIGHTLIES = "nightlies"
PAGE_NAME, TABLE_NAME, REPORT_NAME = "index.html", "nightly.md", "nightly.json"


def write_report(store_uri: str, report: NightlyReport, *, html: str, markdown: str) -> str:
    """Keep a report with its page and its table; return the path of its JSON, as the store's file system names it.

    Raises StoreError if the store cannot be written.
    """
    fs, top = _top(store_uri)
    began = datetime.fromisoformat(report.began).astimezone(UTC)
    run = re.sub(r"[^A-Za-z0-9_-]", "-", report.run_id)[:40]
    folder = f"{top}/{began:%Y-%m-%d}/{began:%H%M%S}-{run}"
    for name, text in ((PAGE_NAME, html), (TABLE_NAME, markdown), (REPORT_NAME, to_json(report))):
        write(fs, f"{folder}/{name}", text.encode())
    return f"{folder}/{REPORT_NAME}"


def last_report(store_uri: str, *, backoff: Backoff | None = None) -> NightlyReport | None:
    """The nightly that began last of those whose report was kept; None where there is none.

    What is no report of ours is passed over. Raises StoreError if the store does not answer.
    """
    fs, top = _top(store_uri)
    what = f"Reading the reports under {top}"
    fs.invalidate_cache()
    for day in asked(fs, what, lambda: _names(fs, top), backoff):
        for run in asked(fs, what, lambda day=day: _names(fs, f"{top}/{day}"), backoff):
            path = f"{top}/{day}/{run}/{REPORT_NAME}"
            report = asked(fs, what, lambda path=path: _read(fs, path), backoff)
            if report is not None:
                return report
    return None


def _top(store_uri: str) -> tuple[AbstractFileSystem, str]:
    fs, root = opened(store_uri)
    return fs, f"{root}/{NIGHTLIES}"


def _names(fs: AbstractFileSystem, folder: str) -> list[str]:
    """What lies in a folder, last name first: days and times sort as text."""
    try:
        return sorted((PurePosixPath(path).name for path in fs.ls(folder, detail=False)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(fs: AbstractFileSystem, path: str) -> NightlyReport | None:
    try:
        return NightlyReport.model_validate_json(fs.cat_file(path))
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
