"""Caption rules that runs' clips break, and how fast their captions must be read.

    python bench/captions.py OUTPUT_FOLDER [...] [--json]

Each folder holds a run's `manifest.json`; the captions of its clips are read from the SRT files that it names.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.caption_report import breaches, caption_report, read_chars
from core.records import Cue

TIMES = re.compile(r"(\d+):(\d\d):(\d\d),(\d{3}) --> (\d+):(\d\d):(\d\d),(\d{3})")
SPEEDS = (50, 90, 95, 99, 100)
"""Percentiles of reading speed that are told."""


def read_srt(path: Path) -> list[Cue]:
    """The captions of an SRT file as Winnow writes it, line by line as they are shown."""
    cues: list[Cue] = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = block.strip().splitlines()
        if len(lines) < 3 or not (times := TIMES.fullmatch(lines[1])):
            continue
        h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, times.groups())
        start_s, end_s = h1 * 3600 + m1 * 60 + s1 + ms1 / 1000, h2 * 3600 + m2 * 60 + s2 + ms2 / 1000
        cues.append(Cue(start_s, end_s, tuple(lines[2:])))
    return cues


def clips_of(folder: Path) -> list[tuple[str, list[Cue]]]:
    """(file name, captions) of each clip that has any."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    named = [clip["files"].get("srt") for clip in manifest["clips"]]
    return [(name, read_srt(folder / name)) for name in named if name]


def measure(clips: Sequence[tuple[str, list[Cue]]]) -> dict[str, object]:
    """Figures over all captions of some clips."""
    cues = [cue for _, of_clip in clips for cue in of_clip]
    broken = Counter(breach.rule for _, of_clip in clips for breach in breaches(of_clip))
    speeds = [read_chars(cue) / (cue.end_s - cue.start_s) for cue in cues] or [0.0]
    ends = [caption_report(of_clip).phrase_ends * len(of_clip) for _, of_clip in clips]
    return {
        "clips": len(clips),
        "captions": len(cues),
        "breaches": dict(sorted(broken.items())),
        "chars_per_s": {f"p{share}": round(float(np.percentile(speeds, share)), 2) for share in SPEEDS},
        "phrase_ends": round(sum(ends) / max(1, len(cues)), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    missing = [str(folder) for folder in asked.folders if not (folder / "manifest.json").is_file()]
    if missing:
        sys.exit(f"There is no manifest.json in {', '.join(missing)}.")
    of_folder = {str(folder): clips_of(folder) for folder in asked.folders}
    rows = {name: measure(clips) for name, clips in of_folder.items()}
    if len(rows) > 1:
        rows["all"] = measure([clip for clips in of_folder.values() for clip in clips])
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    speeds = " ".join(f"{f'p{share}':>6}" for share in SPEEDS)
    print(f"{'run':40} clips captions  {speeds}  phrase ends  rules broken")
    for name, row in rows.items():
        told = json.dumps(row["breaches"]) if row["breaches"] else "none"
        at = row["chars_per_s"]
        assert isinstance(at, dict)
        figures = " ".join(f"{speed:6.2f}" for speed in at.values())
        print(f"{name[-40:]:40} {row['clips']:5} {row['captions']:8}  {figures}  {row['phrase_ends']:11}  {told}")


if __name__ == "__main__":
    main()
