"""The lab of scripts/lab, as tests use it: brought up and down by the script itself, changed through it, and put back
into order between tests."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from paths import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import heartbeats  # noqa: E402

from labkit import files, layout, network, traffic  # noqa: E402
from labkit.control import Control, ControlError  # noqa: E402
from labkit.lab import current, leftovers, set_frozen  # noqa: E402

SCRIPT = str(ROOT / "scripts/lab")
VIP = layout.VIP
URL = f"http://{VIP}/"
SOURCE = layout.CLIENT_SOURCES[0]
HASH_KEY = bytes(range(16))  # what files.balancer_config writes
RING_SIZE = 65537
ENTROPY_BITS = 16  # layout.OUTER_SOURCE is a /16

# `fall` probes must fail, one every interval; what follows takes well under 20 ms.
EXPECTED_OUTAGE_MS = files.PROBE_FALL * files.PROBE_INTERVAL_MS + 20

__all__ = ["EXPECTED_OUTAGE_MS", "HASH_KEY", "RING_SIZE", "SOURCE", "URL", "VIP", "RunningLab", "eventually", "files",
           "lab_is_up", "lab_script", "layout", "running_lab", "traffic"]  # fmt: skip


def lab_script(*arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"scripts/lab {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def eventually(condition, what: str, deadline_s: float = 5.0):
    """Waits until `condition()` is true and returns its value; fails the test otherwise."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        time.sleep(0.01)


def lab_is_up() -> bool:
    return bool(leftovers())


class RunningLab:
    """A lab that is up."""

    def __init__(self):
        self._lab = current()
        self.config = self._lab.config
        self.control = Control(self.config.socket)
        self.backends = self._lab.backends
        eventually(self._is_healthy, "all backends are found healthy")
        self._order = self.assignment()

    def node(self, name: str) -> layout.Node:
        return self._lab.node(name)

    def do(self, *arguments: str) -> str:
        """`do("stop", "hot2")` is `scripts/lab stop hot2`."""
        return lab_script(*arguments).stdout

    def on(self, node: str, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        """Runs a command on a node."""
        return lab_script("exec", node, *command, check=check)

    def ctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        return lab_script("ctl", *arguments, check=check)

    def ctl_json(self, *arguments: str) -> dict:
        return json.loads(self.ctl(*arguments, "--json").stdout)

    def is_running(self, name: str) -> bool:
        return self._lab.process(name).pid() is not None

    def break_now(self, name: str, how: str) -> None:
        """`stop`, `cut` or `freeze` without the time that starting scripts/lab takes."""
        node = self.node(name)
        if how == "cut":
            network.set_link(node, up=False)
        elif how == "freeze":
            set_frozen(self._lab, node, frozen=True, whole_host=False)
        else:
            self._lab.service(name).kill()

    def members(self, name: str) -> list[int]:
        """The processes of `nginx-hot1`, `agent-hot1` and the like."""
        return self._lab.process(name).members()

    def start_process(self, name: str) -> None:
        self._lab.process(name).start()

    def restart_agent(self, name: str) -> None:
        agent = self._lab.process(f"agent-{name}")
        agent.kill()
        agent.start()
        eventually(lambda: not agent.missing(), f"the agent of {name} is ready")

    @staticmethod
    def signal(pid: int, name: str) -> None:
        os.kill(pid, signal.Signals[f"SIG{name}"])

    def reported_load(self, loads: dict[str, int], others: int) -> "heartbeats.Reports":
        """For the length of the block these backends report so many percent of CPU load and the others that, in the place of
        their agents."""
        return heartbeats.Reports(self, {node.name: loads.get(node.name, others) for node in self.backends})

    def record_heartbeats(self, name: str, count: int) -> list[bytes]:
        return heartbeats.record(self.node(name), count)

    def play_heartbeats(self, datagrams: list[bytes], stop) -> None:
        heartbeats.play(datagrams, stop)

    def assignment(self) -> dict:
        """Who holds which seat with how many slots: what a client can notice of the balancer's state."""
        pools = self.control.get("pools")["pools"]
        seats = [(pool["name"], seat) for pool in pools for seat in pool["seats"]]
        return {(pool, seat["owner"]): (seat["holder"], seat["slots"]) for pool, seat in seats}

    def newest_event(self) -> int:
        return max((event["seq"] for event in self.control.events()), default=0)

    def drops(self) -> dict[str, int]:
        return {row["reason"]: row["packets"] for row in self.control.get("drops")["drops"]}

    def restore(self) -> None:
        """Puts every part back as it was when the lab came up: cables, web servers, planes, and who serves."""
        for plane in ("dataplane", "controlplane"):
            if not self.is_running(plane):
                self.do("start", plane)
        for node in self.backends:
            self.do("join", node.name)
            self.do("thaw", node.name, "--host")
            self.do("fail", node.name, "http-500", "off")
            if not self.is_running(f"nginx-{node.name}"):
                self.do("start", node.name)
        disabled = [name for name, state in self.control.states().items() if state == "disabled"]
        if disabled:
            self.control.change(*({"op": "enable", "pool": "web", "backend": name} for name in disabled))
        for (pool, owner), (holder, _) in self._order.items():
            if self.assignment().get((pool, owner), (None,))[0] != holder:
                change = {"op": "failback", "pool": pool, "backend": owner, "whole": True}
                eventually(lambda change=change: self._accepts(change), f"{owner} takes its seat again")
        eventually(lambda: self.assignment() == self._order, "everybody sits where they sat at first")
        eventually(self._is_healthy, f"all backends are healthy again: {self.control.states()}")

    def _is_healthy(self) -> bool:
        return set(self.control.states().values()) <= {"serving", "warm"}

    def _accepts(self, change: dict) -> bool:
        try:
            self.control.change(change)
        except ControlError as error:
            # While its probes have not found it healthy, or when it has its seat already.
            assert error.status == 409, error
            return self.control.seats(change["pool"])[change["backend"]] == change["backend"]
        return True


@contextmanager
def running_lab(*options: str, config: str | None = None, folder: Path | None = None):
    """A lab for the length of the block. Refuses to take a lab somebody is using."""
    arguments = ["up", *options]
    if config is not None:
        path = folder / "warmswap.toml"
        files.write_private(path, config)
        arguments += ["--config", str(path)]
    lab_script(*arguments)
    try:
        yield RunningLab()
    finally:
        lab_script("down")
