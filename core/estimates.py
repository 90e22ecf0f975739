"""How long a run will still take: from what stages took before on this machine, and from how far they are now."""

import json
from collections.abc import Mapping
from pathlib import Path

from core.files import write_atomically
from core.records import StageTiming

RATES_NAME = "rates.json"
STAGES = (
    "admit",
    "probe",
    "audio",
    "silences",
    "frames",
    "layout",
    "slides",
    "transcript",
    "merge",
    "score",
    "relevance",
    "select",
    "write",
    "follow",
    "render",
    "reel",
    "publish",
)
"""In the order in which people should read them."""
WHERE_ASKED = ("relevance", "follow")
"""Stages that most runs do without: shown once they begin, and too short to be estimated."""
FIRST_RATES = {
    "admit": 0.001, "probe": 0.0001, "audio": 0.004, "silences": 0.0002, "frames": 0.006, "layout": 0.003,
    "slides": 0.006, "transcript": 0.045,
    "merge": 0.0005, "score": 0.004, "select": 0.0005, "write": 0.0005, "render": 0.035,
    "reel": 0.001, "publish": 0.0005,
}  # fmt: skip
"""Seconds of work a second of recording before anything was measured here: orders of magnitude from two slow cores."""
LATEST_WEIGHT = 0.5


def load_rates(folder: Path) -> dict[str, float]:
    """Seconds of work a second of recording for each stage, as last measured on this machine."""
    try:
        found = json.loads((folder / RATES_NAME).read_text())
    except (FileNotFoundError, ValueError):
        return dict(FIRST_RATES)
    return FIRST_RATES | {stage: float(rate) for stage, rate in found.items() if stage in FIRST_RATES}


def learn_rates(folder: Path, timings: list[StageTiming], duration_s: float) -> None:
    """Let what this run measured weigh half in the rates kept for the next."""
    rates = load_rates(folder)
    for timing in timings:
        if not timing.cached and timing.name in rates and duration_s > 0:
            latest = timing.seconds / duration_s
            rates[timing.name] += LATEST_WEIGHT * (latest - rates[timing.name])
    write_atomically(folder / RATES_NAME, json.dumps(rates, indent=1))


def remaining_s(
    rates: Mapping[str, float], duration_s: float, done: Mapping[str, float], running_s: Mapping[str, float]
) -> float:
    """Seconds still to go, stages taken one after the other (some overlap, so it errs on the long side).

    Args:
        done: Share of each stage that is done, 0..1; a stage that is not in it has not begun.
        running_s: For how long each running stage has been running.
    """
    total = 0.0
    for stage, rate in rates.items():
        share = done.get(stage, 0.0)
        expected = rate * duration_s
        if stage in running_s and share > 0.1:  # by now its own pace says more than the past
            expected = running_s[stage] / share
        total += (1 - share) * expected
    return total
