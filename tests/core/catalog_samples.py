"""Runs and manifests for the tests of catalog, retention and forgetting."""

from datetime import UTC, date, datetime

from core.catalog_rows import Run, Status
from core.manifest import (
    ClipChecks,
    ClipEntry,
    ClipFiles,
    ClipWriting,
    Manifest,
    ModelEntry,
    RecordingFiles,
    RejectedEntry,
    SourceEntry,
    TranscriptEntry,
)
from core.records import RunnerUp, StageTiming
from core.settings import Settings

A, B = "ab" * 32, "cd" * 32
MONDAY = date(2026, 3, 2)


def run(sha256: str | None = A, id: str = "r1", day: date = MONDAY, status: Status = "done", **more) -> Run:
    return Run(
        id=id, day=day, began=datetime(day.year, day.month, day.day, 1, tzinfo=UTC), status=status, name="talk.mp4",
        uri=f"s3://inbox/{(sha256 or 'unread')[:4]}.mp4", seconds=12.5, sha256=sha256,
        **({"manifest": f"s3://store/clips/{day}/{sha256[:2]}/{sha256}/manifest.json"} if sha256 else {}), **more,
    )  # fmt: skip


def clip(number: int, score: float = 0.5, key: str = "k1") -> ClipEntry:
    stem = f"clips/{number:02}-a"
    return ClipEntry(
        rank=number, start_s=100 * number, end_s=100 * number + 30, score=score, text="said",
        title=f"Titel {number} – ü", reasons={"peak": 0.5}, words=[], render_key=key, framing=[], tightening=[],
        intro_s=0.0, captions=None,
        writing=ClipWriting(description="about", tags=["sea", "moon"], writer="offline", note=None),
        checks=ClipChecks(measures={"duration_s": 30.0, "loudness_lufs": -14.0, "true_peak_dbtp": None},
                          warnings=["fast captions"], repairs=[]),
        files=ClipFiles(video=f"{stem}.mp4", poster=f"{stem}.jpg", srt=f"{stem}.srt", vtt=None,
                        formats={"source": {"hd": f"{stem}.mp4"}}),
    )  # fmt: skip


def manifest(sha256: str = A, clips: int = 2, key: str = "k1") -> Manifest:
    source = SourceEntry(name="talk.mp4", sha256=sha256, bytes=1_000, duration_s=600.0, width=1280, height=720,
                         frame_rate="25/1", has_video=True, has_audio=True, title=None)  # fmt: skip
    return Manifest(
        winnow="0.1.0", created="2026-03-02T01:00:12+00:00", source=source, settings=Settings(),
        tools={"ffmpeg": "6.0"}, models={"speech": ModelEntry(name="whisper", version="1", sha256="00")},
        stages=[StageTiming("probe", 0.1, False), StageTiming("render", 9.0, True)],
        clips=[clip(n, 1 - n / 10, key) for n in range(1, clips + 1)],
        rejected=[RejectedEntry(start_s=5, end_s=25, reason="silent")],
        runners_up=[RunnerUp(200, 230, 0.2, 1, 2, "other", "overlaps")], silences=[],
        transcript=TranscriptEntry(source="whisper", language="en", sentences=9, words=90, dropped=[]),
        files=RecordingFiles(report="report.html", reel=None, srt=None, vtt=None), warnings=["noisy"],
    )  # fmt: skip
