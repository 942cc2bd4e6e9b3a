"""Captures that scapy makes of generated frames, with one fault each: the checker must find exactly that one."""

import pytest
from scapy.all import GRE, IP, UDP, ARP, Ether, IPv6, Raw, rdpcap, wrpcap

COUNT = 90
TRAFFIC = {
    "minimal tcp": (),
    "roomy tcp": ("--size", "200"),
    "udp": ("--protocol", "udp"),
    "syn": ("--kinds", "syn"),
    "ipv6 tcp": ("--vip", "2001:db8::10"),
    "ipv6 udp": ("--vip", "2001:db8::10", "--protocol", "udp"),
}


def inner_of(frame):
    return frame[IP] if IP in frame else frame[IPv6]


def backend_of(frame):
    """A balancer that keeps flows together: by the client's port."""
    return 11 + inner_of(frame).payload.sport % 3


def gue(inner, words):
    version = 4 if isinstance(inner, IP) else 41
    return UDP(sport=40000, dport=6080, chksum=0) / Raw(bytes([words, version, 0, 0]) + b"\x5a" * 4 * words + bytes(inner))


ENCAPSULATIONS = {
    "ipip": lambda inner, n: IP(src="198.18.0.1", dst=f"192.0.2.{n}") / inner,
    "ip6ip": lambda inner, n: IPv6(src="2001:db8:9::1", dst=f"2001:db8:9::{n}") / inner,
    "gre": lambda inner, n: IP(src="198.18.0.1", dst=f"192.0.2.{n}") / GRE() / inner,
    "gre with key": lambda inner, n: IP(src="198.18.0.1", dst=f"192.0.2.{n}") / GRE(key_present=1, key=7) / inner,
    "gue": lambda inner, n: IP(src="198.18.0.1", dst=f"192.0.2.{n}") / gue(inner, 0),
    "gue with private data": lambda inner, n: IP(src="198.18.0.1", dst=f"192.0.2.{n}") / gue(inner, 3),
    "gue over ipv6": lambda inner, n: IPv6(src="2001:db8:9::1", dst=f"2001:db8:9::{n}") / gue(inner, 0),
}


def encapsulated(frame, backend, encapsulation="ipip"):
    inner = inner_of(frame).copy()
    if isinstance(inner, IP):
        inner = IP(bytes(inner)[: inner.len])  # without Ethernet padding
        inner.ttl -= 1  # as a forwarder does
        del inner.chksum
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:09") / ENCAPSULATIONS[encapsulation](inner, backend)


class Bench:
    """Writes the traffic, has scapy balance it, lets a test spoil it, and checks the result."""

    def __init__(self, generator, path, traffic):
        self.generator = generator
        self.path = path
        self.arguments = ("--flows", 6, "--choice", "sequential", *TRAFFIC[traffic])
        generator("write-pcap", path / "sent.pcap", "--count", COUNT, *self.arguments)
        self.sent = list(rdpcap(str(path / "sent.pcap")))
        self.balanced = [encapsulated(frame, backend_of(frame)) for frame in self.sent]

    def check(self, frames, expect, *more, count=COUNT):
        wrpcap(str(self.path / "received.pcap"), frames)
        return self.generator.json("check", self.path / "received.pcap", "--count", count, *self.arguments, *more,
                                   expect=expect)  # fmt: skip


@pytest.fixture(params=TRAFFIC, name="bench")
def bench_fixture(generator, tmp_path, request):
    return Bench(generator, tmp_path, request.param)


def faults(result):
    names = ("lost", "duplicated", "reordered", "misrouted_flows", "corrupt", "foreign", "stale", "too_old")
    return {name: result[name] for name in names if result[name] != 0}


def test_faultless(bench):
    result = bench.check(bench.balanced, 0)
    assert faults(result) == {}
    assert result["received"] == COUNT
    assert sum(backend["packets"] for backend in result["backends"]) == COUNT
    assert {backend["name"] for backend in result["backends"]} <= {f"ipip 192.0.2.{n}" for n in (11, 12, 13)}


def test_lost(bench):
    result = bench.check(bench.balanced[:40] + bench.balanced[41:], 1)
    assert faults(result) == {"lost": 1}
    assert "lost" in result["verdict"]["reasons"][0]
    assert faults(bench.check(bench.balanced[:40] + bench.balanced[41:], 0, "--max-loss", "2%")) == {"lost": 1}


def test_duplicated(bench):
    assert faults(bench.check(bench.balanced[:40] + bench.balanced[30:], 1)) == {"duplicated": 10}


def test_reordered(bench):
    frames = list(bench.balanced)
    frames[40], frames[46] = frames[46], frames[40]  # of the same flow: there are six
    assert faults(bench.check(frames, 0)) == {"reordered": 1}


def test_misrouted(bench):
    frames = list(bench.balanced)
    frames[40] = encapsulated(bench.sent[40], 99)
    result = bench.check(frames, 1)
    assert faults(result) == {"misrouted_flows": 1}
    assert result["backend_changes"] == 2
    assert faults(bench.check(frames, 0, "--max-misrouted-flows", 1)) == {"misrouted_flows": 1}


def test_corrupted_payload(bench):
    raw = bytearray(bytes(bench.balanced[40]))
    raw[-3] ^= 0x10
    frames = list(bench.balanced)
    frames[40] = Ether(bytes(raw))
    assert faults(bench.check(frames, 1)) == {"lost": 1, "corrupt": 1}


def test_rewritten_port_with_a_right_checksum(bench):
    """A translator between the balancer and the backend: a flow nobody sent."""
    frame = bench.balanced[40].copy()
    inner = frame.getlayer(IP, 2) or frame.getlayer(IPv6, 1)
    inner.payload.dport = 8080
    del inner.payload.chksum
    frames = list(bench.balanced)
    frames[40] = Ether(bytes(frame))
    assert faults(bench.check(frames, 1)) == {"lost": 1, "corrupt": 1}


def test_foreign(bench):
    frames = [*bench.balanced, Ether() / ARP(), Ether() / IP(dst="192.0.2.1") / UDP() / b"not ours, and long enough"]
    assert faults(bench.check(frames, 0)) == {"foreign": 2}


@pytest.mark.parametrize("encapsulation", ENCAPSULATIONS)
def test_every_encapsulation(bench, encapsulation):
    frames = [encapsulated(frame, backend_of(frame), encapsulation) for frame in bench.sent]
    result = bench.check(frames, 0)
    assert faults(result) == {}
    kind = {"ipip": "ipip", "ip6ip": "ipip"}.get(encapsulation, encapsulation.split()[0])
    assert {backend["name"].split()[0] for backend in result["backends"]} == {kind}


def test_packets_beyond_the_count_make_up_for_no_lost_one(bench):
    """The count is wrong, or something else sends the same traffic: nothing can be said."""
    result = bench.check(bench.balanced[5:], 3, "--max-loss", "100%", count=COUNT - 5)
    assert (result["received"], result["beyond"], result["lost"]) == (COUNT - 10, 5, 5)
    assert result["command"] == "check"
    assert "5 packets have numbers beyond" in result["verdict"]["warnings"][0]


def test_another_seed_is_another_traffic(bench):
    assert faults(bench.check(bench.balanced, 1, "--seed", 2)) == {"lost": COUNT, "foreign": COUNT}


def test_what_is_no_capture_is_an_error(generator, tmp_path):
    (tmp_path / "f.pcap").write_text("not a capture, but long enough to be one")
    done = generator("check", tmp_path / "f.pcap", "--count", 1, expect=3)
    assert "expected the magic number of a pcap file" in done.stderr
