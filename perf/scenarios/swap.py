"""swap: what publishing new tables costs forwarding, and how fast they are in use, by perf/micro/swap_bench."""

from . import document
from .context import Context
from .noise import why_noisy
from .row import Row
from .spread import from_json, spread_of

TARGETS = ["perf/micro/swap_bench"]
PROGRAM = "perf/micro/swap_bench"
BACKENDS = 100
FLAT_OUT = 0  # as fast as the worker acknowledges
RATES = (1, 10, 100, 1_000, 10_000, FLAT_OUT)
QUICK_RATES = (1_000,)
JUDGED_RATE = 1_000
PAIRS, QUICK_PAIRS = 20, 10
WINDOW_MS, QUICK_WINDOW_MS = 200, 100
CHANGES = {
    "seat": "a seat is taken in one of 100 pools",
    "every-pool": "a seat is taken in each of 100 pools",
    "redeal": "a seat's slots are dealt in one of 100 pools",
}
# A ratio of two rates hardly strays; the part that is lost is a small difference of large numbers.
MOST_LOSS_ERROR = 0.01


def measure(context: Context, pools: int, change: str, rate: float, pairs: int, window_ms: int, *more: str) -> dict:
    """One run of the program. A window must be long enough for a publish."""
    window_ms = max(window_ms, round(2000 / rate) if rate else 0)
    pairs = max(3, min(pairs, 8000 // window_ms))
    with context.watch() as watch:
        found = context.run_json(
            PROGRAM, f"--pools={pools}", f"--backends={BACKENDS}", f"--change={change}", f"--rate={rate}",
            f"--pairs={pairs}", f"--window-ms={window_ms}", f"--worker-cpu={context.worker_cpu}", *more,
            deadline_s=60 + 3 * pairs * window_ms / 1000, cpus={context.worker_cpu, context.other_cpu})  # fmt: skip
    return summary(found, watch.as_json())


def summary(found: dict, noise: dict) -> dict:
    kept = spread_of([publishing / quiet for quiet, publishing in found["pps"]])
    noisy = why_noisy(kept, noise["worker_cpu"]["steal"])
    if not noisy and kept.error > MOST_LOSS_ERROR:
        noisy = f"known to ±{kept.error:.1%} only"
    return found | {"kept": kept.as_json(), "noise": noise, "noisy": noisy}


def run(context: Context) -> dict:
    pairs, window_ms = (QUICK_PAIRS, QUICK_WINDOW_MS) if context.quick else (PAIRS, WINDOW_MS)
    result = {"rates": {}, "changes": {}}
    for pools in (100,) if context.quick else (1, 100):
        measured = [("none", 100, "--without-publishes")] if not context.quick else []
        measured += [(str(rate), rate) for rate in (QUICK_RATES if context.quick else RATES)]
        for name, rate, *more in measured:
            one = measure(context, pools, "seat", rate, pairs, window_ms, *more)
            result["rates"][f"{pools}/{name}"] = one
            context.progress(f"swap: {pools} pools, {name} publishes a second: kept {one['kept']['median']:.2%}")
    for change in CHANGES:
        # Quick runs have measured the seat at this rate already, and nothing else is judged by what it keeps.
        one = measure(context, 100, change, 100, pairs // 2, window_ms)
        result["changes"][change] = one
        context.progress(f"swap: {change}: published in {one['publish_ns']['p50'] / 1000:.0f} µs")
    return result


def rows(result: dict) -> list[Row]:
    lines = []
    for name, one in result["rates"].items():
        pools, rate = name.split("/")
        shown = {"none": "no publishes", "0": f"{one['per_s']:.0f} publishes/s (flat out)"}.get(rate, f"{rate} publishes/s")
        judged = name == f"100/{JUDGED_RATE}"
        kept = from_json(one["kept"])
        lines.append(Row(f"swap, {pools} pools, {shown}: throughput kept", kept.median, "", kept,
                         "swap.kept_at_1000_per_s" if judged else "", one["noisy"]))  # fmt: skip
        if judged:
            acknowledged = {part: one["acknowledge_ns"][part] / 1000 for part in ("p50", "p99", "max")}
            lines += [Row(f"swap, {pools} pools, {shown}: publish to last worker, {part}", value, "µs")
                      for part, value in acknowledged.items()]  # fmt: skip
    for change, what in CHANGES.items():
        one = result["changes"][change]
        lines.append(Row(f"swap, publish when {what}: p50", one["publish_ns"]["p50"] / 1000, "µs",
                         key=f"swap.publish_us.{change}", noisy=publish_noise(one)))  # fmt: skip
    return lines


def publish_noise(one: dict) -> str:
    """A median of durations stands until the publisher was interrupted every other time."""
    spread = one["publish_ns"]
    return "p90 is more than 3 × p50" if spread["p90"] > 3 * spread["p50"] else ""


def section(result: dict) -> dict:
    plots = []
    for pools in sorted({int(name.split("/")[0]) for name in result["rates"]}):
        points = []
        for name, one in result["rates"].items():
            its_pools, rate = name.split("/")
            if int(its_pools) == pools and rate != "none":
                points.append([one["per_s"], *(100 * (1 - part) for part in _ends(one))])
        plots.append(document.lines(
            f"Throughput lost to publishing, {pools} pools of {BACKENDS} backends",
            {"label": "publishes per second", "scale": "log10"}, {"label": "lost", "unit": "%"},
            {"one seat changes its holder": sorted(points)}, note="medians of pairs of windows, with p10 to p90",
            references={"promise": 1}))  # fmt: skip
    columns = ["", "publishes", "publish p50 µs", "p99 µs", "max µs", "to last worker p50 µs", "p99 µs", "max µs"]
    lines = [
        [what, one["publishes"], *(one[kind][part] / 1000 for kind in ("publish_ns", "acknowledge_ns")
                                   for part in ("p50", "p99", "max"))]
        for what, one in [*((CHANGES[name], one) for name, one in result["changes"].items()),
                          *((f"one seat, {name.replace('/', ' pools, ')} a second", one)
                            for name, one in result["rates"].items() if one["publishes"])]
    ]  # fmt: skip
    prose = [
        "A thread forwards as a worker does (frames copied out of memory, the packet path, counters); another one changes "
        "tables through the control plane's own builder and publisher. Rates are packets over the worker's processor time.",
        "The time of a publish runs from the changed values to the store that makes them current; a re-deal's includes "
        "dealing the slots. A maximum in milliseconds is a worker that had lost its processor.",
    ]
    noisy = next((one["noisy"] for name, one in result["rates"].items() if name == f"100/{JUDGED_RATE}"), "")
    return document.section("Swapping tables", prose, noisy=noisy, plots=plots,
                            tables=[document.table(columns, lines)])  # fmt: skip


def _ends(one: dict) -> tuple[float, float, float]:
    """Median, then what is lost at least and at most."""
    kept = from_json(one["kept"])
    return kept.median, kept.p90, kept.p10
