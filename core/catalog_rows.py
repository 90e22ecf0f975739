"""What one recording's run adds to the catalog, as rows of its tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from core.identity import key_of
from core.manifest import ClipEntry, Manifest

Rows = dict[str, list[dict[str, Any]]]
Status = Literal["done", "rejected", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Run:
    """How one recording's turn in a run ended.

    `id` names the attempt: another attempt that should stand in the catalog beside the first has another id.
    """

    id: str
    day: date
    """Day of the run in UTC: one and the same for all attempts to write it, also past midnight."""
    began: datetime
    """With its time zone."""
    status: Status
    name: str
    uri: str
    seconds: float
    sha256: str | None = None
    bytes: int | None = None
    reason: str | None = None
    error: str | None = None
    stage: str | None = None
    log: str | None = None
    manifest: str | None = None
    priority: str = "normal"
    tags: tuple[str, ...] = ()
    machine: str | None = None

    def __post_init__(self) -> None:
        if self.began.tzinfo is None:
            raise ValueError("began needs a time zone")
        if not self.id or not (self.sha256 or self.uri):
            raise ValueError("a run needs an id, and a recording to be known by")

    @property
    def entry(self) -> str:
        """Key of recording and run: the same content in the same run is one entry, whatever it is called.

        A failure is an entry beside the end that the recording comes to later, maybe in the name of the same run.
        """
        who = self.sha256 or ["uri", without_secrets(self.uri)]
        return key_of("catalog", who, self.id, *(["failed"] if self.status == "failed" else []))


def without_secrets(uri: str) -> str:
    """The URI without user, password, query and fragment, where credentials and signatures travel."""
    parts = urlsplit(uri)
    if not parts.scheme or not parts.netloc:
        return uri
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def rows_of(manifest: Manifest | None, run: Run, sizes: Mapping[str, int] | None = None) -> Rows:
    """Rows of every table, by the table's name; tables to which the run adds nothing have none.

    Args:
        manifest: What was published; None where the recording is not done.
        sizes: Bytes of the published files by their names in the manifest, as far as they are known.
    """
    same = {"entry": run.entry, "sha256": run.sha256, "run_id": run.id, "name": run.name}
    rows: Rows = {"videos": [], "highlights": [], "clips": [], "failures": [], "runs": []}
    if manifest:
        if run.sha256 != manifest.source.sha256:
            raise ValueError(f"the manifest is of {manifest.source.sha256}, the run of {run.sha256}")
        rows["videos"] = [same | _video(manifest, run)]
        rows["highlights"] = [same | row for row in _highlights(manifest)]
        folder = without_secrets(run.manifest).rpartition("/")[0] if run.manifest else None
        for number, clip in enumerate(manifest.clips, 1):
            row = _clip(clip, sizes or {}) | {"clip": number, "folder": folder, "template": manifest.template}
            rows["clips"].append(same | row)
    if run.status == "failed":
        rows["failures"] = [same | _failure(run)]
    rows["runs"] = [same | _run(manifest, run)]
    return rows


def _video(manifest: Manifest, run: Run) -> dict[str, Any]:
    said = manifest.transcript
    about_words = {
        "transcript_source": said.source,
        "language": said.language,
        "sentences": said.sentences,
        "words": said.words,
    } if said else {}  # fmt: skip
    return {**manifest.source.model_dump(), "name": run.name, "uri": without_secrets(run.uri), **about_words}


def _highlights(manifest: Manifest) -> list[dict[str, Any]]:
    clips = [
        {"kind": "clip", "rank": clip.rank, "start_s": clip.start_s, "end_s": clip.end_s, "score": clip.score,
         "title": clip.title, "text": clip.text, "reasons": json.dumps(clip.reasons, ensure_ascii=False)}
        for clip in manifest.clips
    ]  # fmt: skip
    rejected = [{"kind": "rejected", **moment.model_dump()} for moment in manifest.rejected]
    others = [
        {"kind": "runner_up", "start_s": other.start_s, "end_s": other.end_s, "score": other.score,
         "text": other.text, "reason": other.lost}
        for other in manifest.runners_up
    ]  # fmt: skip
    return [*clips, *rejected, *others]


def _clip(clip: ClipEntry, sizes: Mapping[str, int]) -> dict[str, Any]:
    names = sorted(clip.files.all)
    known = [sizes[name] for name in names if name in sizes]
    return {
        "rank": clip.rank,
        "score": clip.score,
        "title": clip.title,
        "description": clip.writing.description,
        "tags": clip.writing.tags,
        "writer": clip.writing.writer,
        "start_s": clip.start_s,
        "end_s": clip.end_s,
        "duration_s": _measure(clip, "duration_s"),
        "removed_s": sum(gone.saved_s for gone in clip.tightening if gone.removed),
        "loudness_lufs": _measure(clip, "loudness_lufs"),
        "true_peak_dbtp": _measure(clip, "true_peak_dbtp"),
        "video": clip.files.video,
        "poster": clip.files.poster,
        "srt": clip.files.srt,
        "vtt": clip.files.vtt,
        "sizes": [
            {"format": format, "rendition": rendition, "file": file, "bytes": sizes.get(file)}
            for format, renditions in clip.files.formats.items()
            for rendition, file in renditions.items()
        ],
        "files": [{"name": name, "bytes": sizes.get(name)} for name in names],
        "bytes": sum(known) if len(known) == len(names) else None,
        "warnings": clip.checks.warnings,
        "repairs": clip.checks.repairs,
        "render_key": clip.render_key,
    }


def _measure(clip: ClipEntry, name: str) -> float | None:
    value = clip.checks.measures.get(name)
    return float(value) if isinstance(value, int | float) else None


def _failure(run: Run) -> dict[str, Any]:
    return {
        "uri": without_secrets(run.uri),
        "at": run.began + timedelta(seconds=run.seconds),
        "reason": run.reason,
        "error": run.error,
        "stage": run.stage,
        "log": without_secrets(run.log) if run.log else None,
        "seconds": run.seconds,
    }


def _run(manifest: Manifest | None, run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {
        "uri": without_secrets(run.uri),
        "status": run.status,
        "reason": run.reason,
        "began": run.began,
        "seconds": run.seconds,
        "clips": len(manifest.clips) if manifest else 0,
        "manifest": without_secrets(run.manifest) if run.manifest else None,
        "priority": run.priority,
        "tags": list(run.tags),
        "machine": run.machine,
    }
    if manifest:
        row |= {
            "duration_s": manifest.source.duration_s,
            "stages": [{"name": s.name, "seconds": s.seconds, "cached": s.cached} for s in manifest.stages],
            "models": [{"role": role, **model.model_dump()} for role, model in sorted(manifest.models.items())],
            "tools": [{"name": name, "version": version} for name, version in sorted(manifest.tools.items())],
            "settings": manifest.settings.model_dump_json(),
            "warnings": manifest.warnings,
            "winnow": manifest.winnow,
        }
    return row
