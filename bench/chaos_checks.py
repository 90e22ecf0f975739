"""What must hold in a store whatever was done to those who fill it: at every moment, and when all is over."""

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from core import catalog
from core.catalog_files import CatalogFiles
from core.catalog_schema import TABLES
from core.manifest import Manifest
from core.publishing import named_files
from core.retention import RetentionPolicy, apply, expired

LOOKS_EVERY_S = 0.2
CLIPS = re.compile(r"clips/\d{4}-\d\d-\d\d/[0-9a-f]{2}/([0-9a-f]{64})/(.+)")
ALLOWED = re.compile(
    r"ends/[0-9a-f]{2}/[0-9a-f]{64}\.(claim|end)\.json|inbox/[^./][^/]*\.parquet|catalog/v1/.+\.parquet"
    r"|catalog/v1/_new/\.lock|nightlies/.+|failures/\d{4}-\d\d-\d\d/.+\.txt"
)


class Reader(threading.Thread):
    """Looks into the store as somebody would who waits for clips: each manifest that is there must be complete."""

    def __init__(self, store: str) -> None:
        super().__init__(daemon=True)
        self.fs, self.root = fsspec.core.url_to_fs(store, use_listings_cache=False)
        self.store, self.looks, self.manifests = store, 0, 0
        self.half: list[str] = []
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(LOOKS_EVERY_S):
            try:
                self.look()
            except Exception:  # the store itself is away: nobody sees anything
                continue

    def end(self) -> None:
        self._over.set()
        self.join()

    def look(self) -> None:
        """Look once."""
        listed = [str(path) for path in self.fs.find(f"{self.root}/clips")]
        found = [path for path in listed if path.endswith("/manifest.json")]
        for path in found:
            content = self._read(path)
            missing = self._missing(path, content) if content else []
            if missing and self._read(path) == content and (missing := self._missing(path, content)):
                self.half.append(f"{path} names {missing[0]}, which is not there")
        self.looks += 1
        self.manifests = max(self.manifests, len(found))

    def _read(self, path: str) -> bytes | None:
        try:
            return self.fs.cat_file(path)  # pyright: ignore[reportReturnType]
        except FileNotFoundError:
            return None

    def _missing(self, path: str, content: bytes | None) -> list[str]:
        named = named_files(Manifest.model_validate_json(content)) if content else set()
        there = set(map(str, self.fs.find(path.rpartition("/")[0])))
        return sorted(name for name in named if f"{path.rpartition('/')[0]}/{name}" not in there)


def ended(store: str) -> set[str]:
    """The recordings that have come to an end."""
    fs, root = fsspec.core.url_to_fs(store, use_listings_cache=False)
    names = (PurePosixPath(str(path)).name for path in fs.find(f"{root}/ends"))
    return {name.partition(".")[0] for name in names if name.endswith(".end.json")}


def tidied(home: Path, store: str) -> int:
    """Have retention remove what killed processes left, as it would some days later; how many files that were."""
    policy = RetentionPolicy.model_validate(dict.fromkeys(RetentionPolicy.model_fields) | {"leftovers_days": 1})
    later = datetime.now(UTC) + timedelta(days=2)
    done = apply(expired(home, store, policy, later))
    return sum(item.files for item in done.removed if item.place == "store")


@dataclass
class Verdict:
    """What is wrong in a store: nothing, if all is well."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Named and not there, or of another size than the catalog has."""
    stray: list[str] = field(default_factory=list)
    """What nobody takes for anything, and nobody tidies away."""

    @property
    def well(self) -> bool:
        return not (self.lost or self.doubled or self.broken or self.stray)


def judge(store: str, wanted: dict[str, str]) -> Verdict:
    """Hold a store that nobody works on against what must be in it: SHA-256 -> "done" or "rejected"."""
    fs, root = fsspec.core.url_to_fs(store, use_listings_cache=False)
    sizes = {str(path)[len(root) + 1 :]: info["size"] for path, info in fs.find(root, detail=True).items()}
    verdict = Verdict()
    _judge_runs(store, wanted, verdict)
    _judge_tables(store, verdict)
    manifests = _manifests(fs, root, sizes)
    by_content = Counter(sha256 for _, sha256, _ in manifests)
    for sha256, end in wanted.items():
        if end == "done" and not by_content[sha256]:
            verdict.lost.append(f"{sha256[:8]} has no manifest")
    verdict.doubled += [f"{sha256[:8]} is published {n} times" for sha256, n in by_content.items() if n > 1]
    _judge_files(store, manifests, sizes, verdict)
    return verdict


def _judge_runs(store: str, wanted: dict[str, str], verdict: Verdict) -> None:
    runs = [row for row in catalog.read(store, "runs").to_pylist() if row["status"] in ("done", "rejected")]
    ends = Counter((row["sha256"], row["status"]) for row in runs)
    for sha256, end in wanted.items():
        if not ends[sha256, end]:
            verdict.lost.append(f"{sha256[:8]} has no row that is {end}")
    strange = [(sha256, end) for sha256, end in ends if wanted.get(sha256) != end]
    verdict.broken += [f"{sha256[:8]} ended as {end}" for sha256, end in strange]
    verdict.doubled += [f"{sha256[:8]} has {n} rows that are {end}" for (sha256, end), n in ends.items() if n > 1]


def _judge_tables(store: str, verdict: Verdict) -> None:
    """No row twice, neither by content nor in the files that other tools read."""
    keys = {"videos": ("sha256",), "clips": ("sha256", "clip"), "highlights": ("sha256", "kind", "start_s", "end_s")}
    for table, columns in keys.items():
        rows = Counter(tuple(row[c] for c in columns) for row in catalog.read(store, table).to_pylist())
        verdict.doubled += [f"{table} has {key[0][:8]} {n} times" for key, n in rows.items() if n > 1]
    files = CatalogFiles(store)
    for table in TABLES:
        lying = [files.rows(file.path) for file in files.parts(table)]
        rows = sum(each.num_rows for each in lying if each is not None)
        if rows != catalog.read(store, table).num_rows:
            verdict.broken.append(f"the days' files of {table} have {rows} rows, the catalog others")


def _manifests(fs: Any, root: str, sizes: dict[str, int]) -> list[tuple[str, str, Manifest]]:
    found = []
    for name in sizes:
        match = CLIPS.fullmatch(name)
        if match and match[2] == "manifest.json":
            content = fs.cat_file(f"{root}/{name}")
            found.append((str(PurePosixPath(name).parent), match[1], Manifest.model_validate(json.loads(content))))
    return found


def _judge_files(
    store: str, manifests: list[tuple[str, str, Manifest]], sizes: dict[str, int], verdict: Verdict
) -> None:
    known = {f"{folder}/{name}" for folder, _, made in manifests for name in (*named_files(made), "manifest.json")}
    verdict.broken += sorted(f"{name} is named and not there" for name in known if name not in sizes)
    rows = {(row["sha256"], row["clip"]): row for row in catalog.read(store, "clips").to_pylist()}
    for folder, sha256, made in manifests:
        for number, clip in enumerate(made.clips, 1):
            row = rows.pop((sha256, number), None)
            if row is None or row["title"] != clip.title:
                verdict.lost.append(f"{sha256[:8]} has no row of clip {number}")
                continue
            told = {f"{folder}/{file['name']}": file["bytes"] for file in row["files"]}
            verdict.broken += [
                f"{name} has {sizes.get(name)} bytes, by the catalog {bytes}"
                for name, bytes in told.items()
                if sizes.get(name) != bytes
            ]
    verdict.doubled += [f"{sha256[:8]} has a row of clip {number} and no such clip" for sha256, number in rows]
    verdict.stray += sorted(name for name in sizes if name not in known and not ALLOWED.fullmatch(name))
