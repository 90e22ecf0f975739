"""Memory of a nightly over many recordings: `python -m bench.memory --recordings 500`.

Makes tiny recordings of different content (2 to 12 s, some without picture, captions beside all of them) and has one
nightly take them. Every two seconds it adds up the proportional set sizes (PSS: shared pages are counted once) of the
nightly and of all that it started. Prints one JSON object: the peak, and how memory went over the recordings, as the
slope of a line through the lower envelope: the least of each tenth of the recordings, of which the first, when models
are loaded, is left out.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.chaos_checks import ended
from bench.chaos_crew import SERVER, Crew
from bench.chaos_places import SAID
from core import media

SAMPLE_S = 2.0
MB = 1e6
PARTS = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """Memory at a moment, in bytes, and how many recordings had ended."""

    ended: int
    nightly: int
    server: int
    others: int

    @property
    def all(self) -> int:
        return self.nightly + self.server + self.others


def recordings(folder: Path, count: int, with_picture: float, draw: random.Random) -> None:
    """So many recordings of noise and moving bars, no two alike."""
    for number in range(count):
        seconds = draw.uniform(2, 12)
        sound = f"sine=frequency={200 + number}:duration={seconds:.2f},volume=0.3"
        picture = f"testsrc2=size=320x180:rate=12.5:duration={seconds:.2f}"
        has_picture = draw.random() < with_picture
        path = folder / f"{number:04}.{'mp4' if has_picture else 'm4a'}"
        inputs = [*(["-f", "lavfi", "-i", picture] if has_picture else []), "-f", "lavfi", "-i", sound]
        codecs = [*(["-c:v", "libx264", "-preset", "ultrafast"] if has_picture else []), "-c:a", "aac", "-shortest"]
        about = ["-metadata", f"comment={number}"]
        media.run_ffmpeg([*inputs, *codecs, *about, media.file_url(path)], what="Making a recording", timeout_s=60)
        path.with_suffix(".vtt").write_text(SAID)


def measure(night: subprocess.Popen[bytes], store: str) -> list[Reading]:
    """Readings until the nightly is over."""
    readings = []
    while night.poll() is None:
        pss = {"nightly": 0, "server": 0, "others": 0}
        try:
            for process in [root := psutil.Process(night.pid), *root.children(recursive=True)]:
                try:
                    who = "nightly" if process.pid == night.pid else "others"
                    who = "server" if SERVER in process.cmdline() else who
                    pss[who] += process.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
        except psutil.NoSuchProcess:
            break
        readings.append(Reading(len(ended(store)), **pss))
        time.sleep(SAMPLE_S)
    return readings


def slope(readings: list[Reading], of: str) -> float:
    """Bytes a recording: a line by least squares through the least reading of each part but the first."""
    most = max(each.ended for each in readings)
    least: dict[int, tuple[int, int]] = {}
    for each in readings:
        part, bytes = each.ended * PARTS // (most + 1), getattr(each, of)
        if part and bytes and bytes < least.get(part, (0, sys.maxsize))[1]:
            least[part] = each.ended, bytes
    points = list(least.values())
    if len(points) < 2:
        return float("nan")
    middle_x, middle_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / sum((x - middle_x) ** 2 for x, _ in points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=500)
    parser.add_argument("--with-picture", type=float, default=0.3, help="share of them, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readings", type=Path, help="write all readings into this file, a JSON object a line")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="winnow-memory-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        inbox, store = folder / "inbox", folder / "store"
        inbox.mkdir()
        store.mkdir()
        recordings(inbox, given.recordings, given.with_picture, random.Random(given.seed))
        began_s, crew = time.monotonic(), Crew(folder, {}, "threads")
        night = crew.night(str(inbox), str(store))
        readings = measure(night, str(store))
        took_s = time.monotonic() - began_s
    if given.readings:
        given.readings.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in readings))
    told = {
        "recordings": given.recordings,
        "code": night.returncode,
        "seconds": round(took_s, 1),
        "peak_mb": round(max(each.all for each in readings) / MB),
        "peak_nightly_mb": round(max(each.nightly for each in readings) / MB),
        "peak_server_mb": round(max(each.server for each in readings) / MB),
        "slope_kb_a_recording": round(slope(readings, "all") / 1e3, 1),
        "slope_nightly_kb_a_recording": round(slope(readings, "nightly") / 1e3, 1),
        "slope_server_kb_a_recording": round(slope(readings, "server") / 1e3, 1),
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
