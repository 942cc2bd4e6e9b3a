"""Speaks to the balancer's control socket: HTTP and JSON over a UNIX socket, as curl or any script would."""

import http.client
import json
import socket
from pathlib import Path
from urllib.parse import urlencode


class ControlError(Exception):
    """The control plane refused; `status` is the HTTP status, the message its sentence."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Control:
    def __init__(self, path: Path, timeout: float = 5.0):
        self._path, self._timeout = path, timeout

    def _call(self, method: str, target: str, body: object = None) -> dict:
        connection = _UnixConnection(self._path, self._timeout)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 300:
            raise ControlError(answer.status, said.get("error", ""))
        return said

    def get(self, what: str, **parameters) -> dict:
        """`get("backends", pool="web")` asks for /v1/backends?pool=web."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._call("GET", f"/v1/{what}{query}")

    def change(self, *changes: dict) -> dict:
        """Applies all changes or none."""
        return self._call("POST", "/v1/changes", {"changes": list(changes)})

    def reload(self) -> dict:
        return self._call("POST", "/v1/reload")

    def seats(self, pool: str = "web") -> dict[str, str | None]:
        """Who holds the seat of each owner."""
        pools = self.get("pools")["pools"]
        found = next(row for row in pools if row["name"] == pool)
        return {seat["owner"]: seat["holder"] for seat in found["seats"]}

    def states(self, pool: str = "web") -> dict[str, str]:
        return {row["name"]: row["state"] for row in self.get("backends", pool=pool)["backends"]}

    def events(self, since: int = 0) -> list[dict]:
        return self.get("events", since=since, limit=1000)["events"]
