"""Retention in a store: publications under `clips/`, files there that no manifest names, days of the catalog."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, cast

import fsspec
from pydantic import ValidationError

from core.catalog_files import CatalogFiles
from core.catalog_schema import TABLES
from core.job_ends import FOLDER as AT_WORK
from core.manifest import MANIFEST_NAME, Manifest
from core.patience import asked, is_local, opened
from core.publishing import named_files
from core.retention_items import Item, Kind, older

CLIPS, LOGS = "clips", "failures"


class Published:
    """The publications of a store as they lie now: `clips/<day>/<first 2>/<sha256>/`, each with its files."""

    def __init__(self, store: str | Path) -> None:
        self.fs, self.root = opened(store)
        self.folders: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._manifests: dict[str, Manifest | None] = {}
        for path, info in _below(self.fs, f"{self.root}/{CLIPS}").items():
            parts = PurePosixPath(path).relative_to(self.root).parts
            if len(parts) > 4:
                self.folders["/".join(parts[:4])]["/".join(parts[4:])] = info

    def old(self, clips_days: float | None, leftovers_days: float | None, now: datetime) -> list[Item]:
        """Publications whose days are over, those without a manifest, and files that their manifest does not name."""
        found = []
        for folder, files in sorted(self.folders.items()):
            newest = max(_written(info) for info in files.values())
            day = _day(PurePosixPath(folder).parts[1])
            if MANIFEST_NAME not in files:
                if older(newest, leftovers_days, now.timestamp()):
                    found.append(_item("leftovers", folder, files, "a publication without its manifest"))
            elif day and older(_end_of(day), clips_days, now.timestamp()):
                found.append(_item("clips", folder, files, f"published on {day}"))
            else:
                found += self._unnamed(folder, files, leftovers_days, now.timestamp())
        return found

    def _unnamed(
        self, folder: str, files: dict[str, dict[str, Any]], leftovers_days: float | None, now_s: float
    ) -> list[Item]:
        rest = {name: info for name, info in files.items() if older(_written(info), leftovers_days, now_s)}
        if rest.keys() <= {MANIFEST_NAME} or (manifest := self._manifest(folder)) is None:
            return []
        named = named_files(manifest) | {MANIFEST_NAME}
        return [
            _item("leftovers", f"{folder}/{name}", {"": info}, "no manifest names it")
            for name, info in sorted(rest.items())
            if name not in named
        ]

    def _manifest(self, folder: str) -> Manifest | None:
        """What is published there; None where this version cannot read it, so that all of it counts as named."""
        if folder not in self._manifests:
            try:
                path = f"{self.root}/{folder}/{MANIFEST_NAME}"
                text = cast(bytes, asked(self.fs, f"Reading {path}", lambda: self.fs.cat_file(path)))
                self._manifests[folder] = Manifest.model_validate_json(text)
            except ValidationError:
                self._manifests[folder] = None
        return self._manifests[folder]

    def of(self, sha256: str) -> list[str]:
        """Folders of a recording's publications, relative to the store."""
        return [folder for folder in self.folders if PurePosixPath(folder).name == sha256]

    def names_rendering(self, sha256: str, key: str, going: set[str]) -> bool:
        """True if a publication of the recording that stays names this rendering, or may."""
        for folder in set(self.of(sha256)) - going:
            if MANIFEST_NAME in self.folders[folder]:
                manifest = self._manifest(folder)
                if manifest is None or any(clip.render_key == key for clip in manifest.clips):
                    return True
        return False

    def remove(self, folder: str) -> int:
        """Remove a publication, its manifest first; the number of files."""
        files = [f"{self.root}/{folder}/{name}" for name in self.folders.pop(folder, {})]
        _remove_files(self.fs, self.root, folder, files)
        return len(files)


def old_days(store: str | Path, failures_days: float | None, catalog_days: float | None, now: datetime) -> list[Item]:
    """Days of the catalog's tables that are over."""
    files, found = CatalogFiles(store), []
    base = PurePosixPath(files.root).parent.parent
    for table in TABLES:
        days = failures_days if table == "failures" else catalog_days
        kind: Kind = "failures" if table == "failures" else "catalog"
        for file in [*files.pending(table), *files.parts(table)] if days is not None else []:
            if older(_end_of(file.day), days, now.timestamp()):
                path = str(PurePosixPath(file.path).relative_to(base))
                found.append(Item(kind, "store", path, 1, file.bytes, _end_of(file.day), f"{table} of {file.day}"))
    return found


def old_logs(store: str | Path, failures_days: float | None, now: datetime) -> Iterator[Item]:
    """Days of the logs of failures that are over: `failures/<day>/`."""
    fs, root = opened(store)
    days: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for path, info in _below(fs, f"{root}/{LOGS}").items():
        parts = PurePosixPath(path).relative_to(root).parts
        days[parts[1]]["/".join(parts[2:])] = info
    for name, files in sorted(days.items()):
        day = _day(name)
        if day and older(_end_of(day), failures_days, now.timestamp()):
            yield _item("failures", f"{LOGS}/{name}", files, f"logs of {day}")


def old_asides(store: str | Path, leftovers_days: float | None, now: datetime) -> Iterator[Item]:
    """What killed processes left outside `clips/`: files that they were writing aside, which no reader takes for
    anything and only a folder can have, and ends of jobs whose nightly is gone."""
    fs, root = opened(store)
    for path, info in sorted(_below(fs, root if is_local(fs) else f"{root}/{AT_WORK}").items()):
        name = str(PurePosixPath(path).relative_to(root))
        aside = name.rpartition("/")[2].startswith(".") and name.endswith(".part")
        meant = (aside or name.startswith(f"{AT_WORK}/")) and not name.startswith(f"{CLIPS}/")
        if meant and older(_written(info), leftovers_days, now.timestamp()):
            yield _item("leftovers", name, {"": info}, "half-written" if aside else "its nightly is gone")


def remove(store: str | Path, item: Item) -> str:
    """Remove it: "removed", "gone" if it was already, or why it stays."""
    fs, root = opened(store)
    files = _below(fs, f"{root}/{item.path}")
    if not files:
        return "gone"
    if item.kind in ("clips", "leftovers") and max(_written(info) for info in files.values()) > item.modified_s:
        return "it was written again"
    _remove_files(fs, root, item.path, files)
    return "removed"


def _below(fs: fsspec.AbstractFileSystem, folder: str) -> dict[str, dict[str, Any]]:
    return dict(asked(fs, f"Listing {folder}", lambda: cast(dict[str, dict[str, Any]], fs.find(folder, detail=True))))


def _remove_files(fs: fsspec.AbstractFileSystem, root: str, folder: str, paths: Iterable[str]) -> None:
    """Remove files, a manifest before all others, and the folders that are empty then; those gone are no error."""

    def one(path: str) -> None:
        with suppress(FileNotFoundError):
            fs.rm_file(path)

    for path in sorted(paths, key=lambda path: PurePosixPath(path).name != MANIFEST_NAME):
        asked(fs, f"Removing {path}", partial(one, path))
    if is_local(fs):
        for below in sorted(Path(root, folder).rglob("*"), reverse=True):
            if below.is_dir():
                below.rmdir()
        for parent in (PurePosixPath(folder), *PurePosixPath(folder).parents[:-2]):
            if Path(root, parent).is_dir() and not any(Path(root, parent).iterdir()):
                Path(root, parent).rmdir()


def _item(kind: Kind, path: str, files: dict[str, dict[str, Any]], why: str) -> Item:
    newest = max(_written(info) for info in files.values())
    size = sum(int(info["size"] or 0) for info in files.values())
    return Item(kind, "store", path, len(files), size, newest, why)


def _written(info: dict[str, Any]) -> float:
    when = info["mtime"] if "mtime" in info else info["LastModified"]
    return when.timestamp() if isinstance(when, datetime) else float(when)


def _end_of(day: date) -> float:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC).timestamp()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
