"""Labelled lectures made ready for training: tokens and vectors in flat arrays on disk, kept by content."""

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.lecture_input import MAX_TOKENS, Tokens
from models.text import TextEncoder
from training.lectures import LabelledLecture

VERSION = "1"
LECTURES_AT_ONCE = 20
ARRAYS = ("ids", "offsets", "starts", "label", "segment")
MORE = ("ends", "teacher")
"""Arrays that only some corpora have."""
More = dict[str, Sequence[NDArray[np.generic]]]


@dataclass(frozen=True, slots=True)
class PreparedLecture:
    """One lecture of a corpus; arrays have one value a sentence."""

    tokens: Tokens
    label: NDArray[np.int8]
    """1 in the highlight, 0 not, -1 nobody judged it."""
    segment: NDArray[np.int32]
    """Topic segment, -1 unknown."""
    vectors: NDArray[np.float16] | None
    ends: NDArray[np.int8] | None = None
    """1 where a topic ends, 0 where not, where that is another thing than the end of a segment; else None."""
    teacher: NDArray[np.float16] | None = None
    """A teacher's scores in [0, 1], or None."""


class Corpus:
    """Lectures in flat arrays, read from disk as they are asked for."""

    def __init__(self, folder: Path, with_vectors: bool) -> None:
        self.fingerprint = folder.name
        self.arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        self.vectors = np.load(folder / "vectors.npy", mmap_mode="r") if with_vectors else None
        self.more = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in MORE if (folder / f"{name}.npy").exists()
        }

    def __len__(self) -> int:
        return len(self.arrays["starts"]) - 1

    def __getitem__(self, index: int) -> PreparedLecture:
        first, last = self.arrays["starts"][index : index + 2]
        offsets = self.arrays["offsets"][first : last + 1]
        return PreparedLecture(
            tokens=Tokens(self.arrays["ids"][offsets[0] : offsets[-1]].astype(np.int64), np.diff(offsets)),
            label=np.array(self.arrays["label"][first:last]),
            segment=np.array(self.arrays["segment"][first:last]),
            vectors=None if self.vectors is None else np.array(self.vectors[first:last]),
            **{name: np.array(values[first:last]) for name, values in self.more.items()},
        )

    def rarity(self, vocabulary: int) -> NDArray[np.float32]:
        """log((lectures + 1) / (lectures with the token + 1)), [vocabulary], in nats."""
        starts, offsets = self.arrays["starts"], self.arrays["offsets"]
        lecture = np.repeat(np.arange(len(self)), np.diff(offsets[starts]))
        seen = np.unique(lecture * vocabulary + self.arrays["ids"].astype(np.int64)) % vocabulary
        return np.log((len(self) + 1) / (np.bincount(seen, minlength=vocabulary) + 1)).astype(np.float32)


def fingerprint(lectures: Sequence[LabelledLecture]) -> str:
    """What the data is, to the letter: sha256 over every recording, sentence and label."""
    found = hashlib.sha256(VERSION.encode())
    for lecture in lectures:
        found.update(repr((lecture.source, lecture.recording, lecture.sentences)).encode(errors="surrogatepass"))
        found.update(lecture.label.tobytes() + lecture.segment.tobytes())
    return found.hexdigest()


def prepare(
    lectures: Sequence[LabelledLecture],
    encoder: TextEncoder,
    encoder_id: str,
    root: Path,
    *,
    with_vectors: bool,
    more: Callable[[], More] | None = None,
) -> Corpus:
    """The corpus of `lectures`, made once for each content and encoder; embedding goes on where it was stopped.

    Args:
        more: Makes the arrays MORE, one a lecture; asked only where the corpus is not there yet.
        encoder_id: What tells the encoder from others, such as its sha256.
        root: Folder under which corpora are kept.
    """
    kept = [lecture for lecture in lectures if len(lecture.sentences)]
    parts = (fingerprint(kept), encoder_id, *(("more",) if more else ()))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    folder = root / key
    if not (folder / f"{ARRAYS[-1]}.npy").exists():
        _write_arrays(kept, encoder, folder, more() if more else {})
    if with_vectors:
        _write_vectors(kept, encoder, folder)
    return Corpus(folder, with_vectors)


def _write_arrays(lectures: Sequence[LabelledLecture], encoder: TextEncoder, folder: Path, more: More) -> None:
    """All arrays in one move: the folder is there when it is whole."""
    number = np.uint16 if encoder.vocabulary <= 2**16 else np.uint32
    ids: list[NDArray[np.integer]] = []
    lengths: list[NDArray[np.int64]] = []
    for lecture in lectures:
        found = encoder.tokenizer(
            list(lecture.sentences), add_special_tokens=False, truncation=True, max_length=MAX_TOKENS
        )
        tokens = Tokens.of(found["input_ids"])
        ids.append(tokens.ids.astype(number))
        lengths.append(tokens.lengths)
    counts = [len(lecture.sentences) for lecture in lectures]
    values = {
        "ids": np.concatenate([np.zeros(0, number), *ids]),
        "offsets": np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *lengths]))]),
        "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        "label": np.concatenate([np.zeros(0, np.int8), *(lecture.label for lecture in lectures)]),
        "segment": np.concatenate([np.zeros(0, np.int32), *(lecture.segment for lecture in lectures)]),
    }
    values |= {name: np.concatenate(parts) for name, parts in more.items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        aside = Path(beside, folder.name)
        aside.mkdir()
        for name, array in values.items():
            np.save(aside / f"{name}.npy", array)
        try:
            aside.rename(folder)
        except OSError:  # another trainer was first, with the same content
            if not folder.exists():
                raise


def _write_vectors(lectures: Sequence[LabelledLecture], encoder: TextEncoder, folder: Path) -> None:
    """Sentence vectors as 16-bit floats; a `.part` file beside says how many lectures it holds."""
    if (folder / "vectors.npy").exists():
        return
    starts = np.load(folder / "starts.npy")
    from models import text

    part, told = folder / "vectors.part.npy", folder / "vectors.done"
    done = int(told.read_text()) if told.exists() and part.exists() else 0
    shape = (int(starts[-1]), encoder.dimension)
    vectors = np.lib.format.open_memmap(part, mode="r+" if done else "w+", dtype=np.float16, shape=shape)
    begun_s, first = time.monotonic(), done
    while done < len(lectures):
        last = min(done + LECTURES_AT_ONCE, len(lectures))
        sentences = [sentence for lecture in lectures[done:last] for sentence in lecture.sentences]
        vectors[starts[done] : starts[last]] = text.embed(encoder, sentences, batch_size=64)
        vectors.flush()
        done = last
        told.write_text(str(done))
        left_s = (time.monotonic() - begun_s) / (done - first) * (len(lectures) - done)
        print(f"\rembedding: {done} of {len(lectures)} lectures, {left_s:.0f} s left ", end="", file=sys.stderr)
    print(file=sys.stderr)
    part.replace(folder / "vectors.npy")
    told.unlink(missing_ok=True)
