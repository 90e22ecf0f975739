"""Measure the layout over time against truth: `python -m bench.layout VIDEO...`, with VIDEO's `.truth.json` beside it.

Prints a row of a markdown table a video. The truth is a JSON object whose `layouts` are `[{start, end, layout, slide,
face}]`, boxes as `[x, y, w, h]` in pixels of the upright picture, or null.
"""

import argparse
import json
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from core.boxes import Box, overlap
from core.layout_scan import find_layouts
from core.probe import probe
from core.sights import LayoutSpan
from core.slides_scan import find_changes
from models.faces import load_faces

HEAD = (
    "| recording | minutes | spans | layout right by time | slide boxes, median IoU | face boxes, median IoU | CPU s |"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--spans", action="store_true", help="print also where the layout is wrong")
    asked = parser.parse_args()
    faces = load_faces(1)
    print(HEAD, "| --- " * 7 + "|", sep="\n")
    for video in asked.videos:
        truth = json.loads(video.with_suffix(".truth.json").read_text(encoding="utf-8"))["layouts"]
        info = probe(video)
        with TemporaryDirectory() as scratch:
            spans, report = find_changes(video, info, scratch=Path(scratch))
            before_s = _cpu_s()
            found = find_layouts(
                video,
                info,
                spans,
                report.settled_s,
                find_faces=faces.find,
                scratch=Path(scratch),
                decoder=report.decoder,
            )
            cpu_s = _cpu_s() - before_s
        print(row(video.stem, info.duration_s, found, truth, cpu_s))
        if asked.spans:
            for start_s, end_s, said, real in _shared(found, truth):
                if said.layout != real["layout"]:
                    print(f"  {start_s:.2f}-{end_s:.2f}: {said.layout}, in truth {real['layout']}")


def row(name: str, duration_s: float, found: Sequence[LayoutSpan], truth: list[dict[str, Any]], cpu_s: float) -> str:
    """The table's row: boxes are compared wherever the truth has one; where none was found they count as 0."""
    pairs = list(_shared(found, truth))
    total_s = sum(end_s - start_s for start_s, end_s, _, _ in pairs)
    right_s = sum(end_s - start_s for start_s, end_s, said, real in pairs if said.layout == real["layout"])
    slides = [_agreement(said.slide_box, real["slide"]) for _, _, said, real in pairs if real["slide"]]
    faces = [_agreement(said.face_box, real["face"]) for _, _, said, real in pairs if real["face"]]
    boxes = " | ".join(f"{median(values):.3f}" if values else "–" for values in (slides, faces))
    share = right_s / total_s if total_s else 0.0
    return f"| {name} | {duration_s / 60:.1f} | {len(found)} | {share:.1%} | {boxes} | {cpu_s:.1f} |"


def _shared(
    found: Sequence[LayoutSpan], truth: list[dict[str, Any]]
) -> Iterator[tuple[float, float, LayoutSpan, dict[str, Any]]]:
    """All stretches (start, end) during which one found span and one of the truth hold."""
    for said in found:
        for real in truth:
            start_s, end_s = max(said.start_s, real["start"]), min(said.end_s, real["end"])
            if start_s < end_s:
                yield start_s, end_s, said, real


def _agreement(said: Box | None, real: list[float]) -> float:
    return overlap(said, Box(*real)) if said else 0.0


def _cpu_s() -> float:
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


if __name__ == "__main__":
    main()
