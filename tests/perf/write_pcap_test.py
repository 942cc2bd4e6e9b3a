"""What warmswap-gen sends, read by scapy: it shares no code with the generator."""

import ipaddress
from collections import Counter

import pytest
from scapy.all import IP, TCP, UDP, Ether, IPv6, Raw, rdpcap

FAMILIES = {"ipv4": "198.51.100.10", "ipv6": "2001:db8::10"}
FLAGS = {"syn": "S", "ack": "A", "data": "PA", "fin": "FA"}


def written(generator, path, *arguments, count=60):
    generator("write-pcap", path, "--count", count, *arguments)
    frames = rdpcap(str(path))
    assert len(frames) == count
    return frames


def assert_checksums(frame):
    """Scapy computes every checksum and length anew, and gets the same bytes."""
    raw = bytes(frame)
    again = Ether(raw)
    for layer, fields in ((IP, ("chksum", "len")), (IPv6, ("plen",)), (TCP, ("chksum",)), (UDP, ("chksum", "len"))):
        if layer in again:
            for field in fields:
                delattr(again[layer], field)
    assert bytes(again) == raw


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [64, 90, 512, 1518])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_data_of_every_size(generator, tmp_path, family, protocol, size):
    frames = written(generator, tmp_path / "f.pcap", "--vip", FAMILIES[family], "--protocol", protocol, "--size", size,
                     "--port", "8000-8003")  # fmt: skip
    layer = TCP if protocol == "tcp" else UDP
    ports = set()
    for frame in frames:
        assert_checksums(frame)
        network = frame[IPv6] if family == "ipv6" else frame[IP]
        assert network.dst == FAMILIES[family]
        assert ipaddress.ip_address(network.src) in ipaddress.ip_network(
            "2001:db8:1::/64" if family == "ipv6" else "10.0.0.0/8"
        )
        assert 1024 <= frame[layer].sport <= 65535
        ports.add(frame[layer].dport)
        least = {"ipv4": {"tcp": 64, "udp": 64}, "ipv6": {"tcp": 79, "udp": 84}}[family][protocol]
        assert len(frame) + 4 == max(size, least)
    assert ports == {8000, 8001, 8002, 8003}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", FLAGS)
def test_every_kind_of_segment(generator, tmp_path, family, kind):
    for frame in written(generator, tmp_path / "f.pcap", "--vip", FAMILIES[family], "--kinds", kind):
        assert_checksums(frame)
        assert str(frame[TCP].flags) == FLAGS[kind]
        carried = len(frame[TCP].payload) if family == "ipv6" else frame[IP].len - 40
        assert (carried > 0) == (kind == "data")


def test_imix(generator, tmp_path):
    frames = written(generator, tmp_path / "f.pcap", "--size", "imix", "--protocol", "udp", count=1200)
    for frame in frames:
        assert_checksums(frame)
    sizes = Counter(len(frame) + 4 for frame in frames)
    assert set(sizes) == {64, 594, 1518}
    assert abs(sizes[64] - 700) < 80 and abs(sizes[594] - 400) < 80 and abs(sizes[1518] - 100) < 50


def test_life_cycle(generator, tmp_path):
    frames = written(generator, tmp_path / "f.pcap", "--kinds", "life-cycle:2", "--flows", 3, "--choice", "sequential",
                     "--size", 128)  # fmt: skip
    lives = {}
    for frame in frames:
        assert_checksums(frame)
        lives.setdefault(frame[IP].src, []).append((str(frame[TCP].flags), frame[TCP].sport))
    assert len(lives) == 3
    for life in lives.values():
        first = [flags for flags, _ in life].index("S")  # each begins somewhere in its first connection
        whole = life[first : first + 16]
        assert [flags for flags, _ in whole] == ["S", "PA", "PA", "FA"] * 4
        ports = [port for _, port in whole]
        assert all(len(set(ports[at : at + 4])) == 1 for at in range(0, 16, 4)), "one port for each connection"
        assert len(set(ports)) == 4


def test_syn_flood_beside_good_traffic(generator, tmp_path):
    frames = written(generator, tmp_path / "f.pcap", "--syn-flood", "1Mpps", "--flows", 10, count=200)
    for frame in frames:
        assert_checksums(frame)
    flood = [frame for frame in frames if frame[TCP].flags == "S"]
    assert abs(len(flood) - 100) <= 1
    assert len({(frame[IP].src, frame[TCP].sport) for frame in flood}) == len(flood)
    assert {frame[IP].src.split(".")[0] for frame in flood} == {"198"}
    assert len({frame[IP].src for frame in frames if frame[TCP].flags != "S"}) <= 10


def test_times_are_the_schedule(generator, tmp_path):
    frames = written(generator, tmp_path / "f.pcap", "--rate", "200kpps")
    for number, frame in enumerate(frames):
        assert abs(float(frame.time) - number * 5e-6) < 2e-9


def test_signature_is_where_the_header_says(generator, tmp_path):
    """perf/gen/signature.h: stream and flow, sequence, departure, behind two bytes of check."""
    frames = written(generator, tmp_path / "f.pcap", "--protocol", "udp", "--size", 128, "--flows", 7, "--choice",
                     "sequential", "--rate", "1Mpps")  # fmt: skip
    for number, frame in enumerate(frames):
        payload = bytes(frame[Raw])
        assert int.from_bytes(payload[2:6], "big") == number % 7
        assert int.from_bytes(payload[6:10], "big") == number
        assert int.from_bytes(payload[10:18], "big") == number * 1000
    for number, frame in enumerate(written(generator, tmp_path / "g.pcap", "--kinds", "syn")):
        assert frame[TCP].seq == number
        assert frame[TCP].ack == number * 1000 >> 2


def test_a_bad_file_name_is_an_error(generator):
    done = generator("write-pcap", "/nonexistent/f.pcap", "--count", 1, expect=3)
    assert done.stderr == "warmswap-gen: /nonexistent/f.pcap: No such file or directory\n"
