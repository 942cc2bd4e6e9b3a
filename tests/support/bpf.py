"""Loads a BPF object with libbpf and runs one of its programs on packets, without any interface (BPF_PROG_TEST_RUN)."""

import ctypes
import os
from pathlib import Path


class _RunOptions(ctypes.Structure):
    """struct bpf_test_run_opts of <bpf/bpf.h>."""

    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    ]


def _libbpf() -> ctypes.CDLL:
    library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    for name in ("bpf_object__open_file", "bpf_object__find_program_by_name"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


def _possible_cpus() -> int:
    """Length of a per-CPU value: one more than the highest id in a list such as "0-3,8-11"."""
    text = Path("/sys/devices/system/cpu/possible").read_text(encoding="ascii")
    return int(text.strip().replace(",", "-").split("-")[-1]) + 1


class BpfObject:
    """One loaded object file; a context manager. The kernel frees programs and maps at the end of the block."""

    def __init__(self, path: Path, program: str):
        self._library = _libbpf()
        self._object = ctypes.c_void_p(self._library.bpf_object__open_file(os.fsencode(path), None))
        if not self._object.value:
            raise OSError(ctypes.get_errno(), f"cannot open {path}")
        failed = self._library.bpf_object__load(self._object)
        if failed:
            raise OSError(-failed, f"the kernel refused {path}")
        found = self._library.bpf_object__find_program_by_name(self._object, program.encode())
        self._program_fd = self._library.bpf_program__fd(ctypes.c_void_p(found))

    def __enter__(self) -> "BpfObject":
        return self

    def __exit__(self, *_):
        self._library.bpf_object__close(self._object)

    def _map_fd(self, name: str) -> int:
        fd = self._library.bpf_object__find_map_fd_by_name(self._object, name.encode())
        if fd < 0:
            raise KeyError(f"no map {name}")
        return fd

    def put(self, map_name: str, key: bytes, value: bytes) -> None:
        if self._library.bpf_map_update_elem(self._map_fd(map_name), key, value, ctypes.c_uint64(0)):
            raise OSError(ctypes.get_errno(), f"cannot write to {map_name}")

    def per_cpu_sum(self, map_name: str, key: int) -> int:
        """The sum of a __u64 over all CPUs."""
        values = (ctypes.c_uint64 * _possible_cpus())()
        if self._library.bpf_map_lookup_elem(self._map_fd(map_name), key.to_bytes(4, "little"), values):
            raise OSError(ctypes.get_errno(), f"cannot read {map_name}")
        return sum(values)

    def run(self, packet: bytes) -> tuple[int, bytes]:
        """(return code, packet afterwards). The kernel refuses frames that are too short for their EtherType."""
        given = ctypes.create_string_buffer(packet, len(packet))
        output = ctypes.create_string_buffer(len(packet) + 256)
        options = _RunOptions(
            sz=ctypes.sizeof(_RunOptions),
            data_in=ctypes.addressof(given),
            data_size_in=len(packet),
            data_out=ctypes.addressof(output),
            data_size_out=len(output),
        )
        if self._library.bpf_prog_test_run_opts(self._program_fd, ctypes.byref(options)):
            raise OSError(ctypes.get_errno(), f"cannot run the program on {len(packet)} bytes")
        return ctypes.c_int32(options.retval).value, output.raw[: options.data_size_out]
