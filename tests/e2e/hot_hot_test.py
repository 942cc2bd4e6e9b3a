"""All backends serve; the survivors absorb what a failed one served.

    client ── br0 ── balancer           mode = "hot-hot"
               ├──── hot1
               ├──── hot2   ✗
               ├──── hot3
               └──── hot4
"""

import pytest
import ring_oracle
import siphash
from lab import HASH_KEY, RING_SIZE, VIP, eventually, traffic

HOT = ["hot1", "hot2", "hot3", "hot4"]
WEIGHTS = {name: 100 for name in HOT}
FLOWS = traffic.flows(200)


@pytest.fixture(scope="module", name="lab_options")
def four_hot_backends():
    return ["--hot", "4", "--mode", "hot-hot"]


def oracle(dead: set[str]) -> dict[str, str]:
    ring = ring_oracle.re_deal(ring_oracle.base_ring(RING_SIZE, WEIGHTS), WEIGHTS, dead)

    def backend(flow: str) -> str:
        address, port = flow.split(":")
        return ring[siphash.ring_slot(siphash.flow_hash(HASH_KEY, address, VIP, int(port), 80, 6), RING_SIZE)]

    return {flow: backend(flow) for flow in FLOWS}


def stop(lab, name: str) -> None:
    lab.do("stop", name)
    eventually(lambda: lab.control.states()[name] == "failed", f"{name} is found dead")


def test_the_survivors_share_the_dead_backends_flows_and_keep_their_own(lab):
    before = traffic.who_answers(FLOWS)
    assert before == oracle(set())
    stop(lab, "hot2")
    after = traffic.who_answers(FLOWS)
    assert traffic.moved(before, after, but_of="hot2") == []
    heirs = traffic.shares({flow: after[flow] for flow, backend in before.items() if backend == "hot2"})
    assert set(heirs) == {"hot1", "hot3", "hot4"}, "each survivor takes a part"
    assert after == oracle({"hot2"})


def test_the_order_of_failures_does_not_matter_and_recovery_restores_exactly(lab):
    before = traffic.who_answers(FLOWS)
    stop(lab, "hot2")
    stop(lab, "hot4")
    one_way = traffic.who_answers(FLOWS)
    assert one_way == oracle({"hot2", "hot4"})
    lab.restore()
    assert traffic.who_answers(FLOWS) == before
    stop(lab, "hot4")
    stop(lab, "hot2")
    assert traffic.who_answers(FLOWS) == one_way


def test_survivors_connections_are_not_disturbed(lab):
    before = traffic.who_answers(FLOWS)
    survivors = [flow for flow, backend in before.items() if backend != "hot2"]
    with traffic.Stream(100, survivors[:40], hold=True) as held, traffic.Stream(100, survivors[40:]) as fresh:
        stop(lab, "hot2")
        assert fresh.wait_for(lambda row: len(fresh.rows) > 50, 5) is not None
    assert held.failures == [] and fresh.failures == []
