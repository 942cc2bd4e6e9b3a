"""What scripts/bench makes of numbers: spread, noise, bounds, verdicts, exit status, the table."""

import math
import statistics

import bench  # noqa: F401
import pytest
from paths import ROOT
from scenarios import noise
from scenarios.row import (EXIT_MISSED, EXIT_NOISY, EXIT_OK, Bound, BoundsError, Row, exit_code, number, read_bounds,
                           table, verdict)  # fmt: skip
from scenarios.spread import from_json, percentile, spread_of

BOUNDS = {"a": Bound(least=0.65), "b": Bound(most=5), "c": Bound(0, 1)}


@pytest.mark.parametrize("values", [[3.0], [1.0, 2.0], [5.0, 1.0, 4.0, 2.0], list(map(float, range(11)))])
def test_percentiles_agree_with_the_standard_library(values):
    assert percentile(values, 50) == statistics.median(values)
    if len(values) > 1:
        deciles = statistics.quantiles(values, n=10, method="inclusive")
        assert percentile(values, 10) == pytest.approx(deciles[0])
        assert percentile(values, 90) == pytest.approx(deciles[-1])


def test_one_outlier_moves_neither_median_nor_mad_much():
    calm, struck = spread_of([10, 11, 12, 13, 14]), spread_of([10, 11, 12, 13, 1000])
    assert (calm.median, calm.mad) == (12, 1)
    assert (struck.median, struck.mad) == (12, 1)
    assert struck.relative == pytest.approx(1 / 12)


def test_the_error_of_a_median_falls_with_the_root_of_the_count():
    few, many = spread_of([1.0, 2.0, 3.0]), spread_of([1.0, 2.0, 3.0] * 4)
    assert many.mad == few.mad
    assert many.error == pytest.approx(few.error / 2)


def test_a_spread_survives_json_and_changes_its_unit():
    spread = spread_of([1000.0, 2000.0, 4000.0])
    assert from_json(spread.as_json()) == spread
    assert spread.scaled(1e-3).p90 == pytest.approx(spread.p90 / 1000)


def test_nothing_measured_is_no_number_and_holds_no_bound():
    empty = spread_of([])
    assert math.isnan(empty.median)
    assert verdict(Row("x", empty.median, "", key="a"), BOUNDS) == "MISSED"


STAT = """cpu  100 0 50 800 10 0 5 35 0 0
cpu0 50 0 25 400 5 0 5 15 0 0
cpu1 50 0 25 400 5 0 0 20 7 0
intr 12345
"""


def test_steal_and_idle_are_read_for_each_processor():
    ticks = noise.parse_ticks(STAT)
    assert sorted(ticks) == [0, 1]
    assert ticks[1] == noise.Ticks(steal=20, idle=405, all=500)


def test_shares_are_of_the_time_that_passed():
    before, after = noise.Ticks(10, 100, 200), noise.Ticks(15, 120, 300)
    assert noise.use_between(before, after) == noise.Use(steal=0.05, busy=pytest.approx(0.75))
    assert noise.use_between(before, before) == noise.Use()
    backwards = noise.use_between(before, noise.Ticks(10, 90, 300))  # idle and iowait may (proc(5))
    assert backwards == noise.Use(steal=0, busy=1)


@pytest.mark.parametrize(
    "values, steal, noisy",
    [
        ([1.00, 1.01, 0.99, 1.00], 0.00, ""),
        ([1.00, 1.01, 0.99, 1.00], 0.09, ""),
        ([1.00, 1.01, 0.99, 1.00], 0.25, "stolen"),
        ([1.00, 1.30, 0.70, 1.25], 0.00, "spread"),
    ],
)
def test_what_is_too_noisy_says_why(values, steal, noisy):
    said = noise.why_noisy(spread_of(values), steal)
    assert noisy in said
    assert bool(said) == bool(noisy)


@pytest.mark.parametrize(
    "key, value, noisy, expected",
    [
        ("a", 0.65, "", "ok"),
        ("a", 0.64, "", "MISSED"),
        ("b", 5.0, "", "ok"),
        ("b", 5.1, "", "MISSED"),
        ("c", -0.1, "", "MISSED"),
        ("c", 1.1, "", "MISSED"),
        ("", 0.0, "", ""),
        ("unknown", 0.0, "", ""),
        ("a", 0.1, "steal", "noisy"),
        ("a", 0.9, "steal", "noisy"),
    ],
)
def test_verdicts(key, value, noisy, expected):
    assert verdict(Row("x", value, "", key=key, noisy=noisy), BOUNDS) == expected


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0.60, 0.62, 0.64, 0.66, 0.68], "noisy"),  # 0.64 ± 0.02
        ([0.638, 0.639, 0.64, 0.641, 0.642], "MISSED"),
        ([0.60, 0.63, 0.66, 0.69, 0.72], "ok"),  # holds, if not by much
        ([0.30, 0.32, 0.34, 0.36, 0.38], "MISSED"),
    ],
)
def test_a_miss_must_be_more_than_the_error_of_the_median(values, expected):
    row = Row("x", spread_of(values).median, "", spread_of(values), "a")
    assert verdict(row, BOUNDS) == expected


GOOD, BAD, NOISY, FREE = (Row("x", 1, "", key="a"), Row("x", 0, "", key="a"), Row("x", 1, "", key="a", noisy="steal"),
                          Row("x", 0, "", noisy="steal"))  # fmt: skip


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([], EXIT_OK),
        ([GOOD, FREE], EXIT_OK),
        ([GOOD, NOISY], EXIT_NOISY),
        ([GOOD, NOISY, BAD], EXIT_MISSED),
    ],
)
def test_exit_status(rows, expected):
    assert exit_code(rows, BOUNDS) == expected


def write(tmp_path, text: str):
    path = tmp_path / "bounds.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_bounds_are_read_by_dotted_keys_and_nested_tables(tmp_path):
    path = write(tmp_path, '[check]\n"x.y" = { at_least = 0.5, at_most = 2 }\n[check.z]\nw = { at_most = 1 }\n')
    assert read_bounds(path, "check") == {"x.y": Bound(0.5, 2), "z.w": Bound(most=1)}


@pytest.mark.parametrize(
    "text, said",
    [
        ("[target]\n", "expected a table [check], found target"),
        ('[check]\n"x" = { at_lest = 1 }\n', "expected at_least and/or at_most"),
        ('[check]\n"x" = { at_least = "1" }\n', "expected at_least and/or at_most"),
        ('[check]\n"x" = 1\n', "expected at_least and/or at_most"),
        ('[check]\n"x" = {}\n', "expected at_least and/or at_most"),
        ("[check\n", "bounds.toml"),
    ],
)
def test_a_broken_bounds_file_is_refused_with_a_sentence(tmp_path, text, said):
    with pytest.raises(BoundsError) as refused:
        read_bounds(write(tmp_path, text), "check")
    assert said in str(refused.value)


def test_the_committed_bounds_are_sound_and_checks_are_of_ratios():
    targets, checks = (read_bounds(ROOT / "perf/bounds.toml", name) for name in ("target", "check"))
    assert targets and checks
    units_of_time = ("_ms", "_us", "_ns", "_s.", "us.")
    assert not [key for key in checks if key.endswith(units_of_time) or any(unit in key for unit in ("_us.", "_ms."))]


@pytest.mark.parametrize("value, text", [(0.5, "0.5000"), (0, "0"), (1234.5, "1234"), (86.49, "86.49"), (1e9, "1e+09"),
                                         (math.nan, "-"), (-2.5, "-2.500")])  # fmt: skip
def test_numbers_have_four_digits(value, text):
    assert number(value) == text


def test_the_table_shows_value_spread_bound_and_verdict():
    rows = [Row("ratio", 0.7, "", spread_of([0.6, 0.7, 0.8]), "a"), Row("rate", 12.0, "Mpps", noisy="half was stolen")]
    head, ratio, rate = table(rows, BOUNDS).splitlines()
    assert head.split()[:3] == ["what", "value", "unit"]
    assert "0.7000" in ratio and "±0.1" in ratio and "n=3" in ratio and "≥ 0.65" in ratio and ratio.endswith("ok")
    assert "Mpps" in rate and rate.endswith("noisy: half was stolen")
