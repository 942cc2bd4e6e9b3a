"""table: how long rings take to build and how good they are, beside plain Maglev (NSDI'16), by perf/micro/table_bench."""

from collections import defaultdict

from . import document
from .context import Context
from .noise import why_noisy
from .row import Row
from .spread import from_json, median, spread_of

TARGETS = ["perf/micro/table_bench"]
PROGRAM = "perf/micro/table_bench"
REPETITIONS = 10
QUICK_REPETITIONS = 5
QUICK_SIZES = "(100|1000)/65537$"
# What the promises and the peers' figures are stated for.
JUDGED = (1000, 65537)
QUALITY_JUDGED = (100, 65537)
DEADLINE_S = 600
SHARES = {
    "share_error": "largest share / average",
    "loss_moved": "moved when one dies / needed",
    "loss_survivors": "of survivors, share of all slots",
    "weight_moved": "moved by a weight change / needed",
}


def parse(report: dict) -> tuple[dict[str, list[float]], dict[str, dict[str, float]]]:
    """Out of Google Benchmark's JSON: µs of processor time of each repetition of `build/…`, the counters of
    `quality/…`."""
    times, qualities = defaultdict(list), {}
    for one in report["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        family, _, name = one["run_name"].partition("/")
        if family == "build":
            times[name].append(one["cpu_time"] * {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}[one["time_unit"]])
        else:
            qualities[name.partition("/iterations:")[0]] = {counter: one[counter] for counter in SHARES}
    return dict(times), qualities


def run(context: Context) -> dict:
    sizes = QUICK_SIZES if context.quick else ""
    repetitions = QUICK_REPETITIONS if context.quick else REPETITIONS
    with context.watch() as watch:
        built = context.run_json(
            PROGRAM, "--benchmark_format=json", f"--benchmark_filter=^build/.*{sizes}",
            f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.02",
            "--benchmark_enable_random_interleaving=true", deadline_s=DEADLINE_S)  # fmt: skip
    context.progress("table: built, now comparing what was built")
    quality_sizes = sizes[:-1] + "/" if sizes else ""
    judged = context.run_json(PROGRAM, "--benchmark_format=json", f"--benchmark_filter=^quality/.*{quality_sizes}",
                              deadline_s=DEADLINE_S)  # fmt: skip
    times, _ = parse(built)
    _, quality = parse(judged)
    return summary(times, quality, watch.as_json())


def summary(times: dict[str, list[float]], quality: dict[str, dict[str, float]], noise: dict) -> dict:
    size = "{}/{}".format(*JUDGED)
    ours, plain, redeal = times[f"ours_weighted/{size}"], times[f"plain_weighted/{size}"], times[f"redeal/{size}"]
    # Repetitions are interleaved at random, so the medians met the same weather; a quotient of two of them has no pairs.
    ratios = spread_of([one / median(plain) for one in ours])
    steal = noise["worker_cpu"]["steal"]
    return {
        "build_us": {name: spread_of(each).as_json() for name, each in times.items()},
        "quality": quality,
        "build_ratio_to_plain": ratios.as_json(),
        "redeal_ratio_to_build": spread_of([one / median(ours) for one in redeal]).as_json(),
        "noise": noise,
        "noisy": why_noisy(spread_of(ours), steal) or why_noisy(spread_of(plain), steal) or why_noisy(spread_of(redeal), steal),
    }


def rows(result: dict) -> list[Row]:
    size, noisy = "{}/{}".format(*JUDGED), result["noisy"]
    named = "{1} slots, {0} weighted backends".format(*JUDGED)
    build, plain, redeal = (from_json(result["build_us"][f"{what}/{size}"])
                            for what in ("ours_weighted", "plain_weighted", "redeal"))  # fmt: skip
    ratio, deal_ratio = from_json(result["build_ratio_to_plain"]), from_json(result["redeal_ratio_to_build"])
    quality = result["quality"]["ours/{}/{}".format(*QUALITY_JUDGED)]
    theirs = result["quality"]["plain/{}/{}".format(*QUALITY_JUDGED)]
    fewer = "{1} slots, {0} backends".format(*QUALITY_JUDGED)
    return [
        Row(f"table, {named}: build", build.median / 1000, "ms", build.scaled(1e-3), "table.build_ms", noisy),
        Row(f"table, {named}: build of plain Maglev", plain.median / 1000, "ms", plain.scaled(1e-3), noisy=noisy),
        Row(f"table, {named}: build, ratio to plain", ratio.median, "", ratio, "table.build_ratio_to_plain", noisy),
        Row(f"table, {named}: re-deal of one", redeal.median / 1000, "ms", redeal.scaled(1e-3), "table.redeal_ms", noisy),
        Row(f"table, {named}: re-deal, ratio to build", deal_ratio.median, "", deal_ratio, "table.redeal_ratio_to_build",
            noisy),
        Row(f"table, {fewer}: largest share / average", quality["share_error"], "", key="table.share_error"),
        Row(f"table, {fewer}: survivors' slots moved", 100 * quality["loss_survivors"], "%",
            key="table.survivors_moved_percent"),
        Row(f"table, {fewer}: the same of plain Maglev", 100 * theirs["loss_survivors"], "%"),
    ]  # fmt: skip


def _sizes(result: dict) -> list[tuple[int, int]]:
    names = {tuple(map(int, name.split("/")[1:])) for name in result["build_us"]}
    return sorted(names)


def section(result: dict) -> dict:
    sizes = _sizes(result)
    kinds = {"ours_weighted": "ours", "plain_weighted": "plain Maglev", "redeal": "re-deal of one backend"}
    plots = []
    for slots in sorted({slots for _, slots in sizes}):
        series = {
            label: [document.point(backends, from_json(result["build_us"][f"{kind}/{backends}/{slots}"]))
                    for backends, its_slots in sizes if its_slots == slots]
            for kind, label in kinds.items()
        }  # fmt: skip
        plots.append(document.lines(f"Building a ring of {slots} slots", {"label": "backends", "scale": "log10"},
                                    {"label": "time", "unit": "us", "scale": "log10"}, series,
                                    note="weights 1 to 200; processor time, medians with p10 to p90"))  # fmt: skip
    names = sorted(result["quality"], key=lambda name: (*map(int, name.split("/")[1:]), name))
    lines = [[*name.split("/"), *(float(result["quality"][name][counter]) for counter in SHARES)] for name in names]
    quality = document.table(["ring", "backends", "slots", *SHARES.values()], lines, "Equal weights; a weight change is from "
                             "100 to 50", text_columns=1)  # fmt: skip
    prose = ["Ours is Maglev with exact shares, and a dead backend's slots are dealt without touching anybody else's; plain "
             "Maglev is rebuilt without the backend, as the paper has it."]  # fmt: skip
    return document.section("Rings", prose, noisy=result["noisy"], plots=plots, tables=[quality])
