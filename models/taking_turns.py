"""What one thread at a time may do with the transformers library, when several recordings are worked on at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, RLock

_loading, _tokenizing = RLock(), Lock()


@contextmanager
def loading() -> Iterator[None]:
    """Import from transformers, and load with it, inside this block only.

    It makes its names and imports its models when they are first asked for: of two threads one can find a name missing
    that the other is just making.
    """
    with _loading:
        yield


@contextmanager
def tokenizing() -> Iterator[None]:
    """Call a tokenizer inside this block only: it keeps the length at which it cuts from one call to the next."""
    with _tokenizing:
        yield
