"""What can be done to a night at a moment: processes killed, a server gone, a disk full, a clock that jumps."""

import random
import resource
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from bench.chaos_clock import Clock
from bench.chaos_crew import SERVER, Crew, alive, below, kill, named
from bench.chaos_places import Place

LOOKS_EVERY_S = 0.02
FULL_AT_BYTES = 48 * 1024
JUMPS_S = (-400 * 86_400, -86_400, -3_600, 3_600, 86_400, 400 * 86_400)
OF_A_NIGHT = {"nightly": 8, "ffmpeg": 3, "server": 2, "disk": 2, "clock": 2, "two": 2}
OF_WORKERS = {"flow run": 4, "worker": 4}
OF_A_BUCKET = {"busy": 2, "cut": 2}
ENGINE = "prefect.engine", "flow-run", "prefect.flow_engine"


@dataclass(frozen=True, slots=True)
class Harm:
    """What is done, and when: after so many files came into the store since the nightly began, or after a while."""

    kind: str
    files: int | None
    after_s: float
    size: float
    """0..1: how long, how far, which."""


def drawn(draw: random.Random, kinds: dict[str, int]) -> Harm:
    """The next harm."""
    (kind,) = draw.choices(list(kinds), list(kinds.values()))
    by_files = draw.random() < 0.6
    return Harm(kind, draw.randint(1, 45) if by_files else None, draw.uniform(2, 30), draw.random())


def kinds(place: Place, crew: Crew, clock: Clock) -> dict[str, int]:
    """What can be done here, and how often in proportion."""
    every = OF_A_NIGHT | (OF_WORKERS if crew.engine == "workers" else {}) | (OF_A_BUCKET if place.away else {})
    return {kind: n for kind, n in every.items() if kind != "clock" or clock.can_jump}


class Hand:
    """Does harm to nights."""

    def __init__(self, crew: Crew, place: Place, clock: Clock) -> None:
        self.crew, self.place, self.clock = crew, place, clock

    def wait(self, harm: Harm, night: subprocess.Popen[bytes]) -> bool:
        """Until the moment has come; False if the nightly was over before."""
        began_s, before = time.monotonic(), self.place.changes()
        while night.poll() is None:
            if harm.files is None:
                if time.monotonic() - began_s >= harm.after_s:
                    return True
            elif self.place.changes() - before >= harm.files:
                return True
            time.sleep(LOOKS_EVERY_S)
        return False

    def do(self, harm: Harm, night: subprocess.Popen[bytes]) -> bool:
        """Do it; False if there was nothing to do it to."""
        if harm.kind in ("nightly", "two"):
            return self._kill(lambda: alive(night.pid), harm, night)
        if harm.kind == "ffmpeg":
            return self._kill(lambda: self._all(night, lambda words: "/ffmpeg" in words[0]), harm, night)
        if harm.kind == "flow run":
            return self._kill(lambda: self._all(night, _is_flow_run), harm, night)
        if harm.kind == "worker":
            return self._kill_worker(harm)
        if harm.kind == "server":
            return self._kill_server(harm, night)
        if harm.kind == "disk":
            full = (FULL_AT_BYTES, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
            for process in (*alive(night.pid), *self._all(night, _is_flow_run)):
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, full)
        elif harm.kind == "clock":
            self.clock.jump(JUMPS_S[int(harm.size * len(JUMPS_S))])
        elif self.place.away:
            self.place.away.fault = "busy" if harm.kind == "busy" else "cut"
            threading.Timer(1 + harm.size * 25, self._back).start()
        return night.poll() is None

    def mend(self) -> None:
        """Bring back what is not a process of the nightly's own."""
        self.clock.jump(0)
        self._back()
        if self.crew.engine == "workers":
            self.crew.workers = [worker for worker in self.crew.workers if worker.poll() is None]
            while len(self.crew.workers) < 2:
                self.crew.start_worker()

    def _back(self) -> None:
        if self.place.away:
            self.place.away.fault = ""

    def _kill(self, find: Callable[[], list[psutil.Process]], harm: Harm, night: subprocess.Popen[bytes]) -> bool:
        while night.poll() is None:
            found = find()
            if found:
                kill([found[int(harm.size * len(found))]])
                return True
            time.sleep(LOOKS_EVERY_S)
        return False

    def _all(self, night: subprocess.Popen[bytes], fits: Callable[[list[str]], bool]) -> list[psutil.Process]:
        processes = below(night.pid)
        for worker in self.crew.workers:
            processes += below(worker.pid)
        return named(processes, lambda words: bool(words) and fits(words))

    def _kill_worker(self, harm: Harm) -> bool:
        """The worker; for every second one what it has started as well, as when its machine is switched off."""
        worker = self.crew.workers[int(harm.size * len(self.crew.workers))]
        also = below(worker.pid) if int(harm.size * 100) % 2 else []
        kill([*alive(worker.pid), *also])
        worker.wait()
        return True

    def _kill_server(self, harm: Harm, night: subprocess.Popen[bytes]) -> bool:
        """The nightly's own, or the one that all use, which comes back after a while."""
        if self.crew.server is None:
            return self._kill(lambda: self._all(night, lambda words: SERVER in words), harm, night)
        kill(alive(self.crew.server.pid))
        self.crew.server.wait()
        time.sleep(harm.size * 20)
        self.crew.start_server()
        return True


def _is_flow_run(words: list[str]) -> bool:
    return any(mark in word for word in words for mark in ENGINE)
