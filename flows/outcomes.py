"""How each recording of a run ended, and what that means for the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["done", "rejected", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one recording: `manifest` where it is done, else the reason."""

    name: str
    status: Status
    manifest: str | None = None
    reason: str | None = None
    clips: int = 0
    seconds: float = 0.0


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0: all is done; 1: something failed; 2: a recording was refused. A skipped file was not asked for by name."""
    statuses = {outcome.status for outcome in outcomes}
    if "failed" in statuses:
        return 1
    return 2 if "rejected" in statuses or "done" not in statuses else 0


def as_table(outcomes: Sequence[Outcome]) -> list[dict[str, str | int | float]]:
    """Rows for a table artifact."""
    return [
        {"recording": o.name, "outcome": o.status, "clips": o.clips, "seconds": round(o.seconds, 1),
         "manifest or reason": o.manifest or o.reason or ""}
        for o in outcomes
    ]  # fmt: skip
