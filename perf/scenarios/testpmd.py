"""dpdk-testpmd, driven through its prompt: the yardstick for forwarding on the same device and processor."""

import os
import re
import select
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .resources import Child, ResourceError

PROMPT = b"testpmd> "
_COUNTER = re.compile(r"\b([RT]X-packets|RX-missed|RX-nombuf|[RT]X-errors):\s*(\d+)")


@dataclass(frozen=True)
class PortStats:
    received: int
    sent: int
    lost: int  # missed, no buffer, errors


def parse_port_stats(text: str) -> PortStats:
    """Of the answer to `show port stats 0`."""
    counters = {name: int(value) for name, value in _COUNTER.findall(text)}
    missing = {"RX-packets", "TX-packets", "RX-missed", "RX-nombuf", "RX-errors", "TX-errors"} - set(counters)
    if missing:
        raise ResourceError(f"testpmd's port statistics lack {', '.join(sorted(missing))}: {text.strip()[:200]!r}")
    lost = sum(counters[name] for name in ("RX-missed", "RX-nombuf", "RX-errors", "TX-errors"))
    return PortStats(counters["RX-packets"], counters["TX-packets"], lost)


@dataclass(frozen=True)
class Memory:
    """What a DPDK process runs on; the same for all sides of a comparison."""

    hugepages: bool
    mib: int

    def eal_arguments(self) -> list[str]:
        return ["-m", str(self.mib), "--in-memory" if self.hugepages else "--no-huge"]


class Testpmd:
    """Forwards only between start() and stop(); in between its lcore waits without using the processor."""

    def __init__(self, device: str, memory: Memory, buffers: int, worker_cpu: int, other_cpu: int, log: Path):
        # Line-buffered: it answers with printf(), which otherwise stays in the pipe's buffer behind the prompt.
        command = ["stdbuf", "-oL", "dpdk-testpmd", "--lcores", f"0@{other_cpu},1@{worker_cpu}", "--main-lcore", "0",
                   *memory.eal_arguments(), "--no-pci", "--no-telemetry", "--file-prefix", f"wsbench-{os.getpid()}",
                   "--vdev", device, "--", "-i", "--nb-cores=1", f"--total-num-mbufs={buffers}", "--burst=32",
                   "--rxd=1024", "--txd=1024"]  # fmt: skip
        self.child = Child("dpdk-testpmd", command, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._read_to_prompt()

    def __enter__(self) -> "Testpmd":
        return self

    def __exit__(self, *_) -> None:
        self.child.end()

    def start(self, mode: str) -> None:
        if f"Set {mode} packet forwarding mode" not in (answer := self._say(f"set fwd {mode}")):
            raise ResourceError(f"testpmd did not take forwarding mode {mode}: {answer.strip()[:200]!r}")
        self._say("start")

    def stop(self) -> None:
        self._say("stop")

    def stats(self) -> PortStats:
        return parse_port_stats(self._say("show port stats 0"))

    def _say(self, command: str) -> str:
        self.child.process.stdin.write(command.encode() + b"\n")
        self.child.process.stdin.flush()
        return self._read_to_prompt()

    def _read_to_prompt(self, deadline_s: float = 30.0) -> str:
        deadline = time.monotonic() + deadline_s
        out = self.child.process.stdout
        said = b""
        while not said.endswith(PROMPT):
            self.child.must_run()
            ready, _, _ = select.select([out], [], [], 0.2)
            if ready:
                chunk = os.read(out.fileno(), 65536)
                if not chunk:
                    time.sleep(0.05)
                said += chunk
            if time.monotonic() > deadline:
                raise ResourceError(f"no prompt of testpmd in {deadline_s:g} s; it said {said[-400:].decode(errors='replace')}")
        return said.decode(errors="replace")
