"""Wall time, CPU seconds and peak memory of each stage on its own, one after the other, without the orchestrator.

    python bench/stages.py RECORDING [--truth TRUTH.json] [--clips 8]

After the stages, a line tells the share of looking (frames, layout, slides) in the CPU seconds of all of them. Clips
are made as a run with no other settings makes them, titles apart.

With `--truth` (the format of data/samples/tides.truth.json, or one with `utterances` and `words_of_the_real_speaker`)
also the word error rate of the transcript and the share of clip edges inside spoken sound. CPU seconds include those
of child processes; memory is the highest resident size of this process while the stage ran, children apart.
"""

import argparse
import json
import re
import resource
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jiwer
import psutil

from core import audio, slides_scan
from core.chunks import chunk_spans
from core.dressing import dress
from core.edges import find_edges
from core.kit import load_kit
from core.layout_scan import find_layouts
from core.machine import cores
from core.probe import probe
from core.records import Highlight, MediaInfo, SlideSpan
from core.reel import join_clips
from core.rendering import render_clip
from core.seen import Seen
from core.selection import select
from core.settings import SelectionSettings, Settings, SilenceSettings
from core.sights import LayoutSpan, Slide
from core.silences import find_silences
from core.slide_index import read_slides
from core.thumbnails import write_thumbnails
from core.timeline import build_timeline
from core.windows import ScoredUnit, split_long_units
from models import pretrained, registry, speech
from models.faces import load_faces
from models.slides import load_ocr

LOOKING = ("frames", "layout", "slides")
rows: list[dict[str, Any]] = []


def cpu_s() -> float:
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


@contextmanager
def measured(name: str) -> Iterator[None]:
    """Time the block, and watch the memory of this process and of its children meanwhile."""
    own, over, peak = psutil.Process(), threading.Event(), [0, 0]

    def watch() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], own.memory_info().rss)
            children = 0
            for child in own.children(recursive=True):
                try:
                    children += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[1] = max(peak[1], children)

    thread = threading.Thread(target=watch)
    thread.start()
    wall, cpu = time.monotonic(), cpu_s()
    try:
        yield
    finally:
        wall, cpu = time.monotonic() - wall, cpu_s() - cpu
        over.set()
        thread.join()
        row = {
            "stage": name,
            "wall_s": round(wall, 2),
            "cpu_s": round(cpu, 2),
            "own_mb": round(peak[0] / 1e6),
            "children_mb": round(peak[1] / 1e6),
        }
        rows.append(row)
        print(json.dumps(row), flush=True)


def plain(text: str) -> str:
    """Lower-case words and numbers, as word error rates are usually taken over."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--clips", type=int, default=8)
    given = parser.parse_args()
    settings = SelectionSettings(clips=given.clips)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with measured("probe"):
            info = probe(given.recording)
        pcm = folder / audio.PCM_NAME
        with measured("audio"):
            audio.decode(given.recording, info, pcm)
            heard = audio.measure(pcm)
        with measured("silences"):
            silences = find_silences(heard, SilenceSettings(), info.duration_s)
        spans, layouts, slides = look(given.recording, info, folder) if info.video else ([], [], [])
        with measured("transcript"):
            model = speech.load(pretrained.resolve_speech("tiny.en"), threads=cores())
            chunks = chunk_spans(heard.level_dbfs, heard.hop_s, info.duration_s)
            said = speech.transcribe(model, lambda a, b: audio.read(pcm, a, b), chunks, language=None)
            del model
        with measured("merge"):
            table = build_timeline(
                said.sentences, silences=silences, slides=spans, levels=heard, duration_s=info.duration_s
            )
        with measured("score"):
            scores = registry.load(registry.resolve("baseline"), threads=cores()).predict(table)
        with measured("select"):
            units = split_long_units(
                [
                    ScoredUnit(s.start_s, s.end_s, s.text, float(p), s.words, row=i)
                    for i, (s, p) in enumerate(zip(said.sentences, scores.highlight, strict=True))
                ],
                settings.max_s,
            )
            edges = find_edges(units, levels_dbfs=heard.level_dbfs, duration_s=info.duration_s)
            chosen = select(
                units,
                edges,
                clips=settings.clips,
                min_s=settings.min_s,
                max_s=settings.max_s,
                duration_s=info.duration_s,
                language="en",
            )
        seen = Seen(info, said, tuple(layouts), tuple(slides), tuple(silences), heard.level_dbfs, heard.hop_s)
        with measured("render"):
            paths, lengths = render(given.recording, seen, chosen.highlights, folder)
        with measured("reel"):
            join_clips(paths, [h.title for h in chosen.highlights], target=folder / "reel.mp4", durations_s=lengths)
        total = sum(row["cpu_s"] for row in rows)
        looking = sum(row["cpu_s"] for row in rows if row["stage"] in LOOKING)
        print(json.dumps({"recording_s": info.duration_s, "clips_s": round(sum(lengths), 1), "cpu_s": round(total, 1),
                          "looking_cpu_s": round(looking, 1), "looking_share": round(looking / total, 3)}))  # fmt: skip
        if given.truth:
            compare(json.loads(given.truth.read_text()), said, chosen, heard)


def look(recording: Path, info: MediaInfo, folder: Path) -> tuple[list[SlideSpan], list[LayoutSpan], list[Slide]]:
    """The stages that look: changes of the picture, how slide and speaker share it, what stands on the slides."""
    scratch, pictures = folder / "scratch", folder / "slides"
    scratch.mkdir()
    pictures.mkdir()
    with measured("frames"):
        spans, report = slides_scan.find_changes(recording, info, scratch=scratch)
        spans = write_thumbnails(
            recording, info, spans, report.settled_s, pictures, scratch=scratch, decoder=report.decoder
        )
    with measured("layout"):
        layouts = find_layouts(
            recording,
            info,
            spans,
            report.settled_s,
            find_faces=load_faces(cores()).find,
            scratch=scratch,
            decoder=report.decoder,
        )
    with measured("slides"):
        slides = read_slides(
            recording,
            info,
            spans,
            report.settled_s,
            layouts,
            reader=load_ocr(cores()),
            folder=pictures,
            scratch=scratch,
            decoder=report.decoder,
        )
    return spans, layouts, slides


def render(
    recording: Path, seen: Seen, highlights: Sequence[Highlight], folder: Path
) -> tuple[list[Path], list[float]]:
    """Clips of the moments as usual settings make them, and their lengths."""
    settings = Settings()
    kit = load_kit(settings)
    paths: list[Path] = []
    lengths_s: list[float] = []
    for number, moment in enumerate(highlights, 1):
        target = folder / f"clip-{moment.rank}"
        target.mkdir()
        done = render_clip(
            recording,
            seen.info,
            moment.start_s,
            moment.end_s,
            settings=settings.rendering,
            encoder=kit.encoder,
            title=moment.title,
            production=dress(number, moment, [], seen=seen, kit=kit, settings=settings).production,
            folder=target,
            threads=cores(),
        )
        paths.append(target / "clip.mp4")
        lengths_s.append(done.duration_s)
    return paths, lengths_s


def compare(truth: dict[str, Any], said: Any, chosen: Any, heard: audio.Envelope) -> None:
    """Word error rate, and edges that stand in spoken sound: inside an utterance, and not in a quiet 50 ms of it."""
    spoken = plain(" ".join(u["text"] for u in truth["utterances"]))
    recognised = plain(" ".join(s.text for s in said.sentences))
    edges_s = [t for h in chosen.highlights for t in (h.start_s, h.end_s)]
    starts = [(u.get("start", u.get("start_s")), u.get("end", u.get("end_s"))) for u in truth["utterances"]]
    inside = [t for t in edges_s if any(a < t < b for a, b in starts)]
    levels = {
        t: float(heard.level_dbfs[round((t - 0.025) / heard.hop_s) : round((t + 0.025) / heard.hop_s)].max())
        for t in inside
    }
    loud = [t for t, level in levels.items() if level > SilenceSettings().silence_dbfs]
    print(json.dumps({"word_error_rate": round(jiwer.wer(spoken, recognised), 4), "edges": len(edges_s),
                      "edges_inside_an_utterance": len(inside), "of_these_in_sound": len(loud)}))  # fmt: skip


if __name__ == "__main__":
    main()
