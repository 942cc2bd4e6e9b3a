#!/usr/bin/env python3
"""Writes pipeline.golden: frames, and what the pipeline must make of them, by scapy and the Python flow hash.

The expectations come from the RFCs as written down here, not from the C++ code. Usage:

    generate.py FILE           write FILE
    generate.py --check FILE   fail when FILE is not what would be written

The file is text: first the snapshot (`hash_key`, `vip`, `ring`, `seat` lines), then one `case` a line. golden_test.cc
reads it; the columns are named in the file's head.
"""

import argparse
import pathlib
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import siphash  # noqa: E402
from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPOption_NOP, IPOption_RR, IPv6, Raw  # noqa: E402

HASH_KEY = bytes.fromhex("8f1d3c5577aa0b19e24466c8d0f1a2b3")
ENTROPY_BITS = 12  # no whole number of bytes
CLIENT_MAC, PORT_MAC = "02:00:00:00:00:c1", "02:00:00:00:00:b1"
NO_SEAT, NO_BACKEND = 0xFFFF, 0xFFFF
HEADROOM = 128

# (address, protocol, port, vip id, pool); port 0 = any
VIPS = [
    ("198.51.100.10", 6, 80, 0, 0),
    ("198.51.100.10", 6, 443, 1, 0),
    ("198.51.100.10", 17, 0, 2, 0),
    ("198.51.100.11", 6, 80, 3, 1),
    ("198.51.100.12", 6, 80, 4, 2),
    ("198.51.100.13", 6, 80, 5, 3),
    ("198.51.100.14", 6, 0, 6, 4),
]
RINGS = {
    0: [slot * 7 % 4 for slot in range(251)],
    1: [0, 0],
    2: [NO_SEAT] * 3,
    3: [0, 0, 0],
    4: [0, 0],
}


def seat(backend, port, mtu, next_hop="02:00:00:00:01:%02x", source="172.20.255.255"):
    return {
        "backend": backend,
        "port": port,
        "mtu": mtu,
        "source_mac": PORT_MAC,
        "next_hop": next_hop % backend if "%" in next_hop else next_hop,
        "source": source,
        "destination": f"203.0.113.{backend % 256}",
    }


SEATS = {
    0: [seat(1, 0, 1600), seat(2, 1, 1520), seat(3, 2, 9000), seat(4, 15, 65535)],
    1: [seat(NO_BACKEND, 0, 1500, next_hop="02:00:00:00:01:ff")],
    2: [],
    3: [seat(5, 0, 1500, next_hop="-")],
    4: [seat(6, 0, 600)],
}


def pick_seat(pool, source, destination, source_port, destination_port, protocol):
    value = siphash.flow_hash(HASH_KEY, source, destination, source_port, destination_port, protocol)
    return SEATS[pool][RINGS[pool][siphash.ring_slot(value, len(RINGS[pool]))]], value


def outer_source(chosen, value):
    mask = (1 << ENTROPY_BITS) - 1
    (base,) = struct.unpack("!I", bytes(map(int, chosen["source"].split("."))))
    address = (base & ~mask) | (siphash.flow_entropy(value) & mask)
    return ".".join(str(b) for b in struct.pack("!I", address))


def inner_after_forwarding(inner):
    """The IP packet as a router sends it on: TTL one less, checksum anew, nothing else."""
    header_bytes = (inner[0] & 0xF) * 4
    header = IP(inner[:header_bytes])
    header.ttl -= 1
    del header.chksum
    return bytes(header)[:header_bytes] + inner[header_bytes:]


def forwarded(frame, pool):
    """The frame the backend's next hop must get, and the egress port."""
    ip = Ether(frame)[IP]
    start = len(frame) - len(ip.original)
    inner = frame[start : start + ip.len]
    ports = struct.unpack_from("!HH", inner, ip.ihl * 4)
    chosen, value = pick_seat(pool, ip.src, ip.dst, *ports, ip.proto)
    outer = IP(
        src=outer_source(chosen, value),
        dst=chosen["destination"],
        tos=ip.tos,
        id=ip.id,
        flags="DF" if ip.flags.DF else 0,
        ttl=64,
        proto=4,
    )
    link = Ether(dst=chosen["next_hop"], src=chosen["source_mac"], type=0x0800)
    return bytes(link / outer / Raw(inner_after_forwarding(inner))), chosen["port"]


class Cases:
    def __init__(self):
        self.lines = []

    def add(self, name, frame, verdict, reason="-", *, pool=None, headroom=HEADROOM, contiguous=None, snapshot="yes"):
        frame = bytes(frame)
        output, port = forwarded(frame, pool) if verdict == "forward" else (b"", "-")
        contiguous = len(frame) if contiguous is None else contiguous
        columns = [name, snapshot, headroom, contiguous, verdict, reason, port, frame.hex() or "-", output.hex() or "-"]
        self.lines.append("case " + " ".join(map(str, columns)))

    def forward(self, name, frame, pool=0, **more):
        self.add(name, frame, "forward", pool=pool, **more)

    def drop(self, name, frame, reason, **more):
        self.add(name, frame, "drop", reason, **more)

    def pass_on(self, name, frame, **more):
        self.add(name, frame, "pass", **{"reason": "no_exception_port", **more})


def link(*tags):
    packet = Ether(src=CLIENT_MAC, dst=PORT_MAC)
    for tag in tags:
        packet = packet / tag
    return packet


def ip(**fields):
    return IP(**{"src": "192.0.2.1", "dst": "198.51.100.10", "id": 0x4711, "flags": "DF", **fields})


def tcp(**fields):
    return TCP(**{"sport": 40001, "dport": 80, "flags": "S", **fields})


def udp(**fields):
    return UDP(**{"sport": 40001, "dport": 53, **fields})


def arp():
    # Every address is given: scapy would fill in this machine's own.
    return ARP(hwsrc=CLIENT_MAC, psrc="192.0.2.1", hwdst="00:00:00:00:00:00", pdst="198.51.100.10")


def patched(packet, offset, value):
    """The frame with bytes overwritten after scapy computed everything."""
    frame = bytearray(bytes(packet))
    frame[offset : offset + len(value)] = value
    return bytes(frame)


def with_ip_bytes(packet, offset, value):
    """As patched, in the untagged frame's IP header, whose checksum is computed again."""
    frame = bytearray(patched(packet, 14 + offset, value))
    frame[24:26] = b"\0\0"
    words = struct.unpack("!10H", frame[14:34])
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    frame[24:26] = struct.pack("!H", ~total & 0xFFFF)
    return bytes(frame)


def add_forwarded(cases):
    cases.forward("tcp_syn", link() / ip() / tcp())
    cases.forward("tcp_second_vip_port", link() / ip() / tcp(dport=443))
    cases.forward("tcp_with_data_and_options", link() / ip() / tcp(options=[("MSS", 1460), ("SAckOK", b"")]) / Raw(b"x" * 333))
    cases.forward("udp_any_port", link() / ip() / udp() / Raw(b"query"))
    cases.forward("udp_empty", link() / ip() / udp())
    cases.forward("udp_port_zero", link() / ip() / udp(dport=0))
    cases.forward("udp_length_below_ip_length", link() / ip() / udp(len=9) / Raw(b"trailing"))
    cases.forward("vlan", link(Dot1Q(vlan=100)) / ip() / tcp())
    cases.forward("vlan_priority", link(Dot1Q(vlan=0, prio=5)) / ip() / tcp())
    cases.forward("qinq", link(Dot1AD(vlan=7), Dot1Q(vlan=100)) / ip() / tcp() / Raw(b"y" * 40))
    cases.forward("two_customer_tags", link(Dot1Q(vlan=7), Dot1Q(vlan=100)) / ip() / tcp())
    cases.forward("ip_options", link() / ip(options=[IPOption_NOP()] * 4) / tcp())
    cases.forward("ip_options_longest", link() / ip(options=[IPOption_NOP()] * 40) / tcp() / Raw(b"z" * 10))
    cases.forward("ip_options_in_vlan", link(Dot1Q(vlan=9)) / ip(options=[IPOption_RR(routers=["192.0.2.9"])]) / udp())
    cases.forward("padded_to_the_minimum", bytes(link() / ip() / tcp()).ljust(60, b"\xaa"))
    cases.forward("padded_in_vlan", bytes(link(Dot1Q(vlan=3)) / ip() / udp() / Raw(b"1")).ljust(64, b"\xbb"))
    cases.forward("without_df", link() / ip(flags=0) / tcp())
    cases.forward("reserved_flag_is_not_copied", link() / ip(flags="evil+DF") / tcp())
    for dscp in (0, 10, 46, 63):
        for ecn in range(4):
            cases.forward(f"dscp_{dscp}_ecn_{ecn}", link() / ip(tos=dscp << 2 | ecn) / tcp(sport=41000 + dscp * 4 + ecn))
    for ttl in (2, 3, 64, 128, 255):
        cases.forward(f"ttl_{ttl}", link() / ip(ttl=ttl) / tcp())
    for identification in (0, 1, 0x7FFF, 0xFFFF):
        cases.forward(f"identification_{identification}", link() / ip(id=identification, flags=0) / tcp())
    cases.forward("headroom_just_enough", link() / ip() / tcp(), headroom=20)
    cases.forward("qinq_headroom_just_enough", link(Dot1AD(vlan=7), Dot1Q(vlan=100)) / ip() / tcp(), headroom=12)
    cases.forward("fills_the_mtu", link() / ip(dst="198.51.100.14") / tcp() / Raw(b"m" * (600 - 60)), pool=4)


def add_dropped(cases):
    good = link() / ip() / tcp() / Raw(b"payload")
    whole = bytes(good)
    for length in (0, 1, 13, 14, 20, 33):
        cases.drop(f"cut_to_{length}", whole[:length], "truncated")
    cases.drop("cut_in_tag", bytes(link(Dot1Q(vlan=5)) / ip() / tcp())[:17], "truncated")
    cases.drop("cut_in_ip_options", bytes(link() / ip(options=[IPOption_NOP()] * 8) / tcp())[:40], "truncated")
    cases.drop("tcp_header_cut", with_ip_bytes(good, 2, b"\x00\x27"), "truncated")
    cases.drop("udp_header_cut", with_ip_bytes(link() / ip() / udp(), 2, b"\x00\x1b"), "truncated")
    cases.drop("ip_version_6", with_ip_bytes(good, 0, b"\x65"), "bad_ip_version")
    cases.drop("ip_header_of_4_words", with_ip_bytes(good, 0, b"\x44"), "bad_ip_header_length")
    cases.drop("total_length_below_header", with_ip_bytes(good, 2, b"\x00\x13"), "bad_ip_total_length")
    cases.drop("total_length_above_frame", with_ip_bytes(good, 2, b"\x00\x30"), "bad_ip_total_length")
    cases.drop("frame_cut_behind_headers", whole[:-1], "bad_ip_total_length")
    cases.drop("checksum_wrong", patched(good, 24, b"\x00\x00"), "bad_ip_checksum")
    cases.drop("checksum_wrong_not_a_vip", patched(link() / ip(dst="192.0.2.77") / tcp(), 24, b"\0\0"), "bad_ip_checksum")
    cases.drop("tcp_offset_4", patched(good, 46, b"\x40"), "bad_tcp_header")
    cases.drop("tcp_offset_beyond_packet", patched(good, 46, b"\xf0"), "bad_tcp_header")
    cases.drop("udp_length_7", patched(link() / ip() / udp(), 38, b"\x00\x07"), "bad_udp_length")
    cases.drop("udp_length_beyond_packet", patched(link() / ip() / udp(), 38, b"\x00\x09"), "bad_udp_length")
    for ttl in (0, 1):
        cases.drop(f"ttl_{ttl}", link() / ip(ttl=ttl) / tcp(), "ttl_expired")
    cases.drop("first_fragment", link() / ip(flags="MF") / tcp(), "fragment_unsupported")
    cases.drop("later_fragment", link() / ip(flags=0, frag=185) / Raw(b"f" * 64), "fragment_unsupported")
    cases.drop("fragment_of_icmp", link() / ip(flags="MF") / ICMP(), "fragment_unsupported")
    cases.drop("ping_of_a_vip", link() / ip() / ICMP() / Raw(b"ping"), "icmp_unsupported")
    cases.drop("port_without_vip", link() / ip() / tcp(dport=81), "no_vip_port")
    cases.drop("protocol_without_vip", link() / ip(dst="198.51.100.11") / udp(dport=80), "no_vip_port")
    cases.drop("gre_for_a_vip", link() / ip(proto=47) / Raw(b"g" * 8), "no_vip_port")
    cases.drop("sctp_for_a_vip", link() / ip(proto=132) / Raw(b"s" * 12), "no_vip_port")
    cases.drop("seat_without_backend", link() / ip(dst="198.51.100.11") / tcp(), "no_backend")
    cases.drop("ring_without_seat", link() / ip(dst="198.51.100.12") / tcp(), "no_backend")
    cases.drop("next_hop_unknown", link() / ip(dst="198.51.100.13") / tcp(), "next_hop_unresolved")
    cases.drop("one_byte_above_mtu", link() / ip(dst="198.51.100.14") / tcp() / Raw(b"m" * 541), "too_big")
    cases.drop("headroom_one_short", good, "no_headroom", headroom=19)
    cases.drop("headers_in_two_buffers", good, "split_header", contiguous=40)
    cases.drop("ip_header_in_two_buffers", good, "split_header", contiguous=20)


def add_passed(cases):
    cases.pass_on("arp", link() / arp())
    cases.pass_on("ipv6", link() / IPv6(src="2001:db8::1", dst="2001:db8::10") / tcp())
    cases.pass_on("lldp", bytes(Ether(src=CLIENT_MAC, dst="01:80:c2:00:00:0e", type=0x88CC)) + b"\0" * 46)
    for name, group in (("multicast", "01:00:5e:00:00:01"), ("broadcast", "ff:ff:ff:ff:ff:ff")):
        cases.pass_on(f"tcp_by_{name}", Ether(src=CLIENT_MAC, dst=group) / ip() / tcp())
        cases.pass_on(f"vlan_tcp_by_{name}", Ether(src=CLIENT_MAC, dst=group) / Dot1Q(vlan=100) / ip() / tcp())
    cases.pass_on("three_tags", link(Dot1AD(vlan=1), Dot1Q(vlan=2), Dot1Q(vlan=3)) / ip() / tcp())
    cases.pass_on("vlan_arp", link(Dot1Q(vlan=100)) / arp())
    cases.pass_on("tcp_to_the_host", link() / ip(dst="192.0.2.254") / tcp(dport=22))
    cases.pass_on("ttl_1_to_the_host", link() / ip(dst="192.0.2.254", ttl=1) / tcp(dport=179))
    cases.pass_on("ping_of_the_host", link() / ip(dst="192.0.2.254") / ICMP())
    cases.pass_on("fragment_to_the_host", link() / ip(dst="192.0.2.254", flags="MF") / udp())
    cases.pass_on("ospf", link() / ip(dst="224.0.0.5", proto=89, ttl=1) / Raw(b"o" * 24))
    cases.pass_on("odd_tcp_to_the_host", patched(link() / ip(dst="192.0.2.254") / tcp(), 46, b"\x40"))
    early = {"snapshot": "none", "reason": "no_snapshot"}
    cases.pass_on("early_arp", link() / arp(), **early)
    cases.pass_on("early_tcp", link() / ip() / tcp(), **early)
    cases.pass_on("early_ping", link() / ip() / ICMP(), **early)
    cases.drop("early_malformed", with_ip_bytes(link() / ip() / tcp(), 0, b"\x65"), "bad_ip_version", snapshot="none")


def add_random_flows(cases, count):
    draw = random.Random(2)
    for number in range(count):
        source = f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"
        tags = draw.choice([[], [], [Dot1Q(vlan=draw.randrange(4095))], [Dot1AD(vlan=1), Dot1Q(vlan=2)]])
        network = ip(
            src=source,
            ttl=draw.randrange(2, 256),
            tos=draw.randrange(256),
            id=draw.randrange(65536),
            flags=draw.choice([0, "DF"]),
            options=[IPOption_NOP()] * draw.choice([0, 0, 0, 4, 8]),
        )
        transport = tcp(sport=draw.randrange(65536)) if draw.random() < 0.6 else udp(
            sport=draw.randrange(65536), dport=draw.randrange(65536)
        )
        frame = bytes(link(*tags) / network / transport / Raw(draw.randbytes(draw.randrange(80))))
        cases.forward(f"random_{number}", frame.ljust(draw.choice([0, 60, 64]), b"\xcc"))


def render():
    lines = [
        "# Made by tests/golden/generate.py; do not edit.",
        "# vip ADDRESS PROTOCOL PORT ID POOL",
        "# ring POOL SEAT...",
        "# seat POOL BACKEND PORT MTU SOURCE_MAC NEXT_HOP_MAC OUTER_SOURCE OUTER_DESTINATION",
        "# case NAME SNAPSHOT HEADROOM CONTIGUOUS VERDICT REASON PORT FRAME OUTPUT",
        f"hash_key {HASH_KEY.hex()}",
        f"entropy_bits {ENTROPY_BITS}",
    ]
    lines += ["vip " + " ".join(map(str, vip)) for vip in VIPS]
    lines += [f"ring {pool} " + " ".join(map(str, ring)) for pool, ring in RINGS.items()]
    lines += [f"seat {pool} " + " ".join(str(v) for v in s.values()) for pool, seats in SEATS.items() for s in seats]
    cases = Cases()
    add_forwarded(cases)
    add_dropped(cases)
    add_passed(cases)
    add_random_flows(cases, 100)
    return "\n".join(lines + cases.lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("file", type=pathlib.Path)
    arguments = parser.parse_args()
    siphash.self_check()
    text = render()
    if not arguments.check:
        arguments.file.write_text(text)
    elif arguments.file.read_text() != text:
        sys.exit(f"{arguments.file}: differs from what generate.py writes; run tests/golden/generate.py {arguments.file}")


if __name__ == "__main__":
    main()
