"""Names, addresses and places of the lab. No side effects."""

import os
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WARMSWAP_BUILD", REPO / "build")).resolve()

RUN = Path("/run/warmswap-lab")
LOCK = "\0warmswap-lab"  # an abstract socket name
LOGS = RUN / "log"
AGENT_LOCKS = Path("/run/warmswap-agent")  # the agent's own choice

FABRIC = "ws-fabric"
BRIDGE = "br0"
PREFIX_LENGTH = 24
BALANCER_ADDRESS = "192.0.2.1"
CLIENT_ADDRESS = "192.0.2.100"
# The client's addresses as a vip's user; the first one is used when a program does not choose.
CLIENT_SOURCES = [f"203.0.113.{host}" for host in range(10, 20)]
CLIENT_NETWORK = "203.0.113.0/24"
VIP = "198.51.100.10"
VIP_NETWORK = "198.51.100.0/24"
OUTER_SOURCE = "198.18.0.0/16"

# A client's full packet and the outer header, with room for the encapsulations to come.
FABRIC_MTU = 1600
CLIENT_MTU = 1500

MAX_PER_ROLE = 30
FIRST_HOST = {"hot": 11, "warm": 51, "spare": 81}


@dataclass(frozen=True)
class Node:
    """One namespace of the lab."""

    name: str
    address: str

    @property
    def namespace(self) -> str:
        return f"ws-{self.name}"

    @property
    def is_backend(self) -> bool:
        return self.name not in ("client", "balancer")

    @property
    def directory(self) -> Path:
        """Its private files."""
        return RUN / self.name

    @property
    def failing_flag(self) -> Path:
        """While this file exists, /health answers 500."""
        return self.directory / "health-fails"


CLIENT = Node("client", CLIENT_ADDRESS)
BALANCER = Node("balancer", BALANCER_ADDRESS)


def backends(hot: int, warm: int, spare: int = 0) -> list[Node]:
    """`spare` ones run like the others but stand in no pool: for adding them at run time."""
    counts = {"hot": hot, "warm": warm, "spare": spare}
    return [
        Node(f"{role}{number}", f"192.0.2.{FIRST_HOST[role] + number - 1}")
        for role, count in counts.items()
        for number in range(1, count + 1)
    ]


def run_in(namespace: str, *command: str) -> list[str]:
    """`ip netns exec` becomes the command: its process id is the command's own."""
    return ["ip", "netns", "exec", namespace, *command]
