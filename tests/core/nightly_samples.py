"""A nightly in which everything happened, for several tests."""

from core.nightly_report import NightlyReport, RecordingEnd
from core.records import StageTiming

HOSTILE = "<script>alert(1)</script>|`x`[y](javascript:z)"
STAGES = (StageTiming("transcript", 45.0, False), StageTiming("render", 15.0, False))


def done(name: str = "tides.mp4", *, stages: tuple[StageTiming, ...] = STAGES) -> RecordingEnd:
    return RecordingEnd(
        name=name,
        status="done",
        sha256="ab" * 32,
        manifest="clips/tides/manifest.json",
        seconds=50.0,
        stages=stages,
        bytes=1_000,
        duration_s=500.0,
        clips=4,
        tags=("autumn",),
        priority="high",
    )


def failed(reason: str = "Reading failed.", look: str = "https://prefect.example/runs/1") -> RecordingEnd:
    return RecordingEnd(
        name=f"{HOSTILE}.mp4", status="failed", reason=reason, error="MediaError", stage="audio", look=look, seconds=10
    )


def night(*ends: RecordingEnd, price_per_hour: float | None = 3.6) -> NightlyReport:
    return NightlyReport(
        run_id="amber-otter",
        began="2026-11-21T23:30:00+00:00",
        seconds=70.0,
        inbox="s3://lectures/inbox",
        look="https://prefect.example/runs/0",
        price_per_hour=price_per_hour,
        recordings=ends,
    )


def whole_night() -> NightlyReport:
    """One of each kind."""
    return night(
        RecordingEnd(name="short.mp4", status="rejected", reason="short.mp4 is shorter than one clip", seconds=0.5),
        done(),
        RecordingEnd(name="busy.mp4", status="skipped", reason="Another nightly is at it."),
        failed(),
    )
