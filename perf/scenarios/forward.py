"""forward: warmswap-dataplane beside dpdk-testpmd on the same virtual device, processor, burst and memory.

Both processes live through the whole run and take turns on one processor, so a pair is measured within a second and
what the machine does to one it does to the other. A rate is packets by the process's own counters over the processor
time it had, so that what else wanted the processor does not count; the rate by the clock on the wall is beside it."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from . import document, frames, memif
from .balancer import Balancer, Shape, balancer
from .context import Context
from .noise import why_noisy
from .resources import ResourceError, hugepages
from .row import Row
from .spread import from_json, spread_of
from .testpmd import Memory, Testpmd

FLOWS = (1_000, 10_000, 100_000)
QUICK_FLOWS = (10_000,)
JUDGED_FLOWS = 10_000  # whose ratio is .forward.ratio_to_testpmd
TARGETS = ["warmswap-dataplane", "warmswap-controlplane", memif.GENERATOR]
MODES = ("mac", "5tswap")
WARM_UP_S = 0.1
WINDOW_S = 0.4
# How net_pcap replays: it copies each frame out of a ring of buffers that it fills once, from the port's pool.
BUFFER_BYTES = 2304 + 64  # data room and headroom, mbuf and the pool's own header


@dataclass(frozen=True)
class Window:
    """One turn of one process on the processor."""

    packets: int
    cpu_s: float
    wall_s: float

    @property
    def mpps(self) -> float:
        return self.packets / self.cpu_s / 1e6 if self.cpu_s > 0 else 0.0

    @property
    def wall_mpps(self) -> float:
        return self.packets / self.wall_s / 1e6


def window(child, count) -> Window:
    """A turn of a process that forwards: `count` reads its packets so far."""
    time.sleep(WARM_UP_S)
    packets, cpu, wall = count(), child.cpu_seconds(), time.monotonic()
    time.sleep(WINDOW_S)
    return Window(count() - packets, child.cpu_seconds() - cpu, time.monotonic() - wall)


def balancer_window(under_test: Balancer) -> Window:
    under_test.dataplane.resume()
    try:
        return window(under_test.dataplane, lambda: under_test.counters().received)
    finally:
        under_test.dataplane.stop()


def testpmd_window(yardstick: Testpmd, mode: str) -> Window:
    yardstick.start(mode)
    try:
        return window(yardstick.child, lambda: yardstick.stats().received)
    finally:
        yardstick.stop()


def forwards(under_test: Balancer, for_s: float = 0.05) -> bool:
    """Whether nothing is dropped or passed to the kernel just now: a dataplane that does would be fast without doing its
    work."""
    before = under_test.counters()
    time.sleep(for_s)
    after = under_test.counters()
    received = after.received - before.received
    return received > 0 and after.forwarded - before.forwarded >= 0.99 * received


def must_forward(under_test: Balancer, deadline_s: float) -> None:
    """Waits for the first snapshot with all next hops; later on nothing is waited for."""
    deadline = time.monotonic() + deadline_s
    while not forwards(under_test):
        if time.monotonic() >= deadline:
            raise ResourceError(f"the dataplane does not forward what it receives; its drops: {under_test.drops()}")


def buffers_for(flows: int) -> int:
    """Descriptors the balancer needs for a pool that holds all flows: io/port.cc makes two sets (wire and tap) of receive
    and transmit descriptors, twice over."""
    descriptors = 1024
    while 2 * 2 * 2 * descriptors < flows + 4096:
        descriptors *= 2
    return descriptors


def measure_flows(context: Context, flows: int, pairs: int, on_hugepages: bool) -> dict:
    descriptors = buffers_for(flows)
    buffers = 2 * 2 * 2 * descriptors
    mib = 2 * (buffers * BUFFER_BYTES >> 20) + 128
    with contextlib.ExitStack() as stack:
        large = on_hugepages and stack.enter_context(hugepages(2 * mib))
        memory = Memory(large, mib)
        packets = Path(f"/dev/shm/wsbench-{flows}.pcap")
        stack.callback(packets.unlink, missing_ok=True)
        frames.write_pcap(packets, flows)
        device = f"net_pcap0,rx_pcap={packets},infinite_rx=1"
        shape = Shape(device, descriptors=descriptors)
        context.progress(f"forward: {flows} flows, {'huge' if large else 'ordinary'} pages, starting both")
        under_test = stack.enter_context(
            balancer(shape, context.build, memory, context.worker_cpu, context.other_cpu, context.logs))  # fmt: skip
        must_forward(under_test, deadline_s=10)
        under_test.dataplane.stop()
        yardstick = stack.enter_context(
            Testpmd(device, memory, buffers, context.worker_cpu, context.other_cpu, context.logs / "testpmd.log"))  # fmt: skip
        turns = []
        with context.watch() as watch:
            for pair in range(pairs):
                turns.append(_turn(under_test, yardstick, reverse=pair % 2 == 1))
                said = ", ".join(f"{name} {one.mpps:.1f}" for name, one in turns[-1].items())
                context.progress(f"forward: {flows} flows, pair {pair + 1} of {pairs}: {said} Mpps")
        under_test.dataplane.resume()
        must_forward(under_test, deadline_s=0)
    return _summary(flows, large, turns, watch.as_json())


def _turn(under_test: Balancer, yardstick: Testpmd, reverse: bool) -> dict[str, Window]:
    """Each once; every second time in the opposite order, so that neither always comes first."""
    turns = [("warmswap", lambda: balancer_window(under_test))]
    turns += [(mode, lambda mode=mode: testpmd_window(yardstick, mode)) for mode in MODES]
    return {name: measure() for name, measure in (reversed(turns) if reverse else turns)}


def _summary(flows: int, large: bool, turns: list[dict[str, Window]], noise: dict) -> dict:
    names = ("warmswap", *MODES)
    ratios = {mode: spread_of([turn["warmswap"].mpps / turn[mode].mpps for turn in turns]) for mode in MODES}
    return {
        "flows": flows,
        "hugepages": large,
        "pairs": len(turns),
        "mpps": {name: spread_of([turn[name].mpps for turn in turns]).as_json() for name in names},
        "wall_mpps": {name: spread_of([turn[name].wall_mpps for turn in turns]).as_json() for name in names},
        "ratio_to": {mode: ratios[mode].as_json() for mode in MODES},
        "noise": noise,
        "noisy": why_noisy(ratios["mac"], noise["worker_cpu"]["steal"]),
        "each": [{name: one.mpps for name, one in turn.items()} for turn in turns],
    }


def run(context: Context) -> dict:
    flows, pairs = (QUICK_FLOWS, 4) if context.quick else (FLOWS, 12)
    runs = [measure_flows(context, count, pairs, on_hugepages=True) for count in flows]
    runs.append(measure_flows(context, JUDGED_FLOWS, pairs, on_hugepages=False))
    judged = next(one for one in runs if one["flows"] == JUDGED_FLOWS)
    return {
        "ratio_to_testpmd": judged["ratio_to"]["mac"]["median"],
        "ratio_to_testpmd_ordinary_pages": runs[-1]["ratio_to"]["mac"]["median"],
        "noisy": judged["noisy"],
        "runs": runs,
        "memif": memif.measure(context),
    }


def _name(one: dict) -> str:
    flows = f"{one['flows']:,} flows".replace(",", " ")
    return flows if one["hugepages"] else f"{flows}, ordinary pages"


def rows(result: dict) -> list[Row]:
    lines = []
    for one in result["runs"]:
        flows = _name(one)
        key = "forward.ratio_to_testpmd" + ("" if one["hugepages"] else "_ordinary_pages")
        key = key if one["flows"] == JUDGED_FLOWS else ""
        ratio = from_json(one["ratio_to"]["mac"])
        lines.append(Row(f"forward, {flows}: ratio to testpmd mac", ratio.median, "", ratio, key, one["noisy"]))
        swap = from_json(one["ratio_to"]["5tswap"])
        lines.append(Row(f"forward, {flows}: ratio to testpmd 5tswap", swap.median, "", swap, noisy=one["noisy"]))
        for name in ("warmswap", *MODES):
            rate = from_json(one["mpps"][name])
            label = name if name == "warmswap" else f"testpmd {name}"
            lines.append(Row(f"forward, {flows}: {label}", rate.median, "Mpps", rate, noisy=one["noisy"]))
    return lines + memif.rows(result["memif"])


def section(result: dict) -> dict:
    runs = result["runs"]
    categories = [_name(one) for one in runs]
    names = {"warmswap": "warmswap-dataplane", "mac": "testpmd mac", "5tswap": "testpmd 5tswap"}
    rates = document.bars(
        "Packets per second on one processor",
        categories,
        {label: [[1e6 * part for part in document.bar(from_json(one["mpps"][name]))] for one in runs]
         for name, label in names.items()},
        unit="pps",
        note="higher is better; bars are medians, whiskers p10 to p90",
    )  # fmt: skip
    ratios = document.bars(
        "Ratio to testpmd",
        categories,
        {f"to {names[mode]}": [document.bar(from_json(one["ratio_to"][mode])) for one in runs] for mode in MODES},
        note="of the rates in one pair; the reference is the design's promise for mac",
        references={"promise": 0.65},
    )
    walls = document.table(
        ["flows", "warmswap", "testpmd mac", "testpmd 5tswap"],
        [[_name(one), *(from_json(one["wall_mpps"][name]).median for name in names)] for one in runs],
        "Median Mpps by the clock on the wall, what else ran on the processor included",
    )
    prose = [
        "Both programs poll the same virtual device (net_pcap, infinite_rx: 64-byte TCP frames copied out of memory, what "
        "is sent is thrown away), with bursts of 32, as many buffers, on hugepages where not said otherwise, in turns on one "
        "processor. testpmd rewrites addresses; warmswap looks up the vip, hashes the flow, finds ring slot and seat, encapsulates and counts.",
        "Rates are packets over the processor time the process had.",
        "Through memif the generator sends and receives on one processor and the dataplane has another; with no third one "
        "the generator is the limit of the throughput, not the dataplane.",
    ]
    return document.section("Forwarding beside testpmd", prose, noisy=result["noisy"], plots=[rates, ratios],
                            tables=[walls, memif.table(result["memif"])])  # fmt: skip
