"""failover: from the signal to the last packet that still goes to the dead backend.

The switch is watched on the packets themselves: frames come from memory as fast as the worker takes them, everything it
sends is captured, and backends are failed over one after the other by command. How long a dead backend takes to be
noticed is measured in the lab (scripts/lab), whose probes meet real web servers that are really killed."""

import calendar
import time
from dataclasses import asdict
from pathlib import Path

from labkit import lab
from labkit.control import Control

from . import document, frames
from .balancer import Balancer, Shape, backend_name, balancer
from .capture import Capture, Switch
from .context import Context
from .forward import must_forward
from .resources import ResourceError
from .row import Row
from .spread import from_json, spread_of
from .testpmd import Memory

TARGETS = ["warmswap-dataplane", "warmswap-controlplane", "warmswapctl", "warmswap-agent"]
HOT = 16
QUICK_HOT = 8
FLOWS = 2_000
MEMORY_MIB = 256
SETTLE_S = 0.005  # between two failovers; a few thousand packets
DETECTIONS, QUICK_DETECTIONS = 10, 2
DETECTION_DEADLINE_S = 5.0
EVENT_DEADLINE_S = 2.0
STEPS = {"command_us": "command answered", "decision_to_publish_us": "decision to publish",
         "publish_to_ack_us": "publish to last worker"}  # fmt: skip
DETECTED = {"kill_to_publish_us": "kill to publish", "first_bad_to_decision_us": "first bad probe to decision",
            "decision_to_publish_us": "decision to publish", "publish_to_ack_us": "publish to last worker"}  # fmt: skip


def host_of(backend: int) -> int:
    return backend + 10


def timeline_of(control: Control, backend: str, since: int) -> dict:
    """Of the failover of `backend`, once the last worker has acknowledged it."""
    deadline = time.monotonic() + EVENT_DEADLINE_S
    while time.monotonic() < deadline:
        for event in control.events(since):
            if event["kind"] == "failover" and event["backend"] == backend and event["timeline"]:
                if event["timeline"]["last_worker_ack_us"] is not None:
                    return event["timeline"]
        time.sleep(0.002)
    raise ResourceError(f"no complete event of the failover of {backend} within {EVENT_DEADLINE_S:g} s")


def last_event(control: Control) -> int:
    return max((event["seq"] for event in control.events()), default=0)


def fail_all(under_test: Balancer, hot: int) -> list[dict]:
    """Fails one backend after the other by command while packets flow."""
    commands = []
    for backend in range(hot):
        begin = time.monotonic()
        under_test.control.change({"op": "failover", "pool": "web", "backend": backend_name(backend)})
        commands.append(1e6 * (time.monotonic() - begin))
        time.sleep(SETTLE_S)
    return commands


def watch_switches(context: Context) -> dict:
    hot = QUICK_HOT if context.quick else HOT
    packets, sent = Path("/dev/shm/wsbench-failover.pcap"), Path("/dev/shm/wsbench-failover-sent.pcap")
    try:
        frames.write_pcap(packets, FLOWS)
        shape = Shape(f"net_pcap0,rx_pcap={packets},infinite_rx=1,tx_pcap={sent}", hot=hot, warm=hot)
        memory = Memory(hugepages=False, mib=MEMORY_MIB)
        with context.watch() as watch, balancer(
            shape, context.build, memory, context.worker_cpu, context.other_cpu, context.logs
        ) as under_test:  # fmt: skip
            must_forward(under_test, deadline_s=10)
            commands = fail_all(under_test, hot)
            under_test.dataplane.stop()  # nothing more to capture
            seats = under_test.control.seats()
            timelines = [timeline_of(under_test.control, backend_name(backend), 0) for backend in range(hot)]
        capture = Capture(sent)
        switches = [capture.switch(host_of(backend), host_of(_number(seats[backend_name(backend)])))
                    for backend in range(hot)]  # fmt: skip
        return summary(switches, timelines, commands, capture.packets) | {"noise": watch.as_json()}
    finally:
        packets.unlink(missing_ok=True)
        sent.unlink(missing_ok=True)


def _number(backend: str) -> int:
    return int(backend[1:])


def summary(switches: list[Switch], timelines: list[dict], commands: list[float], packets: int) -> dict:
    return {
        "packets": packets,
        "failovers": len(switches),
        "misdirected": sum(switch.misdirected for switch in switches),
        "gap_us": spread_of([switch.gap_ns / 1000 for switch in switches]).as_json(),
        "command_us": spread_of(commands).as_json(),
        "decision_to_publish_us": spread_of([one["publish_us"] - one["decision_us"] for one in timelines]).as_json(),
        "publish_to_ack_us": spread_of([one["last_worker_ack_us"] - one["publish_us"] for one in timelines]).as_json(),
        "each": [asdict(switch) for switch in switches],
    }


def detect_once(control: Control, server, victim: str) -> dict:
    """Kills a web server; what its failover took, in µs, from the kill and from the first bad probe."""
    since = last_event(control)
    killed = time.time()
    server.kill()
    deadline = time.monotonic() + DETECTION_DEADLINE_S
    while control.seats()[victim] in (victim, None):
        if time.monotonic() > deadline:
            raise ResourceError(f"nobody took the seat of {victim} within {DETECTION_DEADLINE_S:g} s of its death")
        time.sleep(0.005)
    timeline = timeline_of(control, victim, since)
    event = next(event for event in control.events(since) if event["kind"] == "failover")
    # The event is logged right after its publish.
    published = _seconds(event["time"])
    return {
        "kill_to_publish_us": 1e6 * (published - killed),
        "first_bad_to_decision_us": timeline["decision_us"] - (timeline["first_bad_signal_us"] or 0),
        "decision_to_publish_us": timeline["publish_us"] - timeline["decision_us"],
        "publish_to_ack_us": timeline["last_worker_ack_us"] - timeline["publish_us"],
    }


def _seconds(text: str) -> float:
    """Of 2026-01-31T12:00:00.123456Z."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction or 0}")


def detect(context: Context) -> dict:
    if lab.leftovers():
        return {"skipped": "the lab of scripts/lab is in use"}
    victim, times = "hot2", QUICK_DETECTIONS if context.quick else DETECTIONS
    try:
        running = lab.up(hot=3, warm=1, spare=0, mode="hot-warm", config=None, balancer=True)
        control, server, found = Control(running.config.socket), running.process(f"nginx-{victim}"), []
        for number in range(times):
            found.append(detect_once(control, server, victim))
            context.progress(f"failover: detection {number + 1} of {times}")
            _restore(control, server, victim)
    except lab.ERRORS as error:
        raise ResourceError(f"the lab: {error}") from None
    finally:
        lab.down()
    return {"times": times, "probe": "every 20 ms, three bad ones"} | {
        key: spread_of([one[key] for one in found]).as_json() for key in found[0]
    }


def _restore(control: Control, server, victim: str) -> None:
    """Everything as before the death, so that each time is a first time."""

    def wait_for(backend: str, state: str) -> None:
        deadline = time.monotonic() + DETECTION_DEADLINE_S
        while control.states()[backend] != state:
            if time.monotonic() > deadline:
                raise ResourceError(f"{backend} is not {state} again within {DETECTION_DEADLINE_S:g} s")
            time.sleep(0.01)

    server.start()
    wait_for(victim, "recovering")
    control.change({"op": "failback", "pool": "web", "backend": victim})
    wait_for(victim, "serving")
    wait_for("warm1", "warm")


def run(context: Context) -> dict:
    switched = watch_switches(context)
    context.progress(f"failover: {switched['failovers']} switches among {switched['packets']} packets, "
                     f"{switched['misdirected']} of them misdirected")  # fmt: skip
    return {"switch": switched, "detection": detect(context)}


def rows(result: dict) -> list[Row]:
    switched, detected = result["switch"], result["detection"]
    times = switched["failovers"]
    to_publish, to_ack = (from_json(switched[key]) for key in ("decision_to_publish_us", "publish_to_ack_us"))
    lines = [
        Row(f"failover by command, {times} times under load: packets to the dead after the first to the standby",
            switched["misdirected"], "", key="failover.misdirected"),
        Row("failover by command: decision to publish", to_publish.median, "µs", to_publish),
        Row("failover by command: publish to last worker", to_ack.median, "µs", to_ack),
    ]  # fmt: skip
    if "skipped" in detected:
        return lines
    for key, what in DETECTED.items():
        spread = from_json(detected[key]).scaled(1e-3)
        lines.append(Row(f"failover of a killed server: {what}", spread.median, "ms", spread))
    return lines


def section(result: dict) -> dict:
    switched, detected = result["switch"], result["detection"]
    prose = [
        f"{switched['failovers']} backends were failed over by command, one after the other, while the worker forwarded and "
        f"captured {switched['packets']:,} packets; {switched['misdirected']} packets left for a dead backend after the "
        "first one for its standby.",
        "The worker stamps the moment when it first uses the new tables, after the last packet of the burst before: that "
        "acknowledgement is the end of the dead backend's traffic.",
    ]
    columns = ["step", "median ms", "p10 ms", "p90 ms", "n"]
    steps = [("by command: " + what, from_json(switched[key]).scaled(1e-3)) for key, what in STEPS.items()]
    if "skipped" in detected:
        prose.append(f"Detection was not measured: {detected['skipped']}.")
    else:
        prose.append(f"Detection: a web server of the lab is killed; it is probed {detected['probe']} make it failed.")
        steps += [("killed server: " + what, from_json(detected[key]).scaled(1e-3)) for key, what in DETECTED.items()]
    lines = [[what, spread.median, spread.p10, spread.p90, spread.count] for what, spread in steps]
    gaps = [[number, one["gap_ns"] / 1000] for number, one in enumerate(switched["each"], 1)]
    plot = document.lines("From the last packet for the dead backend to the first for its standby",
                          {"label": "failover"}, {"label": "gap", "unit": "us"}, {"gap": gaps}, kind="scatter",
                          note="both stamped where they are sent; below zero they would overlap")  # fmt: skip
    return document.section("Failover", prose, tables=[document.table(columns, lines)], plots=[plot])
