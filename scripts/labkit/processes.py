"""Starts, finds and ends the lab's processes. A process is known by its id and start time, so that an id the kernel gave
to somebody else is never mistaken for it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from .layout import LOGS, RUN, run_in
from .network import namespaces, processes_in

PIDS = RUN / "pid"
TERM_DEADLINE_S = 10.0
PRIORITY = -10


class ProcessError(Exception):
    pass


def _start_time(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat (proc(5)); None when the process is gone or only waits to be reaped."""
    try:
        # The command name, in parentheses, may contain anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, start_time = fields[0], fields[19]
    return None if state in "ZX" else start_time


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _favour(pid: int) -> None:
    """Puts the lab before whatever else the machine does: a build beside it must not look like a server that takes too
    long to answer. With autogroups (sched(7)) the priority that counts is that of the session."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, PRIORITY)
        Path(f"/proc/{pid}/autogroup").write_text(str(PRIORITY), encoding="ascii")


def write_at_once(path: Path, text: str) -> None:
    """Wholly or not at all, also when this command is killed meanwhile: the next one has to read it."""
    new = path.with_name(f".{path.name}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def send(pid: int, how: signal.Signals) -> None:
    """Signals a process that may just have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


class Process:
    """One process of the lab by its name, such as `dataplane` or `nginx-hot1`, running or not."""

    def __init__(self, name: str, namespace: str = "", command: list[str] | None = None, ready: str | Path = ""):
        """`ready` is how its log says that it serves, or a file it makes then."""
        self.name, self.namespace, self.command, self.ready = name, namespace, command or [], ready
        self.log = LOGS / f"{name}.log"
        self._record = PIDS / name
        self._child: subprocess.Popen | None = None
        self._log_start = 0

    def _recorded(self) -> dict:
        try:
            return json.loads(self._record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def pid(self) -> int | None:
        """The process id while it runs."""
        if self._child is not None:
            self._child.poll()
        record = self._recorded()
        return record["pid"] if record and _start_time(record["pid"]) == record["start_time"] else None

    def start(self) -> None:
        if self.pid():
            raise ProcessError(f"{self.name} already runs (pid {self.pid()})")
        if isinstance(self.ready, Path):
            self.ready.unlink(missing_ok=True)
        for directory in (LOGS, PIDS):
            directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            # A session of its own: it survives this command and its terminal, and is ended as a group.
            self._child = subprocess.Popen(run_in(self.namespace, *self.command), stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, start_new_session=True)  # fmt: skip
        pid = self._child.pid
        _favour(pid)
        record = {"pid": pid, "start_time": _start_time(pid), "namespace": self.namespace}
        write_at_once(self._record, json.dumps(record))

    def missing(self) -> str:
        """What is missing before it serves; empty when it does."""
        if not self.pid():
            return f"{self.name} has ended"
        if isinstance(self.ready, Path):
            return "" if self.ready.exists() else f"{self.name} has not made {self.ready}"
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            said = log.read().decode(errors="replace")
        is_ready = any(line.startswith(self.ready) for line in said.splitlines())
        return "" if is_ready else f"{self.name} has not said `{self.ready}`"

    def kill(self) -> None:
        """Ends all its processes at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Asks it to end; kills it when it takes too long, and says so."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        members = self.members()
        for pid in members:
            send(pid, how)
        deadline = time.monotonic() + TERM_DEADLINE_S
        while members := self.members():
            if time.monotonic() > deadline:
                for pid in members:
                    send(pid, signal.SIGKILL)
                raise ProcessError(f"{self.name} did not end within {TERM_DEADLINE_S:.0f} s and was killed")
            time.sleep(0.002)
        self._record.unlink(missing_ok=True)

    def members(self) -> list[int]:
        """Its processes: those in its namespace and process group, also when the first of them is dead."""
        record = self._recorded()
        if not record or record["namespace"] not in namespaces():
            return []
        return [pid for pid in processes_in(record["namespace"]) if _group_of(pid) == record["pid"]]

    def last_words(self, lines: int = 15) -> str:
        if not self.log.exists():
            return "(no log)"
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(said[-lines:]) or "(nothing in its log)"


def recorded() -> list[Process]:
    """Every process some command of the lab ever started and did not end."""
    return [Process(path.name) for path in sorted(PIDS.glob("[!.]*"))]


def wait_until_ready(processes: list[Process], deadline: float) -> None:
    """Raises ProcessError with the end of the logs when one of them does not serve by `deadline` (time.monotonic)."""
    waiting = list(processes)
    while waiting:
        waiting = [process for process in waiting if process.missing()]
        if any(not process.pid() for process in waiting) or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    if waiting:
        words = [f"{process.missing()}; the end of {process.log}:\n{process.last_words()}" for process in waiting]
        raise ProcessError("\n".join(words))
