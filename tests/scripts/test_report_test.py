"""scripts/test-report counts every case once, and never turns a failure into silence."""

import json
import subprocess

import pytest
from paths import ROOT

PASSED = '<testsuites><testsuite><testcase status="run"/><testcase status="run"/></testsuite></testsuites>'
FAILED = '<testsuites><testsuite><testcase><failure/></testcase><testcase status="run"/></testsuite></testsuites>'
SKIPPED = '<testsuites><testsuite><testcase><skipped/></testcase><testcase/></testsuite></testsuites>'
NOTHING = "<testsuites/>"


def report(results, *suites: str) -> subprocess.CompletedProcess:
    command = ["/usr/bin/python3", "-B", str(ROOT / "scripts/test-report"), str(results), *suites]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def suite(results, name: str, status: int = 0, tests=None, **xml: str):
    """`tests`: (program, meson's result) of each; `xml`: what the programs wrote."""
    folder = results / name
    folder.mkdir()
    (folder / "status").write_text(f"{status} 7\n", encoding="ascii")
    for program, text in xml.items():
        (folder / f"{program}.xml").write_text(text, encoding="utf-8")
    if tests is not None:
        lines = [json.dumps({"command": [f"/build/{program}"], "result": result}) for program, result in tests]
        (folder / "testlog.json").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize(
    "arguments, totals, good",
    [
        ({"tests": [("a", "OK")], "a": PASSED}, "2 passed, 0 failed, 0 skipped", True),
        ({"tests": [("a", "OK"), ("b", "OK")], "a": PASSED}, "3 passed, 0 failed, 0 skipped", True),
        ({"tests": [("a", "FAIL")], "a": FAILED, "status": 1}, "1 passed, 1 failed, 0 skipped", False),
        # The program crashed before it could write, or a sanitizer spoke up after it had.
        ({"tests": [("a", "FAIL")], "status": 1}, "0 passed, 1 failed, 0 skipped", False),
        ({"tests": [("a", "FAIL")], "a": PASSED, "status": 1}, "2 passed, 1 failed, 0 skipped", False),
        ({"tests": [("a", "TIMEOUT")], "status": 1}, "0 passed, 1 failed, 0 skipped", False),
        ({"tests": [("a", "SKIP"), ("b", "OK")]}, "1 passed, 0 failed, 1 skipped", True),
        # One that did not even build.
        ({"status": 1}, "0 passed, 1 failed, 0 skipped", False),
        ({"pytest": SKIPPED}, "1 passed, 0 failed, 1 skipped", True),
        # Nothing ran: not a success.
        ({"pytest": NOTHING}, "0 passed, 0 failed, 0 skipped", False),
    ],
)
def test_totals_and_verdict(tmp_path, arguments, totals, good):
    suite(tmp_path, "unit", **arguments)
    done = report(tmp_path, "unit")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == totals
    assert (done.returncode == 0) is good


def test_suites_add_up(tmp_path):
    suite(tmp_path, "unit", tests=[("a", "OK")], a=PASSED)
    suite(tmp_path, "e2e", status=1, pytest=FAILED)
    done = report(tmp_path, "unit", "e2e")
    assert done.stdout.splitlines()[-1] == "3 passed, 1 failed, 0 skipped"
    assert done.returncode == 1
