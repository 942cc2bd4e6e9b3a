"""Makes the Python package behind scripts/bench importable as `scenarios`."""

import sys

from paths import ROOT

SCENARIO_PATHS = [str(ROOT / "perf"), str(ROOT / "scripts")]
sys.path[:0] = SCENARIO_PATHS
