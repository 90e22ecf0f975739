"""How well the final clips of a published run agree with a truth that has times.

The truth is a JSON object. It names the highlights in one of two ways:

- `highlights`: [{"start_s", "end_s"}, …], seconds of the recording; or
- `sentences`: [{"start_s", "end_s", "highlight"}, …] with `highlight` 1 or 0, or null where nobody judged.

It may also hold `sentences` (or `utterances`) without labels, the units that are counted when `highlights` are spans;
`words` [{"start_s", "end_s"}, …], to tell whether an edge of a clip cuts one; and `sha256`, the recording's, which must
then be the run's. Whatever else it holds is passed over.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from core.alignment import align_cues
from core.audio import HOP, RATE_HZ
from core.errors import RefusedInput
from core.manifest import ClipEntry, Manifest
from core.sentences import sentences_from_words
from core.subtitles import parse_subtitles
from training.metrics import f1

TOP = (3, 5)
HALF = 0.5
Spans = NDArray[np.float64]
"""[n, 2] start and end in seconds."""
Units = Literal["truth", "captions", "seconds"]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a person says of a recording."""

    highlights: Spans
    sentences: Spans | None
    label: NDArray[np.int8] | None
    """[n] of the sentences: 1, 0, or -1 where nobody judged; None where only the highlights' spans are known."""
    words: Spans | None


def read_truth(path: Path, sha256: str | None = None) -> Truth:
    """Read a truth file. Raises RefusedInput for what is not one, or is about a recording that is not `sha256`."""
    try:
        given = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RefusedInput(f"Reading the truth {path} failed: {error}. Give a JSON file.") from error
    if not isinstance(given, dict):
        raise RefusedInput(f"Reading the truth {path}: it must be a JSON object, and is a {type(given).__name__}.")
    if sha256 and given.get("sha256", sha256) != sha256:
        raise RefusedInput(
            f"The truth {path} is about the recording {str(given['sha256'])[:8]}…, the run about {sha256[:8]}…."
        )
    sentences, words = (_spans(path, given, name) for name in ("sentences", "words"))
    label = None
    if sentences is not None:
        label, order = _labels(path, given["sentences"]), np.argsort(sentences[:, 0], kind="stable")
        sentences, label = sentences[order], label[order] if label is not None else None
    highlights = _spans(path, given, "highlights")
    if (highlights is None) == (label is None):
        raise RefusedInput(
            f"Reading the truth {path}: give either `highlights` as spans or a `highlight` for each of `sentences`, "
            f"not {'neither' if label is None else 'both'}."
        )
    if highlights is None:
        assert sentences is not None and label is not None
        highlights = _runs(sentences, label)
    if sentences is None:
        sentences = _spans(path, given, "utterances")
    return Truth(highlights, sentences, label, words)


def evaluate_clips(path: Path, truth_path: Path) -> dict[str, Any]:
    """Compare the clips of a published `manifest.json` with a truth; figures fit for JSON, in percent.

    `precision`, `recall` and `f1` count sentences: one is in a clip, or in a highlight, if at least half of it is.
    `top3_…` and `top5_…` count clips, the best by rank: precision is the share of them that are at least half
    highlight or hold at least half of one; recall is the share of the highlights of which they hold at least half.
    `edges_in_words` is the share of the clips' starts and ends that fall inside a word of the truth, null without
    words. Other figures are null where nothing could be counted. `units` says what the sentences were: the truth's, the
    published captions', or seconds where there are neither.
    """
    manifest = _manifest(path)
    truth = read_truth(truth_path, manifest.source.sha256)
    clips = np.array([(clip.start_s, clip.end_s) for clip in manifest.clips], dtype=np.float64).reshape(-1, 2)
    units, kind = _units(path, manifest, truth)
    wanted = _share_inside(units, truth.highlights) >= HALF if truth.label is None else truth.label == 1
    judged = np.ones(len(units), bool) if truth.label is None else truth.label >= 0
    taken = (_share_inside(units, clips) >= HALF) & judged
    edges = clips.ravel()
    cut = _inside(edges, truth.words) if truth.words is not None else None
    return {
        **_percent(_agreement(taken, wanted)),
        **_percent(_ranked(manifest.clips, truth.highlights)),
        "edges_in_words": round(100 * float(cut.mean()), 4) if cut is not None and len(cut) else None,
        "units": kind,
        "counts": {
            "clips": len(clips),
            "highlights": len(truth.highlights),
            "sentences": int(judged.sum()),
            "sentences_in_highlights": int(wanted.sum()),
            "sentences_in_clips": int(taken.sum()),
            "sentences_in_both": int((taken & wanted).sum()),
            "edges": len(edges),
            "words": None if truth.words is None else len(truth.words),
        },
        "recording": manifest.source.sha256,
        "models": {role: f"{model.name}@{model.version}" for role, model in manifest.models.items()},
    }


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise RefusedInput(f"Reading the manifest {path} failed: {why}. Give the manifest.json of a run.") from error


def _spans(path: Path, given: dict[str, Any], name: str) -> Spans | None:
    """The spans of a list in the truth, in the order given; None where it is not there."""
    if name not in given:
        return None
    try:
        spans = np.array([(row["start_s"], row["end_s"]) for row in given[name]], dtype=np.float64).reshape(-1, 2)
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedInput(
            f"Reading the truth {path}: {name!r} must be a list of objects with start_s and end_s ({error!r})."
        ) from error
    bad = np.flatnonzero(~((spans[:, 0] >= 0) & (spans[:, 0] < spans[:, 1]) & np.isfinite(spans).all(axis=1)))
    if len(bad):
        raise RefusedInput(
            f"Reading the truth {path}: {name}[{bad[0]}] must have 0 <= start_s < end_s, got {spans[bad[0]].tolist()}."
        )
    return spans


def _labels(path: Path, sentences: list[dict[str, Any]]) -> NDArray[np.int8] | None:
    """`highlight` of each sentence; None where no sentence has one."""
    if not any("highlight" in row for row in sentences):
        return None
    values = [row.get("highlight") for row in sentences]
    wrong = [value for value in values if value is not None and value not in (0, 1)]
    if wrong:
        raise RefusedInput(f"Reading the truth {path}: `highlight` must be 1, 0 or null, got {wrong[0]!r}.")
    return np.array([-1 if value is None else int(value) for value in values], dtype=np.int8)


def _runs(sentences: Spans, label: NDArray[np.int8]) -> Spans:
    """From the start to the end of each run of sentences in the highlight."""
    change = np.diff(np.concatenate([[0], label == 1, [0]]).astype(int))
    first, last = np.flatnonzero(change == 1), np.flatnonzero(change == -1) - 1
    return np.stack([sentences[first, 0], sentences[last, 1]], axis=1)


def _units(path: Path, manifest: Manifest, truth: Truth) -> tuple[Spans, Units]:
    if truth.sentences is not None:
        return truth.sentences, "truth"
    name = manifest.files.vtt or manifest.files.srt
    if name and (path.parent / name).is_file():
        cues = parse_subtitles((path.parent / name).read_bytes(), name=name)
        said = sentences_from_words(align_cues(cues, None, HOP / RATE_HZ, manifest.source.duration_s))
        return np.array([(one.start_s, one.end_s) for one in said], dtype=np.float64).reshape(-1, 2), "captions"
    starts = np.arange(0.0, manifest.source.duration_s)
    return np.stack([starts, np.minimum(starts + 1, manifest.source.duration_s)], axis=1), "seconds"


def _share_inside(spans: Spans, others: Spans) -> NDArray[np.float64]:
    """For each span the share of it that lies in the union of the others."""
    edges, totals = [0.0], [0.0]
    for start_s, end_s in sorted(others.tolist()):
        start_s = max(start_s, edges[-1])
        if end_s > start_s:
            edges += [start_s, end_s]
            totals += [totals[-1], totals[-1] + end_s - start_s]
    covered = np.interp(spans, edges, totals)
    return (covered[:, 1] - covered[:, 0]) / (spans[:, 1] - spans[:, 0])


def _inside(times: NDArray[np.float64], words: Spans) -> NDArray[np.bool_]:
    """Whether each time lies strictly inside a word."""
    starts, ends = np.sort(words[:, 0]), np.sort(words[:, 1])
    return np.searchsorted(starts, times, side="left") > np.searchsorted(ends, times, side="right")


def _agreement(taken: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> dict[str, float]:
    both = int((taken & wanted).sum())
    precision = both / int(taken.sum()) if taken.any() else float("nan")
    recall = both / int(wanted.sum()) if wanted.any() else float("nan")
    return {"precision": precision, "recall": recall, "f1": f1(precision, recall)}


def _ranked(clips: Sequence[ClipEntry], highlights: Spans) -> dict[str, float]:
    ordered = sorted(clips, key=lambda clip: clip.rank)
    spans = np.array([(clip.start_s, clip.end_s) for clip in ordered], dtype=np.float64).reshape(-1, 2)
    holds = np.array([(_share_inside(highlights, span[None]) >= HALF).any() for span in spans], dtype=bool)
    right = holds | (_share_inside(spans, highlights) >= HALF)
    found: dict[str, float] = {}
    for k in TOP:
        precision = float(right[:k].mean()) if len(right) else float("nan")
        held = _share_inside(highlights, spans[:k]) >= HALF
        recall = float(held.mean()) if len(held) else float("nan")
        found |= {f"top{k}_precision": precision, f"top{k}_recall": recall, f"top{k}_f1": f1(precision, recall)}
    return found


def _percent(values: dict[str, float]) -> dict[str, float | None]:
    return {name: round(100 * value, 4) if np.isfinite(value) else None for name, value in values.items()}
