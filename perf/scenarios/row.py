"""The lines of the table, what bounds say about them, and the exit code that follows."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .spread import Spread

OK, MISSED, NOISY, NOT_JUDGED = "ok", "MISSED", "noisy", ""
EXIT_OK, EXIT_MISSED, EXIT_FAILED, EXIT_NOISY = 0, 1, 2, 3


@dataclass(frozen=True)
class Row:
    """One measured quantity."""

    what: str
    value: float
    unit: str
    spread: Spread | None = None
    key: str = ""  # which bound of perf/bounds.toml it has; empty = it is only shown
    noisy: str = ""  # why it is not a result; empty = it is one


@dataclass(frozen=True)
class Bound:
    """What a value must reach, or stay within."""

    least: float = -math.inf
    most: float = math.inf

    def text(self) -> str:
        sides = []
        if self.least > -math.inf:
            sides.append(f"≥ {self.least:g}")
        if self.most < math.inf:
            sides.append(f"≤ {self.most:g}")
        return ", ".join(sides)

    def holds(self, value: float) -> bool:
        """A value that is not a number holds no bound."""
        return self.least <= value <= self.most


class BoundsError(Exception):
    """One sentence for the user."""


def read_bounds(path: Path, table: str) -> dict[str, Bound]:
    """The bounds of one table of perf/bounds.toml by their key."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BoundsError(f"{path}: {error}") from None
    if table not in document:
        raise BoundsError(f"{path}: expected a table [{table}], found {', '.join(document) or 'nothing'}")
    bounds = {}
    for key, sides in _leaves(document[table]):
        numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in sides.values())
        if not sides or not numbers or not set(sides) <= {"at_least", "at_most"}:
            raise BoundsError(f"{path}: {table}.{key} is {sides}; expected at_least and/or at_most with a number")
        bounds[key] = Bound(sides.get("at_least", -math.inf), sides.get("at_most", math.inf))
    return bounds


def _leaves(table: dict, prefix: str = ""):
    """(dotted key, table) of each innermost table."""
    for name, value in table.items():
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, dict) else {"": value}


def doubt(row: Row, bound: Bound) -> str:
    """Why a value cannot be judged by its bound: it is no result, or misses by less than twice the error of its median."""
    if row.noisy or row.spread is None or bound.holds(row.value):
        return row.noisy
    reach = 2 * row.spread.error
    close = bound.holds(row.value + reach) or bound.holds(row.value - reach)
    return "too close to call" if close else ""


def verdict(row: Row, bounds: dict[str, Bound]) -> str:
    bound = bounds.get(row.key)
    if row.noisy or (bound is not None and doubt(row, bound)):
        return NOISY
    if bound is None:
        return NOT_JUDGED
    return OK if bound.holds(row.value) else MISSED


def verdict_text(row: Row, bounds: dict[str, Bound]) -> str:
    """The verdict, and why it is none."""
    why = doubt(row, bounds[row.key]) if row.key in bounds else row.noisy
    return ": ".join(filter(None, [verdict(row, bounds), why]))


def exit_code(rows: list[Row], bounds: dict[str, Bound]) -> int:
    """1 when a bound was missed, else 3 when a row with a bound was too noisy to say, else 0."""
    verdicts = [verdict(row, bounds) for row in rows if row.key in bounds]
    if MISSED in verdicts:
        return EXIT_MISSED
    return EXIT_NOISY if NOISY in verdicts else EXIT_OK


def number(value: float) -> str:
    """Four significant digits, without an exponent where people would not write one."""
    if math.isnan(value):
        return "-"
    if value == 0 or 0.001 <= abs(value) < 1e7:
        digits = 0 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
        return f"{value:.{min(digits, 6)}f}"
    return f"{value:.3g}"


def spread_text(spread: Spread | None) -> str:
    if spread is None or spread.count < 2:
        return ""
    return f"±{number(spread.mad)} ({number(spread.p10)} … {number(spread.p90)}, n={spread.count})"


def table(rows: list[Row], bounds: dict[str, Bound]) -> str:
    head = ("what", "value", "unit", "spread: MAD (p10 … p90)", "bound", "verdict")
    lines = [head]
    for row in rows:
        bound = bounds[row.key].text() if row.key in bounds else ""
        said = verdict_text(row, bounds)
        lines.append((row.what, number(row.value), row.unit, spread_text(row.spread), bound, said))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]

    def text(line: tuple[str, ...]) -> str:
        cells = [line[0].ljust(widths[0]), line[1].rjust(widths[1])]
        cells += [cell.ljust(width) for cell, width in zip(line[2:-1], widths[2:], strict=True)]
        return "  ".join([*cells, line[-1]]).rstrip()

    return "\n".join(map(text, lines))
