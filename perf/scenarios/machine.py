"""The conditions of a run: a number without them is not a number."""

import json
import os
import platform
import re
import subprocess
from pathlib import Path


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _said(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def cpu_of(text: str) -> dict:
    """Model, nominal clock and caches out of /proc/cpuinfo. In a virtual machine "cpu MHz" is the clock of the TSC."""
    fields = dict(re.findall(r"^([^:\n]+?)\s*:\s*(.*)$", text, re.MULTILINE))
    flags = fields.get("flags", "").split()
    return {
        "model": fields.get("model name", "unknown"),
        "mhz": float(fields.get("cpu MHz", 0)),
        "cache": fields.get("cache size", ""),
        "invariant_tsc": "constant_tsc" in flags and "nonstop_tsc" in flags,
        "virtual": "hypervisor" in flags,
        "vectors": [flag for flag in ("avx2", "avx512f") if flag in flags],
    }


def build_type(build: Path) -> str:
    """What meson was told: `release`, and the sanitizer if there is one."""
    options = _said("meson", "introspect", str(build), "--buildoptions")
    values = {option["name"]: option["value"] for option in json.loads(options or "[]")}
    sanitizer = values.get("b_sanitize", "none")
    return values.get("buildtype", "unknown") + ("" if sanitizer == "none" else f" with sanitizer {sanitizer}")


def revision(repo: Path) -> str:
    commit = _said("git", "rev-parse", "--short=12", "HEAD", cwd=repo)
    changed = _said("git", "status", "--porcelain", "--untracked-files=no", cwd=repo)
    return (commit or "unknown") + (" with changes" if changed else "")


def conditions(repo: Path, build: Path) -> dict:
    return {
        "cpu": cpu_of(_read("/proc/cpuinfo")),
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "dpdk": _said("pkg-config", "--modversion", "libdpdk") or "unknown",
        "compiler": _said("c++", "--version").partition("\n")[0] or "unknown",
        "build": build_type(build),
        "revision": revision(repo),
        "hugepages_before": int(_read("/proc/sys/vm/nr_hugepages") or 0),
        "transparent_hugepages": (re.findall(r"\[(\w+)\]", _read("/sys/kernel/mm/transparent_hugepage/enabled"))
                                  or ["unknown"])[0],  # fmt: skip
        "load_average": _read("/proc/loadavg").split()[:1],
    }
