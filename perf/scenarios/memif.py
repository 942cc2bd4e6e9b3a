"""The second part of forward: warmswap-gen → memif → dataplane → memif → warmswap-gen, on two processors: the generator
sends and receives on one, which the control plane shares, and the dataplane has the other."""

import json
import math
import subprocess
from pathlib import Path

from . import document, frames
from .balancer import Shape, balancer
from .context import Context
from .resources import Child, ResourceError
from .row import Row
from .testpmd import Memory

GENERATOR = "warmswap-gen"
FLOWS = 10_000
RATE = 1_000_000  # packets a second: what one processor of a small virtual machine sends and receives undisturbed
RUN_S, QUICK_RUN_S = 10, 2
SEARCH_S = 30
DESCRIPTORS = 2048
MEMORY_MIB = 256
PERCENTILES = ("p50", "p90", "p99", "p99_9", "max")


def device(role: str, socket: Path) -> str:
    return f"net_memif0,role={role},socket={socket},socket-abstract=no,rsize={DESCRIPTORS.bit_length() - 1}"


def generate(context: Context, socket: Path, command: str, *more: str, deadline_s: float) -> dict:
    """Runs the generator and returns its JSON. That it judges against the balancer is a result, not a failure."""
    path = context.output / f"gen-{command}.json"
    arguments = [str(context.program(GENERATOR)), command, "--vdev", device("client", socket), "--cores",
                 str(context.other_cpu), "--no-huge", "--vip", frames.VIP, "--port", str(frames.PORT), "--flows", str(FLOWS),
                 "--json", str(path), *more]  # fmt: skip
    path.unlink(missing_ok=True)
    with Child(GENERATOR, arguments, context.logs / f"gen-{command}.log") as child:
        try:
            status = child.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise ResourceError(f"{GENERATOR} {command} did not end within {deadline_s:g} s") from None
        # 1: against the balancer; 3 with a result: a search without an end. Both are results.
        if status not in (0, 1, 3) or not path.exists():
            raise ResourceError(f"{GENERATOR} {command} ended with status {status}:\n{child.last_words()}")
    return json.loads(path.read_text(encoding="utf-8"))


def measure(context: Context) -> dict:
    socket = Path(f"/run/warmswap-bench/memif-{context.worker_cpu}.sock")
    socket.unlink(missing_ok=True)
    shape = Shape(device("server", socket), descriptors=DESCRIPTORS)
    memory = Memory(hugepages=False, mib=MEMORY_MIB)
    context.program(GENERATOR)  # said before anything is started
    duration = QUICK_RUN_S if context.quick else RUN_S
    try:
        with balancer(shape, context.build, memory, context.worker_cpu, context.other_cpu, context.logs):
            run = generate(context, socket, "run", f"--rate={RATE}", f"--duration={duration}s", deadline_s=duration + 30)
            context.progress(f"forward: memif at {RATE / 1e6:g} Mpps, {run['lost']} of {run['transmitted']} lost")
            search = None
            if not context.quick:
                search = generate(context, socket, "search", f"--most={SEARCH_S}s", "--trial=1s", "--first-trial=300ms",
                                  deadline_s=SEARCH_S + 60)  # fmt: skip
    finally:
        socket.unlink(missing_ok=True)
    return summary(run, search)


def summary(run: dict, search: dict | None) -> dict:
    """What is kept of the generator's results."""
    noisy = "; ".join(run["verdict"]["warnings"]) if run["verdict"]["noisy"] else ""
    found = {
        "rate_pps": run["offered_pps"],
        "transmitted": run["transmitted"],
        "lost": run["lost"],
        "misrouted_flows": run["misrouted_flows"],
        "reordered": run["reordered"],
        "latency_ns": {part: run["latency_ns"][part] for part in PERCENTILES},
        "noisy": noisy,
    }
    if search is None:
        return found
    trials = search["trials"]
    valid = [trial for trial in trials if trial["valid"]]
    found["search"] = {
        "goals": {goal["name"]: goal["throughput_pps"] for goal in search["goals"]},
        "unfinished": [goal["name"] for goal in search["goals"] if goal["outcome"] == "unfinished"],
        "trials": len(trials),
        "spoiled_by_the_generator": len(trials) - len(valid),
    }
    return found


def rows(found: dict) -> list[Row]:
    named = f"forward, memif at {found['rate_pps'] / 1e6:g} Mpps"
    noisy = "the generator was disturbed" if found["noisy"] else ""
    lines = [Row(f"{named}: latency {part.replace('_', '.')}", found["latency_ns"][part] / 1000, "µs", noisy=noisy)
             for part in ("p50", "p99", "p99_9")]  # fmt: skip
    lines.append(Row(f"{named}: lost", 100 * found["lost"] / max(1, found["transmitted"]), "%", noisy=noisy))
    # A flow at two backends is wrong however disturbed the machine is.
    lines.append(Row(f"{named}: flows at two backends", found["misrouted_flows"], "", key="forward.misrouted_flows"))
    if search := found.get("search"):
        limited = "the generator was the limit" if search["unfinished"] else ""
        for goal, rate in search["goals"].items():
            lines.append(Row(f"forward, memif: {goal}", (rate or math.nan) / 1e6, "Mpps", noisy=limited))
    return lines


def table(found: dict) -> dict:
    values = [found["latency_ns"][part] / 1000 for part in PERCENTILES]
    return document.table([part.replace("_", ".") for part in PERCENTILES], [values],
                          f"Latency in µs through memif at {found['rate_pps'] / 1e6:g} Mpps, there and back", text_columns=0)
