"""Where the tests find the repository and what was built from it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WARMSWAP_BUILD", ROOT / "build")).resolve()


def missing(*names: str) -> str:
    """A reason to skip when a built file is not there, or an empty string."""
    absent = [name for name in names if not (BUILD / name).exists()]
    return f"not built: {', '.join(absent)} (ninja -C {BUILD})" if absent else ""
