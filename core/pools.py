"""Which work pools, queues and concurrency limits Winnow wants on a Prefect server. `winnow setup` makes them.

The control pool holds flows that only start and await others, so that they never occupy a place that what they wait for
needs. The order of the queues is the order in which a worker empties them.

Limits are counted for one machine each, whatever number of worker processes it runs: a second machine brings slots of
its own. A limit with the bare name, for example one licence for all machines, is kept too where somebody made it.
"""

import os
import platform
import re
from dataclasses import dataclass
from typing import Literal

from core.machine import cores

PoolType = Literal["process", "docker", "kubernetes"]
POOL_TYPES: tuple[PoolType, ...] = ("process", "docker", "kubernetes")

URGENT, HIGH, NORMAL, LOW, DEFAULT = "urgent", "high", "normal", "low", "default"
PRIORITIES = (URGENT, HIGH, NORMAL, LOW)
"""What a nightly or a person may ask for, first served first; each is also the name of a queue."""
CONTROL, CPU, GPU = "winnow-control", "winnow-cpu", "winnow-gpu"

INFERENCE = "winnow-inference"
"""Speech recognition and reading of slides: what takes all cores, or the GPU and its memory."""
ENCODING = "winnow-encoding"
"""Rendering of clips."""
THREADS_OF_AN_ENCODER = 2
UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of a pool; the lowest priority is served first, from 1."""

    name: str
    priority: int


@dataclass(frozen=True, slots=True)
class Pool:
    """A work pool and its queues."""

    name: str
    description: str
    queues: tuple[Queue, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `slots` holders of `name` at a time."""

    name: str
    slots: int


_BY_PRIORITY = tuple(Queue(name, place) for place, name in enumerate((*PRIORITIES, DEFAULT), 1))
POOLS = (
    Pool(CONTROL, "Flows that only start and await others; needs little processor time.", (Queue(DEFAULT, 1),)),
    Pool(CPU, "Recordings, on processors. Queues: urgent before high before normal before low.", _BY_PRIORITY),
    Pool(GPU, "Recordings and training, with a GPU. Queues as those of winnow-cpu.", _BY_PRIORITY),
)


def machine_name() -> str:
    """What this machine's limits are called by: WINNOW_MACHINE, else its host name, only letters, digits, . _ and -.

    Containers have a new host name each, so they are told WINNOW_MACHINE.
    """
    told = os.environ.get("WINNOW_MACHINE", "").strip() or platform.node()
    return UNFIT.sub("-", told).strip("-") or "machine"


def limit_names(kind: str, machine: str) -> list[str]:
    """The limits that work of a kind keeps to, as far as they exist: the machine's own, and that for all machines."""
    return [f"{kind}@{machine}", kind]


def limits_of(machine: str) -> tuple[Limit, ...]:
    """The limits of this machine: one recognition, which fills it, and an encoder for every two cores."""
    return (
        Limit(limit_names(INFERENCE, machine)[0], 1),
        Limit(limit_names(ENCODING, machine)[0], max(1, cores() // THREADS_OF_AN_ENCODER)),
    )
