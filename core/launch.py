"""Start a program so that it cannot outlive us or take all memory: `launch.py PARENT_PID MEMORY_BYTES PROGRAM ARG…`.

Run as a script by a bare interpreter (`python -I -S`), because code run between fork and exec in a program with
threads can deadlock. On Linux the kernel then kills the program when the process that started it dies, even by
SIGKILL; elsewhere `core.media` ends it on every orderly exit.
"""

import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def main(argv: list[str]) -> None:
    parent_pid, memory_bytes, program = int(argv[1]), int(argv[2]), argv[3]
    if memory_bytes:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before the kernel was told to watch it
        sys.exit(1)
    os.execv(program, argv[3:])


if __name__ == "__main__":
    main(sys.argv)
