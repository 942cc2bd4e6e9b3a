"""Packets for net_pcap to replay: 64-byte TCP frames (60 in the file: the frame check sequence is the NIC's) of random
five-tuples, so that no range of addresses flatters a hash."""

import random
import struct
from pathlib import Path

VIP = "198.51.100.1"
PORT = 80
FRAME_BYTES = 60
_CLIENTS = 0x0A000000  # 10.0.0.0/8


def checksum(header: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp_frame(client: int, client_port: int, vip: int) -> bytes:
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, FRAME_BYTES - 14, 0, 0x4000, 64, 6, 0, client, vip)
    ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
    tcp = struct.pack("!HHIIBBHHH", client_port, PORT, 1, 1, 0x50, 0x10, 8192, 0, 0)  # ACK
    ethernet = bytes.fromhex("02000000000102000000000208 00")
    return (ethernet + ip + tcp).ljust(FRAME_BYTES, b"\0")


def write_pcap(path: Path, flows: int) -> None:
    """One frame of each flow; the same file each time."""
    chance = random.Random(flows)
    vip = int.from_bytes(bytes(map(int, VIP.split("."))), "big")
    record = struct.pack("<IIII", 0, 0, FRAME_BYTES, FRAME_BYTES)
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))  # Ethernet
        seen = set()
        while len(seen) < flows:
            client, port = _CLIENTS | chance.getrandbits(24), chance.randrange(1024, 65536)
            if (client, port) in seen:
                continue
            seen.add((client, port))
            out.write(record + tcp_frame(client, port, vip))
