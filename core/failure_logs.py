"""What a failure looked like, kept in the store where the operator finds it in the morning."""

import os
import traceback
from datetime import UTC, datetime

from core import once
from core.masking import Mask
from core.patience import opened

FOLDER = "failures"


def keep(store_uri: str, *, day: datetime, run_id: str, key: str, error: BaseException, about: dict[str, str]) -> str:
    """Keep an error's traceback with what is known about its recording, secrets masked; return where it lies.

    Raises StoreError if the store cannot be written.
    """
    fs, root = opened(store_uri)
    name = f"{FOLDER}/{day.astimezone(UTC):%Y-%m-%d}/{run_id}-{key}.txt"
    lines = [f"{what}: {value}" for what, value in about.items() if value]
    lines += [f"machine: {os.uname().nodename}", f"at: {datetime.now(UTC).isoformat(timespec='seconds')}", ""]
    text = Mask().text("\n".join(lines) + "\n" + "".join(traceback.format_exception(error)))
    once.create(fs, f"{root}/{name}", text.encode("utf-8", "backslashreplace"))
    return f"{store_uri.rstrip('/')}/{name}"
