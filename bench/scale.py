"""What a night of many hours needs, from the costs of one: `python -m bench.scale [--hours 10000]`.

Prints the tables of docs/scale.md. Each constant below can be replaced by one that was measured, or is paid, elsewhere.
"""

import argparse
from dataclasses import dataclass, replace
from math import ceil


@dataclass(frozen=True, slots=True)
class Unit:
    """What one recording of an hour costs. Measured ones name their command in docs/benchmarks.md."""

    cpu_s: float = 397.0
    """452 for 4,095 s."""
    speech_share: float = 0.52
    """Of the processor seconds: speech recognition."""
    peak_gb: float = 1.49
    cores_at_once: float = 2.0
    """On which one recording runs at 14 times real time."""
    home_gb: float = 0.115
    """Intermediates on the worker's disk; almost all of it decoded sound."""
    clips_s: float = 328.0
    """Eight clips of 373 s together from 4,095 s."""
    prefect_requests: float = 181.0
    database_kb: float = 934.0
    bucket_puts: float = 29.0
    """Writes and listings."""
    bucket_gets: float = 17.0
    plan_s_a_object: float = 41.0 / 100_000
    objects_a_listing: float = 1_000.0


@dataclass(frozen=True, slots=True)
class Assumed:
    """What was not measured: the night, the recordings, and list prices, in dollars, round, of autumn 2026."""

    night_h: float = 8.0
    busy: float = 0.7
    """Share of a machine's processor time that goes into work: the rest is waiting, starting, and the last hour."""
    cores: int = 16
    """Of a machine."""
    gb_an_hour: float = 0.7
    """Of an arriving recording: 720p at 1.5 Mbit/s."""
    clip_mbit_s: float = 2.0
    """Of a clip, with the same again in the reel."""
    gpu_hours_a_gpu_hour: float = 150.0
    """Hours of speech that a GPU recognises in an hour. Not measured here: no GPU was at hand."""
    core_hour: float = 0.04
    gpu_hour: float = 0.80
    database_hour: float = 0.25
    gb_month: float = 0.023
    thousand_puts: float = 0.005
    thousand_gets: float = 0.0004
    gb_egress: float = 0.09
    """Where the bucket is in another place than the workers; 0 where it is in the same region."""


@dataclass(frozen=True, slots=True)
class Night:
    """The needs of a night of so many recordings of an hour."""

    hours: int
    unit: Unit = Unit()
    assumed: Assumed = Assumed()

    @property
    def core_hours(self) -> float:
        return self.hours * self.unit.cpu_s / 3_600

    @property
    def cores(self) -> float:
        return self.core_hours / self.assumed.night_h / self.assumed.busy

    @property
    def machines(self) -> int:
        return ceil(self.cores / self.assumed.cores)

    @property
    def at_once(self) -> float:
        return self.machines * self.assumed.cores / self.unit.cores_at_once

    @property
    def gpus(self) -> int:
        return ceil(self.hours / self.assumed.gpu_hours_a_gpu_hour / self.assumed.night_h / self.assumed.busy)

    @property
    def cores_beside_gpus(self) -> float:
        return self.cores * (1 - self.unit.speech_share)

    @property
    def arriving_gb(self) -> float:
        return self.hours * self.assumed.gb_an_hour

    @property
    def made_gb(self) -> float:
        return self.hours * self.unit.clips_s * 2 * self.assumed.clip_mbit_s / 8 / 1_000

    def a_second(self, each: float) -> float:
        """What comes in each second of the night, where a recording brings `each`."""
        return self.hours * each / (self.assumed.night_h * 3_600)


def needs(night: Night) -> list[tuple[str, str, str]]:
    """What it takes: name, arithmetic, figure."""
    unit, assumed = night.unit, night.assumed
    hours = f"{night.hours:,}"
    length_s = assumed.night_h * 3_600
    return [
        ("processor hours", f"{hours} × {unit.cpu_s:g} s ÷ 3,600", f"{night.core_hours:,.0f}"),
        ("cores", f"÷ {assumed.night_h:g} h ÷ {assumed.busy:g} busy", f"{night.cores:,.0f}"),
        ("machines", f"of {assumed.cores} cores", f"{night.machines:,}"),
        ("recordings at once", f"{unit.cores_at_once:g} cores each", f"{night.at_once:,.0f}"),
        ("memory of a machine", f"{assumed.cores / unit.cores_at_once:g} × {unit.peak_gb:g} GB",
         f"{assumed.cores / unit.cores_at_once * unit.peak_gb:.0f} GB"),
        ("disk of a machine for a night", f"{hours} × {unit.home_gb:g} GB ÷ {night.machines}",
         f"{night.hours * unit.home_gb / night.machines:,.0f} GB"),
        ("arriving", f"{hours} × {assumed.gb_an_hour:g} GB", f"{night.arriving_gb / 1_000:,.1f} TB"),
        ("network, all machines", f"÷ {length_s:,.0f} s",
         f"{night.arriving_gb * 8 / length_s:.1f} Gbit/s"),
        ("made", f"{hours} × {unit.clips_s:g} s × 2 × {assumed.clip_mbit_s:g} Mbit/s",
         f"{night.made_gb / 1_000:,.1f} TB"),
        ("requests to the bucket, writes and listings", f"{hours} × {unit.bucket_puts:g}",
         f"{night.hours * unit.bucket_puts:,.0f}; {night.a_second(unit.bucket_puts):.0f} a second"),
        ("requests to the bucket, reads", f"{hours} × {unit.bucket_gets:g}",
         f"{night.hours * unit.bucket_gets:,.0f}; {night.a_second(unit.bucket_gets):.0f} a second"),
        ("requests to the Prefect server", f"{hours} × {unit.prefect_requests:g}",
         f"{night.hours * unit.prefect_requests:,.0f}; {night.a_second(unit.prefect_requests):.0f} a second"),
        ("database, a night", f"{hours} × {unit.database_kb:g} kB",
         f"{night.hours * unit.database_kb / 1e6:,.1f} GB"),
        ("planning with a year's recordings in the inbox", f"365 × {hours} × {unit.plan_s_a_object * 1e3:.2f} ms",
         f"{365 * night.hours * unit.plan_s_a_object / 60:,.0f} min, "
         f"{365 * night.hours / unit.objects_a_listing:,.0f} requests"),
    ]  # fmt: skip


def money(night: Night) -> list[tuple[str, str, float]]:
    """What a night costs in dollars: name, arithmetic, figure."""
    unit, assumed = night.unit, night.assumed
    paid = night.core_hours / assumed.busy
    puts, gets = night.hours * unit.bucket_puts / 1_000, night.hours * unit.bucket_gets / 1_000
    return [
        ("processors", f"{paid:,.0f} core hours × {assumed.core_hour:g}", paid * assumed.core_hour),
        ("database and Prefect server", f"24 h × {assumed.database_hour:g} × 2", 48 * assumed.database_hour),
        ("requests to the bucket", f"{puts:,.0f} k × {assumed.thousand_puts:g} + {gets:,.0f} k × "
         f"{assumed.thousand_gets:g}", puts * assumed.thousand_puts + gets * assumed.thousand_gets),
        ("keeping what was made for a month", f"{night.made_gb:,.0f} GB × {assumed.gb_month:g}",
         night.made_gb * assumed.gb_month),
        ("keeping the recordings for a month", f"{night.arriving_gb:,.0f} GB × {assumed.gb_month:g}",
         night.arriving_gb * assumed.gb_month),
    ]  # fmt: skip


def with_gpus(night: Night) -> list[tuple[str, str, float]]:
    """Speech recognition on processors against on GPUs, in dollars a night."""
    assumed = night.assumed
    speech = night.core_hours * night.unit.speech_share / assumed.busy
    gpu = night.hours / assumed.gpu_hours_a_gpu_hour / assumed.busy
    return [
        ("on processors", f"{speech:,.0f} core hours × {assumed.core_hour:g}", speech * assumed.core_hour),
        (f"on {night.gpus} GPUs", f"{gpu:,.0f} GPU hours × {assumed.gpu_hour:g}", gpu * assumed.gpu_hour),
    ]


def tables(night: Night) -> str:
    """As they stand in docs/scale.md."""
    bills = money(night)
    total = sum(cost for _, _, cost in bills)
    away = night.arriving_gb * night.assumed.gb_egress
    lines = [f"| a night of {night.hours:,} hours | | |", "| --- | --- | --- |"]
    lines += [f"| {name} | {how} | **{what}** |" for name, how, what in needs(night)]
    lines += ["", "| money | dollars | a night |", "| --- | --- | --- |"]
    lines += [f"| {name} | {how} | {cost:,.0f} |" for name, how, cost in bills]
    lines += [f"| all | | **{total:,.0f}**, {total / night.hours * 100:.1f} cents an hour of lecture |"]
    lines += [f"| if the bucket is elsewhere: egress | {night.arriving_gb:,.0f} GB × {night.assumed.gb_egress:g} | "
              f"{away:,.0f} more |"]  # fmt: skip
    lines += ["", "| speech recognition | dollars | a night |", "| --- | --- | --- |"]
    lines += [f"| {name} | {how} | {cost:,.0f} |" for name, how, cost in with_gpus(night)]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=10_000)
    parser.add_argument("--night-h", type=float, default=Assumed().night_h)
    given = parser.parse_args()
    print(tables(Night(given.hours, assumed=replace(Assumed(), night_h=given.night_h))))


if __name__ == "__main__":
    main()
