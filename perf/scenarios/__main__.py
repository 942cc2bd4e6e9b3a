"""The work of scripts/bench: runs scenarios, prints one table, writes report.json and report.html, judges."""

import argparse
import contextlib
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

from . import report
from .context import REPO, Context, processors
from .machine import conditions
from .resources import ResourceError, exclusive
from .row import EXIT_FAILED, EXIT_MISSED, EXIT_NOISY, EXIT_OK, BoundsError, Row, exit_code, read_bounds, table

SCENARIOS = ("pipeline", "forward", "swap", "failover", "table", "probes")
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = {
    EXIT_OK: "every bound holds",
    EXIT_MISSED: "a bound was missed",
    EXIT_NOISY: "no bound was missed, but the machine was too noisy to say of every one",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures warmswap and judges what it measured.",
                                     epilog="exit status: 0 every bound holds, 1 a bound was missed, 2 it could not be "
                                     "measured, 3 too noisy to say")  # fmt: skip
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help=f"{', '.join(SCENARIOS)} or all (the default)")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and sizes: a minute, not seven")
    parser.add_argument("--check", action="store_true",
                        help="judge the ratios that perf/bounds.toml holds this machine to, not the design's targets")  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="DIR", default=REPO / "build/bench",
                        help="where report.json and report.html go (default: build/bench)")  # fmt: skip
    parser.add_argument("--targets", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := [name for name in options.scenarios if name not in (*SCENARIOS, "all")]:
        parser.error(f"unknown scenario '{unknown[0]}'; expected {', '.join(SCENARIOS)} or all")
    return options


def chosen(names: list[str]) -> dict[str, ModuleType]:
    wanted = SCENARIOS if not names or "all" in names else [name for name in SCENARIOS if name in names]
    return {name: importlib.import_module(f"scenarios.{name}") for name in wanted}


def measure(context: Context, scenarios: dict[str, ModuleType]) -> tuple[dict, dict[str, str]]:
    """What each scenario found, and why those that failed did."""
    results, failures = {}, {}
    for name, scenario in scenarios.items():
        context.progress(f"{name} …")
        try:
            results[name] = scenario.run(context)
        except ResourceError as error:
            failures[name] = str(error)
            context.progress(f"{name} could not be measured: {error}")
    return results, failures


class Interrupted(BaseException):
    """A signal to end: every with block on the way out cleans up."""


def end_on_signals() -> None:
    def end(number: int, _frame) -> None:
        # A second one must not interrupt the cleaning up.
        for other in ENDING_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(number)

    for number in ENDING_SIGNALS:
        signal.signal(number, end)


def run(options: argparse.Namespace) -> int:
    scenarios = chosen(options.scenarios)
    build = Path(os.environ.get("WARMSWAP_BUILD", REPO / "build")).resolve()
    worker_cpu, other_cpu = processors()
    bounds = read_bounds(REPO / "perf/bounds.toml", "check" if options.check else "target")
    context = Context(build, options.output.resolve(), options.quick, worker_cpu, other_cpu)
    context.logs.mkdir(parents=True, exist_ok=True)
    with exclusive():
        stated = conditions(REPO, build) | {"worker_cpu": worker_cpu, "quick": options.quick}
        with context.watch() as watch:
            results, failures = measure(context, scenarios)
    stated["noise"] = watch.as_json()

    lines: list[Row] = [row for name, result in results.items() for row in scenarios[name].rows(result)]
    print(f"\n{table(lines, bounds)}\n\n{report.conditions_text(stated)}\n")
    (context.output / "report.json").write_text(
        json.dumps({"conditions": stated, **results, "failures": failures}, indent=1) + "\n", encoding="utf-8")
    print(f"{context.output / 'report.json'}")
    sections = [scenarios[name].section(result) for name, result in results.items()]
    if page := report.write(context, stated, lines, bounds, sections):
        print(page)
    for name, why in failures.items():
        print(f"scripts/bench: {name} could not be measured: {why}", file=sys.stderr)
    code = EXIT_FAILED if failures else exit_code(lines, bounds)
    print(WORDS.get(code, "not everything could be measured"))
    return code


def main() -> int:
    options = arguments()
    if options.targets:
        print("\n".join(target for scenario in chosen(options.scenarios).values() for target in scenario.TARGETS))
        return 0
    end_on_signals()
    with contextlib.suppress(BrokenPipeError):
        try:
            return run(options)
        except (ResourceError, BoundsError) as error:
            print(f"scripts/bench: {error}", file=sys.stderr)
            return EXIT_FAILED
        except Interrupted as interrupted:
            print("scripts/bench: interrupted; everything it had set up is gone", file=sys.stderr)
            return 128 + interrupted.args[0]
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
