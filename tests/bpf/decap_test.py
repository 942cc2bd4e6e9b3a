"""The decapsulation program on packets made by scapy: one row per case, with the verdict, the counter and the bytes
expected. Expected packets are built by scapy too, never taken from the program."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from bpf import BpfObject
from paths import BUILD, ROOT
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_RR
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

VIP, OTHER_VIP, NOT_VIP = "198.51.100.10", "198.51.100.11", "198.51.100.99"
BACKEND, OTHER_HOST = "192.0.2.11", "192.0.2.12"
BALANCER, STRANGER = "198.18.7.9", "203.0.113.66"
CLIENT = "203.0.113.10"
TC_ACT_UNSPEC, TC_ACT_SHOT = -1, 2
SHORTEST = 14 + 20  # BPF_PROG_TEST_RUN refuses an IPv4 frame without a whole IP header
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")

OUTCOMES = re.findall(r"^WARMSWAP_DECAP\((\w+),", (ROOT / "dataplane/backend/decap_outcomes.def").read_text(), re.M)


def outer(**fields) -> IP:
    return IP(**{"src": BALANCER, "dst": BACKEND, "id": 0x1234, "flags": "DF", "ttl": 61, **fields})


def inner(**fields) -> IP:
    return IP(**{"src": CLIENT, "dst": VIP, "id": 0x4321, "ttl": 63, **fields})


SEGMENT = TCP(sport=40000, dport=80, flags="PA", seq=7, ack=9) / Raw(b"GET / HTTP/1.1\r\n\r\n")


def tunnel(outer_fields=None, inner_fields=None, payload=SEGMENT) -> Packet:
    return ETHER / outer(**(outer_fields or {})) / inner(**(inner_fields or {})) / payload


def broken(packet: Packet, layer: type, **fields) -> bytes:
    """The packet with fields of its first `layer` changed after all lengths and checksums were computed; the layer's
    own checksum is computed again unless it is what is broken."""
    built = Ether(bytes(packet))
    if "chksum" not in fields:
        fields["chksum"] = None
    for name, value in fields.items():
        setattr(built[layer], name, value)
    return bytes(built)


def broken_inner(packet: Packet, **fields) -> bytes:
    built = Ether(bytes(packet))
    for name, value in {"chksum": None, **fields}.items():
        setattr(built[IP].payload, name, value)
    return bytes(built)


@dataclass
class Row:
    description: str
    packet: Packet | bytes
    outcome: str | None  # None: not counted, because it is not IPIP
    expected: Packet | bytes | None = None  # None: as it came

    @property
    def bytes_in(self) -> bytes:
        return bytes(self.packet)


NINE_OPTION_WORDS = [IPOption_RR(pointer=4, routers=["192.0.2.250"] * 8), IPOption_NOP()]

ROWS = [
    Row("tcp for the vip", tunnel(), "decapsulated", ETHER / inner() / SEGMENT),
    Row("another vip", tunnel({}, {"dst": OTHER_VIP}), "decapsulated", ETHER / inner(dst=OTHER_VIP) / SEGMENT),
    Row("udp", tunnel(payload=UDP(sport=1, dport=53) / b"x"), "decapsulated",
        ETHER / inner() / UDP(sport=1, dport=53) / b"x"),
    Row("icmp for the vip", tunnel(payload=ICMP() / b"x"), "decapsulated", ETHER / inner() / ICMP() / b"x"),
    Row("no payload at all", tunnel(payload=Raw(b"")), "decapsulated", ETHER / inner()),
    Row("full-sized", tunnel(payload=Raw(bytes(1480))), "decapsulated", ETHER / inner() / Raw(bytes(1480))),
    Row("DF of the client stays", tunnel({}, {"flags": "DF"}), "decapsulated", ETHER / inner(flags="DF") / SEGMENT),
    Row("DSCP of both stays apart", tunnel({"tos": 0x28}, {"tos": 0x88}), "decapsulated",
        ETHER / inner(tos=0x88) / SEGMENT),
    Row("outer options", tunnel({"options": [IPOption_NOP()] * 4}), "decapsulated", ETHER / inner() / SEGMENT),
    Row("longest outer header", tunnel({"options": NINE_OPTION_WORDS}), "decapsulated", ETHER / inner() / SEGMENT),
    Row("inner options", tunnel({}, {"options": NINE_OPTION_WORDS}), "decapsulated",
        ETHER / inner(options=NINE_OPTION_WORDS) / SEGMENT),
    Row("options and a mark", tunnel({"tos": 3, "options": NINE_OPTION_WORDS}, {"tos": 2, "options": NINE_OPTION_WORDS}),
        "decapsulated_marked", ETHER / inner(tos=3, options=NINE_OPTION_WORDS) / SEGMENT),
    Row("inner first fragment", tunnel({}, {"flags": "MF"}), "decapsulated", ETHER / inner(flags="MF") / SEGMENT),
    Row("inner later fragment", tunnel({}, {"frag": 185}, Raw(b"rest")), "decapsulated",
        ETHER / inner(frag=185) / b"rest"),
    Row("Ethernet padding behind", bytes(tunnel(payload=Raw(b""))) + bytes(6), "decapsulated",
        bytes(ETHER / inner()) + bytes(6)),
    Row("a wrong inner checksum is the kernel's to drop", broken_inner(tunnel(), chksum=0x1111), "decapsulated",
        ETHER / inner(chksum=0x1111) / SEGMENT),

    Row("outer for another host", tunnel({"dst": OTHER_HOST}), "passed_other_destination"),
    Row("outer for the vip itself", tunnel({"dst": VIP}), "passed_other_destination"),
    Row("inner not for a vip", tunnel({}, {"dst": NOT_VIP}), "passed_other_inner"),
    Row("inner for a vip's neighbour bits", tunnel({}, {"dst": "10.100.51.198"}), "passed_other_inner"),
    Row("inner is not version 4", broken_inner(tunnel(), version=6), "passed_other_inner"),
    Row("outer first fragment", tunnel({"flags": "MF"}), "passed_fragment"),
    Row("outer later fragment", tunnel({"flags": 0, "frag": 1}), "passed_fragment"),
    Row("outer last offset bit", tunnel({"flags": 0, "frag": 0x1000}), "passed_fragment"),

    Row("source not allowed", tunnel({"src": STRANGER}), "dropped_source"),
    Row("source just outside the prefix", tunnel({"src": "198.19.0.0"}), "dropped_source"),
    Row("source at the prefix's end", tunnel({"src": "198.18.255.255"}), "decapsulated", ETHER / inner() / SEGMENT),

    Row("outer checksum wrong", broken(tunnel(), IP, chksum=0x1111), "dropped_malformed"),
    Row("outer checksum wrong in the options", bytes(tunnel({"options": [IPOption_NOP()] * 4}))[:34] + b"\x00"
        + bytes(tunnel({"options": [IPOption_NOP()] * 4}))[35:], "dropped_malformed"),
    Row("outer header length below five words", broken(tunnel(), IP, ihl=4), "dropped_malformed"),
    Row("outer options beyond the end", broken(tunnel(payload=Raw(b"")), IP, ihl=15), "dropped_malformed"),
    Row("outer total length beyond the frame", broken(tunnel(), IP, len=1500), "dropped_malformed"),
    Row("outer total length cuts the inner header", broken(tunnel(), IP, len=39), "dropped_malformed"),
    Row("outer total length of zero", broken(tunnel(), IP, len=0), "dropped_malformed"),
    Row("inner total length beyond the outer one", broken_inner(tunnel(), len=1400), "dropped_malformed"),
    Row("inner total length reaches into padding", bytes(broken_inner(tunnel(payload=Raw(b"")), len=26)) + bytes(6),
        "dropped_malformed"),
    Row("inner header length below five words", broken_inner(tunnel(), ihl=4), "dropped_malformed"),
    Row("cut inside the inner header", bytes(tunnel())[:14 + 20 + 19], "dropped_malformed"),
    Row("cut behind the outer header", bytes(tunnel())[:14 + 20], "dropped_malformed"),

    Row("plain tcp for the vip", ETHER / inner() / SEGMENT, None),
    Row("6in4", ETHER / outer() / IPv6(dst="2001:db8::1") / TCP(), None),
    Row("IPv6", ETHER / IPv6(dst="2001:db8::1") / TCP(), None),
    Row("ARP", ETHER / ARP(pdst=VIP) / Raw(bytes(20)), None),
    Row("a VLAN tag in the bytes", ETHER / Dot1Q(vlan=5) / outer() / inner() / SEGMENT, None),
    Row("EtherType IPv4, version 5", broken(tunnel(), IP, version=5), None),
]

# RFC 6040 figure 4: rows by the inner, columns by the outer field, in the order Not-ECT, ECT(0), ECT(1), CE.
NOT_ECT, ECT1, ECT0, CE, DROP = 0, 1, 2, 3, None
RFC6040 = {
    NOT_ECT: {NOT_ECT: NOT_ECT, ECT0: NOT_ECT, ECT1: NOT_ECT, CE: DROP},
    ECT0: {NOT_ECT: ECT0, ECT0: ECT0, ECT1: ECT1, CE: CE},
    ECT1: {NOT_ECT: ECT1, ECT0: ECT1, ECT1: ECT1, CE: CE},
    CE: {NOT_ECT: CE, ECT0: CE, ECT1: CE, CE: CE},
}


def ecn_rows():
    for inner_ecn, by_outer in RFC6040.items():
        for outer_ecn, result in by_outer.items():
            # Non-zero DSCPs, different ones, prove that only the two low bits travel.
            packet = tunnel({"tos": 0xB8 | outer_ecn}, {"tos": 0x28 | inner_ecn})
            name = f"ECN inner {inner_ecn:02b} outer {outer_ecn:02b}"
            if result is DROP:
                yield Row(name, packet, "dropped_ecn")
            else:
                outcome = "decapsulated" if result == inner_ecn else "decapsulated_marked"
                yield Row(name, packet, outcome, ETHER / inner(tos=0x28 | result) / SEGMENT)


@pytest.fixture(scope="module", name="program")
def loaded_program():
    with BpfObject(BUILD / "dataplane/backend/decap.bpf.o", "warmswap_decap") as program:
        one = (1).to_bytes(4, "little")
        for vip in (VIP, OTHER_VIP):
            program.put("vips", ip_address(vip).packed, one)
        program.put("addresses", ip_address(BACKEND).packed, one)
        program.put("sources", (16).to_bytes(4, "little") + ip_address("198.18.0.0").packed, one)
        yield program


def counters(program) -> dict[str, int]:
    return {name: program.per_cpu_sum("outcomes", index) for index, name in enumerate(OUTCOMES)}


@pytest.mark.parametrize("row", [*ROWS, *ecn_rows()], ids=lambda row: row.description)
def test_row(program, row):
    before = counters(program)
    verdict, after = program.run(row.bytes_in)
    changed = {name: count - before[name] for name, count in counters(program).items() if count != before[name]}
    assert changed == ({row.outcome: 1} if row.outcome else {})
    dropped = row.outcome is not None and row.outcome.startswith("dropped")
    assert verdict == (TC_ACT_SHOT if dropped else TC_ACT_UNSPEC)
    expected = bytes(row.expected) if row.expected is not None else row.bytes_in
    assert after == expected


def test_every_reachable_outcome_has_a_row():
    met = {row.outcome for row in [*ROWS, *ecn_rows()]} - {None}
    # The kernel cannot be made to run out of memory on demand.
    assert set(OUTCOMES) - met == {"dropped_failed"}


def test_any_cut_of_a_packet_is_judged_without_reading_past_its_end(program):
    whole = bytes(tunnel({"options": NINE_OPTION_WORDS}, {"options": NINE_OPTION_WORDS}))
    for length in range(SHORTEST, len(whole)):
        verdict, after = program.run(whole[:length])
        assert verdict in (TC_ACT_UNSPEC, TC_ACT_SHOT)
        assert after == whole[:length], f"a packet cut to {length} bytes was changed"
