"""`winnow score`: rank the sentences of a transcript that has no recording."""

import argparse
import json
from pathlib import Path

from core.alignment import align_cues
from core.audio import HOP, RATE_HZ
from core.errors import BadSetting, RefusedInput
from core.machine import cores
from core.sentences import sentences_from_words
from core.subtitles import parse_subtitles
from core.timeline import build_timeline


def score_command(given: argparse.Namespace) -> int:
    """Print the sentences of a caption file with their scores, best first."""
    if given.top is not None and given.top < 1:
        raise BadSetting(f"--top: give at least 1, got {given.top}.")
    path = Path(given.transcript)
    if not path.is_file():
        raise RefusedInput(f"{path} does not exist; check the name.")
    cues = parse_subtitles(path.read_bytes(), name=path.name)
    duration_s = max(cue.end_s for cue in cues)
    sentences = sentences_from_words(align_cues(cues, None, HOP / RATE_HZ, duration_s))
    if not sentences:
        raise RefusedInput(f"{path.name} holds no words to score.")
    from models import registry

    ref = registry.resolve(given.model, registry.roots())
    scores = registry.load(ref, threads=cores()).predict(build_timeline(sentences, duration_s=duration_s))
    order = sorted(range(len(sentences)), key=lambda i: (-scores.highlight[i], i))[: given.top]
    for rank, i in enumerate(order, 1):
        sentence, score = sentences[i], round(float(scores.highlight[i]), 4)
        if given.json:
            row = {"rank": rank, "index": i, "start_s": round(sentence.start_s, 3), "end_s": round(sentence.end_s, 3),
                   "score": score, "text": sentence.text, "model": f"{ref.name}@{ref.version}"}  # fmt: skip
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(f"{rank:>4}  {score:.3f}  {sentence.start_s:>8.1f} s  {sentence.text}")
    return 0
