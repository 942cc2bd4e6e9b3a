"""Every way to fail, and what the redundancy engine makes of it. Each test leaves a line for the summary of scripts/test.

    client ── br0 ── balancer              probes every 20 ms, heartbeats every 10 ms, three missed ones are a failure
               ├──── hot1  rack1           agents report heartbeats and load
               ├──── hot2  rack2
               ├──── hot3  rack3
               ├──── warm1 rackW
               └──── warm2 rackW
"""

import contextlib
import datetime
import json
import threading
import time
from pathlib import Path

import pytest
from lab import eventually, files, layout, running_lab, traffic
from syn_flood import SynFlood
from watching import backend, events_of, failover_of, flows_of, probe_detail, reconfigured
from wire import Wire

RATE = 200
FLOWS = traffic.flows(120)
HEARTBEAT_MS = 10
JOURNAL = "/run/warmswap-lab/events.jsonl"
POOL = 'failback = "auto"\nhold_down = "500ms"\nfailback_step = 50\nfailback_pause = "300ms"\n'
ANOMALY = '[pool.anomaly]\neject = true\nfloor = "1ms"\ntime = "1s"\n'
SHED = '[pool.guard]\nfail = "closed"\nself_suspicion = 0\noverload = "shed"\n'
LOAD = '[pool.load]\nbalance = true\nmemory = 0\ndisk = 0\nnetwork = 0\ninterval = "200ms"\nhalf_life = "300ms"\nstep = 50\n'


def config(nodes=None, **changes) -> str:
    text = files.balancer_config(nodes or layout.backends(3, 2), heartbeats=True, **{"pool": POOL, **changes})
    text = text.replace('failback = "manual"\n', "", 1)
    return text.replace("[controlplane]\n", f'[controlplane]\njournal = "{JOURNAL}"\n', 1)


@pytest.fixture(scope="module", name="module_lab")
def lab_with_agents(tmp_path_factory):
    options = ("--warm", "2", "--heartbeats", str(HEARTBEAT_MS))
    with running_lab(*options, config=config(), folder=tmp_path_factory.mktemp("config")) as running:
        eventually(lambda: set(beats(running).values()) == {"beating"}, "all agents are heard")
        yield running


def beats(lab) -> dict[str, str]:
    return {row["name"]: row["heartbeat"] for row in lab.control.get("backends")["backends"]}


def wall(event: dict) -> float:
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


@contextlib.contextmanager
def survivors_notice_nothing(before: dict, but_of: str):
    flows = [flow for flow, backend in before.items() if backend != but_of]
    with traffic.Stream(RATE, flows[:40], hold=True) as held, traffic.Stream(RATE, flows[40:]) as fresh:
        yield
    assert held.failures == []
    assert fresh.failures == []


def measured_failover(lab, how: str, owner: str = "hot2") -> tuple[float, float, float]:
    """Breaks the owner's host under traffic. Detection (broken → decision), decision → last packet sent to the dead host, and
    the clients' outage, in milliseconds."""
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with (
        survivors_notice_nothing(before, owner),
        Wire() as wire,
        traffic.Stream(RATE / 2, flows_of(before, owner), timeout=0.25) as victims,
    ):
        assert victims.wait_for(lambda row: row["backend"] == owner, 2) is not None
        broken = time.time()
        lab.break_now(owner, how)
        assert victims.wait_for(lambda row: row["backend"] not in (owner, None), 5) is not None
        time.sleep(0.2)
    event = failover_of(lab, since, owner)
    assert event["survivor_slots_moved"] == 0
    timeline = event["timeline"]
    decided = wall(event) - (timeline["publish_us"] - timeline["decision_us"]) / 1e6
    last = wire.last_before(lab.node(owner).address, decided + 1)
    assert last is not None
    return (decided - broken) * 1000, (last - decided) * 1000, victims.outage_ms()


def test_a_process_dies(lab, tell):
    detections, misdirected, outages = [], [], []
    for _ in range(3):
        lab.restore()
        detection, last, outage = measured_failover(lab, "stop")
        detections.append(detection)
        misdirected.append(last)
        outages.append(outage)
    assert sorted(misdirected)[1] <= 5, misdirected
    tell(f"process death: detected after {sorted(detections)[1]:.0f} ms, last misdirected packet "
         f"{max(sorted(misdirected)[1], 0):.2f} ms after the decision, outage {sorted(outages)[1]:.0f} ms")  # fmt: skip


def test_a_host_dies(lab, tell):
    """Its cable is cut. The heartbeats notice long before the probes do; the median of five is under 100 ms."""
    detections, misdirected, outages = [], [], []
    for _ in range(5):
        lab.restore()
        since = lab.newest_event()
        detection, last, outage = measured_failover(lab, "cut")
        assert events_of(lab, since, "failover", "hot2")[0]["cause"] == "heartbeat"
        detections.append(detection)
        misdirected.append(last)
        outages.append(outage)
    assert sorted(outages)[2] < 100, outages
    assert sorted(misdirected)[2] <= 5, misdirected
    tell(f"host death (heartbeats {HEARTBEAT_MS} ms x 3): detected after {sorted(detections)[2]:.0f} ms, last misdirected packet "
         f"{max(sorted(misdirected)[2], 0):.2f} ms after the decision, outage {sorted(outages)[2]:.0f} ms")  # fmt: skip


def test_a_server_hangs(lab, tell):
    """SIGSTOP: its kernel still accepts connections and its agent still beats, and only a request shows it."""
    detection, _, outage = measured_failover(lab, "freeze")
    assert beats(lab)["hot2"] == "beating"
    tell(f"hang (SIGSTOP): detected after {detection:.0f} ms by HTTP probes, outage {outage:.0f} ms")


def test_an_agent_that_dies_alone_costs_one_failover(lab, tell):
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with traffic.Stream(RATE, FLOWS, timeout=0.25) as stream:
        for pid in lab.members("agent-hot2"):
            lab.signal(pid, "KILL")
        failover_of(lab, since, "hot2")
        eventually(lambda: lab.control.seats()["hot2"] == "hot2", "its probes show that the host lives")
        eventually(lambda: lab.control.states()["hot2"] == "serving", "it has its whole seat")
    lost = stream.lost_under_way(flows_of(before, "hot2"))
    assert beats(lab)["hot2"] == "lost"
    assert traffic.who_answers(FLOWS) == before
    lab.start_process("agent-hot2")
    eventually(lambda: beats(lab)["hot2"] == "beating", "the new agent is heard")
    tell(f"agent death: taken for a dead host once, {len(lost)} requests under way lost, back by its probes")


def test_a_backend_that_says_it_is_not_ready_is_left_at_once(lab, tell):
    flag = lab.node("hot2").directory / "not-ready"
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with traffic.Stream(RATE, FLOWS) as stream:
        begun = time.monotonic()
        flag.touch()
        eventually(lambda: lab.control.seats()["hot2"] != "hot2", "hot2 is left")
        took = (time.monotonic() - begun) * 1000
        time.sleep(0.2)
        flag.unlink()
        eventually(lambda: lab.control.states()["hot2"] == "serving", "hot2 is back")
    lost = stream.lost_under_way(flows_of(before, "hot2"))
    assert events_of(lab, since, "failover", "hot2")[0]["cause"] == "heartbeat"
    assert traffic.who_answers(FLOWS) == before
    tell(f"not ready (agent): left after {took:.0f} ms, {len(lost)} requests under way lost")


def test_an_overloaded_backend_gets_less(lab, tell):
    """Its host is busy with something else."""
    shares = {row["name"]: row["share"] for row in lab.control.get("backends")["backends"]}
    assert shares["hot2"] == pytest.approx(1 / 3, abs=0.01)
    before = traffic.who_answers(FLOWS)
    with lab.reported_load({"hot2": 95}, others=20) as report, reconfigured(lab, config(tables=LOAD)):
        row = eventually(lambda: backend(lab, "hot2") if backend(lab, "hot2")["load_share"] < 0.5 else None,
                         "hot2 gets less than half of its weight", 10)  # fmt: skip
        lowered = row["share"]
        after = traffic.who_answers(FLOWS)
        moved = [flow for flow in before if after[flow] != before[flow]]
        assert moved and {before[flow] for flow in moved} == {"hot2"}, "only flows of the loaded one move"
        assert lab.control.seats() == {"hot1": "hot1", "hot2": "hot2", "hot3": "hot3"}, "and no seat changes hands"
        report.loads["hot2"] = 12
        eventually(lambda: backend(lab, "hot2")["load_share"] > 0.9, "the load is gone, and its share is back", 20)
    tell(f"overload: share {shares['hot2'] * 100:.0f} % lowered to {lowered * 100:.0f} %, back when the load is gone")


@contextlib.contextmanager
def slowed(lab, name: str):
    """Its web server runs a sixth of the time: it answers every probe in time, and much later than the others."""
    stop = threading.Event()
    members = lab.members(f"nginx-{name}")

    def stutter():
        while not stop.is_set():
            for how, seconds in (("STOP", 0.010), ("CONT", 0.002)):
                for pid in members:
                    lab.signal(pid, how)
                time.sleep(seconds)

    thread = threading.Thread(target=stutter)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_slow_backend_is_ejected_for_a_time(lab, tell):
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with reconfigured(lab, config(tables=ANOMALY)):
        with slowed(lab, "hot2"):
            event = eventually(lambda: events_of(lab, since, "failover", "hot2"), "hot2 is left", 10)[0]
            assert event["cause"] == "anomaly" and "the pool's median is" in event["text"], event
            assert lab.control.states()["hot2"] == "ejected"
            assert backend(lab, "hot2")["response_time_us"] > 3 * backend(lab, "hot1")["response_time_us"]
        eventually(lambda: lab.control.states()["hot2"] == "serving", "its ejection and its return are over", 10)
    assert traffic.who_answers(FLOWS) == before
    tell("slow backend: " + event["text"].split("(", 1)[1].rstrip(")"))


def handshakes(lab, name: str) -> dict:
    return backend(lab, name)["handshakes"] or {}


def test_clients_without_an_answer_show_what_probes_do_not(lab, tell):
    """hot2 loses the vip: its own address answers every probe, and its clients get nothing."""
    # It takes seconds, in which a machine may stand still for longer than three heartbeats; they are not the matter here.
    text = config(tables=ANOMALY.replace("[pool.anomaly]\n", "[pool.heartbeat]\nmissed = 50\n[pool.anomaly]\nprobes = 2\n"))
    text = text.replace("[controlplane]\n", "[controlplane]\nhandshake_sampling = 1\n", 1)
    before = traffic.who_answers(FLOWS)
    with (
        reconfigured(lab, text),
        traffic.Stream(RATE / 3, flows_of(before, "hot2"), timeout=0.25),
        traffic.Stream(RATE, flows_of(before, "hot1", "hot3")) as survivors,
    ):
        eventually(lambda: all(handshakes(lab, name).get("time_us") for name in ("hot1", "hot2", "hot3")), "all are sampled")
        time.sleep(2)
        since = lab.newest_event()
        broken = time.time()
        lab.on("hot2", "ip", "address", "del", f"{layout.VIP}/32", "dev", "lo")
        try:
            event = eventually(lambda: events_of(lab, since, "failover", "hot2"), "hot2 is left", 15)[0]
            assert event["cause"] == "anomaly" and "of its handshakes fail, the pool's median is 0 %" in event["text"], event
            suspicion = events_of(lab, since, "suspect", "hot2")[0]
            assert suspicion["cause"] == "handshakes"
            assert events_of(lab, since, "suspect", "hot1") == events_of(lab, since, "suspect", "hot3") == []
            assert backend(lab, "hot2")["last_probe"]["outcome"] == "success"
            assert handshakes(lab, "hot2")["lapsed"] > 20 > handshakes(lab, "hot1")["lapsed"]
            assert "fail" in lab.ctl("backends").stdout
        finally:
            lab.on("hot2", "ip", "address", "add", f"{layout.VIP}/32", "dev", "lo")
        eventually(lambda: lab.control.states()["hot2"] == "serving", "its ejection and its return are over", 10)
    assert survivors.failures == []
    tell(f"clients without an answer: suspect after {wall(suspicion) - broken:.1f} s, ejected after {wall(event) - broken:.1f} s, "
         f"while every probe succeeds")  # fmt: skip


def test_a_flood_of_syns_makes_nobody_a_suspect(lab, tell):
    text = config(tables=ANOMALY).replace("[controlplane]\n", "[controlplane]\nhandshake_sampling = 1\n", 1)
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with reconfigured(lab, text), traffic.Stream(RATE, FLOWS) as stream, SynFlood(1000) as flood:
        eventually(lambda: all(handshakes(lab, name).get("incomplete", 0) > 0.6 for name in ("hot1", "hot2", "hot3")),
                   "most handshakes of all of them fail", 10)  # fmt: skip
        time.sleep(6)
    assert flood.sent > 5000
    # A beat may come late meanwhile, which makes a state "suspect" for a moment; clients make nobody one.
    happened = lab.control.events(since)
    assert [event for event in happened if event["kind"] in ("suspect", "failover") or "ejected" in event["text"]] == []
    assert stream.failures == []
    assert traffic.who_answers(FLOWS) == before
    tell(f"SYN flood: {flood.sent} SYNs from nowhere, nobody suspected, no request lost")


def holder(lab, owner: str) -> str | None:
    return lab.control.seats()[owner]


def test_a_flapping_backend_waits_longer_each_time(lab, tell):
    waits = []
    for _ in range(3):
        lab.do("stop", "hot2")
        eventually(lambda: lab.control.states()["hot2"] == "failed", "hot2 is found dead")
        lab.do("start", "hot2")
        eventually(lambda: lab.control.states()["hot2"] == "recovering", "hot2 is found healthy")
        begun = time.monotonic()
        since = lab.newest_event()
        eventually(lambda: events_of(lab, since - 1, "step", "hot2"), "hot2 begins to return", 10)
        waits.append(time.monotonic() - begun)
        eventually(lambda: lab.control.states()["hot2"] == "serving", "hot2 has its seat")
    assert waits[1] > 1.5 * waits[0] and waits[2] > 1.5 * waits[1], waits
    tell("flapping: hold-down " + ", ".join(f"{wait:.1f}" for wait in waits) + " s")


def test_a_whole_rack_dies(lab, tell):
    """rackW with both standbys, then hot1's: what is left serves."""
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with survivors_notice_nothing({flow: name for flow, name in before.items() if name != "hot1"}, "hot1"):
        for name in ("warm1", "warm2", "hot1"):
            lab.do("cut", name)
        eventually(lambda: lab.control.seats()["hot1"] is None, "nobody is left for hot1's seat")
        eventually(lambda: None not in traffic.who_answers(flows_of(before, "hot1")).values(), "the others answer for it")
    vacated = events_of(lab, since, "vacated", "hot1")
    assert vacated[0]["survivor_slots_moved"] == 0
    tell("domain failure: both standbys and a hot backend at once, no slot of a survivor moved")


def test_a_hot_backend_and_its_standby_die_together(lab, tell):
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    with survivors_notice_nothing(before, "hot2"):
        lab.do("cut", "hot2")
        lab.do("cut", "warm2")
        eventually(lambda: lab.control.seats()["hot2"] == "warm1", "the next standby has the seat")
        eventually(lambda: None not in traffic.who_answers(flows_of(before, "hot2")).values(), "and answers")
    steps = [event["text"] for event in events_of(lab, since, "failover", "hot2")]
    tell(f"hot and its standby together: warm1 serves after {len(steps)} failover{'s' if len(steps) > 1 else ''}")


def test_survivors_carry_their_capacity_and_no_more(lab, tell):
    text = config(layout.backends(3, 0), mode="hot-hot", tables=SHED)
    for name in ("hot1", "hot2", "hot3"):
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\ncapacity = 120\n')
    with reconfigured(lab, text):
        before = traffic.who_answers(FLOWS)
        since = lab.newest_event()
        with survivors_notice_nothing(before, "hot2"):
            lab.do("stop", "hot2")
            eventually(lambda: lab.control.seats()["hot2"] is None, "hot2 is found dead")
        after = traffic.who_answers(FLOWS, "--timeout", "0.3")
        assert traffic.moved(before, after, but_of="hot2") == []
        rows = {row["name"]: row for row in lab.control.get("backends")["backends"]}
        for name in ("hot1", "hot3"):
            assert rows[name]["capacity"] == 120
            assert rows[name]["carries"] == pytest.approx(120, rel=0.015)
        pool = lab.control.get("pools")["pools"][0]
        dropped = pool["slots_without_backend"] / pool["ring_size"]
        assert dropped == pytest.approx(0.2, rel=0.03), "a third less what two survivors have room for, 20 of 300 each"
        unanswered = [flow for flow, backend in after.items() if backend is None]
        assert set(unanswered) <= set(flows_of(before, "hot2"))
        assert 0 < len(unanswered) < len(flows_of(before, "hot2"))
        assert lab.drops()["no_backend"] > 0
        assert any("what does not fit is dropped" in event["text"] for event in events_of(lab, since, "guard"))
        refused = lab.ctl("disable", "web/hot1", check=False)
        assert refused.returncode != 0
        assert "nobody has capacity for them" in refused.stderr
        lab.do("start", "hot2")
        eventually(lambda: lab.control.seats()["hot2"] == "hot2", "hot2 is back")
        eventually(lambda: traffic.who_answers(FLOWS) == before, "and has all of its seat")
    tell(f"too few left (hot-hot, shed): survivors carry 120 of 120, {dropped * 100:.0f} % of the slots are dropped, none of theirs moved")


def test_all_die_and_the_first_one_back_serves(lab, tell):
    names = [node.name for node in lab.backends]
    for name in names:
        lab.do("cut", name)
    in_a_seat = {"serving", "suspect", "promoted", "recovering"}
    eventually(lambda: not in_a_seat & set(lab.control.states().values()), "all are found dead")
    lab.do("join", "hot3")
    begun = time.monotonic()
    eventually(lambda: set(traffic.who_answers(traffic.flows(10), "--timeout", "0.2").values()) == {"hot3"}, "hot3 serves")
    took = (time.monotonic() - begun) * 1000
    tell(f"all down: the first one back serves everybody within {took:.0f} ms, whatever hold-down it has")


def test_recovery_under_load_goes_by_steps_and_retreats(lab, tell):
    before = traffic.who_answers(FLOWS)
    since = lab.newest_event()
    lab.do("stop", "hot2")
    standby = eventually(lambda: holder(lab, "hot2") if holder(lab, "hot2") != "hot2" else None, "a standby has the seat")
    with traffic.Stream(RATE, flows_of(before, "hot1", "hot3"), hold=True) as held:
        lab.do("start", "hot2")
        eventually(lambda: events_of(lab, since, "step", "hot2"), "hot2 has half of its seat")
        halves = set(traffic.who_answers(flows_of(before, "hot2")).values())
        lab.do("fail", "hot2", "http-500", "on")
        eventually(lambda: events_of(lab, since, "retreat", "hot2"), "one bad signal, and it retreats")
        assert set(traffic.who_answers(flows_of(before, "hot2")).values()) == {standby}
        lab.do("fail", "hot2", "http-500", "off")
        eventually(lambda: lab.control.states()["hot2"] == "serving", "hot2 has its whole seat", 10)
    assert halves == {"hot2", standby}
    assert held.failures == []
    assert traffic.who_answers(FLOWS) == before
    tell("recovery under load: half of the seat, a retreat on a bad signal, then the whole seat; survivors' connections held")


def test_a_drill_ends_by_itself_and_reports(lab, tell):
    before = traffic.who_answers(FLOWS)
    with survivors_notice_nothing(before, "hot2"), traffic.Stream(RATE, flows_of(before, "hot2")) as drilled:
        report = lab.ctl("drill", "web/hot2", "--to", "warm2", "--for", "1s").stdout
    assert "passed" in report and "warm2 took the seat" in report, report
    drilled.lost_under_way(flows_of(before, "hot2"))
    assert {row["backend"] for row in drilled.rows} == {"hot2", "warm2"}
    assert traffic.who_answers(FLOWS) == before
    tell("manual drill: " + report.splitlines()[1].strip())


def test_a_failure_domain_is_emptied_by_command(lab):
    lab.ctl("failover", "--domain", "rack2")
    assert lab.control.seats()["hot2"] in ("warm1", "warm2")
    refused = lab.ctl("failover", "--domain", "rackW", check=False)
    assert refused.returncode == 1 and "no ready standby outside rackW" in refused.stderr, refused.stderr
    lab.ctl("swap", "web/hot2", lab.control.seats()["hot2"])
    assert lab.control.seats()["hot2"] == "hot2"


def test_a_drained_backend_is_led_out_by_steps(lab, tell):
    """Its standby gets more and more and the other backends nothing."""
    before = traffic.who_answers(FLOWS)
    plan = lab.ctl("plan", "drain", "web/hot2", "--for", "2s").stdout
    assert "seat of hot2: hot2 → warm" in plan, plan
    with traffic.Stream(RATE, FLOWS) as stream:
        since = lab.newest_event()
        lab.ctl("drain", "web/hot2", "--for", "2s")
        assert lab.control.states()["hot2"] == "draining"
        shares = []

        def over():
            shares.append(backend(lab, "hot2")["share"])
            return lab.control.states()["hot2"] == "disabled"

        eventually(over, "hot2 is out", 4)
    assert len(set(shares)) > 5 and shares == sorted(shares, reverse=True), shares
    assert failover_of(lab, since, "hot2")["cause"] == "drain"
    lost = stream.lost_under_way(flows_of(before, "hot2"))
    after = traffic.who_answers(FLOWS)
    assert all(after[flow] == server for flow, server in before.items() if server != "hot2"), "survivors keep theirs"
    tell(f"drain: hot2 led out by {len(set(shares))} steps seen, {len(lost)} requests under way lost, "
         f"no slot of another backend moved")  # fmt: skip


def test_the_journal_has_the_whole_timeline(lab):
    since = lab.newest_event()
    lab.do("cut", "hot2")
    event = failover_of(lab, since, "hot2")

    def written():
        lines = [json.loads(line) for line in Path(JOURNAL).read_text().splitlines()]
        return next((line for line in lines if line["seq"] == event["seq"]), None)

    assert eventually(written, "the failover stands in the journal") == event
    lab.do("stop", "controlplane")
    lab.do("start", "controlplane")
    lab.do("join", "hot2")
    eventually(lambda: lab.control.states()["hot2"] == "serving", "hot2 is back", 10)
    numbers = [json.loads(line)["seq"] for line in Path(JOURNAL).read_text().splitlines()]
    assert len(set(numbers)) == len(numbers), "numbers go on after a restart"


def test_the_metrics_tell_causes_and_times(lab):
    lab.do("cut", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] != "hot2", "hot2 is replaced")
    metrics = lab.ctl("metrics").stdout
    assert 'warmswap_seat_changes_total{pool="web",kind="failover",cause="heartbeat"}' in metrics
    assert "warmswap_failover_detection_seconds_count" in metrics
    assert 'warmswap_backend_state_seconds_total{pool="web",backend="hot2",state="serving"}' in metrics
    assert 'warmswap_backend_response_time_seconds{pool="web",backend="hot1"}' in metrics


def test_a_plan_changes_nothing_and_an_unconfirmed_change_is_undone(lab):
    before = lab.assignment()
    plan = lab.ctl("plan", "disable", "web/hot2").stdout
    assert "plan, nothing was changed" in plan and "seat of hot2: hot2 → warm" in plan, plan
    assert lab.assignment() == before
    done = lab.ctl("weight", "web/hot2", "50", "--confirm-within", "1s").stdout
    assert "will be rolled back in 1s unless confirmed" in done
    assert lab.assignment() != before
    eventually(lambda: lab.assignment() == before, "it is undone", 3)


def test_a_backend_without_the_clients_way_is_not_called_healthy(lab):
    """hot2 loses the vip: its web server still answers on its own address, but no client."""
    text = config().replace("[pool.probe]\n", '[pool.probe]\nvia = "tunnel"\n', 1)
    with reconfigured(lab, text):
        eventually(lambda: all("through the tunnel" in probe_detail(lab, node.name) for node in lab.backends),
                   "all are probed through the tunnel")  # fmt: skip
        assert set(lab.control.states().values()) == {"serving", "warm"}
        since = lab.newest_event()
        lab.on("hot2", "ip", "address", "del", f"{layout.VIP}/32", "dev", "lo")
        try:
            assert failover_of(lab, since, "hot2")["cause"] == "probe"
            assert "no answer through the tunnel" in probe_detail(lab, "hot2")
        finally:
            lab.on("hot2", "ip", "address", "add", f"{layout.VIP}/32", "dev", "lo")


def test_half_open_probes_find_a_dead_server(lab):
    text = config()
    kind = next(line for line in text.splitlines() if line.startswith("kind = "))
    with reconfigured(lab, text.replace(kind, 'kind = "tcp_half_open"', 1)):
        eventually(lambda: all(probe_detail(lab, node.name) == "answered" for node in lab.backends), "all are probed so")
        assert set(lab.control.states().values()) == {"serving", "warm"}
        since = lab.newest_event()
        lab.do("stop", "hot2")
        assert failover_of(lab, since, "hot2")["cause"] == "probe"
        assert probe_detail(lab, "hot2") == "connection refused"


def test_waiting_standbys_are_kept_warm(lab):
    with reconfigured(lab, config(tables='[pool.warm]\npaths = ["/", "/client"]\ninterval = "20ms"\n')):
        eventually(lambda: (backend(lab, "warm1")["warm_requests"] or 0) > 10, "warm1 is asked")
        assert backend(lab, "warm1")["warm_failures"] == 0
        assert backend(lab, "hot1")["warm_requests"] is None, "those that serve have real requests"
        lab.ctl("failover", "web/hot1", "--to", "warm1")
        eventually(lambda: backend(lab, "warm1")["warm_requests"] is None, "nor has a standby that serves")


def test_simulated_load_makes_standbys_warm(lab, tell):
    """warm1 is frozen while it is warmed up: it holds nothing then, and the other one is taken."""
    table = '[pool.warm]\npaths = ["/"]\nrate = 50\nresponse_time = "50ms"\nhold = "1s"\nverify = "1s"\n'
    with reconfigured(lab, config(tables=table)):
        assert backend(lab, "warm1")["warmth"] is not None
        assert backend(lab, "hot1")["warmth"] is None
        eventually(lambda: backend(lab, "warm1")["warmth"] == 1 and backend(lab, "warm1")["state"] == "warm", "warm1 is warm", 20)
        lab.do("stop", "warm1")
        eventually(lambda: lab.control.states()["warm1"] == "cold", "warm1 is found dead")
        lab.do("start", "warm1")
        eventually(lambda: lab.control.states()["warm1"] == "warming", "what failed comes back with cold caches")
        started = time.monotonic()
        lab.do("stop", "hot1")
        eventually(lambda: lab.control.seats()["hot1"] == "warm2", "the one that is warm takes the seat")
        lab.do("start", "hot1")
        eventually(lambda: lab.control.states()["warm1"] == "warm", "warm1 is warmed up again", 20)
        tell(f"warm-up: 50 requests/s within 50 ms after {time.monotonic() - started:.0f} s; a cold standby was not taken")


def test_forged_and_replayed_heartbeats_keep_nobody_alive(lab, tell):
    """Recorded beats of hot2 are sent again while hot2 is dead."""
    recorded = lab.record_heartbeats("hot2", 20)
    accepted = lab.control.get("status")["heartbeats"]["accepted"]
    lab.do("cut", "hot2")
    with contextlib.ExitStack() as stack:
        stop = threading.Event()
        stack.callback(stop.set)
        player = threading.Thread(target=lab.play_heartbeats, args=(recorded, stop))
        player.start()
        eventually(lambda: lab.control.seats()["hot2"] != "hot2", "hot2 is found dead all the same")
        eventually(lambda: sum(lab.control.get("status")["heartbeats"][why] for why in ("replayed", "clock_off")) > 0,
                   "recorded beats are recognised")  # fmt: skip
        assert lab.control.states()["hot2"] == "failed"
        stop.set()
        player.join()
    counts = lab.control.get("status")["heartbeats"]
    assert counts["replayed"] + counts["clock_off"] > 0
    assert counts["accepted"] > accepted, "the others are heard"
    tell(f"replayed heartbeats: {counts['replayed']} refused, the dead host was found dead")
