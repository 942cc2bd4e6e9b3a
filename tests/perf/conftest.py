import json
import os
import subprocess

import pytest
from paths import BUILD, missing

PROGRAM = "warmswap-gen"


def pytest_collection_modifyitems(items):
    reason = missing(PROGRAM)
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


class Generator:
    """Runs warmswap-gen, always bounded in time."""

    program = str(BUILD / PROGRAM)
    # Ordinary pages and one CPU: works on any machine, and a loop through a ring then never loses a packet.
    moving = ("--no-huge", "--cores", str(max(os.sched_getaffinity(0))))

    def __call__(self, *arguments, expect=0, timeout=30):
        done = subprocess.run(
            [self.program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
        )
        allowed = expect if isinstance(expect, tuple) else (expect,)
        assert done.returncode in allowed, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments, expect=0, timeout=30):
        return json.loads(self(*arguments, "--json", "-", expect=expect, timeout=timeout).stdout)

    def moves(self, command, *arguments, expect=0, timeout=30):
        """A command that moves packets; its result."""
        return self.json(command, *self.moving, *arguments, expect=expect, timeout=timeout)


@pytest.fixture(name="generator", scope="session")
def generator_fixture():
    return Generator()
