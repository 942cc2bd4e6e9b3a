"""A recovered backend gets its seat back when the operator says so.

    client ── br0 ── balancer
               ├──── hot1, hot2, hot3   hot2 was dead and is back
               └──── warm1              sits in hot2's seat meanwhile
"""

import time

import pytest
from lab import eventually, traffic
from labkit.control import ControlError

FLOWS = traffic.flows(120)
HOLD_DOWN_S = 1.0
FAILBACK = {"op": "failback", "pool": "web", "backend": "hot2"}


def fail_over(lab) -> None:
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")


def test_a_manual_failback_waits_for_the_operator_and_restores_the_assignment_exactly(lab):
    before = traffic.who_answers(FLOWS)
    fail_over(lab)
    with pytest.raises(ControlError) as refused:
        lab.control.change(FAILBACK)
    assert refused.value.status == 409, "hot2 is still dead"
    lab.do("start", "hot2")
    eventually(lambda: lab.control.states()["hot2"] == "recovering", "hot2 is found healthy")
    time.sleep(HOLD_DOWN_S + 0.5)
    assert lab.control.seats()["hot2"] == "warm1", "nobody asked for the failback"
    survivors = [flow for flow, backend in before.items() if backend != "hot2"]
    with traffic.Stream(100, survivors[:30], hold=True) as held, traffic.Stream(100, survivors[30:]) as fresh:
        lab.control.change(FAILBACK)
        time.sleep(0.3)
    assert held.failures == [] and fresh.failures == []
    assert traffic.who_answers(FLOWS) == before
    assert lab.control.states()["warm1"] == "warm"


def test_the_command_line_does_it_too(lab):
    fail_over(lab)
    lab.do("start", "hot2")
    eventually(lambda: lab.ctl("failback", "hot2", check=False).returncode == 0, "the failback is accepted")
    assert lab.control.seats()["hot2"] == "hot2"
