"""`winnow forget`: remove everything derived from a recording, and say what was looked through to prove it."""

import argparse
import re

from core.disk_cache import DiskCache
from core.errors import BadSetting
from core.forgetting import forget
from core.home import home

SHA256 = re.compile(r"[0-9a-f]{64}")


def add_forget(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sha256", metavar="SHA256", help="of the recording, as its manifest has it")
    parser.add_argument("--store", required=True, metavar="URI", help="the store that holds its clips")


def forget_command(given: argparse.Namespace) -> int:
    """Forget what the command line names. Returns the exit code: 1 where something is left."""
    if not SHA256.fullmatch(given.sha256):
        raise BadSetting(f"{given.sha256!r} is no SHA-256 of a recording: give the 64 digits that its manifest has.")
    cache = DiskCache(home() / "inbox", max_bytes=0)
    gone = forget(given.sha256, home=home(), store=given.store, caches=[cache])
    print(gone.as_text())
    return 0 if gone.proven else 1
