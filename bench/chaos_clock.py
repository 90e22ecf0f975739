"""A clock that jumps while a process runs: a small library, loaded before all others, adds seconds that a file holds.

The file's times of the kernel do not move with it, as on a machine whose own clock is wrong beside a file server.
"""

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *ahead;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file >= 0) {
        void *there = mmap(0, sizeof(long long), PROT_READ, MAP_SHARED, file, 0);
        if (there != MAP_FAILED) ahead = there;
        close(file);
    }
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int code = syscall(SYS_clock_gettime, which, now);
    if (!code && ahead && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
    return code;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    int code = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return code;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}
"""


class Clock:
    """One for all processes that are started with its `env`. It needs Linux and a C compiler; see `can_jump`.

    Args:
        folder: Where library and file lie.
    """

    def __init__(self, folder: Path) -> None:
        self.env: dict[str, str] = {}
        self._file = folder / "clock"
        compiler = shutil.which("cc")
        if compiler is None or not Path("/proc/self/maps").exists():
            return
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(SOURCE)
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source], check=True, timeout=60)
        self.jump(0)
        self.env = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._file)}

    @property
    def can_jump(self) -> bool:
        return bool(self.env)

    def jump(self, ahead_s: int) -> None:
        """From now on the clock is so many seconds ahead of the true time, or behind it."""
        mode = "r+b" if self._file.exists() else "w+b"
        with self._file.open(mode) as file:  # in place: it is mapped into memory
            file.write(struct.pack("q", ahead_s))
