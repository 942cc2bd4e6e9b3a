import os

import pytest
from lab import lab_is_up, running_lab
from paths import missing

PROGRAMS = ("warmswap-dataplane", "warmswap-controlplane", "warmswapctl", "warmswap-agent")


def pytest_sessionstart():
    """There is one lab on a machine; somebody else's is not ours to take down."""
    if lab_is_up():
        pytest.exit("a lab is up already: take it down with `scripts/lab down`", returncode=1)


def pytest_collection_modifyitems(items):
    """Everything here runs in network namespaces."""
    reason = "needs root for network namespaces" if os.geteuid() != 0 else missing(*PROGRAMS)
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module", name="lab_options")
def default_lab_options() -> list[str]:
    """A module overrides this to get another lab."""
    return ["--hot", "3", "--warm", "1"]


@pytest.fixture(scope="module", name="module_lab")
def lab_of_module(lab_options):
    with running_lab(*lab_options) as running:
        yield running


@pytest.fixture(name="lab")
def lab_in_order(module_lab):
    """The module's lab with everything running and everybody in their seat."""
    module_lab.restore()
    return module_lab


@pytest.fixture(name="tell")
def line_for_the_summary(record_property):
    """Gives scripts/test a line for its summary."""
    return lambda line: record_property("summary", line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what the balancer's processes said last."""
    outcome = yield
    report = outcome.get_result()
    running = item.funcargs.get("module_lab")
    if report.when == "call" and report.failed and running is not None:
        for plane in ("dataplane", "controlplane"):
            text = running.do("logs", plane)
            report.sections.append((f"end of the {plane}'s log", "\n".join(text.splitlines()[-30:])))
