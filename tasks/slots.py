"""A slot of this machine's concurrency limits, across all processes that work for one Prefect server.

Tags of tasks would not do: Prefect takes a tag's slot before it looks into the cache, so that a result that is there
already would wait for the work of others. A stage takes its slot inside, when it really has to work.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

import httpx
from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound

from core.pools import limit_names, machine_name

LEASE_S = 60.0
"""How long a slot stays taken after its holder was killed; the shortest that the server grants."""
LOOK_EVERY_S = 60.0
"""A limit that is made while runs go on is heeded after this time at the latest."""

log = logging.getLogger(__name__)
_looking = Lock()
_looked: dict[str, tuple[float, bool]] = {}
"""When a limit was last looked for, and whether it was there."""


@contextmanager
def slot(kind: str) -> Iterator[None]:
    """Hold a slot of the kind during the block, waiting until there is one; no wait where nobody made such a limit.

    A server that cannot be asked holds nothing up: that is logged, and the work goes on.
    """
    with ExitStack() as held:
        try:
            # Asking for a slot is a transaction, which an embedded server's SQLite answers late while it is written.
            names = [name for name in limit_names(kind, machine_name()) if _exists(name)]
            if names:
                taken = concurrency(names, lease_duration=LEASE_S, strict=True, raise_on_lease_renewal_failure=False)
                held.enter_context(taken)
        except (httpx.HTTPError, ConcurrencySlotAcquisitionError) as error:
            log.warning("No slot of %s could be had: %s. Going on without.", kind, error)
        yield


def _exists(name: str) -> bool:
    with _looking:
        when_s, there = _looked.get(name, (-LOOK_EVERY_S, False))
        if not there and time.monotonic() - when_s >= LOOK_EVERY_S:
            with get_client(sync_client=True) as client:
                try:
                    client.read_global_concurrency_limit_by_name(name)
                    there = True
                except ObjectNotFound:
                    there = False
            _looked[name] = time.monotonic(), there
        return there
