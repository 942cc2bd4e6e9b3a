"""What travels between balancer and backend, byte by byte. Frames are captured at the client and, before any program of
ours sees them, at the backends; scapy and the Python hash are the independent decoders.

    client ── br0 ── balancer ── br0 ══ IPIP ══ hot1, hot2, hot3
      │capture                              │capture
"""

import random
import socket
import time

import pytest
import siphash
from lab import HASH_KEY, RING_SIZE, SOURCE, VIP, traffic
from netns import in_namespace
from scapy.layers.inet import IP, TCP, IPOption_NOP, IPOption_Timestamp
from scapy.layers.l2 import Ether
from scapy.packet import Raw

ETH_P_ALL = 3
PACKET_OUTGOING = 4
OUTER_PREFIX = "198.18"  # layout.OUTER_SOURCE is 198.18.0.0/16


class Capture:
    """All frames at a node's eth0, one way, since the last look."""

    def __init__(self, node, outgoing: bool):
        def make():
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            made.bind(("eth0", ETH_P_ALL))
            made.setblocking(False)
            return made

        self._socket = in_namespace(node.namespace, make)
        self._outgoing = outgoing
        self._mac = self._socket.getsockname()[4].hex(":")

    def send(self, frame: bytes) -> None:
        self._socket.send(frame)

    def close(self) -> None:
        self._socket.close()

    @property
    def mac(self) -> str:
        return self._mac

    def frames(self) -> list[bytes]:
        found = []
        while True:
            try:
                data, address = self._socket.recvfrom(65535)
            except BlockingIOError:
                return found
            if (address[2] == PACKET_OUTGOING) == self._outgoing:
                found.append(data)


@pytest.fixture(name="client")
def client_capture(lab):
    capture = Capture(lab.node("client"), outgoing=True)
    yield capture
    capture.close()


@pytest.fixture(name="backends")
def backend_captures(lab):
    captures = {node.name: Capture(node, outgoing=False) for node in lab.backends}
    yield captures
    for capture in captures.values():
        capture.close()


def ip_to_vip(frames: list[bytes]) -> list[bytes]:
    """The IP packets among these frames that go to the vip, without Ethernet padding."""
    packets = [Ether(frame) for frame in frames]
    return [bytes(frame[14 : 14 + packet[IP].len]) for frame, packet in zip(frames, packets)
            if IP in packet and packet[IP].dst == VIP]  # fmt: skip


def tunnelled(backends: dict[str, Capture]) -> list[tuple[str, bytes]]:
    """(backend, frame) of every IPIP frame that arrived anywhere."""
    return [(name, frame) for name, capture in backends.items() for frame in capture.frames()
            if frame[12:14] == b"\x08\x00" and frame[23] == 4]  # fmt: skip


def hops_on(packet: bytes) -> bytes:
    """The packet after one hop, made by scapy."""
    hopped = IP(packet)
    hopped.ttl -= 1
    del hopped.chksum
    return bytes(hopped)


def check_outer(frame: bytes, inner: bytes, backend, balancer_mac: str, backend_mac: str) -> None:
    """Every field of the outer headers, given the packet as the client sent it."""
    sent, whole = IP(inner), Ether(frame)
    assert (whole.dst, whole.src, whole.type) == (backend_mac, balancer_mac, 0x0800)
    outer = whole[IP]
    value = siphash.flow_hash(HASH_KEY, sent.src, sent.dst, sent[TCP].sport, sent[TCP].dport, 6)
    entropy = siphash.flow_entropy(value) & 0xFFFF
    expected = IP(src=f"{OUTER_PREFIX}.{entropy >> 8}.{entropy & 255}", dst=backend.address, proto=4, ttl=64,
                  tos=sent.tos, id=sent.id, flags="DF" if sent.flags.DF else 0, len=20 + len(inner), ihl=5)  # fmt: skip
    assert frame[14:34] == bytes(expected)[:20], f"{outer.show(dump=True)}\nexpected {expected.show(dump=True)}"
    assert frame[34:] == hops_on(inner)


def balancer_mac(lab) -> str:
    return lab.on("balancer", "cat", "/sys/class/net/eth0/address").stdout.strip()


def test_a_whole_http_exchange(lab, client, backends):
    mac = balancer_mac(lab)
    flows = traffic.flows(30)
    answers = traffic.who_answers(flows)
    assert None not in answers.values()
    time.sleep(0.1)
    sent, arrived = ip_to_vip(client.frames()), tunnelled(backends)
    # A SYN, an ACK, a request and a reset each, at least.
    assert len(sent) >= 4 * len(flows)
    by_inner = {frame[34:]: (name, frame) for name, frame in arrived}
    assert len(arrived) == len(sent), "every packet of the clients arrived once, and nothing else"
    for packet in sent:
        assert hops_on(packet) in by_inner
        name, frame = by_inner[hops_on(packet)]
        flow = f"{IP(packet).src}:{IP(packet)[TCP].sport}"
        assert name == answers[flow]
        check_outer(frame, packet, lab.node(name), mac, backends[name].mac)


CRAFTED = [
    ("plain SYN", {}, {}, b""),
    ("no DF", {"flags": 0, "id": 77}, {}, b""),
    ("DSCP and ECT(0)", {"tos": 0xBA}, {}, b""),
    ("CE", {"tos": 0x03}, {}, b""),
    ("lowest TTL that may travel on", {"ttl": 2}, {}, b""),
    ("highest TTL", {"ttl": 255}, {}, b""),
    ("IP options", {"options": [IPOption_NOP()] * 4}, {}, b""),
    ("longest IP header", {"options": [IPOption_Timestamp(length=36, pointer=5, timestamp=1), IPOption_NOP()]}, {}, b""),
    ("TCP options", {}, {"options": [("MSS", 1200), ("SAckOK", b""), ("Timestamp", (1, 0))]}, b""),
    ("data on the SYN", {}, {}, b"early"),
    ("full-sized", {}, {"flags": "A"}, bytes(1460)),
    ("ACK of nobody's connection", {}, {"flags": "A"}, b""),
    ("wrong TCP checksum: not the balancer's to judge", {}, {"chksum": 0x1234}, b""),
]


@pytest.mark.parametrize("ip, tcp, data", [row[1:] for row in CRAFTED], ids=[row[0] for row in CRAFTED])
def test_crafted_packets(lab, client, backends, ip, tcp, data):
    mac = balancer_mac(lab)
    port = random.Random(repr((ip, tcp, data))).randrange(23000, 30000)
    packet = IP(**{"src": SOURCE, "dst": VIP, "ttl": 64, "flags": "DF", "id": 0x1122, **ip})
    packet = bytes(packet / TCP(**{"sport": port, "dport": 80, "flags": "S", "seq": 1, **tcp}) / Raw(data))
    client.send(bytes(Ether(src=client.mac, dst=mac, type=0x0800)) + packet)
    time.sleep(0.1)
    mine = [(name, frame) for name, frame in tunnelled(backends) if frame[34:] == hops_on(packet)]
    assert len(mine) == 1
    name, frame = mine[0]
    check_outer(frame, packet, lab.node(name), mac, backends[name].mac)
    told = lab.control.get("explain", source=SOURCE, source_port=port, destination=VIP, destination_port=80,
                           protocol="tcp")  # fmt: skip
    assert told["backend"] == name
    assert told["slot"] == siphash.ring_slot(siphash.flow_hash(HASH_KEY, SOURCE, VIP, port, 80, 6), RING_SIZE)


@pytest.mark.parametrize(
    "reason, ip, data",
    [
        ("ttl_expired", {"ttl": 1}, b""),
        ("fragment_unsupported", {"flags": "MF"}, b""),
        ("fragment_unsupported", {"flags": 0, "frag": 100}, b""),
        ("bad_ip_checksum", {"chksum": 0x1234}, b""),
        ("bad_ip_total_length", {"len": 19}, b""),
        ("bad_ip_total_length", {"len": 1400}, b""),
        ("truncated", {"len": 30}, b""),
    ],
)
def test_what_must_not_travel_on_is_a_named_drop(lab, client, backends, reason, ip, data):
    before = lab.drops().get(reason, 0)
    packet = IP(**{"src": SOURCE, "dst": VIP, "ttl": 64, **ip}) / TCP(sport=31000, dport=80, flags="S") / Raw(data)
    client.send(bytes(Ether(src=client.mac, dst=balancer_mac(lab)) / packet))
    time.sleep(0.1)
    assert [frame for _, frame in tunnelled(backends) if Ether(frame)[IP].payload.src == SOURCE] == []
    assert lab.drops()[reason] == before + 1
