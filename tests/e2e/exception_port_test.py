"""A port of an ordinary DPDK driver (AF_PACKET here, as a NIC under vfio would be): vip traffic is balanced, and what is
not for a vip reaches the kernel through the tap that stands for the port.

    client ── br0 ── balancer   eth0 is DPDK's; the kernel has ws0, a tap with eth0's MAC and the balancer's address
               ├──── hot1, hot2
               └──── warm1
"""

import json
import os
import subprocess
from contextlib import contextmanager

import pytest
from lab import URL, eventually, files, lab_script, layout, traffic
from netns import Namespace

NAMESPACE = layout.BALANCER.namespace
PORT = """
[[dataplane.port]]
name = "fabric"
driver = "vdev"
device = "net_af_packet0,iface=eth0"
interface = "ws0"
mtu = 1500
"""


ABOVE_1500 = """
[instance]
name = "{instance}"
hash_key = "000102030405060708090a0b0c0d0e0f"
[dataplane]
cores = [0]
idle = "backoff"
hugepages = "off"
memory_mb = 128
[dataplane.limits]
arena_mb = 16
[[dataplane.port]]
name = "wire"
driver = "vdev"
device = "net_null0,no-rx=1"
interface = "ws1"
mtu = 1520
"""


def on(namespace: str, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(layout.run_in(namespace, *command), capture_output=True, text=True, check=False)


def do(*command: str) -> None:
    done = on(NAMESPACE, *command)
    assert done.returncode == 0, f"{command}: {done.stderr}"


@contextmanager
def running(program: str, config):
    """One plane in the balancer's namespace, from its `ready:` line to SIGTERM."""
    with started(layout.run_in(NAMESPACE, str(layout.BUILD / program), "--config", str(config)), program) as process:
        yield process


@contextmanager
def started(command, program: str):
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("ready:"):
                process.kill()
                pytest.fail(f"{program} is not ready: {line}{process.stderr.read()}")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="module", name="balancer")
def balancer_on_an_ordinary_port(tmp_path_factory):
    text = files.balancer_config(layout.backends(2, 1))
    begin, end = text.index("[[dataplane.port]]"), text.index("[controlplane]")
    config = tmp_path_factory.mktemp("port") / "warmswap.toml"
    files.write_private(config, text[:begin] + PORT.lstrip() + "\n" + text[end:])
    lab_script("up", "--hot", "2", "--warm", "1", "--without-balancer")
    try:
        # AF_PACKET gives DPDK a copy. The kernel does not answer to the original, because the way back to its sender
        # leads through the tap: neither to IP (strict reverse path) nor to ARP.
        do("sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=1", "net.ipv4.conf.eth0.arp_filter=1")
        do("ip", "address", "flush", "dev", "eth0")
        with running("warmswap-dataplane", config):
            do("ip", "address", "add", f"{layout.BALANCER.address}/24", "dev", "ws0")
            do("ip", "link", "set", "ws0", "mtu", "1500", "up")
            do("ip", "route", "add", layout.CLIENT_NETWORK, "dev", "ws0")
            with running("warmswap-controlplane", config):
                yield config
    finally:
        lab_script("down")
        (layout.RUN / "lab.sock").unlink(missing_ok=True)
        subprocess.run(["rm", "-f", "/dev/shm/warmswap-lab"], check=True)


def ctl(*arguments: str) -> dict:
    command = [str(layout.BUILD / "warmswapctl"), "--socket", str(layout.RUN / "lab.sock"), *arguments, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_tap_stands_for_the_port(balancer):
    def mac(interface: str) -> str:
        return json.loads(on(NAMESPACE, "ip", "-j", "link", "show", interface).stdout)[0]["address"]

    assert mac("ws0") == mac("eth0")


def test_vip_traffic_is_balanced(balancer):
    def answers() -> set:
        return set(traffic.who_answers(traffic.flows(60)).values())

    eventually(lambda: answers() == {"hot1", "hot2"}, f"both hot backends answer at {URL}", 10)


def test_the_kernel_answers_what_is_not_for_a_vip(balancer):
    before = ctl("status")["dataplane"]["workers"][0]["passed_packets"]
    ping = on(layout.CLIENT.namespace, "ping", "-c", "3", "-i", "0.2", "-W", "1", layout.BALANCER.address)
    assert ping.returncode == 0, ping.stdout
    assert ctl("status")["dataplane"]["workers"][0]["passed_packets"] >= before + 3
    assert all(row["packets"] == 0 for row in ctl("drops")["drops"] if row["reason"].startswith("exception"))


def test_the_probes_reach_the_backends_through_the_tap(balancer):
    backends = ctl("backends")["backends"]
    assert {row["name"]: row["state"] for row in backends} == {"hot1": "serving", "hot2": "serving", "warm1": "warm"}
    assert {row["next_hop"]["interface"] for row in backends} == {"ws0"}


def test_a_port_above_1500_gives_its_tap_the_same_mtu(tmp_path):
    instance = f"wstest{os.getpid()}"
    config = tmp_path / "warmswap.toml"
    files.write_private(config, ABOVE_1500.format(instance=instance))
    try:
        with Namespace("tap") as space:
            command = space.command(str(layout.BUILD / "warmswap-dataplane"), "--config", str(config))
            with started(command, "warmswap-dataplane"):
                assert space.json("ip", "-json", "link", "show", "ws1")[0]["mtu"] == 1520
    finally:
        for directory in ("/dev/shm", "/dev/hugepages", "/var/run/dpdk"):
            subprocess.run(["rm", "-rf", f"{directory}/warmswap-{instance}"], check=True)
