"""What a thing is, independent of where it lies: content hashes and the keys of stored results."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

HASH_BLOCK_BYTES = 8 * 1024**2
KEY_LENGTH = 20


def sha256_of(path: Path, *, on_progress: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file's bytes, read in blocks. `on_progress` is told the bytes read so far."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            if on_progress:
                on_progress(done)
    return digest.hexdigest()


def key_of(*parts: Any) -> str:
    """A short key that is equal exactly when `parts` are: the same in every process and on every machine.

    Record fields marked `identity: False` (where a file lies, what it is called) do not count.
    Raises TypeError for a value whose identity is not known to be stable, such as a set or a tensor.
    """
    text = json.dumps(_canonical(parts), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return ["float", value.hex()]
    if isinstance(value, BaseModel):
        return [type(value).__name__, {name: _canonical(getattr(value, name)) for name in type(value).model_fields}]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        counted = [f.name for f in dataclasses.fields(value) if f.metadata.get("identity", True)]
        return [type(value).__name__, {name: _canonical(getattr(value, name)) for name in counted}]
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    raise TypeError(f"A result cannot be keyed by a {type(value).__name__}: {value!r:.80}")
