"""How fast a large catalog answers: `python -m bench.catalog [--clips 1000000] [--days 365] [--folder DIR]`.

A year of clips with made-up titles and scores is written as a year of nights would leave it. Measured, each the median
of `--runs` in this process with warm files:

- week: the 20 best clips of one week, with title, folder and file; count: clips of every day. Each by
  `core.catalog.read`, and by pandas, pyarrow and DuckDB on the days' files.
- compact: moving one more night of `--recordings` small files into its day, and how long recording one of them takes.
- the size of the table on disk.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads

from core.catalog import read
from core.catalog_files import CatalogFiles, encode
from core.catalog_rows import Run
from core.catalog_schema import schema
from core.compaction import compact

FIRST = date(2026, 1, 1)
WORDS = ("tide", "moon", "sea", "gravity", "orbit", "wave", "harbour", "signal", "model", "proof", "energy", "field")
CLIPS_EACH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--recordings", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the catalog here, and use it again if it is there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = asked.folder or Path(scratch)
        if not CatalogFiles(root).parts("clips"):
            print(f"written in {took(lambda: fill(root, asked.clips, asked.days)):.1f} s")
        parts = CatalogFiles(root).parts("clips")
        size = sum(part.bytes for part in parts)
        print(f"{asked.clips} clips in {len(parts)} files, {size / 1e6:.1f} MB, {size / asked.clips:.0f} bytes a clip")
        for name, query in queries(root, asked.days).items():
            seconds = [took(query) for _ in range(asked.runs)]
            print(f"{name:28} {statistics.median(seconds):7.3f} s (slowest {max(seconds):.3f})")
        night(root, asked.days, asked.recordings)


def took(call: Callable[[], Any]) -> float:
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


def fill(root: Path, clips: int, days: int) -> None:
    """Write every day's file as compaction would have left it."""
    random, files = np.random.default_rng(5), CatalogFiles(root)
    for number in range(days):
        count = clips * (number + 1) // days - clips * number // days
        recordings = [random.bytes(32).hex() for _ in range(-(-count // CLIPS_EACH))]
        rows = [row for sha256 in recordings for row in clip_rows(sha256, FIRST + timedelta(days=number), random)]
        content = encode(pa.Table.from_pylist(rows[:count], schema=schema("clips")), "clips")
        files.create(files.part("clips", FIRST + timedelta(days=number)), content)


def clip_rows(sha256: str, day: date, random: np.random.Generator) -> list[dict[str, Any]]:
    """Clips of one recording in one run, of the size that real rows have."""
    run = Run(
        id=f"night-{day}", day=day, began=datetime(day.year, day.month, day.day, tzinfo=UTC), status="done",
        name=f"talk {sha256[:6]}.mp4", uri=f"s3://inbox/{sha256[:6]}.mp4", seconds=60.0, sha256=sha256,
    )  # fmt: skip
    return [clip_row(run, number, day, random) for number in range(1, CLIPS_EACH + 1)]


def clip_row(run: Run, number: int, day: date, random: np.random.Generator) -> dict[str, Any]:
    words = [WORDS[n] for n in random.integers(0, len(WORDS), 40)]
    stem = f"clips/{number:02}-{'-'.join(words[:4])}"
    start_s = round(float(random.uniform(0, 3_600)), 3)
    names = [f"{stem}.{ending}" for ending in ("jpg", "mp4", "srt", "txt", "vtt")]
    sizes = [int(size) for size in random.integers(1_000, 9_000_000, len(names))]
    sha256 = run.sha256 or ""
    return {
        "entry": run.entry, "sha256": sha256, "run_id": run.id, "name": run.name, "clip": number, "rank": number,
        "score": round(float(random.random()), 4), "title": " ".join(words[:6]), "description": " ".join(words[6:30]),
        "tags": words[30:33], "writer": "offline", "start_s": start_s, "end_s": start_s + 50, "duration_s": 50.0,
        "removed_s": 0.0, "loudness_lufs": -14.0, "true_peak_dbtp": round(float(random.uniform(-6, -1)), 1),
        "folder": f"s3://store/clips/{day}/{sha256[:2]}/{sha256}", "video": names[1], "poster": names[0],
        "srt": names[2], "vtt": names[4], "bytes": sum(sizes), "warnings": [], "repairs": [],
        "sizes": [{"format": "source", "rendition": "hd", "file": names[1], "bytes": sizes[1]}],
        "files": [{"name": name, "bytes": size} for name, size in zip(names, sizes, strict=True)],
        "render_key": sha256[:20], "template": None,
    }  # fmt: skip


def queries(root: Path, days: int) -> dict[str, Callable[[], Any]]:
    first = FIRST + timedelta(days=days // 2)
    after = first + timedelta(days=7)
    columns = ["score", "title", "day", "folder", "video"]
    folder = CatalogFiles(root).table_folder("clips")
    by_day = pads.partitioning(pa.schema([("day", pa.date32())]), flavor="hive")

    def count(table: pa.Table) -> pa.Table:
        return table.group_by("day").aggregate([([], "count_all")])

    def week_pandas() -> pd.DataFrame:
        week = [("day", ">=", str(first)), ("day", "<", str(after))]
        return pd.read_parquet(folder, columns=columns, filters=week).nlargest(20, "score")

    def week_pyarrow() -> pa.Table:
        within = (pads.field("day") >= first) & (pads.field("day") < after)
        found = pads.dataset(folder, partitioning=by_day).to_table(columns=columns, filter=within)
        return found.sort_by([("score", "descending")]).slice(0, 20)

    def week_read() -> pa.Table:
        found = read(root, "clips", days=(first, after), columns=columns)
        return found.sort_by([("score", "descending")]).slice(0, 20)

    duck, parts = duckdb.connect(), f"read_parquet('{folder}/*/part.parquet', hive_partitioning = true)"

    def week_duckdb() -> object:
        when = f"day >= DATE '{first}' AND day < DATE '{after}'"
        return duck.sql(
            f"SELECT {', '.join(columns)} FROM {parts} WHERE {when} ORDER BY score DESC LIMIT 20"
        ).fetchall()

    return {
        "week, core.catalog.read": week_read,
        "week, pandas": week_pandas,
        "week, pyarrow": week_pyarrow,
        "count, core.catalog.read": lambda: count(read(root, "clips", columns=["day"])),
        "count, pandas": lambda: pd.read_parquet(folder, columns=["day"]).groupby("day", observed=True).size(),
        "count, pyarrow": lambda: count(pads.dataset(folder, partitioning=by_day).to_table(columns=["day"])),
        "week, DuckDB": week_duckdb,
        "count, DuckDB": lambda: duck.sql(f"SELECT day, count(*) FROM {parts} GROUP BY day").fetchall(),
        "best of all, pyarrow": lambda: pads.dataset(folder).to_table(columns=["score", "title"]).sort_by(
            [("score", "descending")]
        ),
    }  # fmt: skip


def night(root: Path, days: int, recordings: int) -> None:
    """One more night of small files, and their compaction."""
    random, files = np.random.default_rng(int(time.time())), CatalogFiles(root)
    day = FIRST + timedelta(days=days - 1)
    began_s = time.perf_counter()
    for _ in range(recordings):
        sha256 = random.bytes(32).hex()
        rows = clip_rows(sha256, day, random)
        path = files.new("clips", day, rows[0]["entry"])
        files.create(path, encode(pa.Table.from_pylist(rows, schema=schema("clips")), "clips"))
    written_s = time.perf_counter() - began_s
    print(f"record                       {1_000 * written_s / recordings:7.1f} ms a recording and table")
    print(f"read with {recordings:4} new files     {took(lambda: read(root, 'clips', days=(day, day.max))):7.3f} s")
    print(f"compact {recordings:5} new files     {took(lambda: compact(root, tables=['clips'])):7.3f} s")


if __name__ == "__main__":
    main()
