"""The end of a nightly as data: how each recording ended, what its stages took and cost, and what that adds up to."""

import json
import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.manifest import Manifest
from core.masking import Mask
from core.records import StageTiming

Status = Literal["done", "rejected", "failed", "skipped"]
Priority = Literal["low", "normal", "high", "urgent"]
STATUSES: tuple[Status, ...] = ("failed", "rejected", "done", "skipped")
"""In the order in which people should read them."""
REPORT_VERSION = 1


class Entry(BaseModel):
    """A piece of the report: frozen. A reader passes over fields of a later version."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class RecordingEnd(Entry):
    """How one recording of a nightly ended."""

    name: str
    status: Status
    uri: str = ""
    sha256: Annotated[str | None, Field(description="None where the bytes were not read to their end.")] = None
    reason: Annotated[str | None, Field(description="Why it was rejected or skipped, or what failed.")] = None
    error: Annotated[str | None, Field(description="Type of the error, such as MediaError.")] = None
    stage: Annotated[str | None, Field(description="Stage that failed, where it is known.")] = None
    look: Annotated[str | None, Field(description="Where to look: a log, a run's page, a command.")] = None
    manifest: str | None = None
    seconds: Annotated[float, Field(ge=0, description="From its start to its end, waiting for a turn left out.")] = 0.0
    stages: tuple[StageTiming, ...] = ()
    bytes: Annotated[int, Field(ge=0)] = 0
    duration_s: Annotated[float | None, Field(description="Length of the recording.")] = None
    clips: Annotated[int, Field(ge=0)] = 0
    tags: tuple[str, ...] = ()
    priority: Priority = "normal"

    @property
    def worked_s(self) -> float:
        """Seconds that stages took in this run. They overlap, so it may be more than `seconds`."""
        return sum(stage.seconds for stage in self.stages if not stage.cached)

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work a second of recording: below 1 is faster than real time. None where nothing was computed."""
        if self.status != "done" or not self.duration_s or all(stage.cached for stage in self.stages):
            return None
        factor = self.seconds / self.duration_s
        return factor if math.isfinite(factor) else None


class StageTotal(Entry):
    """What one stage took over all recordings."""

    name: str
    seconds: Annotated[float, Field(description="Computed in this run.")]
    computed: int
    cached: int
    share: Annotated[float, Field(description="Of the seconds of all stages, 0..1.")]
    cost: float | None


class Totals(Entry):
    """A nightly in numbers."""

    recordings: int
    counts: dict[Status, int]
    clips: int
    bytes: Annotated[int, Field(description="Of the recordings that were done.")]
    recorded_s: Annotated[float, Field(description="Length of the recordings that were done.")]
    seconds: Annotated[float, Field(description="Sum over recordings: worker time, not the clock's.")]
    cost: float | None
    failed_share: Annotated[float, Field(description="Failed of those tried (done or failed), 0..1.")]


class NightlyReport(Entry):
    """One nightly, ended. `price_per_hour` is what an hour of one worker costs, where the operator named it."""

    version: int = REPORT_VERSION
    run_id: str
    began: Annotated[str, Field(description="ISO 8601, UTC.")]
    seconds: Annotated[float, Field(ge=0, description="By the clock, from the start to this report.")]
    inbox: str = ""
    store: str = ""
    look: Annotated[str | None, Field(description="The run's page or log.")] = None
    price_per_hour: Annotated[float | None, Field(ge=0)] = None
    currency: str = "USD"
    recordings: tuple[RecordingEnd, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ordered(self) -> list[RecordingEnd]:
        """What needs a person first: failed, rejected, done, skipped; then urgent ones, then by name."""
        ranks = ("urgent", "high", "normal", "low")
        return sorted(self.recordings, key=lambda r: (STATUSES.index(r.status), ranks.index(r.priority), r.name))

    def of(self, status: Status) -> list[RecordingEnd]:
        return [recording for recording in self.ordered if recording.status == status]

    def cost(self, seconds: float) -> float | None:
        """What so many seconds of one worker cost; None where no price is known."""
        return None if self.price_per_hour is None else seconds * self.price_per_hour / 3_600

    def stage_cost(self, recording: RecordingEnd, stage: StageTiming) -> float | None:
        """What a stage of a recording cost: its share of the recording's cost by seconds, since stages overlap."""
        cost, worked_s = self.cost(recording.seconds), recording.worked_s
        if cost is None or stage.cached or not worked_s:
            return None if cost is None else 0.0
        return cost * (stage.seconds / worked_s)

    @property
    def totals(self) -> Totals:
        counts: dict[Status, int] = {status: len(self.of(status)) for status in STATUSES}
        seconds = sum(recording.seconds for recording in self.recordings)
        return Totals(
            recordings=len(self.recordings),
            counts=counts,
            clips=sum(recording.clips for recording in self.recordings),
            bytes=sum(recording.bytes for recording in self.of("done")),
            recorded_s=sum(recording.duration_s or 0.0 for recording in self.of("done")),
            seconds=seconds,
            cost=self.cost(seconds),
            failed_share=failed_share(self.recordings),
        )

    @property
    def stages(self) -> list[StageTotal]:
        """Each stage over all recordings, in the order in which they first ran."""
        runs: dict[str, list[tuple[StageTiming, float | None]]] = {}
        for recording in self.recordings:
            for timing in recording.stages:
                runs.setdefault(timing.name, []).append((timing, self.stage_cost(recording, timing)))
        everything = sum(recording.worked_s for recording in self.recordings)
        totals = []
        for name, found in runs.items():
            computed = [timing.seconds for timing, _ in found if not timing.cached]
            totals.append(
                StageTotal(
                    name=name,
                    seconds=sum(computed),
                    computed=len(computed),
                    cached=len(found) - len(computed),
                    share=sum(computed) / everything if everything else 0.0,
                    cost=None if self.price_per_hour is None else sum(cost or 0.0 for _, cost in found),
                )
            )
        return totals


def failed_share(recordings: Sequence[RecordingEnd]) -> float:
    """Failed recordings of those that were tried: refused and skipped ones say nothing about the system. 0 for none."""
    tried = [recording for recording in recordings if recording.status in ("done", "failed")]
    return sum(recording.status == "failed" for recording in tried) / len(tried) if tried else 0.0


def failed_by_share(report: NightlyReport, most: float) -> bool:
    """Whether the nightly as a whole failed: more than the share `most` (0..1) of its recordings did.

    With `most` 0 a single failure is too many, with 1 none are.
    """
    if not 0 <= most <= 1:
        raise ValueError(f"the share of failures that is let pass must be in 0..1, got {most}")
    return failed_share(report.recordings) > most


def done(
    manifest: Manifest,
    *,
    seconds: float,
    where: str,
    uri: str = "",
    tags: Sequence[str] = (),
    priority: Priority = "normal",
) -> RecordingEnd:
    """The end of a recording whose manifest was published as `where`."""
    return RecordingEnd(
        name=manifest.source.name,
        status="done",
        uri=uri,
        sha256=manifest.source.sha256,
        manifest=where,
        seconds=seconds,
        stages=tuple(manifest.stages),
        bytes=manifest.source.bytes,
        duration_s=manifest.source.duration_s,
        clips=len(manifest.clips),
        tags=tuple(tags),
        priority=priority,
    )


def masked(report: NightlyReport) -> NightlyReport:
    """The report with secrets masked in all its texts: error messages of other programs may hold some."""
    return NightlyReport.model_validate(Mask().value(report.model_dump(mode="json")))


def to_json(report: NightlyReport) -> str:
    """The report with its totals, which readers need not compute. Secrets are masked."""
    sums = {"totals": report.totals.model_dump(), "stages": [stage.model_dump() for stage in report.stages]}
    return json.dumps({**masked(report).model_dump(mode="json"), **sums}, indent=1, allow_nan=False)
