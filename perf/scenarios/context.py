"""What a scenario is given: where things are, how long it may take, on which processors."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from .noise import Watch
from .resources import Child, ResourceError, in_namespace

REPO = Path(__file__).resolve().parents[2]


@dataclass
class Context:
    build: Path
    output: Path
    quick: bool
    worker_cpu: int  # where what is measured runs, alone if the machine allows
    other_cpu: int  # everything else of the run
    hugepages_mib: int = 0
    _started: float = field(default_factory=time.monotonic)

    @property
    def logs(self) -> Path:
        return self.output / "log"

    def progress(self, text: str) -> None:
        print(f"  {time.monotonic() - self._started:6.1f} s  {text}", file=sys.stderr, flush=True)

    def watch(self) -> Watch:
        return Watch(self.worker_cpu)

    def program(self, name: str) -> Path:
        """A program of the build, such as `perf/micro/swap_bench`."""
        path = self.build / name
        if not path.exists():
            raise ResourceError(f"{path} is not there: build it with ninja -C {self.build} {name}")
        return path

    def run(self, name: str, *arguments: str, deadline_s: float, cpus: set[int] | None = None, network: str = "") -> str:
        """Runs a program of the build, by default on the worker's processor and in this host's network, and returns what
        it printed."""
        program = self.program(name)
        pinned = sorted(cpus or {self.worker_cpu})
        command = in_namespace(network, "taskset", "-c", ",".join(map(str, pinned)), str(program), *arguments)
        with Child(program.name, command, self.logs / f"{program.name}.log", stdout=subprocess.PIPE) as child:
            try:
                said, _ = child.process.communicate(timeout=deadline_s)
            except subprocess.TimeoutExpired:
                raise ResourceError(f"{program.name} did not end within {deadline_s:g} s") from None
            if child.process.returncode != 0:
                raise ResourceError(f"{program.name} ended with status {child.process.returncode}:\n{child.last_words()}")
            return said.decode()

    def run_json(self, name: str, *arguments: str, **how) -> dict:
        """The same of a program that prints JSON."""
        return json.loads(self.run(name, *arguments, **how))


def processors() -> tuple[int, int]:
    """(the worker's, the other): the last two this process may use. Processor 0 has the machine's interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise ResourceError(f"{len(allowed)} processor may be used; expected at least 2, one of them for the worker alone")
    return allowed[-1], allowed[0]
