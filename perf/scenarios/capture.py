"""What net_pcap wrote of the sent frames: who got which, in the order they left. All frames have one size, so a field of
every frame is a slice of the file, and files of hundreds of megabytes are read in a second."""

import struct
from dataclasses import dataclass
from pathlib import Path

from .resources import ResourceError

_FILE_HEADER, _RECORD_HEADER = 24, 16
_TO_NS = {0xA1B23C4D: 1, 0xA1B2C3D4: 1000}  # magic: what a fraction of a second counts
_OUTER_DESTINATION = 14 + 16  # Ethernet, then the outer IPv4 header


@dataclass(frozen=True)
class Switch:
    """What the capture says of one failover."""

    before: int  # packets to the dead backend in all
    misdirected: int  # of them, those after the first one to the standby
    gap_ns: int  # from the last packet to the dead one to the first to the standby; negative when they overlap


class Capture:
    def __init__(self, path: Path):
        self._data = path.read_bytes()
        magic, first_length = struct.unpack_from("<I", self._data)[0], struct.unpack_from("<I", self._data, 32)[0]
        if magic not in _TO_NS:
            raise ResourceError(f"{path} begins with {magic:#x}; expected a little-endian pcap file")
        self._to_ns, self._stride = _TO_NS[magic], _RECORD_HEADER + first_length
        self.packets = (len(self._data) - _FILE_HEADER) // self._stride
        lengths = set(self._field(8))
        if first_length > 255 or lengths != {first_length}:
            raise ResourceError(f"{path} has frames of different sizes ({sorted(lengths)[:5]}); expected one size")
        self._hosts = self._field(_RECORD_HEADER + _OUTER_DESTINATION + 3)

    def _field(self, offset: int) -> bytes:
        """One byte of each record."""
        end = _FILE_HEADER + self.packets * self._stride
        return self._data[_FILE_HEADER + offset : end : self._stride]

    def _time_ns(self, index: int) -> int:
        seconds, fraction = struct.unpack_from("<II", self._data, _FILE_HEADER + index * self._stride)
        return seconds * 1_000_000_000 + fraction * self._to_ns

    def switch(self, dead_host: int, standby_host: int) -> Switch:
        """Hosts are the last byte of the backends' addresses."""
        dead, standby = bytes([dead_host]), bytes([standby_host])
        last, first = self._hosts.rfind(dead), self._hosts.find(standby)
        if last < 0 or first < 0:
            raise ResourceError(f"no packet to host {dead_host if last < 0 else standby_host} was captured")
        return Switch(
            before=self._hosts.count(dead),
            misdirected=self._hosts.count(dead, first),
            gap_ns=self._time_ns(first) - self._time_ns(last),
        )
