"""What retention speaks of: one thing that goes as a whole."""

from dataclasses import dataclass
from typing import Literal

DAY_S = 86_400.0
RENDERINGS = frozenset({"render", "reel"})
"""Stages whose entries hold video."""
Kind = Literal["intermediates", "renderings", "caches", "clips", "leftovers", "failures", "catalog"]
Place = Literal["home", "store"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that goes as a whole, or stays."""

    kind: Kind
    place: Place
    path: str
    """Relative to the home folder or the store: a folder, or a file."""
    files: int
    bytes: int
    modified_s: float
    """When the newest of its files was written, in seconds since 1970."""
    why: str
    sha256: str = ""
    """The recording it belongs to, where it belongs to one."""
    key: str = ""
    """The entry's key, where it is one."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Something that stays although it is old enough, and why."""

    item: Item
    why: str


def older(modified_s: float, days: float | None, now_s: float) -> bool:
    """True if something is kept for so many days and that is over."""
    return days is not None and now_s - modified_s > days * DAY_S
