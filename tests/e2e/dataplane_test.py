"""The dataplane is restarted, or dies; it forwards again with the same assignment.

    client ── br0 ── balancer   ✗ its dataplane; the control plane lives
               ├──── hot1, hot2, hot3
               └──── warm1
"""

import time

import pytest
from lab import eventually, traffic

FLOWS = traffic.flows(120)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_it_forwards_again_with_the_same_assignment(lab, how):
    before, assignment = traffic.who_answers(FLOWS), lab.assignment()
    lab.do(how, "dataplane")
    assert set(traffic.who_answers(FLOWS[:5], "--timeout", "0.3").values()) == {None}
    lab.do("start", "dataplane")
    eventually(lambda: traffic.who_answers(FLOWS) == before, "every flow goes where it went")
    assert lab.assignment() == assignment


def test_a_failover_it_knows_of_survives_its_restart(lab):
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
    before = traffic.who_answers(FLOWS)
    lab.do("kill", "dataplane")
    lab.do("start", "dataplane")
    eventually(lambda: traffic.who_answers(FLOWS) == before, "every flow goes where it went")


def test_a_failover_while_it_is_down_is_known_when_it_is_back(lab):
    before = traffic.who_answers(FLOWS)
    lab.do("stop", "dataplane")
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
    lab.do("start", "dataplane")
    expected = {flow: "warm1" if backend == "hot2" else backend for flow, backend in before.items()}
    eventually(lambda: traffic.who_answers(FLOWS) == expected, "the standby serves")


def test_both_planes_down_and_up_in_either_order(lab):
    before = traffic.who_answers(FLOWS)
    for order in (("dataplane", "controlplane"), ("controlplane", "dataplane")):
        for plane in order:
            lab.do("kill", plane)
        for plane in order:
            lab.do("start", plane)
        eventually(lambda: traffic.who_answers(FLOWS) == before, f"every flow goes where it went, started {order}")


def test_it_answers_within_a_second_of_its_start(lab):
    with traffic.Stream(100, FLOWS, timeout=0.1) as stream:
        assert stream.wait_for(lambda row: row["backend"] is not None, 2) is not None
        lab.do("stop", "dataplane")
        begun = time.monotonic()
        lab.do("start", "dataplane")
        good = stream.wait_for(lambda row: row["at"] > begun and row["backend"] is not None, 5)
    assert good is not None
    assert good["at"] - begun < 1.0, good["at"] - begun


def test_the_kernels_own_traffic_passes_with_it_and_without_it(lab):
    def reaches() -> bool:
        return lab.on("client", "ping", "-c", "1", "-W", "1", "192.0.2.1", check=False).returncode == 0

    assert reaches()
    lab.do("stop", "dataplane")
    assert reaches()
