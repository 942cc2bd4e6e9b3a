"""probes: what 10 000 targets at one probe a second cost the control plane, by perf/micro/prober_cost.

    prober ── veth ── syn_answer.bpf.o      answers every SYN in a thread of the kernel's, as another host's would
"""

import contextlib
import json
from collections.abc import Iterator

from . import document
from .context import Context
from .noise import why_noisy
from .resources import call, in_namespace, namespace
from .row import Row
from .spread import from_json, spread_of

PROGRAM = "perf/micro/prober_cost"
ANSWERS = "perf/micro/syn_answer.bpf.o"
TARGETS = [PROGRAM, ANSWERS]
COUNT = 10_000
SECONDS, QUICK_SECONDS = 15, 6
FIRST, NETWORK, PORT = "10.64.0.1", "10.64.0.0/10", 80
NEAR, FAR = "10.63.0.1/24", "10.63.0.2"


@contextlib.contextmanager
def answering_hosts(context: Context) -> Iterator[str]:
    """The namespace from which every address of NETWORK answers."""
    with namespace("near") as near, namespace("far") as far:
        call("ip", "-n", near, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", far)
        # Both ends have a NAPI of their own, and the far one a thread, so that its work is not done in the prober's time.
        for name, end in ((near, "near"), (far, "far")):
            call("ip", "-n", name, "link", "set", end, "up")
            call(*in_namespace(name, "ethtool", "-K", end, "gro", "on"))
        call(*in_namespace(far, "sh", "-c", "echo 1 > /sys/class/net/far/threaded"))
        call("ip", "-n", far, "link", "set", "dev", "far", "xdpgeneric", "obj", str(context.program(ANSWERS)), "sec", "xdp")
        mac = json.loads(call("ip", "-n", far, "-json", "link", "show", "far"))[0]["address"]
        call("ip", "-n", near, "address", "add", NEAR, "dev", "near")
        call("ip", "-n", near, "neighbour", "add", FAR, "lladdr", mac, "dev", "near", "nud", "permanent")
        call("ip", "-n", near, "route", "add", NETWORK, "via", FAR)
        yield near


def run(context: Context) -> dict:
    seconds = QUICK_SECONDS if context.quick else SECONDS
    with answering_hosts(context) as near, context.watch() as watch:
        found = context.run_json(PROGRAM, str(COUNT), str(seconds), FIRST, str(PORT), deadline_s=120 + 4 * seconds,
                                 network=near)  # fmt: skip
    return summary(found, watch.as_json())


def summary(found: dict, noise: dict) -> dict:
    kinds = {one["kind"]: one | {"core": spread_of(one["core"]).as_json()} for one in found["probes"]}
    tcp, half_open = (found["probes"][place]["core"] for place in (0, 1))
    ratio = spread_of([one / spread_of(tcp).median for one in half_open])
    steal = noise["worker_cpu"]["steal"]
    noisy = why_noisy(spread_of(tcp), steal) or why_noisy(spread_of(half_open), steal)
    return {"kinds": kinds, "half_open_ratio_to_tcp": ratio.as_json(), "heartbeats": found["heartbeats"], "noise": noise,
            "noisy": noisy}  # fmt: skip


def rows(result: dict) -> list[Row]:
    noisy = result["noisy"]
    lines = []
    for kind, one in result["kinds"].items():
        core = from_json(one["core"])
        what = f"probes, {one['targets']} {kind} targets at 1 s"
        lines.append(Row(f"{what}: of a core", 100 * core.median, "%", core.scaled(100), f"probes.percent_of_a_core.{kind}", noisy))
        lines.append(Row(f"{what}: not good", one["not_good"], "", key=f"probes.not_good.{kind}"))
    ratio = from_json(result["half_open_ratio_to_tcp"])
    lines.append(Row("probes: tcp_half_open, ratio to tcp", ratio.median, "", ratio, "probes.half_open_ratio_to_tcp", noisy))
    beats = result["heartbeats"]
    lines.append(Row("probes: a heartbeat, socket to tracker", beats["us"], "µs"))
    return lines


def section(result: dict) -> dict:
    lines = [[kind, one["targets"], one["per_s"], 100 * from_json(one["core"]).median, one["not_good"]]
             for kind, one in result["kinds"].items()]  # fmt: skip
    prose = [
        "Processor time of the thread that probes, system calls included. The targets answer from behind a veth pair, in a "
        "thread of the kernel's, as hosts of their own would; what a probe finds goes through the failover engine as in the "
        "control plane.",
    ]
    return document.section("Probing", prose, noisy=result["noisy"],
                            tables=[document.table(["", "targets", "probes a second", "of a core, %", "not good"], lines)])  # fmt: skip
