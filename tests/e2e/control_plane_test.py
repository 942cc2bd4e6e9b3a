"""The control plane dies and comes back; traffic does not notice, and what was known is not forgotten.

    client ── br0 ── balancer   ✗ its control plane; the dataplane goes on alone
               ├──── hot1, hot2, hot3
               └──── warm1
"""

import time

from lab import eventually, traffic

FLOWS = traffic.flows(120)


def test_killed_under_load_no_request_fails(lab):
    before = traffic.who_answers(FLOWS)
    with traffic.Stream(200, FLOWS[:60]) as fresh, traffic.Stream(100, FLOWS[60:], hold=True) as held:
        lab.do("kill", "controlplane")
        # Beyond the lease (2 s), after which the dataplane freezes what it has.
        time.sleep(3)
        lab.do("start", "controlplane")
        time.sleep(0.5)
    assert fresh.failures == [] and held.failures == []
    assert len(fresh.rows) > 500
    assert traffic.who_answers(FLOWS) == before


def test_a_restart_adopts_who_sits_where(lab):
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
    before, fingerprint = traffic.who_answers(FLOWS), lab.control.get("status")["fingerprint"]
    lab.do("kill", "controlplane")
    assert traffic.who_answers(FLOWS) == before, "the dataplane goes on with the last snapshot"
    lab.do("start", "controlplane")
    # From the first moment: a dead backend is not taken for a live one until the probes say otherwise.
    assert lab.control.seats()["hot2"] == "warm1"
    assert lab.control.states()["hot2"] == "failed"
    assert lab.control.get("status")["fingerprint"] == fingerprint
    time.sleep(0.3)
    assert traffic.who_answers(FLOWS) == before


def test_a_recovered_backend_found_after_a_restart_still_waits_for_its_failback(lab):
    before = traffic.who_answers(FLOWS)
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
    lab.do("kill", "controlplane")
    lab.do("start", "hot2")
    lab.do("start", "controlplane")
    eventually(lambda: lab.control.states()["hot2"] == "recovering", "hot2 is found healthy")
    assert lab.control.seats()["hot2"] == "warm1"
    lab.restore()
    assert traffic.who_answers(FLOWS) == before


def test_a_backend_that_dies_meanwhile_is_found_after_the_restart(lab):
    before = traffic.who_answers(FLOWS)
    lab.do("kill", "controlplane")
    lab.do("stop", "hot2")
    lab.do("start", "controlplane")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
    assert traffic.moved(before, traffic.who_answers(FLOWS), but_of="hot2") == []


def test_changes_made_at_run_time_survive(lab):
    lab.control.change({"op": "weight", "pool": "web", "backend": "hot1", "weight": 300})
    changed = lab.assignment()
    lab.do("kill", "controlplane")
    lab.do("start", "controlplane")
    assert lab.assignment() == changed
    lab.control.change({"op": "weight", "pool": "web", "backend": "hot1", "weight": 100})


def test_it_stops_when_asked_and_leaves_the_traffic_alone(lab):
    with traffic.Stream(100, FLOWS) as stream:
        lab.do("stop", "controlplane")
        time.sleep(0.3)
        lab.do("start", "controlplane")
        time.sleep(0.3)
    assert stream.failures == []
