"""Builds what `warmswap-gen report` makes a page of; perf/report/document_json.h explains the format. JSON has no NaN or
infinity: such a value becomes null, which is drawn as missing."""

import math

from .spread import Spread


def value(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def bar(spread: Spread) -> list[float | None]:
    """The median with p10 and p90 as its error bar."""
    return [value(spread.median), value(spread.p10), value(spread.p90)]


def point(x: float, spread: Spread) -> list[float | None]:
    return [x, *bar(spread)]


def bars(title: str, categories: list[str], series: dict[str, list], *, unit: str = "", label: str = "", note: str = "",
         references: dict[str, float] | None = None) -> dict:  # fmt: skip
    return {
        "kind": "bar",
        "title": title,
        "note": note,
        "categories": categories,
        "y": {"label": label, "unit": unit, "from_zero": True},
        "series": [{"name": name, "values": values} for name, values in series.items()],
        "references": _references(references),
    }


def lines(title: str, x: dict, y: dict, series: dict[str, list], *, note: str = "", kind: str = "line",
          references: dict[str, float] | None = None) -> dict:  # fmt: skip
    return {
        "kind": kind,
        "title": title,
        "note": note,
        "x": x,
        "y": y,
        "series": [{"name": name, "points": points} for name, points in series.items()],
        "references": _references(references),
    }


def _references(references: dict[str, float] | None) -> list[dict]:
    return [{"value": at, "label": label} for label, at in (references or {}).items()]


def table(columns: list[str], rows: list[list], caption: str = "", text_columns: int = 1) -> dict:
    """The first `text_columns` are aligned to the left, the numbers to the right."""
    cells = [[value(cell) if isinstance(cell, float) else cell for cell in row] for row in rows]
    alignments = ["left" if place < text_columns else "right" for place in range(len(columns))]
    return {"caption": caption, "columns": columns, "alignments": alignments, "rows": cells}


def section(heading: str, prose: list[str], *, noisy: str = "", tables: list[dict] | None = None,
            plots: list[dict] | None = None) -> dict:  # fmt: skip
    found = {"heading": heading, "prose": prose, "tables": tables or [], "plots": plots or []}
    return found | ({"verdict": "warn", "verdict_text": f"noisy: {noisy}"} if noisy else {})
