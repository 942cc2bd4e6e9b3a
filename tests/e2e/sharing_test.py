"""How seats are shared out over time, what an operator's change may do, and when signals are not believed.

    client ── br0 ── balancer
               ├──── hot1
               ├──── hot2
               ├──── hot3
               └──── warm1
"""

import json
import time

import pytest
from lab import eventually, files, layout, traffic
from watching import backend, events_of, reconfigured

FLOWS = traffic.flows(200)
GUARD = '[pool.guard]\nfail = "closed"\nself_suspicion = 0\n'


def config(pool: str = "", tables: str = "") -> str:
    return files.balancer_config(layout.backends(3, 1), failback="auto" if "hold_down" in pool else "manual", pool=pool,
                                 tables=tables)  # fmt: skip


def share(lab, name: str) -> float:
    return backend(lab, name)["share"]


def shares_seen(lab, name: str, until: float, deadline_s: float = 10) -> list[float]:
    """Its shares one after the other, until it has `until`."""
    seen = [share(lab, name)]
    end = time.monotonic() + deadline_s
    while abs(seen[-1] - until) > 0.002:
        assert time.monotonic() < end, f"{name} has not come to {until:.1%} within {deadline_s} s: {seen}"
        time.sleep(0.02)
        now = share(lab, name)
        if now != seen[-1]:
            seen.append(now)
    return seen


def test_a_trickle_of_real_requests_keeps_a_standby_warm(lab):
    before = traffic.who_answers(FLOWS)
    with reconfigured(lab, config("trickle = 20\n")):
        answers = traffic.who_answers(FLOWS)
        warmed = [flow for flow, name in answers.items() if name == "warm1"]
        assert warmed, "some of the clients are the standby's"
        assert backend(lab, "warm1")["state"] == "warm", "which waits all the same"
        assert share(lab, "warm1") == pytest.approx(0.2, rel=0.03), "a fifth of the three seats whose first choice it is"
        assert traffic.moved({flow: name for flow, name in before.items() if flow not in warmed}, answers) == []
        lab.do("stop", "hot2")
        eventually(lambda: lab.control.seats()["hot2"] == "warm1", "it takes the seat")
        assert share(lab, "warm1") == pytest.approx(1 / 3, rel=0.01), "its trickle of the others ends"
        lab.do("start", "hot2")


def test_a_promoted_standby_gets_its_seat_by_degrees(lab):
    with reconfigured(lab, config('promotion_ramp = "1s"\n')):
        lab.do("stop", "hot2")
        eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
        seen = shares_seen(lab, "warm1", 1 / 3)
        assert seen == sorted(seen) and len(seen) > 10, seen
        assert seen[0] < 0.1
        assert None not in traffic.who_answers(FLOWS).values()
        lab.do("start", "hot2")


def test_a_backend_that_begins_gets_its_share_by_degrees(lab):
    pool = "activate_below = 1\n"
    with reconfigured(lab, config(pool, f'{GUARD}[pool.slow_start]\nwindow = "1s"\nleast = 5\n')):
        lab.ctl("disable", "web/hot2")
        assert share(lab, "hot2") == 0
        before = traffic.who_answers(FLOWS)
        assert None not in before.values()
        lab.ctl("enable", "web/hot2")
        seen = shares_seen(lab, "hot2", 1 / 3)
        assert [one for one in seen if one > 0] == sorted(one for one in seen if one > 0) and len(seen) > 10, seen
        after = traffic.who_answers(FLOWS)
        others = {flow: name for flow, name in before.items() if after[flow] != "hot2"}
        assert traffic.moved(others, after) == [], "what hot2 did not get is where it was"


def test_a_pool_that_fails_open_sends_to_all_when_all_look_dead(lab, tell):
    """All web servers answer their probes with an error, and their clients with pages."""
    names = [node.name for node in lab.backends]
    with reconfigured(lab, config(tables='[pool.guard]\nfail = "open"\nself_suspicion = 0\n')):
        since = lab.newest_event()
        before = traffic.who_answers(FLOWS)
        for name in names:
            lab.do("fail", name, "http-500", "on")
        eventually(lambda: events_of(lab, since, "guard"), "the pool fails open")
        assert "sending to all" in events_of(lab, since, "guard")[0]["text"]
        assert "fails open" in lab.ctl("status").stdout
        eventually(lambda: traffic.who_answers(FLOWS) == before, "everybody serves as before")
        for name in names:
            lab.do("fail", name, "http-500", "off")
        eventually(lambda: any("enough backends are healthy" in event["text"] for event in events_of(lab, since, "guard")), "and it ends")
    tell("all look dead: a pool that fails open sends to all of them, and clients notice nothing")


def test_below_the_panic_threshold_health_is_not_looked_at(lab):
    table = '[pool.guard]\nfail = "open"\npanic_threshold = 60\nself_suspicion = 0\n'
    with reconfigured(lab, config("activate_below = 1\n", table)):
        since = lab.newest_event()
        before = traffic.who_answers(FLOWS)
        lab.do("fail", "hot1", "http-500", "on")
        eventually(lambda: lab.control.seats()["hot1"] is None, "one is missed: two thirds are enough")
        lab.do("fail", "hot2", "http-500", "on")
        eventually(lambda: events_of(lab, since, "fail_open"), "one third is not")
        assert lab.control.seats() == {"hot1": "hot1", "hot2": "hot2", "hot3": "hot3"}
        eventually(lambda: traffic.who_answers(FLOWS) == before, "each has its own clients again")
        for name in ("hot1", "hot2"):
            lab.do("fail", name, "http-500", "off")


def test_a_balancer_whose_own_cable_is_cut_suspects_itself(lab, tell):
    with reconfigured(lab, config(tables='[pool.guard]\nself_suspicion = 80\nself_suspicion_hold = "3s"\n')):
        since = lab.newest_event()
        lab.do("cut", "balancer")
        try:
            eventually(lambda: events_of(lab, since, "guard"), "it doubts its own way to the backends")
            assert "which speaks against this host" in events_of(lab, since, "guard")[0]["text"]
            time.sleep(3 * files.PROBE_FALL * files.PROBE_INTERVAL_MS / 1000)
            assert "failed" not in lab.control.states().values(), "nobody is taken out"
        finally:
            lab.do("join", "balancer")
        eventually(lambda: set(lab.control.states().values()) <= {"serving", "warm"}, "as if nothing had been")
        assert events_of(lab, since, "failover") == []
        assert None not in traffic.who_answers(FLOWS).values()
    tell("the balancer's own cable: it suspects itself, and takes nobody out")


def test_a_change_that_moves_or_loads_too_much_is_refused_unless_forced(lab):
    text = config(tables="[pool.limits]\nmax_slots_moved = 10\n").replace('name = "hot1"\n', 'name = "hot1"\ncapacity = 110\n')
    with reconfigured(lab, text):
        order = lab.assignment()
        moves = lab.ctl("weight", "web/hot2", "10", check=False)
        assert moves.returncode != 0 and "more than limits.max_slots_moved allows (10 %)" in moves.stderr
        loads = lab.ctl("weight", "web/hot1", "120", check=False)
        assert loads.returncode != 0 and "web/hot1 would carry 120.0, more than limits.max_load allows" in loads.stderr
        assert lab.assignment() == order, "a refused change changes nothing"
        lab.ctl("weight", "web/hot2", "10", "--force")
        assert share(lab, "hot2") == pytest.approx(10 / 210, rel=0.02)


def test_a_list_of_changes_is_done_wholly_or_not_at_all(lab, tmp_path):
    def weights(*backends: str) -> str:
        path = tmp_path / "changes.json"
        path.write_text(json.dumps([{"op": "weight", "pool": "web", "backend": name, "weight": 50} for name in backends]))
        return str(path)

    order = lab.assignment()
    refused = lab.ctl("apply", weights("hot1", "nobody"), check=False)
    assert refused.returncode != 0 and "nobody" in refused.stderr
    assert lab.assignment() == order
    generation = lab.control.get("status")["generation"]
    try:
        lab.ctl("apply", weights("hot1", "hot2"))
        assert lab.control.get("status")["generation"] == generation + 1, "one plan, one table"
        assert [share(lab, name) for name in ("hot1", "hot2", "hot3")] == pytest.approx([0.25, 0.25, 0.5], rel=0.01)
    finally:
        lab.control.reload()
    assert lab.assignment() == order
