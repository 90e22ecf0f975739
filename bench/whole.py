"""Run `winnow highlight` as a user does and measure it: wall time, CPU seconds and peak memory of all its processes.

    python bench/whole.py RECORDING [--again] [-- OPTIONS OF highlight]

Memory is the sum of the proportional set sizes (PSS: shared pages are counted once) of the command and everything
it started, sampled every 0.25 s; the sum of the resident sizes, which counts shared pages again and again, is given
too. Uses an empty home folder, so nothing comes from a cache; `--again` adds a second run on the same home folder.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SAMPLE_S = 0.25
MB = 1e6


def tree_memory(root: psutil.Process) -> tuple[float, float]:
    """(PSS, RSS) in bytes of a process and all below it."""
    pss = rss = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            rss += process.memory_info().rss
            pss += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return pss, rss


def run(command: list[str], env: dict[str, str]) -> tuple[dict[str, float], list[str]]:
    """Run a command to its end. Returns what was measured and the lines that it printed."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    root = psutil.Process(process.pid)
    peak_pss = peak_rss = 0.0
    while process.poll() is None:
        try:
            pss, rss = tree_memory(root)
        except psutil.NoSuchProcess:
            break
        peak_pss, peak_rss = max(peak_pss, pss), max(peak_rss, rss)
        time.sleep(SAMPLE_S)
    output = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited {process.returncode}")
    measured = {"wall_s": time.monotonic() - began, "peak_pss_mb": peak_pss / MB, "peak_rss_mb": peak_rss / MB}
    return {name: round(value, 1) for name, value in measured.items()}, output.splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--keep", type=Path, help="leave home and results in this folder")
    given, options = parser.parse_known_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="winnow-bench-"))
    env = {**dict(psutil.Process().environ()), "WINNOW_HOME": str(folder / "home")}
    winnow = [str(Path(sys.executable).with_name("winnow")), "highlight", "--json", "--out", str(folder / "out")]
    options = [o for o in options if o != "--"]
    try:
        for name in ("first run", "second run") if given.again else ("first run",):
            before = psutil.cpu_times()
            measured, lines = run([*winnow, *options, str(given.recording)], env)
            after = psutil.cpu_times()
            manifest = json.loads(Path(json.loads(lines[0])["manifest"]).read_text())
            duration_s = manifest["source"]["duration_s"]
            stages = {s["name"]: "cached" if s["cached"] else s["seconds"] for s in manifest["stages"]}
            used = (after.user + after.system) - (before.user + before.system)
            print(json.dumps({"run": name, "recording_s": duration_s, **measured, "machine_cpu_s": round(used, 1),
                              "real_time_factor": round(duration_s / measured["wall_s"], 1), "stage_wall_s": stages,
                              "clips": len(manifest["clips"])}, indent=1))  # fmt: skip
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
