"""HTTP through the balancer, with everything in order.

    client ── br0 ── balancer (vip 198.51.100.10)
               ├──── hot1, hot2, hot3     answer the client directly
               └──── warm1                stands by
"""

import random
from collections import Counter

import pytest
import ring_oracle
import siphash
from lab import HASH_KEY, RING_SIZE, SOURCE, URL, VIP, traffic

HOT = ["hot1", "hot2", "hot3"]


def oracle_backend(ring: list[str], flow: str) -> str:
    address, port = flow.split(":")
    value = siphash.flow_hash(HASH_KEY, address, VIP, int(port), 80, 6)
    return ring[siphash.ring_slot(value, RING_SIZE)]


@pytest.fixture(scope="module", name="ring")
def ring_of_equal_weights():
    return ring_oracle.base_ring(RING_SIZE, {name: 100 for name in HOT})


def test_all_connections_are_answered_and_shared(lab):
    answers = traffic.who_answers(traffic.flows(300))
    assert None not in answers.values()
    counted = traffic.shares(answers)
    assert set(counted) == set(HOT), "the standby serves nobody while all hot backends live"
    # 300 flows over three backends: 100 each, standard deviation 8.2.
    assert all(60 <= counted[name] <= 140 for name in HOT), counted


def test_every_flow_goes_where_the_independent_oracle_says(lab, ring):
    answers = traffic.who_answers(traffic.flows(300))
    assert answers == {flow: oracle_backend(ring, flow) for flow in answers}


def test_explain_agrees_with_where_connections_go(lab):
    answers = traffic.who_answers(traffic.flows(20))
    for flow, backend in answers.items():
        address, port = flow.split(":")
        told = lab.control.get("explain", source=address, source_port=port, destination=VIP, destination_port=80,
                               protocol="tcp")  # fmt: skip
        assert told["verdict"] == "forward"
        assert told["backend"] == backend


def test_the_backend_sees_the_clients_own_address_and_port(lab):
    for flow, seen in traffic.who_answers(traffic.flows(20), "--path", "/client").items():
        assert seen == flow.replace(":", " ")


def test_large_answers_and_uploads(lab, tmp_path):
    for port in range(21000, 21006):
        size = lab.on("client", "curl", "-s", "--local-port", str(port), "-o", "/dev/null", "-w", "%{size_download}",
                      "--max-time", "10", URL + "megabyte").stdout  # fmt: skip
        assert size == str(1 << 20)
    body = tmp_path / "body"
    body.write_bytes(random.Random(1).randbytes(5_000_000))
    for port in range(21006, 21012):
        done = lab.on("client", "curl", "-s", "--local-port", str(port), "-o", "/dev/null", "--max-time", "10",
                      "-w", "%{http_code} %{size_upload}", "--data-binary", f"@{body}", URL)  # fmt: skip
        assert done.stdout == "200 5000000"


def test_a_new_connection_of_the_same_flow_goes_to_the_same_backend(lab):
    flows = traffic.flows(30)
    first = traffic.who_answers(flows)
    for _ in range(3):
        assert traffic.who_answers(flows) == first


def test_connections_stay_where_they_are(lab):
    with traffic.Stream(200, traffic.flows(40), hold=True) as stream:
        assert stream.wait_for(lambda row: len(stream.rows) >= 200, 5) is not None
    assert not stream.failures
    by_flow = Counter((row["flow"], row["backend"]) for row in stream.rows)
    assert len(by_flow) == 40, "a connection was answered by more than one backend"


def test_what_is_not_for_the_vip_reaches_the_balancers_kernel(lab):
    assert lab.on("client", "ping", "-c", "1", "-W", "1", "192.0.2.1").returncode == 0


def test_ping_to_the_vip_is_a_named_drop(lab):
    before = lab.drops().get("icmp_unsupported", 0)
    assert lab.on("client", "ping", "-c", "1", "-W", "0.5", VIP, check=False).returncode != 0
    assert lab.drops()["icmp_unsupported"] == before + 1


def test_a_port_without_vip_reaches_no_backend(lab):
    """With AF_XDP it is the balancer's kernel that gets it, and the kernel does not own the vip."""
    before = {row["name"]: row["packets"] for row in lab.control.get("backends")["backends"]}
    done = lab.on("client", "curl", "-s", "--max-time", "0.5", f"http://{VIP}:81/", check=False)
    assert done.returncode == 28, "nobody answers"
    assert {row["name"]: row["packets"] for row in lab.control.get("backends")["backends"]} == before


def test_counters_add_up(lab):
    def packets(kind: str) -> dict[str, int]:
        return {row["name"]: row["packets"] for row in lab.control.get(kind)[kind]}

    before = packets("backends")
    vip_before = packets("vips")["web"]
    traffic.who_answers([f"{SOURCE}:{port}" for port in range(22000, 22060)])
    gained = {name: count - before[name] for name, count in packets("backends").items()}
    assert gained["warm1"] == 0
    assert all(gained[name] > 0 for name in HOT)
    assert sum(gained.values()) == packets("vips")["web"] - vip_before


def test_metrics_are_served_on_loopback_only(lab):
    text = lab.on("balancer", "curl", "-s", "--max-time", "2", "http://127.0.0.1:9100/metrics").stdout
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert any(name.startswith("warmswap_") for name in names)
    outside = lab.on("client", "curl", "-s", "--max-time", "1", "http://192.0.2.1:9100/metrics", check=False)
    assert outside.returncode == 7, "connection refused"
