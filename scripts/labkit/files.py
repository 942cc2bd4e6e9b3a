"""The files the lab writes: configuration of the balancer and of the web servers."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from .layout import BALANCER_ADDRESS, OUTER_SOURCE, RUN, VIP, Node

DEFAULT_INSTANCE = "warmswap"
DEFAULT_RUN_DIR = "/run/warmswap"

# Timings of the lab's probes; a test may compute from them how fast a failure must be seen.
PROBE_INTERVAL_MS = 20
PROBE_FALL = 3

HEARTBEAT_PORT = 9101
HEARTBEAT_KEY = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"


def balancer_config(nodes: list[Node], mode: str = "hot-warm", core: int = 1, failback: str = "manual",
                    weights: dict[str, int] | None = None, heartbeats: bool = False, pool: str = "",
                    tables: str = "") -> str:  # fmt: skip
    """The lab's warmswap.toml. `weights` overrides the 100 of single backends; `pool` are more lines of [[pool]], `tables`
    more tables below it, such as [pool.load]."""
    hears = f'heartbeat_listen = "{BALANCER_ADDRESS}:{HEARTBEAT_PORT}"\nheartbeat_key = "{HEARTBEAT_KEY}"\n'
    whole = "" if "failback_step" in pool else "failback_step = 100\n"
    guard = "" if "[pool.guard]" in tables else '[pool.guard]\nfail = "closed"\nself_suspicion = 0\n'
    parts = [f"""\
[instance]
name = "lab"
hash_key = "000102030405060708090a0b0c0d0e0f"
run_dir = "{RUN}"
outer_source = "{OUTER_SOURCE}"

[dataplane]
cores = [{core}]
idle = "backoff"
hugepages = "off"
memory_mb = 256

[[dataplane.port]]
name = "fabric"
driver = "af_xdp"
interface = "eth0"

[controlplane]
listen = "127.0.0.1:9100"
{hears if heartbeats else ""}
[[vip]]
name = "web"
address = "{VIP}"
protocol = "tcp"
port = 80
pool = "web"

[[pool]]
name = "web"
mode = "{mode}"
failback = "{failback}"
{"" if "hold_down" in pool else 'hold_down = "1s"'}
{whole}{pool}
{guard}{tables}

[pool.probe]
kind = "http"
path = "/health"
interval = "{PROBE_INTERVAL_MS}ms"
timeout = "{PROBE_INTERVAL_MS}ms"
fall = {PROBE_FALL}
rise = 2
"""]
    for node in nodes:
        role = "hot" if node.name.startswith("hot") else "warm"
        # Every hot backend in a rack of its own, the standbys together in another.
        domain = f"rack{node.name.removeprefix('hot')}" if role == "hot" else "rackW"
        weight = (weights or {}).get(node.name, 100)
        parts.append(f"""
[[pool.backend]]
name = "{node.name}"
address = "{node.address}"
role = "{role}"
weight = {weight}
domain = "{domain}"
""")
    return "".join(parts)


def write_private(path: Path, text: str) -> None:
    """For a configuration that holds the hash key: closed to other users, or the balancer refuses it."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class BalancerConfig:
    """What the lab itself needs to know of a warmswap.toml."""

    path: Path
    instance: str
    run_dir: Path
    outer_source: str
    vips: list[str]
    ports: list[int]
    heartbeat_port: int  # 0 = it hears none
    heartbeat_key: str

    @property
    def socket(self) -> Path:
        return self.run_dir / f"{self.instance}.sock"


def read_config(path: Path) -> BalancerConfig:
    with path.open("rb") as file:
        document = tomllib.load(file)
    instance = document.get("instance", {})
    vips = document.get("vip", [])
    control = document.get("controlplane", {})
    return BalancerConfig(
        path=path,
        instance=instance.get("name", DEFAULT_INSTANCE),
        run_dir=Path(instance.get("run_dir", DEFAULT_RUN_DIR)),
        outer_source=instance.get("outer_source", OUTER_SOURCE),
        vips=list(dict.fromkeys(vip["address"] for vip in vips)),
        ports=sorted({80} | {vip["port"] for vip in vips if vip.get("port") and vip.get("protocol", "tcp") == "tcp"}),
        heartbeat_port=int(control.get("heartbeat_listen", ":0").rpartition(":")[2]),
        heartbeat_key=control.get("heartbeat_key", ""),
    )


def web_server_config(node: Node, ports: list[int]) -> str:
    """nginx for one backend: / says who answers, /client who asks, /health is probed, any body is accepted."""
    home = node.directory
    listen = "\n    ".join(f"listen {port} backlog=4096;" for port in ports)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    scratch = "\n  ".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    return f"""\
daemon off;
user root;
worker_processes 1;
pid {home}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type text/plain;
  client_max_body_size 0;
  keepalive_timeout 3600s;
  keepalive_requests 1000000;
  {scratch}
  server {{
    {listen}
    location = / {{ return 200 "{node.name}\\n"; }}
    location = /client {{ return 200 "$remote_addr $remote_port\\n"; }}
    location = /health {{
      if (-f {node.failing_flag}) {{ return 500 "told to fail\\n"; }}
      return 200 "ok\\n";
    }}
    location = /megabyte {{ alias {home}/megabyte; }}
  }}
}}
"""


def write_web_server_files(node: Node, ports: list[int]) -> Path:
    node.directory.mkdir(parents=True, exist_ok=True)
    (node.directory / "megabyte").write_bytes(bytes(range(256)) * 4096)
    path = node.directory / "nginx.conf"
    path.write_text(web_server_config(node, ports), encoding="utf-8")
    return path
