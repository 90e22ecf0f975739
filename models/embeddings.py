"""Sentence vectors kept on disk by content: the same sentences are embedded once on a machine."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core.files import write_atomically
from core.home import home
from models import encoders, text
from models.encoders import Tuned

MOST_BYTES = 2_000_000_000
"""The oldest are removed beyond this: some thousand hours of talk."""


def vectors_of(
    name: str,
    texts: Sequence[str],
    threads: int,
    dtype: text.DType = "fastest",
    on_progress: Callable[[float], None] | None = None,
    tuned: Tuned | None = None,
) -> np.ndarray:
    """Vectors of `texts` by the encoder `name` as `text.embed` gives them, rounded to 16-bit floats.

    Kept under WINNOW_HOME/embeddings by the sentences, the hash of the encoder (or of what fine-tuning made of it) and
    the numbers it computes with.
    """
    base = encoders.resolve(name)
    identity = f"{(tuned or base).sha256[:16]}-{text.numbers(dtype)}"
    digest = hashlib.sha256(json.dumps([identity, *texts]).encode()).hexdigest()
    path = home() / "embeddings" / identity / f"{digest}.npy"
    found = _read(path, len(texts))
    if found is None:
        encoder = text.load(base.folder, threads, dtype, tuned.data if tuned else None)
        found = text.embed(encoder, texts, on_progress=on_progress).astype(np.float16)
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent.parent, found.nbytes)
        write_atomically(path, _bytes(found))
    return found.astype(np.float32)


def _read(path: Path, count: int) -> np.ndarray | None:
    """What is kept, or None where nothing is or it cannot be read: it is then made anew."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.ndim == 2 and len(found) == count else None


def _bytes(values: np.ndarray) -> bytes:
    import io

    target = io.BytesIO()
    np.save(target, values)
    return target.getvalue()


def _make_room(folder: Path, needed: int) -> None:
    kept = sorted(((path.stat().st_mtime, path.stat().st_size, path) for path in folder.rglob("*.npy")), reverse=True)
    total = needed
    for _, size, path in kept:
        total += size
        if total > MOST_BYTES:
            path.unlink(missing_ok=True)
