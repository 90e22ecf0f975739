"""Each recording ends once in a store, whoever works on it: two nightlies at once, or one that was killed and the next.

    ends/<first 2>/<sha256>.claim.json   whose clips they will be: written before anything is published, never changed
    ends/<first 2>/<sha256>.end.json     it has ended: written when clips and rows of the catalog stand

Whoever brings a recording to its end first asks for the claim. The one that stands names the run and the day under
which clips and rows go, also for somebody who merely ends what another began; so both write the same names, and
nothing stands twice.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import fsspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from core import once
from core.errors import StoreError
from core.patience import opened

FOLDER = "ends"
Kept = TypeVar("Kept", "Claim", "End")


class Claim(BaseModel):
    """The run under which a recording's clips and rows go."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    began: Annotated[AwareDatetime, Field(description="When that run began: its day is where the clips lie.")]


class End(BaseModel):
    """How a recording ended, for good."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    status: Literal["done", "rejected"]
    manifest: str | None = None


def claim(store: str | Path, sha256: str, run_id: str, began: datetime) -> Claim:
    """The claim that stands: this run's if it is the first to ask.

    Raises StoreError if the store cannot be written, or holds something else in that place.
    """
    fs, place = _place(store, sha256)
    path, wanted = f"{place}.claim.json", Claim(run_id=run_id, began=began)
    while True:
        if once.create(fs, path, wanted.model_dump_json().encode()):
            return wanted
        standing = once.read(fs, path)
        if standing is not None:  # else it was taken back meanwhile
            return _parsed(Claim, standing, path)


def conclude(store: str | Path, sha256: str, end: End) -> bool:
    """Note that a recording has ended; False where that was noted already."""
    fs, place = _place(store, sha256)
    return once.create(fs, f"{place}.end.json", end.model_dump_json().encode())


def concluded(store: str | Path, sha256: str) -> End | None:
    """How the recording ended; None while it has not."""
    fs, place = _place(store, sha256)
    content = once.read(fs, f"{place}.end.json")
    return None if content is None else _parsed(End, content, place)


def reopen(store: str | Path, sha256: str) -> int:
    """Remove claim and end, so that the recording may be taken again. Returns how many files that were."""
    fs, place = _place(store, sha256)
    return sum(once.remove(fs, f"{place}.{name}.json") for name in ("end", "claim"))


def _place(store: str | Path, sha256: str) -> tuple[fsspec.AbstractFileSystem, str]:
    fs, root = opened(store)
    return fs, f"{root}/{FOLDER}/{sha256[:2]}/{sha256}"


def _parsed(kind: type[Kept], content: bytes, path: str) -> Kept:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise StoreError(f"Reading {path}: it is not what Winnow writes there; remove it, and try again.") from error
