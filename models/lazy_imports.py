"""One thread at a time through the door of the transformers library.

It makes its names and imports its models when they are first asked for. Two threads that ask at once, as when several
recordings are worked on, can find a name missing that the other is just making.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_door = RLock()


@contextmanager
def loading() -> Iterator[None]:
    """Import from transformers, and load with it, inside this block only."""
    with _door:
        yield
