"""Watches what a balancer sends to its backends, on the fabric's side of its cable, with times one may compare with the
control plane's."""

import json
import subprocess
import sys
from pathlib import Path

from lab import layout

SCRIPT = Path(__file__)


class Wire:
    """While the block runs, the time of every IPIP packet that leaves the balancer, by outer destination."""

    def __enter__(self) -> "Wire":
        command = layout.run_in(layout.FABRIC, "/usr/bin/python3", "-B", str(SCRIPT), layout.BALANCER.name)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "listening\n"
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self.times: dict[str, list[float]] = json.loads(self._process.stdout.read())
        self._process.wait()

    def last_before(self, destination: str, end: float) -> float | None:
        return max((time for time in self.times.get(destination, []) if time < end), default=None)


def watch(interface: str) -> None:
    import select
    import socket
    import time

    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    capture.bind((interface, 0))
    print("listening", flush=True)
    times: dict[str, list[float]] = {}
    while True:
        ready, _, _ = select.select([capture, sys.stdin], [], [])
        if sys.stdin in ready:
            break
        frame = capture.recv(64)
        now = time.time()
        if frame[12:14] == b"\x08\x00" and frame[23] == 4:
            times.setdefault(socket.inet_ntoa(frame[30:34]), []).append(now)
    print(json.dumps(times))


if __name__ == "__main__":
    watch(sys.argv[1])
