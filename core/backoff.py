"""How long to wait before asking again: exponential backoff with full jitter.

Full jitter draws each wait evenly between nothing and a bound that doubles, so that many machines that were turned
away together do not come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often to try, and how the bound of the wait grows: base_s, 2 base_s, 4 base_s, … at most cap_s."""

    attempts: int = 7
    base_s: float = 0.25
    cap_s: float = 20.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base_s < 0 or self.cap_s < 0:
            raise ValueError(f"at least one attempt, and waits that are not negative: {self}")


def delays_s(backoff: Backoff, draw: random.Random) -> Iterator[float]:
    """The waits between the attempts: one fewer than there are attempts."""
    for turn in range(backoff.attempts - 1):
        yield draw.uniform(0.0, min(backoff.cap_s, backoff.base_s * 2.0 ** min(turn, 60)))


def retry(
    call: Callable[[], Answer],
    passing: Callable[[Exception], bool],
    *,
    backoff: Backoff,
    draw: random.Random | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """What `call` returns; asked again while it fails with an error that is `passing`.

    Raises what the last attempt raised.
    """
    waits = delays_s(backoff, draw or random.Random())
    while True:
        try:
            return call()
        except Exception as error:
            wait_s = next(waits, None) if passing(error) else None
            if wait_s is None:
                raise
            logger.warning("tried again", extra={"error": type(error).__name__, "wait_s": round(wait_s, 2)})
        sleep(wait_s)
