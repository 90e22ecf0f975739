"""What is true of this machine at this moment, as gauges: what is at work, what waits, how much disk is left."""

import shutil
from pathlib import Path

from core.markers import marks
from core.metrics import Readings, gauge, merged


def live(home: Path) -> Readings:
    """Gauges from the marks that running work leaves, also zeros; of the disk only where the home folder is there."""
    found = marks(home)
    nightlies = [mark for mark in found if mark.kind == "nightly"]
    gauges = [
        gauge("winnow_recordings_at_work", sum(mark.kind == "recording" for mark in found)),
        gauge("winnow_recordings_waiting", sum(mark.waiting for mark in nightlies)),
        gauge("winnow_nightlies_at_work", len(nightlies)),
    ]
    if home.is_dir():
        gauges.append(gauge("winnow_disk_free_bytes", shutil.disk_usage(home).free))
    return merged(*gauges)
