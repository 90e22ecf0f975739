"""`winnow evaluate`: figures of a model on labelled data, or of a run's final clips against a truth."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from core.errors import BadSetting
from core.machine import cores
from flows.display import PLAIN_EVERY_S, clock

REDRAW_EVERY_S = 0.5
FIGURES = {
    "top3_precision": "best 3, precision", "top3_recall": "best 3, recall", "top3_f1": "best 3, F1",
    "top5_precision": "best 5, precision", "top5_recall": "best 5, recall", "top5_f1": "best 5, F1",
    "segmentation_accuracy": "segmentation, accuracy", "pk": "segmentation, Pk (less is better)",
    "windowdiff": "segmentation, WindowDiff (less is better)", "ece": "calibration error (less is better)",
    "precision": "sentences, precision", "recall": "sentences, recall", "f1": "sentences, F1",
    "edges_in_words": "edges inside a word (less is better)",
}  # fmt: skip


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = "Figures are percent."
    measures = parser.add_subparsers(dest="measure", required=True, metavar="WHAT")
    what = "measure a model on a split of VT-SSum, or of other data in its format"
    data = measures.add_parser("vt-ssum", help=what, description=f"{what.capitalize()}. Figures are percent.")
    data.add_argument("path", metavar="PATH", help="folder with SPLIT_videos, SPLIT_segments and SPLIT_clips .parquet")
    data.add_argument("--split", required=True, metavar="NAME", help="train, dev, test or another split in PATH")
    data.add_argument("--model", default="champion", metavar="TEXT", help="scoring model (default: champion)")
    data.add_argument("--lectures", type=int, default=None, metavar="N", help="only the first N lectures")
    data.add_argument(
        "--train",
        metavar="TEXT",
        help="what the model has learned from: another split in PATH, or a folder with a split named train; figures "
        "are also given without the clips whose text occurs there (default: the split train in PATH, if it is there)",
    )
    what = "compare the final clips of a run with a truth that has times"
    clips = measures.add_parser("lecture", help=what, description=f"{what.capitalize()}. Figures are percent.")
    clips.add_argument("manifest", metavar="MANIFEST.json", help="the manifest.json of a run")
    clips.add_argument("--truth", required=True, metavar="TRUTH.json", help="highlights as spans, or of each sentence")
    for parser in (data, clips):
        parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")


def evaluate_command(given: argparse.Namespace) -> int:
    """Measure what the command line names and print the figures. Returns the exit code."""
    if given.measure == "lecture":
        from training.timed_evaluation import evaluate_clips

        figures = evaluate_clips(Path(given.manifest), Path(given.truth))
    else:
        figures = _evaluate_split(given)
    if given.json:
        print(json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _show(figures)
    return 0


def _evaluate_split(given: argparse.Namespace) -> dict[str, Any]:
    from models import registry
    from training.evaluation import evaluate_vt_ssum

    if given.lectures is not None and given.lectures < 1:
        raise BadSetting(f"--lectures: give at least 1, got {given.lectures}.")
    ref = registry.resolve_scoring(given.model, registry.roots())
    model = registry.load(ref, threads=cores())
    line = ProgressLine(f"{ref.name}@{ref.version} on {given.split}")
    line.reading()
    try:
        figures = evaluate_vt_ssum(
            Path(given.path),
            given.split,
            model.predict,
            train=given.train,
            lectures=given.lectures,
            on_progress=line.show,
        )
    finally:
        line.end()
    return {**figures, "model": {"name": ref.name, "version": ref.version, "sha256": ref.sha256}}


class ProgressLine:
    """How far an evaluation is, on stderr: one line redrawn in place on a terminal, a line every 10 s elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._live = sys.stderr.isatty()
        self._began_s: float | None = None
        self._shown_s = float("-inf")

    def reading(self) -> None:
        self._write(f"{self._what}: reading the data")

    def show(self, done: int, lectures: int, share: float) -> None:
        """Tell how many lectures are done and the share of the work, in [0, 1]."""
        now = time.monotonic()
        if self._began_s is None:
            self._began_s = now
        if now - self._shown_s < (REDRAW_EVERY_S if self._live else PLAIN_EVERY_S):
            return
        self._shown_s, took_s = now, now - self._began_s
        left = f", about {clock(took_s / share * (1 - share))} left" if share > 0 and took_s > 0 else ""
        self._write(f"{self._what}: {done} of {lectures} lectures{left}")

    def end(self) -> None:
        """Clear the line of a terminal."""
        if self._live:
            self._write("")

    def _write(self, text: str) -> None:
        print(f"\r\x1b[K{text}" if self._live else text, end="" if self._live else "\n", file=sys.stderr, flush=True)


def _show(figures: dict[str, Any]) -> None:
    unseen = figures.get("without_train_duplicates")
    table = Table(box=None, pad_edge=False)
    table.add_column("percent")
    table.add_column("all clips" if unseen else "", justify="right")
    if unseen:
        table.add_column("not in train", justify="right")
    for name, title in FIGURES.items():
        if name in figures:
            table.add_row(title, *(_number(column[name]) for column in (figures, unseen) if column))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    counts = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures["counts"].items() if value)
    print(f"Counted: {counts}.")
    if figures.get("without_train_duplicates_reason"):
        print(f"Clips seen in training are not left out: {figures['without_train_duplicates_reason']}.")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
