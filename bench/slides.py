"""How well slides are told apart and read, on recordings with a `.truth.json` beside them.

    python -m bench.slides VIDEO... [--clean FOLDER] [--misread] [--drawn]

One row a recording. Changes: precision and recall at 0.5 s of the changes found (changes within a camera's picture, and
within the speaker's part beside a slide that stays, are left out), against the starts of the true slides; starts where
less than STILL_LEVELS of the picture changes, as where the truth counts one picture twice, are left out and counted.
Letters of the truth's text that are wrong, on spans whose true layout shows a slide: "in order" for each line of it the
least edit distance to any stretch of the text read, "any order" as `bench.characters` tells. Text that the truth does
not mention costs nothing. The truth's text was itself read by a machine and then corrected, not fully: its own errors
are part of the figures.

An inset hides text that the truth has. The first two figures count it as unread. With `--clean`, a folder of the clean
slides in the order of the truth's, the second two leave out letters that stand under the inset, and tell how many those
are. `--misread` lists every letter that is left out, unread or wrong. `--drawn` reads slides drawn for this purpose,
whose text is known exactly, and counts what is read too much as well. Layouts are the true ones.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.characters import Piece, edits, match, pieces, words, wrong_in_order, wrong_letters
from bench.insets import hidden_letters, parted
from core import frames, slide_index
from core.boxes import Box, shared
from core.frames import Raster
from core.machine import cores
from core.picture import FONTS
from core.probe import probe
from core.records import MediaInfo, SlideSpan
from core.sights import LayoutSpan, Slide, TextLine
from core.slides_scan import find_changes
from models.slides import SlideReader, load_ocr

NEAR_S = 0.5
STILL_LEVELS = 1.0
"""Mean absolute difference, of 255, between frames 0.3 s before and after."""
COLUMNS = (
    "recording | changes | precision | recall | starts not visible | builds | read | letters | in order % | "
    "any order % | hidden | seen, in order % | seen, any order % | s a slide"
)
WORDS = (
    "energy",
    "model",
    "of",
    "the",
    "learning",
    "rate",
    "cells",
    "protein",
    "market",
    "theorem",
    "speech",
    "signal",
)


@dataclass(frozen=True, slots=True)
class Truth:
    starts_s: list[float]
    texts: list[str]
    ends_s: list[float]
    layouts: list[LayoutSpan]


def read_truth(path: Path) -> Truth:
    told: dict[str, Any] = json.loads(path.read_text())

    def box(numbers: list[float] | None) -> Box | None:
        return Box(*numbers) if numbers else None

    layouts = [
        LayoutSpan(span["start"], span["end"], span["layout"], box(span["slide"]), box(span["face"]))
        for span in told["layouts"]
    ]
    slides = told["slides"]
    return Truth([s["start"] for s in slides], [s["text"] for s in slides], [s["end"] for s in slides], layouts)


def visible(path: Path, info: MediaInfo, starts_s: Sequence[float], scratch: Path) -> list[float]:
    """Those of `starts_s` at which the picture changes."""
    found = []
    times_s = sorted(t + d for t in starts_s for d in (-0.3, 0.3))
    looked = frames.frames_in(path, info, [(t, t) for t in times_s], Raster(160, 90), step_s=0.0, scratch=scratch)
    seen = [(frame.time_s, frame.image.astype(np.float32)) for frame in looked]
    for start_s in starts_s:
        before = max((s for s in seen if s[0] <= start_s - 0.25), key=lambda s: s[0])[1]
        after = max((s for s in seen if s[0] <= start_s + 0.35), key=lambda s: s[0])[1]
        if np.abs(after - before).mean() >= STILL_LEVELS:
            found.append(start_s)
    return found


def found_changes(spans: Sequence[SlideSpan], slides: Sequence[Slide], layouts: Sequence[LayoutSpan]) -> list[float]:
    """Starts of spans, but not of those that show what was there before, except where the layout changes."""
    found = []
    for (before, now), span in zip(zip(slides, slides[1:], strict=False), spans[1:], strict=True):
        changes_layout = any(abs(layout.start_s - span.start_s) <= NEAR_S for layout in layouts)
        if now.image != before.image or changes_layout:
            found.append(span.start_s)
    return found


def hits(found_s: Sequence[float], true_s: Sequence[float]) -> int:
    """How many of `true_s` have a change of their own within NEAR_S."""
    left, count = sorted(found_s), 0
    for time_s in true_s:
        nearest = min(left, key=lambda t: abs(t - time_s), default=None)
        if nearest is not None and abs(nearest - time_s) <= NEAR_S:
            left.remove(nearest)
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class Clean:
    """Pictures of the slides with nothing laid over them, in the order of the truth's slides."""

    pictures: list[Path]
    reader: SlideReader

    def lines(self, number: int, slide: Box) -> list[TextLine]:
        """What is read on slide `number`, placed where the recording shows it."""
        from PIL import Image

        image = Image.open(self.pictures[number]).convert("RGB").resize((1280, 720), Image.Resampling.LANCZOS)
        to = slide.w / image.width, slide.h / image.height
        found = self.reader.read(np.asarray(image))
        return [replace(line, box=line.box.scaled(*to).moved(slide.x, slide.y)) for line in found]


@dataclass(slots=True)
class Count:
    """Letters of the truth, all and those to be seen, and how many of them are wrong."""

    letters: int = 0
    in_order: int = 0
    any_order: int = 0
    seen: int = 0
    seen_in_order: int = 0
    seen_any_order: int = 0

    def cells(self) -> list[str]:
        shares = [f"{100 * wrong / max(1, self.letters):.1f}" for wrong in (self.in_order, self.any_order)]
        if not self.seen:
            return [str(self.letters), *shares, "", "", ""]
        shares += [str(self.letters - self.seen)]
        shares += [f"{100 * wrong / self.seen:.1f}" for wrong in (self.seen_in_order, self.seen_any_order)]
        return [str(self.letters), *shares]


def read_errors(slides: Sequence[Slide], truth: Truth, clean: Clean | None, misread: bool) -> Count:
    """The wrong letters of the truth's text on slides that show."""
    count = Count()
    for number, text in enumerate(truth.texts):
        middle_s = (truth.starts_s[number] + truth.ends_s[number]) / 2
        slide = next(s for s in slides if s.start_s <= middle_s < s.end_s)
        layout = slide_index.layout_at(truth.layouts, middle_s)
        if layout is None or layout.slide_box is None:
            continue
        wanted, read = pieces(text.splitlines()), pieces(line.text for line in slide.lines)
        count.letters += sum(len(piece.letters) for piece in wanted)
        count.in_order += wrong_in_order(wanted, read)
        count.any_order += wrong_letters(wanted, read)
        seen, hidden = wanted, list[Piece]()
        inset = shared(layout.slide_box, layout.face_box) if layout.face_box else None
        if clean and inset:
            seen, hidden = parted(wanted, hidden_letters(wanted, clean.lines(number, layout.slide_box), inset))
        if clean:
            count.seen += sum(len(piece.letters) for piece in seen)
            count.seen_in_order += wrong_in_order(seen, read)
            count.seen_any_order += wrong_letters(seen, read)
        if misread:
            tell(middle_s, seen, hidden, read)
    return count


def tell(time_s: float, seen: Sequence[Piece], hidden: Sequence[Piece], read: Sequence[Piece]) -> None:
    """Prints what of one slide was left out, unread or read wrong."""
    found, unread = match(seen, read)
    for what, told in (("hidden", hidden), ("unread", unread)):
        for piece in told:
            print(f"  {time_s:.0f} s, {what}: {piece.letters}")
    for m in found:
        if m.wrong:
            print(f"  {time_s:.0f} s, {m.wrong} wrong: {m.wanted.letters} read as {m.read.letters}")


def measure(path: Path, reader: SlideReader, clean: Clean | None, misread: bool) -> str:
    info, truth = probe(path), read_truth(path.with_suffix(".truth.json"))
    with TemporaryDirectory() as name:
        scratch = Path(name)
        spans, report = find_changes(path, info, scratch=scratch)
        began_s = time.perf_counter()
        slides = slide_index.read_slides(
            path, info, spans, report.settled_s, truth.layouts, reader=reader, folder=scratch, scratch=scratch
        )
        took_s, images = time.perf_counter() - began_s, {slide.image for slide in slides} - {None}
        starts_s = visible(path, info, truth.starts_s[1:], scratch)
    found_s = found_changes(spans, slides, truth.layouts)
    count = hits(found_s, starts_s)
    # What was found at a start that is not seen on the compared frames is no error either.
    also = hits(found_s, truth.starts_s[1:]) - count
    precision, recall = (count + max(0, also)) / max(1, len(found_s)), count / max(1, len(starts_s))
    cells = [path.name, len(found_s), f"{precision:.3f}", f"{recall:.3f}", len(truth.starts_s) - 1 - len(starts_s)]
    cells += [sum(slide.build for slide in slides), len(images)]
    cells += read_errors(slides, truth, clean, misread).cells()
    return " | ".join(map(str, [*cells, f"{took_s / max(1, len(images)):.2f}"]))


def drawn(width_px: int, seed: int) -> tuple[np.ndarray, str]:
    """A slide of random words and its text, as a JPEG keeps it, `width_px` wide."""
    from io import BytesIO

    from PIL import Image, ImageDraw, ImageFont

    random = np.random.default_rng(seed)
    said = [" ".join(random.permutation(WORDS)[:count]) for count in (4, 7, 8, 6, 8, 5)]
    dark = seed % 2 == 1
    image = Image.new("RGB", (1280, 720), (24, 30, 48) if dark else (250, 250, 246))
    pen = ImageDraw.Draw(image)
    for row, text in enumerate(said):
        font = ImageFont.truetype(FONTS / ("DejaVuSans.ttf" if row else "DejaVuSans-Bold.ttf"), 30 if row else 48)
        pen.text((90, 60 + 95 * row), text, font=font, fill=(235, 235, 235) if dark else (30, 30, 40))
    kept = BytesIO()
    image.resize((width_px, width_px * 9 // 16), Image.Resampling.LANCZOS).save(kept, "jpeg", quality=75)
    return np.asarray(Image.open(kept).convert("RGB")), "".join(said)


def measure_drawn(width_px: int, reader: SlideReader) -> str:
    wrong = total = 0
    began_s, count = time.perf_counter(), 6
    for seed in range(count):
        image, text = drawn(width_px, seed)
        wanted, read = ("".join(words(said)) for said in (text, " ".join(o.text for o in reader.read(image))))
        wrong, total = wrong + int(edits(wanted, read, ahead=True)[-1]), total + len(wanted)
    took_s = (time.perf_counter() - began_s) / count
    return f"drawn, {width_px} px wide | | | | | | {count} | {total} | {100 * wrong / total:.1f} | | | | | {took_s:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO")
    parser.add_argument("--clean", type=Path, metavar="FOLDER", help="the slides' clean pictures, of all VIDEOs")
    parser.add_argument("--misread", action="store_true")
    parser.add_argument("--drawn", action="store_true")
    given = parser.parse_args()
    reader = load_ocr(cores())
    clean = Clean(sorted(given.clean.iterdir()), reader) if given.clean else None
    print(f"| {COLUMNS} |\n|{' --- |' * len(COLUMNS.split('|'))}")
    for path in given.videos:
        print(f"| {measure(path, reader, clean, given.misread)} |", flush=True)
    for width_px in (1280, 852, 568) if given.drawn else ():
        print(f"| {measure_drawn(width_px, reader)} |", flush=True)


if __name__ == "__main__":
    main()
