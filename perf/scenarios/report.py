"""The page: conditions, the table and what each scenario has to show, handed to `warmswap-gen report`."""

import json
import time
from pathlib import Path

from . import document
from .context import Context
from .resources import ResourceError
from .row import MISSED, NOISY, OK, Bound, Row, doubt, number, spread_text, verdict, verdict_text

GENERATOR = "warmswap-gen"
_COLOURS = {OK: "ok", MISSED: "fail", NOISY: "warn"}
RENDER_DEADLINE_S = 30


def facts(rows: list[Row], bounds: dict[str, Bound]) -> list[dict]:
    """One tile for each row that is judged."""
    judged = [row for row in rows if row.key in bounds]
    return [
        {
            "label": row.what,
            "value": f"{number(row.value)} {row.unit}".strip(),
            "note": ", ".join(filter(None, [f"bound {bounds[row.key].text()}", doubt(row, bounds[row.key])])),
            "verdict": _COLOURS[verdict(row, bounds)],
        }
        for row in judged
    ]


def conditions_text(stated: dict) -> str:
    cpu, noise = stated["cpu"], stated["noise"]
    parts = [
        f"{cpu['model']}, {stated['cpus']} processors" + (" of a virtual machine" if cpu["virtual"] else ""),
        f"TSC {cpu['mhz'] / 1000:.3f} GHz" + ("" if cpu["invariant_tsc"] else " (not invariant)"),
        f"Linux {stated['kernel']}, DPDK {stated['dpdk']}, {stated['compiler']}",
        f"warmswap {stated['revision']}, {stated['build']}",
        f"steal {noise['worker_cpu']['steal']:.1%} of processor {stated['worker_cpu']}, "
        f"busiest other processor {noise['busiest_other_cpu']['busy']:.0%} busy",
    ]
    return "; ".join(parts) + "."


def build(stated: dict, rows: list[Row], bounds: dict[str, Bound], sections: list[dict]) -> dict:
    columns = ["what", "value", "unit", "spread: MAD (p10 … p90)", "bound", "verdict"]
    lines = []
    for row in rows:
        bound = bounds[row.key].text() if row.key in bounds else ""
        said = verdict_text(row, bounds)
        lines.append([row.what, number(row.value), row.unit, spread_text(row.spread), bound, said])
    return {
        "title": "warmswap, measured",
        "subtitle": ("Quick run, " if stated["quick"] else "") + time.strftime("%Y-%m-%d %H:%M %Z"),
        "facts": facts(rows, bounds),
        "sections": [*sections, document.section("All figures", [], tables=[document.table(columns, lines)])],
        "footer": conditions_text(stated),
    }


def write(context: Context, stated: dict, rows: list[Row], bounds: dict[str, Bound], sections: list[dict]) -> Path | None:
    """The page's path; None, with a word on why, when it could not be made: the figures stand in report.json all the
    same."""
    described = context.output / "document.json"
    described.write_text(json.dumps(build(stated, rows, bounds, sections), indent=1) + "\n", encoding="utf-8")
    page = context.output / "report.html"
    try:
        cpus = {context.worker_cpu, context.other_cpu}
        context.run(GENERATOR, "report", str(described), "-o", str(page), deadline_s=RENDER_DEADLINE_S, cpus=cpus)
    except ResourceError as error:
        context.progress(f"no report.html: {error}")
        return None
    return page
