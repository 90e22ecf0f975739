"""What this machine offers to a run."""

import ctypes
import math
import os
import sys
from pathlib import Path


def cores() -> int:
    """Processors this process may use: its affinity, less what a container's quota leaves of them."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota_file = Path("/sys/fs/cgroup/cpu.max")
    if quota_file.is_file():
        quota, _, period = quota_file.read_text().strip().partition(" ")
        if quota != "max":
            allowed = min(allowed, math.ceil(int(quota) / int(period)))
    return max(1, allowed)


def release_memory() -> None:
    """Give memory that is free in this process back to the machine, where the C library keeps it for itself (glibc)."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def has_bfloat16() -> bool:
    """Whether the processor computes with bfloat16 itself: x86 with AVX-512 BF16 or AMX, ARM with BF16 (Linux)."""
    info = Path("/proc/cpuinfo")
    flags = set(info.read_text().split()) if info.is_file() else set()
    return bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
