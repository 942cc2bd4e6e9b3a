"""What scripts/bench runs: one module for each scenario, and what they share. Standard library only.

A scenario is a module with three functions:

    run(context) -> dict       measures; the dict lands in report.json under the scenario's name
    rows(result) -> list[Row]  the lines of the table; a Row's key is what perf/bounds.toml bounds
    section(result) -> dict    the scenario's section of the report, built with document.py
"""
