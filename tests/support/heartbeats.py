"""Heartbeats made in Python from docs/heartbeat.md alone: an agent in another language, and an attacker."""

import hashlib
import hmac
import os
import socket
import struct
import threading
import time

from netns import in_namespace

KNOWS_CPU = 1
SIGNED = 56  # bytes; the MAC follows


def read(key: bytes, datagram: bytes) -> dict:
    """What a datagram says, once it has been found genuine."""
    signed, mac = datagram[:SIGNED], datagram[SIGNED:]
    assert len(datagram) == SIGNED + 16 and mac == hmac.new(key, signed, hashlib.sha256).digest()[:16]
    fields = struct.unpack("!IBBHQQQ4sIIHHHHHxx", signed)
    assert fields[:2] == (0x57534842, 1)
    names = ("flags", "known", "session", "sequence", "sent_ns", "address", "interval_us", "connections")
    return dict(zip(names, fields[2:10], strict=True)) | {"address": socket.inet_ntoa(fields[7]), "parts": fields[10:]}


def report(key: bytes, address: str, session: int, sequence: int, interval_us: int, cpu: float, flags: int = 1,
           sent_ns: int | None = None) -> bytes:  # fmt: skip
    signed = struct.pack(
        "!IBBHQQQ4sIIHHHHHxx",
        0x57534842, 1, flags, KNOWS_CPU, session, sequence, sent_ns or time.time_ns(), socket.inet_aton(address), interval_us,
        0, round(cpu * 65535), 0, 0, 0, 0,
    )  # fmt: skip
    return signed + hmac.new(key, signed, hashlib.sha256).digest()[:16]


def datagram_socket(namespace: str) -> socket.socket:
    return in_namespace(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


class Reports:
    """Beats for every backend from the client's host, with loads of the caller's choice; the real agents are stopped meanwhile, as
    two sessions would overtake each other."""

    def __init__(self, lab, loads: dict[str, int]):
        self.loads = loads
        self._lab = lab
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Reports":
        self._thread.start()
        time.sleep(0.1)
        for name in self.loads:
            for pid in self._lab.members(f"agent-{name}"):
                self._lab.signal(pid, "STOP")
        time.sleep(1)  # what the agents said last is smoothed away
        return self

    def _run(self) -> None:
        key, port = bytes.fromhex(self._lab.config.heartbeat_key), self._lab.config.heartbeat_port
        session, sequence = int.from_bytes(os.urandom(8), "big"), 0
        with datagram_socket("ws-client") as sender:
            while not self._stop.wait(0.01):
                sequence += 1
                for name, percent in self.loads.items():
                    address = self._lab.node(name).address
                    sender.sendto(report(key, address, session, sequence, 10_000, percent / 100), ("192.0.2.1", port))

    def __exit__(self, *_) -> None:
        """The agents' sessions are older now than the one made here: they have to be started anew, before this one ends."""
        for name in self.loads:
            self._lab.restart_agent(name)
        self._stop.set()
        self._thread.join()


def record(node, count: int) -> list[bytes]:
    """The next heartbeats that leave the node."""
    datagrams = []
    raw = (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    with in_namespace(node.namespace, lambda: socket.socket(*raw)) as capture:
        capture.bind(("eth0", 0))
        capture.settimeout(5)
        while len(datagrams) < count:
            frame = capture.recv(2048)
            if frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[42:46] == b"WSHB":
                datagrams.append(frame[42:114])
    return datagrams


def play(datagrams: list[bytes], stop: threading.Event) -> None:
    with datagram_socket("ws-client") as sender:
        while not stop.is_set():
            for datagram in datagrams:
                sender.sendto(datagram, ("192.0.2.1", 9101))
                time.sleep(0.002)
