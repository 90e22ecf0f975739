"""`winnow score`: rank the sentences of a transcript that has no recording."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.alignment import align_cues
from core.audio import HOP, RATE_HZ
from core.errors import BadSetting, RefusedInput
from core.machine import cores
from core.records import Sentence
from core.sentences import sentences_from_words
from core.subject import lift
from core.subtitles import parse_subtitles
from core.timeline import build_timeline
from flows.options import checked

Floats = NDArray[np.float64]


def add_score(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("transcript", metavar="FILE", help="captions, SRT or VTT")
    parser.add_argument("--model", default="champion", metavar="TEXT", help="scoring model (default: champion)")
    parser.add_argument("--about", default=None, metavar="TEXT", help="turn the ranking toward this subject")
    parser.add_argument("--top", type=int, default=None, metavar="N", help="only the N best sentences")
    parser.add_argument("--json", action="store_true", help="print JSON lines, best first")


def score_command(given: argparse.Namespace) -> int:
    """Print the sentences of a caption file with their scores, best first."""
    if given.top is not None and given.top < 1:
        raise BadSetting(f"--top: give at least 1, got {given.top}.")
    subject = checked("about", given.about)
    path = Path(given.transcript)
    if not path.is_file():
        raise RefusedInput(f"{path} does not exist; check the name.")
    cues = parse_subtitles(path.read_bytes(), name=path.name)
    duration_s = max(cue.end_s for cue in cues)
    sentences = sentences_from_words(align_cues(cues, None, HOP / RATE_HZ, duration_s))
    if not sentences:
        raise RefusedInput(f"{path.name} holds no words to score.")
    from models import registry

    ref = registry.resolve_scoring(given.model, registry.roots())
    scores = registry.load(ref, threads=cores()).predict(build_timeline(sentences, duration_s=duration_s)).highlight
    about = _about(sentences, subject, path.name) if subject else None
    if about is not None:
        scores = scores * lift(about, float(about.max()))
    order = sorted(range(len(sentences)), key=lambda i: (-scores[i], i))[: given.top]
    for rank, i in enumerate(order, 1):
        sentence, score = sentences[i], round(float(scores[i]), 4)
        if given.json:
            row = {"rank": rank, "index": i, "start_s": round(sentence.start_s, 3), "end_s": round(sentence.end_s, 3),
                   "score": score, "text": sentence.text, "model": f"{ref.name}@{ref.version}"}  # fmt: skip
            if about is not None:
                row["about_probability"] = round(float(about[i]), 4)
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(f"{rank:>4}  {score:.3f}  {sentence.start_s:>8.1f} s  {sentence.text}")
    return 0


def _about(sentences: list[Sentence], subject: str, name: str) -> Floats | None:
    """Probability that each sentence is about the subject; None, which is told on stderr, where nothing is."""
    from models import about, registry

    model = about.load(registry.resolve(about.NAME), threads=cores())
    relevance = model.relevance([sentence.text for sentence in sentences], subject)
    if relevance.found:
        return relevance.rows
    print(
        f"Note: nothing in {name} seems to be about “{subject}”; scores are as if it were not named.", file=sys.stderr
    )
    return None
