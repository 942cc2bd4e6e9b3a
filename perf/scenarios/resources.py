"""What a run takes from the machine and gives back: hugepages, network namespaces, processes, the shared-memory segment.
All of it is context managers; a run that was killed leaves records under RUN from which the next one gives back for
it."""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

RUN = Path("/run/warmswap-bench")
NR_HUGEPAGES = Path("/proc/sys/vm/nr_hugepages")
DPDK_FOLDERS = Path("/var/run/dpdk")
HUGEPAGE_MIB = 2
NAMESPACE_PREFIX = "wsbench-"
TERM_DEADLINE_S = 10.0
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # prctl(2)


class ResourceError(Exception):
    """One sentence for the user."""


def call(*command: str, text_in: str = "") -> str:
    done = subprocess.run(command, input=text_in, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise ResourceError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


@contextlib.contextmanager
def exclusive(run: Path = RUN) -> Iterator[None]:
    """One run at a time: two would measure each other. Gives back first what a killed run left."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResourceError("another scripts/bench is running on this machine: wait for it, or end it") from None
        give_back_leftovers(run)
        try:
            yield
        finally:
            remove_dpdk_folders()


def give_back_leftovers(run: Path) -> None:
    for name in namespaces():
        remove_namespace(name)
    Hugepages(run).restore()
    for segment in Path("/dev/shm").glob("warmswap-wsbench*"):
        segment.unlink(missing_ok=True)
    for captured in Path("/dev/shm").glob("wsbench-*"):
        captured.unlink(missing_ok=True)
    remove_dpdk_folders()


def remove_dpdk_folders(dpdk: Path = DPDK_FOLDERS) -> None:
    """DPDK leaves the folder of a file prefix behind. Those of the balancer and testpmd have the run's pid in them."""
    for folder in (*dpdk.glob("warmswap-wsbench*"), *dpdk.glob("wsbench-*")):
        shutil.rmtree(folder, ignore_errors=True)


class Hugepages:
    """Reserves hugepages and gives them back. The number before is on file, also for a run after a killed one."""

    def __init__(self, run: Path = RUN, setting: Path = NR_HUGEPAGES):
        self._before, self._setting = run / "nr_hugepages", setting

    def reserve(self, mib: int) -> bool:
        """Whether so many more MiB are reserved now. The kernel gives what it finds, perhaps less."""
        before = int(self._setting.read_text(encoding="ascii"))
        if not self._before.exists():
            self._before.write_text(f"{before}\n", encoding="ascii")
        wanted = before + mib // HUGEPAGE_MIB
        try:
            self._setting.write_text(f"{wanted}\n", encoding="ascii")
        except OSError:
            return False
        return int(self._setting.read_text(encoding="ascii")) >= wanted

    def restore(self) -> None:
        if self._before.exists():
            self._setting.write_text(self._before.read_text(encoding="ascii"), encoding="ascii")
            self._before.unlink()


@contextlib.contextmanager
def hugepages(mib: int, run: Path = RUN) -> Iterator[bool]:
    """Yields whether the pages are there: without them all sides of a comparison run on ordinary pages."""
    pages = Hugepages(run)
    try:
        yield pages.reserve(mib)
    finally:
        pages.restore()


def namespaces() -> list[str]:
    listed = call("ip", "netns", "list").splitlines()
    return [line.split()[0] for line in listed if line.startswith(NAMESPACE_PREFIX)]


def remove_namespace(name: str) -> None:
    for pid in call("ip", "netns", "pids", name).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    call("ip", "netns", "delete", name)


@contextlib.contextmanager
def namespace(label: str) -> Iterator[str]:
    """A private network namespace, without IPv6 so that no router solicitation joins the measured traffic."""
    name = f"{NAMESPACE_PREFIX}{label}-{os.getpid()}"
    call("ip", "netns", "add", name)
    try:
        call("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
             "net.ipv6.conf.default.disable_ipv6=1")  # fmt: skip
        call("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        remove_namespace(name)


def in_namespace(name: str, *command: str) -> list[str]:
    """`ip netns exec` becomes the command, so the process has the command's own pid."""
    return ["ip", "netns", "exec", name, *command] if name else list(command)


def _end_with_the_run() -> None:
    """In a new child: the kernel kills it when a run that was killed cannot."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A process of the run with its output in a log. Ended with its process group at the end of the with block."""

    def __init__(self, what: str, command: list[str], log: Path, stdin: int | None = subprocess.DEVNULL,
                 stdout: int | None = None):  # fmt: skip
        self.what, self.log = what, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=stdin, stdout=stdout if stdout is not None else out,
                                            stderr=out, start_new_session=True,
                                            preexec_fn=_end_with_the_run)  # fmt: skip

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_seconds(self) -> float:
        """Processor time of all its threads, without stolen time. The clock of another process's: clock_getcpuclockid(3)
        makes the id out of the pid like this."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def must_run(self) -> None:
        if self.process.poll() is not None:
            raise ResourceError(f"{self.what} ended with status {self.process.returncode}:\n{self.last_words()}")

    def wait_for(self, said: str, deadline_s: float = 20.0) -> None:
        """Until a line of its log begins with `said`."""
        deadline = time.monotonic() + deadline_s
        while not any(line.startswith(said) for line in self.log.read_text(errors="replace").splitlines()):
            self.must_run()
            if time.monotonic() > deadline:
                raise ResourceError(f"{self.what} has not said `{said}` in {deadline_s:g} s:\n{self.last_words()}")
            time.sleep(0.01)

    def last_words(self, lines: int = 8) -> str:
        said = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(said[-lines:]) or "(nothing in its log)"

    def end(self) -> None:
        if self.process.poll() is None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(TERM_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.process.wait()
        self._signal(signal.SIGKILL)  # what it may have started and left
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _signal(self, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, how)
