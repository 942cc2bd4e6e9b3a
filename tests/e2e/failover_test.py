"""A hot backend fails in one of three ways; its warm standby takes its seat, and nobody else notices.

    client ── br0 ── balancer
               ├──── hot1
               ├──── hot2   ✗ its web server dies / its cable is cut / its /health answers 500
               ├──── hot3
               └──── warm1  takes hot2's seat
"""

import time

import pytest
from lab import EXPECTED_OUTAGE_MS, eventually, traffic

RATE = 100
FLOWS = traffic.flows(120)
# A probe that gets no answer at all fails only when its timeout is over.
TIMEOUT_MS = 20


@pytest.fixture(name="before")
def backends_before(lab):
    return traffic.who_answers(FLOWS)


def flows_of(answers: dict, *names: str) -> list[str]:
    return [flow for flow, backend in answers.items() if backend in names]


def check_failover(lab, before: dict, since: int) -> dict:
    """What must hold after any failure of hot2; returns the event."""
    assert lab.control.seats() == {"hot1": "hot1", "hot2": "warm1", "hot3": "hot3"}
    after = traffic.who_answers(FLOWS)
    assert traffic.moved(before, after, but_of="hot2") == []
    assert {after[flow] for flow in flows_of(before, "hot2")} == {"warm1"}
    events = [event for event in lab.control.events(since) if event["kind"] == "failover"]
    assert len(events) == 1
    assert events[0]["survivor_slots_moved"] == 0
    timeline = events[0]["timeline"]
    moments = [timeline[key] for key in ("first_bad_signal_us", "decision_us", "publish_us", "last_worker_ack_us")]
    assert None not in moments and moments == sorted(moments), timeline
    assert moments[0] == 0
    return events[0]


def break_it(lab, how: str) -> None:
    if how == "process death":
        lab.do("stop", "hot2")
    elif how == "link cut":
        lab.do("cut", "hot2")
    else:
        lab.do("fail", "hot2", "http-500", "on")


@pytest.mark.parametrize("how", ["process death", "link cut", "http 500"])
def test_the_standby_takes_the_seat_and_survivors_notice_nothing(lab, before, how):
    since = lab.newest_event()
    survivors = flows_of(before, "hot1", "hot3")
    with (
        traffic.Stream(RATE, survivors[:30], hold=True) as held,
        traffic.Stream(RATE, survivors[30:]) as fresh,
        traffic.Stream(RATE, flows_of(before, "hot2"), timeout=0.25) as victims,
    ):
        assert victims.wait_for(lambda row: row["backend"] == "hot2", 2) is not None
        break_it(lab, how)
        assert victims.wait_for(lambda row: row["backend"] == "warm1", 5) is not None
        time.sleep(0.3)
    assert held.failures == []
    assert fresh.failures == []
    assert {row["backend"] for row in victims.rows} - {None} == {"hot2", "warm1"}
    if how == "http 500":
        victims.lost_under_way(flows_of(before, "hot2"))  # the server still answers, so its clients lose nothing else
    check_failover(lab, before, since)


@pytest.mark.parametrize("how", ["process death", "link cut"])
def test_the_outage_is_as_short_as_the_probes_allow(lab, before, how):
    """The median of five, because the test's own machine pauses now and then."""
    flows = flows_of(before, "hot2")
    outages = []
    for _ in range(5):
        lab.restore()
        with traffic.Stream(RATE, flows, timeout=0.25) as victims:
            assert victims.wait_for(lambda row: row["backend"] == "hot2", 2) is not None
            break_it(lab, how)
            assert victims.wait_for(lambda row: row["backend"] == "warm1", 5) is not None
            time.sleep(0.1)
        outages.append(victims.outage_ms())
    allowed = EXPECTED_OUTAGE_MS + (TIMEOUT_MS if how == "link cut" else 0)
    assert sorted(outages)[2] <= allowed, outages


def test_publishing_takes_less_than_a_millisecond(lab, before):
    """The median of five, for the same reason."""
    durations = []
    for _ in range(5):
        lab.restore()
        since = lab.newest_event()
        lab.do("stop", "hot2")
        eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
        timeline = check_failover(lab, before, since)["timeline"]
        durations.append(timeline["publish_us"] - timeline["decision_us"])
    assert sorted(durations)[2] <= 1000, durations


def test_a_manual_failover_is_seamless_for_new_connections_of_survivors(lab, before):
    with traffic.Stream(RATE, flows_of(before, "hot1", "hot3")) as fresh:
        lab.control.change({"op": "failover", "pool": "web", "backend": "hot2"})
        assert lab.control.seats()["hot2"] == "warm1"
        time.sleep(0.3)
    assert fresh.failures == []
    after = traffic.who_answers(FLOWS)
    assert traffic.moved(before, after, but_of="hot2") == []
    assert {after[flow] for flow in flows_of(before, "hot2")} == {"warm1"}


def test_without_a_standby_left_the_survivors_share_the_seat(lab, before):
    lab.do("stop", "warm1")
    eventually(lambda: lab.control.states()["warm1"] == "cold", "warm1 is found dead")
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] is None, "nobody holds hot2's seat")
    after = traffic.who_answers(FLOWS)
    assert traffic.moved(before, after, but_of="hot2") == []
    assert {after[flow] for flow in flows_of(before, "hot2")} == {"hot1", "hot3"}


def test_a_dead_standby_is_not_chosen(lab):
    lab.do("stop", "warm1")
    eventually(lambda: lab.control.states()["warm1"] == "cold", "warm1 is found dead")
    refused = lab.ctl("failover", "web/hot2", check=False)
    assert refused.returncode != 0
    assert lab.control.seats()["hot2"] == "hot2"


def test_everybody_dead_is_a_named_drop_and_ends_when_one_comes_back(lab):
    for name in ("hot1", "hot2", "hot3", "warm1"):
        lab.do("stop", name)
    in_a_seat = {"serving", "suspect", "promoted"}
    eventually(lambda: not in_a_seat & set(lab.control.states().values()), "all are found dead")
    dropped = lab.drops().get("no_backend", 0)
    answers = traffic.who_answers(traffic.flows(5), "--timeout", "0.3")
    assert set(answers.values()) == {None}
    assert lab.drops()["no_backend"] > dropped
    lab.do("start", "hot3")
    eventually(lambda: set(traffic.who_answers(traffic.flows(10)).values()) == {"hot3"}, "hot3 serves everybody")
