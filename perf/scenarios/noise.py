"""Whether the machine let a measurement be one: time stolen by the hypervisor, what else ran, how far apart repetitions
came out."""

from dataclasses import asdict, dataclass
from pathlib import Path

from .spread import Spread

# Beyond these a figure is shown, but is no result. Pairs measured next to each other and rates per processor second
# leave a ratio of two programs usable on a shared machine; these say when not even that helps.
MOST_STEAL = 0.10
MOST_SPREAD = 0.10  # MAD / median


@dataclass(frozen=True)
class Ticks:
    """What /proc/stat (proc(5)) says of one processor, in ticks since boot."""

    steal: int
    idle: int  # with iowait
    all: int


def parse_ticks(text: str) -> dict[int, Ticks]:
    ticks = {}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if not name.startswith("cpu") or name == "cpu":
            continue
        # user nice system idle iowait irq softirq steal; guest time is part of user time.
        fields = [int(field) for field in rest.split()[:8]]
        ticks[int(name[3:])] = Ticks(steal=fields[7], idle=fields[3] + fields[4], all=sum(fields))
    return ticks


@dataclass(frozen=True)
class Use:
    """Shares of the time that passed, 0 … 1."""

    steal: float = 0.0
    busy: float = 0.0


def use_between(before: Ticks, after: Ticks) -> Use:
    passed = after.all - before.all
    if passed <= 0:
        return Use()
    steal = max(0, after.steal - before.steal) / passed
    idle = max(0, after.idle - before.idle) / passed
    return Use(steal, max(0.0, 1.0 - idle - steal))


class Watch:
    """Watches the measured processor and the busiest of the others for the length of a with block."""

    def __init__(self, worker_cpu: int):
        self._cpu = worker_cpu
        self.worker = Use()
        self.others = Use()

    def __enter__(self) -> "Watch":
        self._before = parse_ticks(Path("/proc/stat").read_text(encoding="ascii"))
        return self

    def __exit__(self, *_) -> None:
        after = parse_ticks(Path("/proc/stat").read_text(encoding="ascii"))
        uses = {cpu: use_between(ticks, after[cpu]) for cpu, ticks in self._before.items() if cpu in after}
        self.worker = uses.pop(self._cpu, Use())
        self.others = max(uses.values(), key=lambda use: use.busy, default=Use())

    def as_json(self) -> dict:
        return {"worker_cpu": asdict(self.worker), "busiest_other_cpu": asdict(self.others)}


def why_noisy(spread: Spread | None, steal: float, most_spread: float = MOST_SPREAD) -> str:
    """A few words when a figure with this spread, measured under this much steal, is no result; else empty."""
    if steal > MOST_STEAL:
        return f"{steal:.0%} of the processor's time was stolen"
    if spread is not None and spread.relative > most_spread:
        return f"spread {spread.relative:.0%}"
    return ""
