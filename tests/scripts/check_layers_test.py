"""scripts/check-layers finds each kind of broken arrow, and only those."""

import subprocess

import pytest
from paths import ROOT


def check(root) -> subprocess.CompletedProcess:
    command = ["/usr/bin/python3", "-B", str(ROOT / "scripts/check-layers"), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(root, path: str, *lines: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize(
    "path, include",
    [
        ("dataplane/contract/a.h", '"dataplane/packet/b.h"'),
        ("dataplane/packet/a.h", '"dataplane/balance/b.h"'),
        ("dataplane/balance/a.cc", "<rte_mbuf.h>"),
        ("tests/unit/dataplane/balance/a.cc", "<rte_mbuf.h>"),
        ("dataplane/io/a.cc", '"controlplane/config/config.h"'),
        ("dataplane/backend/decap.bpf.c", '"dataplane/steer/b.h"'),
        ("controlplane/health/a.cc", '"controlplane/failover/b.h"'),
        ("controlplane/table/a.cc", '"controlplane/nexthop/b.h"'),
        ("controlplane/cli/a.cc", '"controlplane/api/server.h"'),
        ("controlplane/config/a.cc", '"controlplane/controller.h"'),
        ("controlplane/main.cc", '"tests/support/b.h"'),
        ("controlplane/main.cc", '"perf/b.h"'),
        ("controlplane/newcomer/a.cc", '"dataplane/contract/b.h"'),
        ("tests/unit/dataplane/io/a.cc", '"a.h"'),
    ],
)
def test_a_broken_arrow_is_named_with_its_line(tmp_path, path, include):
    write(tmp_path, path, "// text", f"#include {include}")
    done = check(tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:2: ")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "path, include",
    [
        ("dataplane/io/a.cc", "<rte_mbuf.h>"),
        ("tests/unit/dataplane/io/a.cc", "<rte_mbuf.h>"),
        ("dataplane/balance/a.cc", '"dataplane/packet/b.h"'),
        ("dataplane/main.cc", '"controlplane/config/load.h"'),
        ("controlplane/main.cc", '"controlplane/nexthop/b.h"'),
        ("controlplane/cli/a.cc", '"controlplane/api/protocol.h"'),
        ("controlplane/health/a.cc", '"controlplane/config/config.h"'),
        ("tests/unit/dataplane/io/a.cc", '"dataplane/io/a.h"'),
        ("dataplane/packet/a.cc", "<vector>"),
    ],
)
def test_an_arrow_of_the_architecture_is_fine(tmp_path, path, include):
    write(tmp_path, path, f"#include {include}")
    done = check(tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_repository_itself_is_clean():
    done = check(ROOT)
    assert done.stdout == ""
