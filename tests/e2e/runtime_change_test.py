"""Backends come and go at run time, through the control socket.

    client ── br0 ── balancer
               ├──── hot1, hot2, hot3
               ├──── warm1
               └──── spare1   runs, but stands in no pool at first
"""

import time

import pytest
from lab import eventually, traffic
from labkit.control import ControlError

FLOWS = traffic.flows(200)


@pytest.fixture(scope="module", name="lab_options")
def with_a_spare():
    return ["--hot", "3", "--warm", "1", "--spare", "1"]


@pytest.fixture(autouse=True)
def without_the_spare(lab):
    yield
    if "spare1" in lab.control.states():
        lab.control.change({"op": "remove", "pool": "web", "backend": "spare1"})


def add_spare(lab, **fields) -> None:
    address = lab.node("spare1").address
    lab.control.change({"op": "add", "pool": "web", "backend": "spare1", "address": address, **fields})


def test_an_added_backend_serves_its_share_once_its_probes_succeed(lab):
    before = traffic.who_answers(FLOWS)
    with traffic.Stream(100, FLOWS) as stream:
        add_spare(lab)
        eventually(lambda: lab.control.states()["spare1"] == "serving", "spare1 serves")
        time.sleep(0.2)
    after = traffic.who_answers(FLOWS)
    stream.lost_under_way(traffic.moved(before, after))
    counted = traffic.shares(after)
    # A quarter of 200, standard deviation 6.1.
    assert 25 <= counted["spare1"] <= 75, counted
    gained = [flow for flow in traffic.moved(before, after) if after[flow] == "spare1"]
    assert len(gained) == counted["spare1"]
    assert len(traffic.moved(before, after)) - len(gained) <= 0.05 * len(FLOWS), "hardly anybody else moves"
    lab.control.change({"op": "remove", "pool": "web", "backend": "spare1"})
    assert traffic.who_answers(FLOWS) == before


def test_an_added_dead_backend_takes_nobody(lab):
    before = traffic.who_answers(FLOWS)
    lab.do("stop", "spare1")
    add_spare(lab)
    time.sleep(0.3)
    assert None not in traffic.who_answers(FLOWS).values()
    lab.control.change({"op": "remove", "pool": "web", "backend": "spare1"})
    assert traffic.who_answers(FLOWS) == before


def test_an_added_warm_backend_is_a_standby(lab):
    before = traffic.who_answers(FLOWS)
    add_spare(lab, role="warm")
    eventually(lambda: lab.control.states()["spare1"] == "warm", "spare1 is warm")
    assert traffic.who_answers(FLOWS) == before
    lab.do("stop", "hot1")
    lab.do("stop", "hot3")
    eventually(lambda: {lab.control.seats()["hot1"], lab.control.seats()["hot3"]} == {"warm1", "spare1"},
               "both standbys are promoted")  # fmt: skip
    lab.restore()


def test_a_disabled_backend_gets_nothing_and_returns(lab):
    before = traffic.who_answers(FLOWS)
    others = [flow for flow, backend in before.items() if backend != "hot1"]
    with traffic.Stream(100, others) as stream:
        lab.control.change({"op": "disable", "pool": "web", "backend": "hot1"})
        time.sleep(0.2)
    assert stream.failures == []
    after = traffic.who_answers(FLOWS)
    assert traffic.moved(before, after, but_of="hot1") == []
    assert "hot1" not in after.values() and None not in after.values()
    lab.control.change({"op": "enable", "pool": "web", "backend": "hot1"})
    lab.restore()
    assert traffic.who_answers(FLOWS) == before


def test_a_list_of_changes_applies_whole_or_not_at_all(lab):
    assignment, generation = lab.assignment(), lab.control.get("status")["generation"]
    with pytest.raises(ControlError) as refused:
        lab.control.change(
            {"op": "weight", "pool": "web", "backend": "hot1", "weight": 1},
            {"op": "remove", "pool": "web", "backend": "hot2"},
            {"op": "weight", "pool": "web", "backend": "nobody", "weight": 1},
        )
    assert refused.value.status == 404
    assert "nobody" in str(refused.value)
    assert lab.assignment() == assignment
    assert lab.control.get("status")["generation"] == generation
    lab.control.change(
        {"op": "weight", "pool": "web", "backend": "hot1", "weight": 300},
        {"op": "weight", "pool": "web", "backend": "hot2", "weight": 300},
    )
    assert lab.control.get("status")["generation"] == generation + 1, "one publish for the whole list"
    lab.control.change(
        {"op": "weight", "pool": "web", "backend": "hot1", "weight": 100},
        {"op": "weight", "pool": "web", "backend": "hot2", "weight": 100},
    )
    assert lab.assignment() == assignment


@pytest.mark.parametrize(
    "change, status",
    [
        ({"op": "weight", "pool": "web", "backend": "hot1", "weight": "much"}, 400),
        ({"op": "weight", "pool": "web", "backend": "hot1", "weight": 1, "wieght": 1}, 400),
        ({"op": "explode", "pool": "web", "backend": "hot1"}, 400),
        ({"op": "remove", "pool": "nowhere", "backend": "hot1"}, 404),
        ({"op": "add", "pool": "web", "backend": "hot1", "address": "192.0.2.99"}, 409),
        ({"op": "failback", "pool": "web", "backend": "hot1"}, 409),
    ],
)
def test_a_wrong_change_is_refused_with_a_sentence(lab, change, status):
    with pytest.raises(ControlError) as refused:
        lab.control.change(change)
    assert refused.value.status == status
    assert len(str(refused.value)) > 20


def test_a_reload_with_a_bad_file_changes_nothing(lab):
    good = lab.config.path.read_text(encoding="utf-8")
    assignment = lab.assignment()
    before = traffic.who_answers(FLOWS)
    try:
        lab.config.path.write_text(good.replace('mode = "hot-warm"', 'mode = "lukewarm"'), encoding="utf-8")
        with pytest.raises(ControlError) as refused:
            lab.control.reload()
        assert "lukewarm" in str(refused.value)
        assert lab.is_running("controlplane")
        assert lab.assignment() == assignment
        assert traffic.who_answers(FLOWS) == before
    finally:
        lab.config.path.write_text(good, encoding="utf-8")
