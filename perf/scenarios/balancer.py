"""The two real processes in a private network namespace, with a virtual device as their wire.

    net_pcap0 ──► warmswap-dataplane ──► net_pcap0      the wire: frames from memory, and what becomes of them
                        │
                       lb0                              the tap: the kernel's routes and neighbours of the wire
                        │
                warmswap-controlplane                   no probes: backends are up unless an operator says otherwise
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labkit.control import Control

from . import frames
from .resources import Child, ResourceError, call, in_namespace, namespace
from .testpmd import Memory

_NETWORK = "10.200.0"  # of the backends; nothing else lives in the namespace


@dataclass(frozen=True)
class Shape:
    device: str
    hot: int = 100
    warm: int = 0
    descriptors: int = 1024
    driver_arguments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Counters:
    """What the only worker has counted since it started."""

    received: int
    forwarded: int
    passed: int


def address(backend: int) -> str:
    return f"{_NETWORK}.{backend + 10}"


def backend_name(backend: int) -> str:
    return f"b{backend:03}"


def configuration(shape: Shape, instance: str, run_dir: Path, memory: Memory, worker_cpu: int) -> str:
    backends = "".join(
        f'[[pool.backend]]\nname = "{backend_name(index)}"\naddress = "{address(index)}"\n'
        + ('role = "warm"\n' if index >= shape.hot else "")
        for index in range(shape.hot + shape.warm)
    )
    return f"""
[instance]
name = "{instance}"
hash_key = "000102030405060708090a0b0c0d0e0f"
run_dir = "{run_dir}"
[dataplane]
cores = [{worker_cpu}]
idle = "poll"
hugepages = "{"required" if memory.hugepages else "off"}"
memory_mb = {memory.mib}
[dataplane.limits]
workers = 1
vips = 64
backends = 1024
arena_mb = 32
[[dataplane.port]]
name = "wire"
driver = "vdev"
device = "{shape.device}"
interface = "lb0"
receive_descriptors = {shape.descriptors}
transmit_descriptors = {shape.descriptors}
[controlplane]
listen = ""
log_level = "warn"
[[pool]]
name = "web"
mode = "hot-warm"
[pool.probe]
kind = "none"
{backends}
[[vip]]
name = "http"
address = "{frames.VIP}"
port = {frames.PORT}
pool = "web"
"""


def _add_next_hops(space: str, backends: int) -> None:
    """Permanent neighbours: nobody answers ARP behind the wire."""
    lines = [f"address add {_NETWORK}.1/24 dev lb0", "link set lb0 up"]
    for index in range(backends):
        mac = f"02:00:00:00:01:{index:02x}"
        lines.append(f"neighbour replace {address(index)} lladdr {mac} dev lb0 nud permanent")
    call("ip", "-n", space, "-batch", "-", text_in="\n".join(lines) + "\n")


class Balancer:
    def __init__(self, dataplane: Child, control: Control):
        self.dataplane, self.control = dataplane, control

    def counters(self) -> Counters:
        worker = self.control.get("status")["dataplane"]["workers"][0]
        return Counters(worker["received_packets"], worker["forwarded_packets"], worker["passed_packets"])

    def drops(self) -> dict[str, int]:
        return {row["reason"]: row["packets"] for row in self.control.get("drops")["drops"] if row["packets"]}


@contextlib.contextmanager
def balancer(shape: Shape, build: Path, memory: Memory, worker_cpu: int, other_cpu: int, logs: Path) -> Iterator[Balancer]:
    """Forwarding when it is entered; processes, namespace and segment are gone when it is left."""
    backends = shape.hot + shape.warm
    if backends > 240:
        raise ResourceError(f"{backends} backends asked for; their network has room for 240")
    instance = f"wsbench{os.getpid()}"
    with contextlib.ExitStack() as stack:
        run_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wsbench-")))
        space = stack.enter_context(namespace("balancer"))
        stack.callback(_remove_segment, instance)
        config = run_dir / "warmswap.toml"
        config.touch(mode=0o600)  # it holds the hash key
        config.write_text(configuration(shape, instance, run_dir, memory, worker_cpu), encoding="utf-8")

        def program(name: str) -> Child:
            pinned = ["taskset", "-c", str(other_cpu)] if name == "controlplane" else []
            command = [*pinned, str(build / f"warmswap-{name}"), "--config", str(config)]
            child = Child(f"warmswap-{name}", in_namespace(space, *command), logs / f"{name}.log")
            return stack.enter_context(child)

        dataplane = program("dataplane")
        dataplane.wait_for("ready:", 60)
        _add_next_hops(space, backends)
        program("controlplane").wait_for("ready:")
        yield Balancer(dataplane, Control(run_dir / f"{instance}.sock"))


def _remove_segment(instance: str) -> None:
    for directory in (Path("/dev/shm"), Path("/dev/hugepages")):
        (directory / f"warmswap-{instance}").unlink(missing_ok=True)
