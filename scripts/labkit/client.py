#!/usr/bin/python3
"""The lab's measuring client: HTTP requests from chosen source addresses and ports, each answer with the backend that
gave it. Runs on the client node; writes one JSON object a line.

    client.py once FLOW…        one request from each flow, in small groups; {"flow", "backend", "error"}
    client.py rate R FLOW…      R requests a second, new connections from the flows in turn, until standard input ends;
                                {"at", "ms", "flow", "backend", "error"}; `at` is CLOCK_MONOTONIC when it was due
    client.py hold R FLOW…      opens a connection from each flow, says {"open": n}, then sends R requests a second over
                                them in turn until standard input ends; lines as with `rate`

A FLOW is ADDRESS:PORT or ADDRESS:FIRST-LAST. `backend` is null when there was no answer. A request is sent when it is
due, whether or not earlier ones were answered.
"""

import argparse
import asyncio
import json
import socket
import struct
import sys
import time

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # no TIME_WAIT, so that a source port may be used again at once
GROUP = 20


def expand(flows: list[str]) -> list[tuple[str, int]]:
    expanded = []
    for flow in flows:
        address, ports = flow.split(":")
        first, _, last = ports.partition("-")
        expanded += [(address, port) for port in range(int(first), int(last or first) + 1)]
    return expanded


def name(flow: tuple[str, int]) -> str:
    return f"{flow[0]}:{flow[1]}"


def say(**fields) -> None:
    print(json.dumps(fields), flush=True)


class Connection:
    def __init__(self, flow: tuple[str, int], options: argparse.Namespace):
        self.flow, self.options = flow, options
        self.socket: socket.socket | None = None

    async def open(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.socket.bind(self.flow)
        await asyncio.get_running_loop().sock_connect(self.socket, (self.options.vip, self.options.port))

    async def ask(self) -> str:
        """The answer's body, without the line end. Raises OSError when the connection breaks or the status is not 200."""
        loop = asyncio.get_running_loop()
        request = f"GET {self.options.path} HTTP/1.1\r\nHost: {self.options.vip}\r\n\r\n"
        await loop.sock_sendall(self.socket, request.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += await self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
        while len(body) < length:
            body += await self._more()
        status = lines[0].split()[1]
        if status != "200":
            raise OSError(f"status {status}")
        return body.decode().strip()

    async def _more(self) -> bytes:
        data = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
        if not data:
            raise OSError("closed by the server")
        return data

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()


async def attempt(action, options: argparse.Namespace) -> tuple[str | None, str | None]:
    """(answer, None) or (None, what went wrong)"""
    try:
        return await asyncio.wait_for(action, options.timeout), None
    except TimeoutError:
        return None, "timeout"
    except OSError as error:
        return None, error.strerror or str(error)


async def request_once(flow: tuple[str, int], options: argparse.Namespace) -> tuple[str | None, str | None]:
    connection = Connection(flow, options)

    async def open_and_ask() -> str:
        await connection.open()
        return await connection.ask()

    try:
        return await attempt(open_and_ask(), options)
    finally:
        connection.close()


async def once(flows: list[tuple[str, int]], options: argparse.Namespace) -> None:
    for start in range(0, len(flows), GROUP):
        group = flows[start : start + GROUP]
        answers = await asyncio.gather(*(request_once(flow, options) for flow in group))
        for flow, (backend, error) in zip(group, answers):
            say(flow=name(flow), backend=backend, error=error)


async def until_input_ends() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


async def scheduled(send, count: int, rate: float) -> None:
    """Calls `send(index)` at a fixed rate, indices in turn, until standard input ends; then waits for what is under way."""
    ended = asyncio.create_task(until_input_ends())
    under_way = set()
    due = time.monotonic()
    index = 0
    while not ended.done():
        task = asyncio.create_task(send(index % count, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        index += 1
        due += 1 / rate
        await asyncio.wait([ended], timeout=max(0.0, due - time.monotonic()))
    await asyncio.gather(*under_way)


def report(due: float, flow: tuple[str, int], backend: str | None, error: str | None) -> None:
    say(at=due, ms=round((time.monotonic() - due) * 1000, 3), flow=name(flow), backend=backend, error=error)


async def rate(flows: list[tuple[str, int]], options: argparse.Namespace) -> None:
    async def send(index: int, due: float) -> None:
        report(due, flows[index], *await request_once(flows[index], options))

    await scheduled(send, len(flows), options.rate)


async def hold(flows: list[tuple[str, int]], options: argparse.Namespace) -> None:
    connections = [Connection(flow, options) for flow in flows]
    turns = [asyncio.Lock() for _ in flows]  # one request at a time on a connection
    for connection in connections:
        await connection.open()
    say(open=len(connections))

    async def send(index: int, due: float) -> None:
        async with turns[index]:
            report(due, flows[index], *await attempt(connections[index].ask(), options))

    await scheduled(send, len(connections), options.rate)
    for connection in connections:
        connection.close()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vip", default="198.51.100.10")
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--path", default="/")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds for one request (1)")
    modes = parser.add_subparsers(required=True)
    for mode in (once, rate, hold):
        added = modes.add_parser(mode.__name__)
        added.set_defaults(run=mode)
        if mode is not once:
            added.add_argument("rate", type=float)
        added.add_argument("flows", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    parsed = parse()
    asyncio.run(parsed.run(expand(parsed.flows), parsed))
