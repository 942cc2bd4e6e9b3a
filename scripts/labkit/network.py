"""Builds, changes and removes the lab's namespaces and links."""

import subprocess

from .layout import (BALANCER, BALANCER_ADDRESS, BRIDGE, CLIENT, CLIENT_MTU, CLIENT_NETWORK, CLIENT_SOURCES, FABRIC,
                     FABRIC_MTU, PREFIX_LENGTH, VIP_NETWORK, Node, run_in)


class NetworkError(Exception):
    pass


def call(*command: str, text_in: str = "") -> str:
    done = subprocess.run(command, input=text_in, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NetworkError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def ip_batch(namespace: str, *lines: str) -> None:
    call("ip", "-n", namespace, "-batch", "-", text_in="\n".join(lines) + "\n")


def sysctl(namespace: str, *settings: str) -> None:
    call(*run_in(namespace, "sysctl", "-qw", *settings))


def namespaces() -> list[str]:
    """Those of the lab that exist, whoever left them."""
    return [line.split()[0] for line in call("ip", "netns", "list").splitlines() if line.startswith("ws-")]


def processes_in(namespace: str) -> list[int]:
    return [int(pid) for pid in call("ip", "netns", "pids", namespace).split()]


def add_namespace(name: str) -> None:
    call("ip", "netns", "add", name)
    # Without IPv6 no router solicitations and duplicate address checks disturb captures and counters. Reverse path
    # filtering may be on by default; where it matters the agent warns.
    settings = ["net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.ipv4.ip_forward=0"]
    sysctl(name, *settings)
    sysctl(name, "-e", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    ip_batch(name, "link set lo up")


def add_fabric() -> None:
    add_namespace(FABRIC)
    # Where the kernel shows bridged packets to its packet filter, that drops those with a wrong IP header: not what a
    # switch does, and they are wanted here.
    filters = ("iptables", "ip6tables", "arptables")
    sysctl(FABRIC, "-e", *(f"net.bridge.bridge-nf-call-{name}=0" for name in filters))
    # No spanning tree and no forward delay: a port forwards the moment it is up. Snooping would eat multicast.
    ip_batch(
        FABRIC,
        f"link add {BRIDGE} mtu {FABRIC_MTU} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"link set {BRIDGE} up",
    )


def add_node(node: Node) -> None:
    add_namespace(node.namespace)
    # One queue each way: an XDP socket is bound to one queue, and packets on a queue without a socket would be lost.
    queues = "numtxqueues 1 numrxqueues 1"
    ip_batch(
        FABRIC,
        f"link add {node.name} mtu {FABRIC_MTU} {queues} type veth "
        f"peer name eth0 mtu {FABRIC_MTU} {queues} netns {node.namespace}",
        f"link set {node.name} master {BRIDGE} up",
    )
    if node == CLIENT:
        set_up_client()
    elif node == BALANCER:
        set_up_balancer()
    else:
        set_up_backend(node)


def set_up_client() -> None:
    sources = [f"address add {address}/24 dev eth0" for address in CLIENT_SOURCES]
    ip_batch(
        CLIENT.namespace,
        f"address add {CLIENT.address}/{PREFIX_LENGTH} dev eth0",
        *sources,
        f"link set eth0 mtu {CLIENT_MTU} up",
        f"route add {VIP_NETWORK} via {BALANCER_ADDRESS} src {CLIENT_SOURCES[0]}",
    )
    # Whoever captures at the client sees the checksums and segments that travel.
    call(*run_in(CLIENT.namespace, "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off"))


def set_up_balancer() -> None:
    ip_batch(
        BALANCER.namespace,
        f"address add {BALANCER.address}/{PREFIX_LENGTH} dev eth0",
        "link set eth0 up",
        f"route add {CLIENT_NETWORK} dev eth0",
    )
    # Senders on the fabric leave checksums to the receiving kernel; user space must get finished ones.
    call(*run_in(FABRIC, "ethtool", "-K", BALANCER.name, "tx", "off"))


def set_up_backend(node: Node) -> None:
    # The vips on lo must neither be answered for nor be named as a sender in ARP, or clients would pass the balancer by.
    sysctl(node.namespace, "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
    ip_batch(
        node.namespace,
        f"address add {node.address}/{PREFIX_LENGTH} dev eth0",
        "link set eth0 up",
        f"route add {CLIENT_NETWORK} dev eth0",
    )


def add_vips(node: Node, vips: list[str]) -> None:
    ip_batch(node.namespace, *(f"address add {vip}/32 dev lo" for vip in vips))


def introduce(node: Node, others: list[Node]) -> None:
    """Lets the node learn the others' MAC addresses, which a first packet would have to wait for."""
    for other in others:
        call(*run_in(node.namespace, "ping", "-c", "1", "-W", "1", "-q", other.address))


def set_link(node: Node, up: bool) -> None:
    """Pulls or plugs the node's cable: for everybody else it just stops answering."""
    ip_batch(FABRIC, f"link set {node.name} {'up' if up else 'down'}")


def link_is_up(node: Node) -> bool:
    shown = call("ip", "-n", FABRIC, "-brief", "link", "show", "dev", node.name)
    return shown.split()[1] == "UP"


def remove(namespace: str) -> None:
    call("ip", "netns", "delete", namespace)
