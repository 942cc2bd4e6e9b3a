"""Runs the measuring client on the client node and makes sense of what it reports."""

import json
import queue
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

from .layout import CLIENT, CLIENT_SOURCES, run_in

SCRIPT = str(Path(__file__).with_name("client.py"))
FIRST_PORT = 20000  # below the ephemeral ports, which the kernel gives to other connections of the client


def flows(count: int, first_port: int = FIRST_PORT) -> list[str]:
    """That many client flows, spread over all the client's addresses."""
    return [f"{CLIENT_SOURCES[i % len(CLIENT_SOURCES)]}:{first_port + i // len(CLIENT_SOURCES)}" for i in range(count)]


def _command(*arguments: str) -> list[str]:
    return run_in(CLIENT.namespace, "/usr/bin/python3", SCRIPT, *arguments)


def who_answers(asked: list[str], *options: str) -> dict[str, str | None]:
    """The backend that answers each flow; None where there is no answer."""
    done = subprocess.run(_command(*options, "once", *asked), capture_output=True, text=True, check=True)
    return {row["flow"]: row["backend"] for row in map(json.loads, done.stdout.splitlines())}


def shares(answers: dict[str, str | None]) -> Counter:
    return Counter(backend for backend in answers.values() if backend)


def moved(before: dict[str, str | None], after: dict[str, str | None], but_of: str = "") -> list[str]:
    """The flows whose backend changed, without those `but_of` had."""
    return [flow for flow, backend in before.items() if backend != but_of and after.get(flow) != backend]


class Stream:
    """Requests at a fixed rate from some flows, from the start of the block to its end. `rows` is complete after it."""

    def __init__(self, rate: float, asked: list[str], hold: bool = False, timeout: float = 1.0, options=()):
        mode = "hold" if hold else "rate"
        self._command = _command("--timeout", str(timeout), *options, mode, str(rate), *asked)
        self._hold = hold
        self._seen: queue.Queue = queue.Queue()
        self.rows: list[dict] = []

    def __enter__(self) -> "Stream":
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._hold and not self._process.stdout.readline():
            raise RuntimeError("the client could not open its connections")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self) -> None:
        for line in self._process.stdout:
            row = json.loads(line)
            self.rows.append(row)
            self._seen.put(row)

    def wait_for(self, matches, deadline_s: float) -> dict | None:
        """The next reported request that `matches`; None when there is none in time."""
        end = time.monotonic() + deadline_s
        while (left := end - time.monotonic()) > 0:
            try:
                row = self._seen.get(timeout=left)
            except queue.Empty:
                return None
            if matches(row):
                return row
        return None

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self._reader.join()
        self._process.wait()
        # Answers overtake each other; what happened is told in the order the requests were due.
        self.rows.sort(key=lambda row: row["at"])

    @property
    def failures(self) -> list[dict]:
        return [row for row in self.rows if row["backend"] is None]

    def lost_under_way(self, moved: list[str], at_most: int = 5) -> list[str]:
        """The flows of failed requests. A request under way in a slot that moves between living servers is reset, as no
        connections are tracked: a few of the `moved` flows may be among them, and nobody else."""
        lost = [row["flow"] for row in self.failures]
        assert set(lost) <= set(moved) and len(lost) <= at_most, self.failures
        return lost

    def outage_ms(self) -> float | None:
        """From the first failed request to the first good one after the last failed one; 0 without a failure, None when
        no good one followed."""
        failed = self.failures
        if not failed:
            return 0.0
        later = [row["at"] for row in self.rows if row["at"] > failed[-1]["at"]]
        return (later[0] - failed[0]["at"]) * 1000 if later else None
