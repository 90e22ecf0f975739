"""`winnow doctor`: what this machine has, and what to do about what is missing."""

import argparse
import json
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from core import encoders, tools
from core.errors import MediaError, MissingTool
from core.home import home
from core.machine import cores

if TYPE_CHECKING:
    from models.pretrained import WeightStatus

PACKAGES = (
    "prefect",
    "torch",
    "transformers",
    "faster-whisper",
    "decord",
    "ffmpeg-python",
    "s3fs",
    "pandas",
    "pyarrow",
    "onnxruntime",
    "rapidocr",
    "opencv-python-headless",
)
LOW_DISK_GB = 5.0
Verdict = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `missing` means that the main job cannot run without it."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at everything the main job needs, and at what would make it better."""
    return [*_python(), *_programs(), *_devices(), *_encoders(), *_weights(), _disk()]


def _python() -> list[Finding]:
    findings = [Finding("Python", "ok" if sys.version_info >= (3, 11) else "missing", platform.python_version(),
                        "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer.")]  # fmt: skip
    for package in ("winnow", *PACKAGES):
        try:
            findings.append(Finding(package, "ok", version(package)))
        except PackageNotFoundError:
            findings.append(Finding(package, "missing", "not installed", "Run `make setup`."))
    return findings


def _programs() -> list[Finding]:
    findings = []
    for name in ("ffmpeg", "ffprobe"):
        try:
            tool = tools.find_tool(name)
            findings.append(Finding(name, "ok", f"{tool.version} at {tool.path}"))
        except MissingTool as error:
            findings.append(Finding(name, "missing", "not found", str(error)))
    if findings[0].verdict == "ok":
        lacking = tools.missing_features()
        advice = (
            "Install a full build of ffmpeg, or take it off PATH and run `make setup` for the wheel's."
            if lacking
            else ""
        )
        findings.append(
            Finding("ffmpeg features", "missing" if lacking else "ok", ", ".join(lacking) or "all needed", advice)
        )
    return findings


def _devices() -> list[Finding]:
    findings = [Finding("processors", "ok", f"{cores()} usable")]
    try:
        import torch
    except ImportError as error:
        return [*findings, Finding("GPU", "note", f"torch does not import: {error}", "Run `make setup`.")]
    if torch.cuda.is_available():
        return [*findings, Finding("GPU", "ok", torch.cuda.get_device_name(0))]
    return [*findings, Finding("GPU", "note", "none that torch can use", "Everything runs on the processors.")]


def _encoders() -> list[Finding]:
    """What `--encoder auto` would choose, seen by a trial of each candidate."""
    try:
        chosen = encoders.choose_encoder(encoders.AUTO)
    except (MissingTool, MediaError) as error:
        return [Finding("encoder", "missing", "ffmpeg does not run", str(error))]
    if chosen.name == encoders.X264:
        found = f"auto chooses x264. {chosen.reason}"
        return [Finding("encoder", "note", found, "Clips are encoded on the processors, which always works.")]
    return [Finding("encoder", "ok", f"auto chooses {chosen.name}. {chosen.reason}")]


def _weights() -> list[Finding]:
    from models import faces, pretrained, slides

    known = [(pretrained.check(name), network.required) for name, network in pretrained.KNOWN.items()]
    return [
        _weight(status, required) for status, required in [*known, (faces.check_faces(), True), (slides.check(), True)]
    ]


def _weight(status: "WeightStatus", required: bool) -> Finding:
    holds = status.present and status.hash_ok
    found = f"hashes hold, {status.where}" if holds else "hash differs" if status.present else "not here"
    verdict: Verdict = "ok" if holds else "missing" if status.present or required else "note"
    return Finding(f"weights {status.name}", verdict, found, "" if holds else status.advice)


def _disk() -> Finding:
    folder = home()
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    low = free_gb < LOW_DISK_GB
    return Finding("state and caches", "note" if low else "ok", f"{home()}, {free_gb:.0f} GB free",
                   "Free some space: an hour of recording keeps about 150 MB." if low else "")  # fmt: skip


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def doctor_command(given: argparse.Namespace) -> int:
    """Print what was found. Returns 0 if the main job can run here, else 1."""
    findings = examine()
    if given.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "what", "found", "what to do"):
            table.add_column(heading, overflow="fold")
        marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}
        for finding in findings:
            table.add_row(marks[finding.verdict], finding.what, finding.found, finding.advice)
        Console(width=None if sys.stdout.isatty() else 140).print(table)
    return 1 if any(finding.verdict == "missing" for finding in findings) else 0
