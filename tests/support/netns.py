"""A private network namespace for a test, gone with everything in it at the end of the block."""

import ctypes
import json
import os
import signal
import subprocess
import threading
import uuid

CLONE_NEWNET = 0x40000000


def run(*command: str) -> str:
    """Runs a command that must succeed; returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    def __init__(self, label: str):
        # Unique, so that test runs beside each other (and leftovers of a killed one) do not meet.
        self.name = f"wstest-{label}-{uuid.uuid4().hex[:6]}"

    def __enter__(self) -> "Namespace":
        run("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for pid in run("ip", "netns", "pids", self.name).split():
            os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "delete", self.name)

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> str:
        return run(*self.command(*command))

    def popen(self, *command: str, **options) -> subprocess.Popen:
        """`ip netns exec` becomes the command, so the process has the command's own pid."""
        return subprocess.Popen(self.command(*command), **options)

    def json(self, *command: str):
        """What an iproute2 command with -json prints; nothing printed is an empty list."""
        return json.loads(self.run(*command) or "[]")


def _enter(name: str) -> None:
    """Moves the calling thread into the namespace."""
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {name}")
    finally:
        os.close(fd)


def in_namespace(name: str, make_socket):
    """A socket made by `make_socket` inside the namespace: a socket stays in the namespace it was made in."""
    made = []

    def make() -> None:
        _enter(name)
        made.append(make_socket())

    # Namespaces belong to threads, so the caller's stays as it is.
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]
