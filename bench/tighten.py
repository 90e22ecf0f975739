"""What tightening saves, and whether it is heard: `python -m bench.tighten RECORDING TRUTH.json [--jitter-s 0.1]`.

TRUTH.json tells the spoken `words` (or `utterances`) with their times. Clips of the recording are planned with times
moved at random, as recognisers are off, cut, and compared with the truth:

- saved: seconds and share that went; words damaged: words of the truth that lose sound at an edge of a cut.
- loudest join: in dB, the steepest step (largest second difference of the samples) within 20 ms of any join against
  the median one in 40 ms of the recording's own pauses; "ordinary" is the 99th percentile of those pauses, "hard" what
  the same cuts without crossfades make.
- sync: the largest lag, in ms, of any piece of the tightened sound behind its place by the plan, found by correlating
  it with the recording's; other frames: how many frames of the tightened picture are not the frames of their place.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core import audio, float_wav, loudness, media
from core.captions import retime
from core.cutting import Cut, arguments, plan_cut, read_picture
from core.probe import probe
from core.quiet import find_hush
from core.records import Word
from core.tighten_graph import CROSSFADE_S, tighten_picture, tighten_wav
from core.tighten_plan import plan_tightening
from core.tightening import Tightening

NEAR_S = 0.02
PART_S, LAG_S, STRIDE = 0.4, 0.1, 4
"""Length of what is correlated, how far either way, and every so many samples: a grid of 0.08 ms."""
SMALL = (64, 36)
COLUMNS = ("from s", "length s", "cuts", "saved s", "share", "loudest join dB", "ordinary dB", "hard dB", "sync ms")
COLUMNS += ("other frames", "damaged")
RATE_HZ = 48_000
SEED = 20


def spoken(truth: dict[str, list[dict[str, float | str]]]) -> list[Word]:
    rows = truth.get("words") or truth["utterances"]
    names = [(row.get("start_s", row.get("start")), row.get("end_s", row.get("end")), row["text"]) for row in rows]
    return [Word(str(text), float(a or 0.0), float(b or 0.0)) for a, b, text in names]


def moved(words: list[Word], jitter_s: float, rng: np.random.Generator) -> list[Word]:
    """The words with each edge off by a normal error of that deviation, in order and apart."""
    at_s, found = 0.0, []
    for word in words:
        start_s = max(at_s, word.start_s + rng.normal(0, jitter_s))
        end_s = max(start_s + 0.02, word.end_s + rng.normal(0, jitter_s))
        found.append(replace(word, start_s=start_s, end_s=end_s))
        at_s = end_s
    return found


def steps(samples: NDArray[np.float32], times_s: list[float]) -> NDArray[np.float64]:
    """The largest second difference near each time, in dB."""
    edges = np.abs(np.diff(samples.astype(np.float64), 2))
    reach = round(NEAR_S * RATE_HZ)
    around = [edges[max(0, at - reach) : at + reach] for at in (round(t * RATE_HZ) for t in times_s)]
    return np.array([20 * np.log10(max(1e-9, part.max())) for part in around if len(part)])


def sync_ms(made: Tightening, before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """The largest lag over all pieces, each compared around its loudest moment, up to LAG_S either way."""
    half, reach = round(PART_S / 2 * RATE_HZ), round(LAG_S * RATE_HZ)
    late = [0.0]
    for (first, end), start in zip(made.kept, made.starts, strict=True):
        at, stop = (round(frame / made.rate * RATE_HZ) for frame in (start, start + end - first))
        if stop - at < 2 * half:
            continue
        middle = (
            at + half + int(np.argmax(np.abs(after[at + half : stop - half]))) if stop - at > 2 * half else at + half
        )
        there = middle - at + round(first / made.rate * RATE_HZ)
        part, around = after[middle - half : middle + half], before[max(0, there - half - reach) : there + half + reach]
        found = int(np.argmax(np.abs(np.correlate(around[::STRIDE], part[::STRIDE])))) * STRIDE
        late.append(abs(found - (there - half - max(0, there - half - reach))) / RATE_HZ)
    return 1_000 * max(late)


def other_frames(cut: Cut, made: Tightening, work: Path) -> int:
    """Frames of the tightened picture that differ from what the recording shows at their place."""
    split = read_picture(cut, threads=2).filter_multi_output("split")
    outputs = []
    for name, picture in (("all", split[0]), ("kept", tighten_picture(split[1], made))):
        small = picture.filter("scale", *SMALL, flags="area").filter("format", "gray")
        url = media.file_url(work / name)
        outputs.append(ffmpeg.output(small, url, f="rawvideo", **{"fps_mode": "passthrough"}))
    media.run_ffmpeg(arguments(ffmpeg.merge_outputs(*outputs)), what="Comparing frames", timeout_s=300)
    whole, kept = (np.fromfile(work / name, np.uint8).reshape(-1, SMALL[0] * SMALL[1]) for name in ("all", "kept"))
    places = [frame for first, end in made.kept for frame in range(first, end)]
    assert len(whole) == made.frames and len(kept) == len(places)
    return int((whole[places] != kept).any(axis=1).sum())


def damaged(made: Tightening, words: list[Word], levels: NDArray[np.float32], hop_s: float) -> list[str]:
    """Words of the truth of whose sound, where it is not quiet, a cut or its crossfade takes a part."""
    quiet = find_hush(words, levels, hop_s, ()).spans
    found = []
    for removal in made.removed:
        gone = removal.start_s - CROSSFADE_S / 2, removal.end_s + CROSSFADE_S / 2
        for word in words:
            part = max(gone[0], word.start_s), min(gone[1], word.end_s)
            if part[0] < part[1] and word.text not in removal.text.split():
                silent_s = sum(max(0.0, min(b, part[1]) - max(a, part[0])) for a, b in quiet)
                if part[1] - part[0] - silent_s > hop_s:
                    found.append(word.text)
    return found


def measure(cut: Cut, words: list[Word], heard: list[Word], envelope: audio.Envelope, work: Path) -> list[str]:
    """A row of the table for one clip."""
    first = round(cut.start_s / envelope.hop_s)
    levels = envelope.level_dbfs[first : first + round(cut.duration_s / envelope.hop_s)]
    known = {"duration_s": cut.duration_s, "frame_rate": cut.frame_rate, "hop_s": envelope.hop_s}
    made = plan_tightening(heard, level_dbfs=levels, **known)
    loudness.extract_sound(cut, work / "sound.wav")
    tighten_wav(work / "sound.wav", work / "tight.wav", made)
    before, after = (np.array(float_wav.read(work / name)[1][:, 0]) for name in ("sound.wav", "tight.wav"))
    assert len(after) == round(made.kept_frames / made.rate * RATE_HZ)
    hard = np.concatenate(
        [before[round(a / made.rate * RATE_HZ) : round(b / made.rate * RATE_HZ)] for a, b in made.kept]
    )
    pauses = find_hush(words, levels, envelope.hop_s, ()).spans
    usual = steps(before, [t for a, b in pauses for t in np.arange(a + NEAR_S, b - NEAR_S, 2 * NEAR_S)])
    cells = [f"{cut.start_s:.1f}", f"{cut.duration_s:.1f}", f"{len(made.removed)}", f"{made.saved_s:.1f}"]
    cells += [f"{100 * made.saved_s / made.duration_s:.0f} %"]
    if made.removed:
        middle = np.median(usual)
        loudest = [steps(sound, list(made.joins_s)).max() - middle for sound in (after, hard)]
        cells += [f"{value:+.1f}" for value in (loudest[0], np.percentile(usual, 99) - middle, loudest[1])]
    else:
        cells += ["", "", ""]
    lost = damaged(made, words, levels, envelope.hop_s)
    cells += [f"{sync_ms(made, before, after):.1f}", f"{other_frames(cut, made, work)}"]
    return [*cells, f"{len(lost)} {' '.join(lost)}".strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--jitter-s", type=float, default=0.0, help="deviation of the times planned with")
    parser.add_argument("--clip-s", type=float, default=60.0, help="length of the clips")
    given = parser.parse_args()
    info, said = probe(given.recording), spoken(json.loads(given.truth.read_text()))
    rng = np.random.default_rng(SEED)
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        audio.decode(given.recording, info, work / audio.PCM_NAME)
        envelope = audio.measure(work / audio.PCM_NAME)
        for start_s in np.arange(0, info.duration_s - given.clip_s / 2, given.clip_s).tolist():
            cut = plan_cut(given.recording, info, start_s, min(info.duration_s, start_s + given.clip_s))
            words = retime(said, cut.start_s, cut.start_s + cut.duration_s)
            row = measure(cut, words, moved(words, given.jitter_s, rng), envelope, work)
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
