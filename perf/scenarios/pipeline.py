"""pipeline: TSC cycles a packet through the packet path, beside a loop that only forwards, by perf/micro/pipeline_bench."""

from collections import defaultdict

from . import document
from .context import Context
from .noise import why_noisy
from .row import Row
from .spread import from_json, spread_of

TARGETS = ["perf/micro/pipeline_bench"]
PROGRAM = "perf/micro/pipeline_bench"
REPETITIONS = 10
QUICK_REPETITIONS = 5
QUICK_FILTER = "^(flows/(1000|1000000|10000000)|level/.*|stages/.*|tail/.*)"
DEADLINE_S = 600
# What the promises are stated for: so many flows, and the cost of many against few.
JUDGED, FEW, MANY = "1000000", "1000", "10000000"
STAGES = ("gather", "derive", "find_vips", "hash_flows", "find_seats", "encapsulate")


def parse(report: dict) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Out of Google Benchmark's JSON: family → member → counter → its value in each repetition."""
    found: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for one in report["benchmarks"]:
        if one["run_type"] != "iteration" or one.get("error_occurred"):
            continue
        family, member = one["run_name"].split("/")[:2]
        for counter, value in one.items():
            if isinstance(value, float) and not counter.endswith("_time"):
                found[family][member][counter].append(value)
    return found


def run(context: Context) -> dict:
    options = ["--benchmark_format=json", "--benchmark_min_time=0.1", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_repetitions={QUICK_REPETITIONS if context.quick else REPETITIONS}"]  # fmt: skip
    options += [f"--benchmark_filter={QUICK_FILTER}"] if context.quick else []
    with context.watch() as watch:
        report = context.run_json(PROGRAM, *options, deadline_s=DEADLINE_S)
    return summary(parse(report), watch.as_json())


def summary(found: dict, noise: dict) -> dict:
    steady = found["flows"]
    above = {family: {member: spread_of(counters["above_baseline"]).as_json() for member, counters in members.items()}
             for family, members in found.items() if family not in ("stages", "tail")}  # fmt: skip
    judged = spread_of(steady[JUDGED]["above_baseline"])
    # Repetitions are interleaved at random, so the n-th of both met about the same weather.
    growth = [many / few for many, few in zip(steady[MANY]["cycles_per_packet"], steady[FEW]["cycles_per_packet"], strict=True)]
    baseline = [value for counters in steady.values() for value in counters["baseline"]]
    ratios = {level: [path / base for path, base in zip(one["cycles_per_packet"], one["baseline"], strict=True)]
              for level, one in found["level"].items()}  # fmt: skip
    return {
        "steady": {
            "cycles_per_packet": {flows: spread_of(one["cycles_per_packet"]).median for flows, one in steady.items()},
            "above_baseline": above,
            "many_to_few_flows": spread_of(growth).as_json(),
            "ratio_to_baseline": {level: spread_of(values).as_json() for level, values in ratios.items()},
        },
        "baseline": {"cycles_per_packet": spread_of(baseline).median},
        "stages": {level: {stage: spread_of(counters[stage]).as_json() for stage in STAGES}
                   for level, counters in found["stages"].items()},
        "tail": {name: spread_of(values).as_json() for name, values in found["tail"]["burst"].items()},
        "noise": noise,
        "noisy": why_noisy(judged, noise["worker_cpu"]["steal"]),
    }  # fmt: skip


def rows(result: dict) -> list[Row]:
    steady, noisy = result["steady"], result["noisy"]
    judged = from_json(steady["above_baseline"]["flows"][JUDGED])
    growth, tail = from_json(steady["many_to_few_flows"]), from_json(result["tail"]["p9999_to_median"])
    lines = [
        Row("pipeline, 1 M flows: above forward-only", judged.median, "cycles", judged, "pipeline.above_baseline", noisy),
        Row("pipeline: 10 M flows, ratio to 1 k", growth.median, "", growth, "pipeline.many_to_few_flows", noisy),
        Row("pipeline: burst time, p99.99 to median", tail.median, "", tail, "pipeline.p9999_to_median", noisy),
    ]
    for level, one in steady["above_baseline"]["level"].items():
        spread = from_json(one)
        lines.append(Row(f"pipeline, {level}: above forward-only", spread.median, "cycles", spread, noisy=noisy))
    for level, one in steady["ratio_to_baseline"].items():
        spread = from_json(one)
        lines.append(Row(f"pipeline, {level}: in all, ratio to forward-only", spread.median, "", spread,
                         f"pipeline.ratio_to_baseline.{level}", noisy))  # fmt: skip
    return lines


def section(result: dict) -> dict:
    above = result["steady"]["above_baseline"]
    flows = sorted(above["flows"], key=int)
    plots = [
        document.lines("Cost of a packet", {"label": "flows", "scale": "log10"}, {"label": "TSC cycles", "from_zero": True},
                       {"above the forward-only loop": [document.point(int(count), from_json(above["flows"][count]))
                                                        for count in flows]},
                       references={"promise": 40}, note="64-byte TCP, 100 backends, all counters on; medians, p10 to p90"),
        document.bars("Stages, each timed alone", list(STAGES),
                      {level: [document.bar(from_json(stages[stage])) for stage in STAGES]
                       for level, stages in result["stages"].items()},
                      label="TSC cycles a packet",
                      note="together they cost less: among the others a stage overlaps with its neighbours"),
    ]  # fmt: skip
    lines = [[family, member, spread["median"], spread["mad"]] for family, members in above.items()
             for member, spread in members.items()]  # fmt: skip
    table = document.table(["varied", "", "above forward-only", "MAD"], lines, "TSC cycles a packet", text_columns=2)
    prose = ["The real burst pipeline, from the received frame to the encapsulated one, over tables published as the control "
             "plane does, in pairs with a loop over the same buffers that only rewrites their Ethernet addresses. The "
             f"latter takes {result['baseline']['cycles_per_packet']:.1f} cycles a packet."]  # fmt: skip
    return document.section("Packet path", prose, noisy=result["noisy"], plots=plots, tables=[table])
