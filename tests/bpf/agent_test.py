"""warmswap-agent on a private interface: attach, kill, replace, detach, and what it tells the operator.

    sender (203.0.113.10) o---veth---o backend: eth0 192.0.2.11/24, vip 198.51.100.10 on lo
    makes IPIP by hand                 warmswap-agent on eth0, a UDP echo on the vip
"""

import json
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import heartbeats
import pytest
from netns import Namespace, in_namespace
from paths import BUILD, ROOT, missing
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

AGENT = str(BUILD / "warmswap-agent")
VIP, BACKEND, CLIENT, BALANCER = "198.51.100.10", "192.0.2.11", "203.0.113.10", "198.18.7.9"
SENDER_MAC, BACKEND_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
PORT = 5353

pytestmark = pytest.mark.skipif(bool(missing("warmswap-agent")), reason=missing("warmswap-agent"))


@pytest.fixture(name="link")
def private_link():
    with Namespace("sender") as sender, Namespace("backend") as backend:
        sender.run("ip", "link", "add", "eth0", "address", SENDER_MAC, "mtu", "1600", "type", "veth",
                   "peer", "name", "eth0", "netns", backend.name, "address", BACKEND_MAC, "mtu", "1600")  # fmt: skip
        for setting in ("arp_ignore=1", "arp_announce=2", "rp_filter=0"):
            backend.run("sysctl", "-qw", f"net.ipv4.conf.all.{setting}")
        backend.run("ip", "address", "add", f"{BACKEND}/24", "dev", "eth0")
        backend.run("ip", "address", "add", f"{VIP}/32", "dev", "lo")
        for namespace in (sender, backend):
            namespace.run("ip", "link", "set", "eth0", "up")
        yield sender, backend
        for path in [*locks(sender), *locks(backend)]:
            path.unlink()


def locks(namespace: Namespace) -> list[Path]:
    inode = Path(f"/run/netns/{namespace.name}").stat().st_ino
    return list(Path("/run/warmswap-agent").glob(f"{inode}-*.lock"))


def as_shipped() -> list[str]:
    """What restricts a command to the capabilities of the unit file."""
    unit = (ROOT / "config/systemd/warmswap-agent.service").read_text()
    names = re.search(r"^CapabilityBoundingSet=(.+)$", unit, re.M)[1].lower().replace("cap_", "+").split()
    return ["setpriv", "--no-new-privs", "--bounding-set", ",".join(["-all", *names])]


class Agent:
    """A running agent; killed at the end of the block if it still runs."""

    def __init__(self, backend: Namespace, *options: str, under: list[str] = ()):
        command = [*under, AGENT, "--interface", "eth0", "--vip", VIP, *options]
        self.process = backend.popen(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready_line = self.process.stdout.readline()

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def runs_for(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """(exit code, standard error)"""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        errors = self.process.communicate(timeout=5)[1]
        return self.process.returncode, errors


def run_agent(backend: Namespace, *options: str) -> subprocess.CompletedProcess:
    """An agent call that is expected to end by itself."""
    command = backend.command(AGENT, *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)


def filters(backend: Namespace) -> list[dict]:
    shown = backend.json("tc", "-json", "filter", "show", "dev", "eth0", "ingress")
    return [row["options"] for row in shown if "options" in row]


def qdiscs(backend: Namespace) -> set[str]:
    return {row["kind"] for row in backend.json("tc", "-json", "qdisc", "show", "dev", "eth0")}


def packets(backend: Namespace) -> dict[str, int]:
    return json.loads(run_agent(backend, "--interface", "eth0", "--stats", "--json").stdout)["packets"]


@pytest.fixture(name="wire")
def raw_sender(link):
    """Sends whole frames from the sender's end."""
    made = in_namespace(link[0].name, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    made.bind(("eth0", 0))
    yield made
    made.close()


@pytest.fixture(name="service")
def udp_on_vip(link):
    def listen():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((VIP, PORT))
        made.settimeout(1)
        return made

    made = in_namespace(link[1].name, listen)
    yield made
    made.close()


def frame(number: int, **outer) -> bytes:
    packet = Ether(src=SENDER_MAC, dst=BACKEND_MAC) / IP(**{"src": BALANCER, "dst": BACKEND, **outer})
    packet /= IP(src=CLIENT, dst=VIP) / UDP(sport=40000, dport=PORT) / Raw(str(number).encode())
    return bytes(packet)


def arrives(wire, service, **outer) -> bool:
    wire.send(frame(1, **outer))
    try:
        data, client = service.recvfrom(100)
    except TimeoutError:
        return False
    return data == b"1" and client == (CLIENT, 40000)


def test_ready_line_and_clean_stop(link, wire, service):
    backend = link[1]
    before = qdiscs(backend)
    with Agent(backend) as agent:
        assert agent.ready_line == "ready: decapsulating IPIP for 1 vip on eth0\n"
        assert [row["bpf_name"].split(":")[0] for row in filters(backend)] == ["warmswap_decap"]
        assert arrives(wire, service)
        assert packets(backend)["decapsulated"] == 1
        assert agent.end(signal.SIGTERM) == (0, "")
    assert qdiscs(backend) == before
    assert not arrives(wire, service)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_other_ways_to_stop(link, how):
    backend = link[1]
    with Agent(backend) as agent:
        assert agent.end(how)[0] == 0
    assert "clsact" not in qdiscs(backend)


def test_a_killed_agent_leaves_the_program_working_and_the_next_one_cleans_up(link, wire, service):
    backend = link[1]
    with Agent(backend) as agent:
        agent.end(signal.SIGKILL)
    assert arrives(wire, service)
    assert packets(backend)["decapsulated"] == 1
    with Agent(backend) as agent:
        assert arrives(wire, service)
        assert len(filters(backend)) == 1
        agent.end(signal.SIGTERM)
    # The dead predecessor made the qdisc; its successor knows and removes it.
    assert "clsact" not in qdiscs(backend)


def test_detach_removes_what_a_killed_agent_left(link, wire, service):
    backend = link[1]
    with Agent(backend) as agent:
        refused = run_agent(backend, "--interface", "eth0", "--detach")
        assert refused.returncode == 1
        assert "another warmswap-agent already serves eth0" in refused.stderr
        agent.end(signal.SIGKILL)
    assert run_agent(backend, "--interface", "eth0", "--detach").returncode == 0
    assert "clsact" not in qdiscs(backend)
    assert not arrives(wire, service)
    assert run_agent(backend, "--interface", "eth0", "--detach").returncode == 0, "nothing to do is no failure"


def test_replacing_a_killed_agent_loses_no_packet(link, wire, service):
    backend = link[1]
    so_rcvbufforce = 33  # beyond net.core.rmem_max: this test counts packets, so the socket must not drop any
    service.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 1 << 24)
    frames = [frame(number) for number in range(3000)]
    replacements_done = threading.Event()
    sent = []

    def send():
        for number, data in enumerate(frames):
            if replacements_done.is_set():
                break
            wire.send(data)
            sent.append(number)
            time.sleep(0.0003)

    with Agent(backend) as first:
        first.end(signal.SIGKILL)
    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(8):
        with Agent(backend) as agent:
            assert agent.ready_line
            agent.end(signal.SIGKILL)
    sender_outlived_them = sender.is_alive()
    replacements_done.set()
    sender.join()
    assert sender_outlived_them, "the frames ran out before the replacements did"
    assert [int(service.recvfrom(100)[0]) for _ in sent] == sent


def test_one_agent_per_interface(link):
    backend = link[1]
    with Agent(backend):
        second = run_agent(backend, "--interface", "eth0", "--vip", VIP)
        assert second.returncode == 1
        assert second.stderr == (
            "error: another warmswap-agent already serves eth0: give it all vips, or stop it first\n"
        )
        assert len(filters(backend)) == 1


def test_a_qdisc_that_was_there_before_stays(link):
    backend = link[1]
    backend.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    with Agent(backend) as agent:
        agent.end(signal.SIGTERM)
    assert filters(backend) == []
    assert "clsact" in qdiscs(backend)


@pytest.fixture(scope="module", name="add_foreign")
def foreign_filter(tmp_path_factory):
    """Adds a filter that is not ours to a side of eth0."""
    folder = tmp_path_factory.mktemp("foreign")
    source, built = folder / "foreign.c", folder / "foreign.o"
    source.write_text('__attribute__((section("tc"))) int foreign(void *skb) { return -1; }\n')
    subprocess.run(["clang-14", "-target", "bpf", "-O2", "-g", "-c", source, "-o", built], check=True)

    def add(namespace: Namespace, side: str, priority: int) -> None:
        namespace.run("tc", "filter", "add", "dev", "eth0", side, "pref", str(priority), "handle", "1", "bpf",
                      "direct-action", "object-file", str(built), "section", "tc")  # fmt: skip

    return add


@pytest.mark.parametrize("side", ["ingress", "egress"])
def test_a_qdisc_somebody_else_came_to_use_stays(link, add_foreign, side):
    backend = link[1]
    with Agent(backend) as agent:
        add_foreign(backend, side, 7)
        agent.end(signal.SIGTERM)
    assert "clsact" in qdiscs(backend)
    assert "foreign.o" in backend.run("tc", "filter", "show", "dev", "eth0", side)


def test_a_foreign_program_in_the_place_is_left_alone(link, add_foreign):
    backend = link[1]
    backend.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    add_foreign(backend, "ingress", 100)
    refused = run_agent(backend, "--interface", "eth0", "--vip", VIP)
    assert refused.returncode == 1
    assert "foreign program 'foreign.o:[tc]'" in refused.stderr
    assert run_agent(backend, "--interface", "eth0", "--detach").returncode == 1
    assert [row["bpf_name"] for row in filters(backend)] == ["foreign.o:[tc]"]


def test_a_program_taken_off_by_others_comes_back(link, wire, service):
    backend = link[1]
    with Agent(backend) as agent:
        backend.run("tc", "qdisc", "delete", "dev", "eth0", "clsact")
        deadline = time.monotonic() + 3
        while not filters(backend) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert arrives(wire, service)
        assert "something took the program off eth0" in agent.end(signal.SIGTERM)[1]


def test_the_shipped_unit_gives_the_capabilities_it_takes(link, wire, service):
    backend = link[1]
    with Agent(backend, under=as_shipped()) as agent:
        assert agent.ready_line, agent.wait()
        assert agent.runs_for(2.5), agent.wait()
        assert arrives(wire, service)
        agent.end(signal.SIGKILL)
    with Agent(backend, under=as_shipped()) as agent:
        assert agent.ready_line, agent.wait()
        assert agent.runs_for(2.5), agent.wait()
        assert len(filters(backend)) == 1
        assert arrives(wire, service)
        assert agent.end(signal.SIGTERM) == (0, "")
    assert "clsact" not in qdiscs(backend)


def test_detach_takes_no_more_than_the_unit_has_and_statistics_say_what_they_take(link):
    backend = link[1]
    with Agent(backend) as agent:
        agent.end(signal.SIGKILL)
    command = backend.command(*as_shipped(), AGENT, "--interface", "eth0")
    refused = subprocess.run([*command, "--stats"], capture_output=True, text=True, timeout=5, check=False)
    assert refused.returncode == 1
    assert refused.stderr == (
        "error: cannot open the attached program: Operation not permitted (needs root, or CAP_SYS_ADMIN)\n"
    )
    subprocess.run([*command, "--detach"], timeout=5, check=True)
    assert "clsact" not in qdiscs(backend)


def test_a_foreign_program_that_takes_the_place_is_waited_for(link, add_foreign, wire, service):
    backend = link[1]
    with Agent(backend) as agent:
        backend.run("tc", "qdisc", "delete", "dev", "eth0", "clsact")
        backend.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
        add_foreign(backend, "ingress", 100)
        assert agent.runs_for(2.5), agent.wait()
        backend.run("tc", "filter", "delete", "dev", "eth0", "ingress")
        deadline = time.monotonic() + 3
        while not filters(backend) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert arrives(wire, service)
        code, errors = agent.end(signal.SIGTERM)
    assert code == 0
    assert errors.count("foreign program") == 1, "a lasting fault is told once"
    assert "attached it again" in errors
    assert "clsact" in qdiscs(backend), "the qdisc is the one who made it anew"


def ip_batch(namespace: Namespace, lines: list[str]) -> None:
    subprocess.run(namespace.command("ip", "-batch", "-"), input="\n".join(lines), text=True, check=True)


@pytest.fixture(name="long_table")
def many_addresses(link):
    """The kernel interrupts a table that takes more than one message when it changes in between."""
    ip_batch(link[1], [f"address add 10.1.{n // 250}.{n % 250 + 1}/32 dev lo" for n in range(3000)])


CHANGES = [f"address {what} 192.0.2.77/24 dev eth0" for what in ("add", "delete")]


def test_a_table_that_changes_while_it_is_read_is_read_again(link, long_table, wire, service):
    backend = link[1]
    with Agent(backend) as agent:
        for _ in range(40):
            ip_batch(backend, CHANGES * 5)
            time.sleep(0.01)
        backend.run("ip", "address", "add", "192.0.2.78/24", "dev", "eth0")
        time.sleep(0.2)
        assert arrives(wire, service, dst="192.0.2.78")
        assert agent.end(signal.SIGTERM) == (0, "")


def test_a_table_that_never_rests_does_not_end_the_agent(link, long_table, wire, service):
    backend = link[1]
    with Agent(backend) as agent:
        ip_batch(backend, CHANGES * 5000)
        backend.run("ip", "address", "add", "192.0.2.78/24", "dev", "eth0")
        assert agent.runs_for(1.5), agent.wait()
        assert arrives(wire, service, dst="192.0.2.78")
        assert arrives(wire, service)
        assert not arrives(wire, service, dst="192.0.2.77")
        assert agent.end(signal.SIGTERM)[0] == 0


def test_no_other_user_can_hold_the_agent_off(link):
    backend = link[1]
    take_names = (
        "import socket, time\n"
        "index = socket.if_nametoindex('eth0')\n"
        "name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "name.bind(f'\\0warmswap-agent/{index}')\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    squatter = backend.popen(*nobody, "/usr/bin/python3", "-c", take_names, stdout=subprocess.PIPE, text=True)
    try:
        assert squatter.stdout.readline() == "held\n"
        with Agent(backend) as agent:
            assert agent.ready_line, agent.wait()
            [lock] = locks(backend)
            assert (lock.stat().st_uid, lock.stat().st_mode & 0o777) == (0, 0o600)
            assert (lock.parent.stat().st_uid, lock.parent.stat().st_mode & 0o777) == (0, 0o755)
            opened = subprocess.run([*nobody, "cat", lock], capture_output=True, check=False)
            assert opened.returncode != 0
            assert agent.end(signal.SIGTERM)[0] == 0
    finally:
        squatter.kill()
        squatter.communicate()
    assert locks(backend) == []


def test_a_stale_lock_file_is_in_nobodys_way(link):
    backend = link[1]
    with Agent(backend) as agent:
        agent.end(signal.SIGKILL)
    assert len(locks(backend)) == 1
    with Agent(backend) as agent:
        assert agent.end(signal.SIGTERM) == (0, "")
    assert locks(backend) == []


def test_the_same_interface_index_of_another_namespace_is_another_interface(link):
    sender, backend = link
    sender.run("ip", "address", "add", "192.0.2.1/24", "dev", "eth0")
    with Agent(backend), Agent(sender) as other:
        assert other.ready_line, other.wait()


def test_the_interface_vanishes(link):
    backend = link[1]
    with Agent(backend) as agent:
        backend.run("ip", "link", "delete", "eth0")
        code, errors = agent.wait()
    assert code == 1
    assert errors == "error: interface eth0 is gone, and the program with it\n"


def test_address_changes_are_followed(link, wire, service):
    backend = link[1]
    with Agent(backend):
        assert not arrives(wire, service, dst="192.0.2.77")
        backend.run("ip", "address", "add", "192.0.2.77/24", "dev", "eth0")
        time.sleep(0.2)
        assert arrives(wire, service, dst="192.0.2.77")
        assert arrives(wire, service)
        backend.run("ip", "address", "delete", "192.0.2.77/24", "dev", "eth0")
        time.sleep(0.2)
        assert not arrives(wire, service, dst="192.0.2.77")
        assert packets(backend)["passed_other_destination"] == 2


def test_a_fixed_address_is_the_only_one(link, wire, service):
    with Agent(link[1], "--address", "192.0.2.77"):
        assert not arrives(wire, service)
        assert packets(link[1])["passed_other_destination"] == 1


def test_allowed_sources(link, wire, service):
    with Agent(link[1], "--allow-source", "198.18.0.0/16", "--allow-source", "192.0.2.1"):
        assert arrives(wire, service)
        assert arrives(wire, service, src="192.0.2.1")
        assert not arrives(wire, service, src="192.0.2.2")
        assert packets(link[1])["dropped_source"] == 1


def test_by_default_only_the_balancers_default_sources_are_allowed(link, wire, service):
    default = re.search(r'^# outer_source = "(.+)"$', (ROOT / "config/warmswap.toml").read_text(), re.M)[1]
    assert default == "198.18.0.0/16"
    with Agent(link[1]) as agent:
        for inside in ("198.18.0.0", "198.18.255.255"):
            assert arrives(wire, service, src=inside)
        for outside in ("198.17.255.255", "198.19.0.0", "203.0.113.66"):
            assert not arrives(wire, service, src=outside)
        assert packets(link[1])["dropped_source"] == 3
        assert agent.end(signal.SIGTERM) == (0, "")


def test_any_source_has_to_be_asked_for_and_is_warned_of(link, wire, service):
    with Agent(link[1], "--allow-source", "0.0.0.0/0") as agent:
        assert arrives(wire, service, src="203.0.113.66")
        errors = agent.end(signal.SIGTERM)[1]
    assert errors.startswith("warning: --allow-source 0.0.0.0/0 lets every host")
    assert errors.count("\n") == 1


def test_a_tagged_packet_is_not_ours(link, wire, service):
    with Agent(link[1]):
        plain = Ether(frame(1))
        wire.send(bytes(Ether(src=SENDER_MAC, dst=BACKEND_MAC) / Dot1Q(vlan=5) / plain.payload))
        with pytest.raises(TimeoutError):
            service.recvfrom(100)
        assert set(packets(link[1]).values()) == {0}


SETTINGS = "net.ipv4.conf.{}.{}"


@pytest.mark.parametrize(
    "breakage, warning",
    [
        (["ip", "address", "delete", f"{VIP}/32", "dev", "lo"], f"ip address add {VIP}/32 dev lo"),
        (["sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=0"], "sysctl -w net.ipv4.conf.eth0.arp_ignore=1"),
        (["sysctl", "-qw", "net.ipv4.conf.all.arp_announce=1"], "sysctl -w net.ipv4.conf.eth0.arp_announce=2"),
        (["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"], "sysctl -w net.ipv4.conf.eth0.rp_filter=2"),
        (["ip", "link", "set", "eth0", "mtu", "1500"], "ip link set dev eth0 mtu 1520"),
        (["ip", "address", "flush", "dev", "eth0"], "ip address add ADDRESS/LENGTH dev eth0"),
    ],
    ids=["vip", "arp_ignore", "arp_announce", "rp_filter", "mtu", "address"],
)
def test_warnings_name_the_command_that_mends(link, breakage, warning):
    backend = link[1]
    backend.run(*breakage)
    with Agent(backend) as agent:
        errors = agent.end(signal.SIGTERM)[1]
        lines = errors.splitlines()
        assert len(lines) == 1, errors
        assert lines[0].startswith("warning: ")
        assert warning in lines[0]
    # Following the advice silences it.
    if "ADDRESS" not in warning:
        backend.run(*warning.split())
    else:
        backend.run("ip", "address", "add", f"{BACKEND}/24", "dev", "eth0")
    with Agent(backend) as agent:
        assert agent.end(signal.SIGTERM) == (0, "")


def test_strict_filtering_is_fine_where_the_default_route_is(link):
    backend = link[1]
    backend.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")
    backend.run("ip", "route", "add", "default", "via", "192.0.2.1", "dev", "eth0")
    with Agent(backend) as agent:
        assert agent.end(signal.SIGTERM) == (0, "")


def test_a_vip_inside_a_local_route_needs_no_address(link, wire, service):
    backend = link[1]
    backend.run("ip", "route", "add", "local", "198.51.100.128/25", "dev", "lo")
    with Agent(backend, "--vip", "198.51.100.200") as agent:
        assert agent.ready_line == "ready: decapsulating IPIP for 2 vips on eth0\n"
        assert agent.end(signal.SIGTERM) == (0, "")


@pytest.fixture(name="balancer")
def heartbeat_listener(link, tmp_path):
    """A socket on the sender's end, the key, and the agent's options for both."""
    sender = link[0]
    sender.run("ip", "address", "add", "192.0.2.1/24", "dev", "eth0")

    def listen():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("192.0.2.1", 9101))
        made.settimeout(2)
        return made

    made = in_namespace(sender.name, listen)
    key_file = tmp_path / "key"
    key_file.touch(mode=0o600)
    key_file.write_text(bytes(range(16)).hex() + "\n")
    yield made, ["--report", "192.0.2.1:9101", "--report-key-file", str(key_file), "--report-interval", "10"]
    made.close()


def test_heartbeats_are_signed_and_numbered_and_end_with_a_goodbye(link, balancer, tmp_path):
    listener, options = balancer
    flag = tmp_path / "not-ready"
    with Agent(link[1], *options, "--not-ready-file", str(flag)) as agent:
        beats = [heartbeats.read(bytes(range(16)), listener.recv(100)) for _ in range(130)]
        flag.touch()
        deadline = time.monotonic() + 2
        while heartbeats.read(bytes(range(16)), listener.recv(100))["flags"] & 1:
            assert time.monotonic() < deadline, "it still says that it is ready"
        agent.process.send_signal(signal.SIGTERM)
        while not (last := heartbeats.read(bytes(range(16)), listener.recv(100)))["flags"] & 2:
            assert time.monotonic() < deadline + 2, "it ended without a goodbye"
        assert filters(link[1]), "decapsulation goes on a little after the goodbye"
        assert agent.wait() == (0, "")
    assert filters(link[1]) == []
    assert {beat["address"] for beat in beats} == {BACKEND}
    assert [beat["sequence"] for beat in beats] == list(range(1, 131))
    assert {beat["session"] for beat in beats} == {last["session"]}
    assert beats[0]["flags"] == 1 and beats[0]["interval_us"] == 10_000
    assert abs(beats[0]["sent_ns"] - time.time_ns()) < 10e9
    took = (beats[-1]["sent_ns"] - beats[0]["sent_ns"]) / 129
    assert 9e6 < took < 12e6, "every 10 ms"
    assert beats[-1]["known"] & 0b1 and 0 <= beats[-1]["parts"][0] <= 65535, "a second later it knows how busy the CPUs are"
    assert beats[0]["known"] & 0b10 and 0 < beats[0]["parts"][1] < 65535, "and at once how full the memory is"


def test_a_stopped_agent_is_silent(link, balancer):
    listener, options = balancer
    with Agent(link[1], *options) as agent:
        listener.recv(100)
        agent.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                listener.recv(100)


def test_a_key_that_others_may_read_is_refused(link, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text("00" * 16)
    key_file.chmod(0o644)
    options = ["--interface", "eth0", "--vip", VIP, "--report", "192.0.2.1:9101", "--report-key-file", str(key_file)]
    done = run_agent(link[1], *options)
    assert done.returncode == 1 and "is open to all users" in done.stderr, done.stderr
    key_file.chmod(0o600)
    key_file.write_text("00" * 15)
    done = run_agent(link[1], *options)
    assert done.returncode == 1 and "holds no key: expected 32 hexadecimal digits" in done.stderr, done.stderr


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--interface", "eth7", "--vip", VIP], "there is no interface eth7"),
        (["--interface", "lo", "--vip", VIP], "interface lo is not Ethernet"),
        (["--interface", "eth0"], "--vip is missing"),
        (["--interface", "eth0", "--vip", "198.51.100"], "--vip: '198.51.100' is not an IPv4 address"),
        (["--interface", "eth0", "--vip", VIP, "--allow-source", "198.18.0.1/16"], "did you mean 198.18.0.0/16?"),
        (["--interface", "eth0", "--vip", VIP, "--allow-source", "198.18.0.0/33"], "a length from 0 to 32"),
        (["--interface", "eth0", "--vip", VIP, "--report", "192.0.2.1", "--report-key-file", "/none"],
         "'192.0.2.1' is not an address and a UDP port"),
        (["--interface", "eth0", "--vip", VIP, "--report", "192.0.2.1:9101", "--report-key-file", "/none"],
         "--report-key-file: cannot read /none"),
        (["--interface", "eth0", "--stats"], "no warmswap-agent has attached its program to eth0"),
    ],
)
def test_refusals_are_one_sentence(link, options, sentence):
    done = run_agent(link[1], *options)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "clsact" not in qdiscs(link[1])
