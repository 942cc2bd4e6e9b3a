"""warmswapctl and plain curl, as an operator and a script use them.

    client ── br0 ── balancer    warmswapctl and curl on its control socket
               ├──── hot1, hot2, hot3
               └──── warm1
"""

import json
import stat
import subprocess

import pytest
from lab import SOURCE, VIP, eventually


def test_status_shows_the_pool_with_its_seats_as_json(lab):
    shown = lab.ctl_json("status")
    assert [seat["owner"] for seat in shown["pools"][0]["seats"]] == ["hot1", "hot2", "hot3"]
    assert shown["dataplane"]["alive"] is True


@pytest.mark.parametrize("view", ["status", "vips", "pools", "backends", "events", "drops", "version"])
def test_every_view_has_a_table_and_json(lab, view):
    assert lab.ctl(view).stdout.strip()
    assert isinstance(lab.ctl_json(view), dict)


def test_explain_agrees_with_the_control_socket(lab):
    told = lab.ctl_json("explain", f"{SOURCE}:40000", f"{VIP}:80")
    same = lab.control.get("explain", source=SOURCE, source_port=40000, destination=VIP, destination_port=80,
                           protocol="tcp")  # fmt: skip
    assert told == same
    assert told["backend"] in lab.ctl("explain", f"{SOURCE}:40000", f"{VIP}:80").stdout


def test_events_tell_the_failover_with_its_timeline(lab):
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")
    events = [event for event in lab.ctl_json("events")["events"] if event["kind"] == "failover"]
    assert events[-1]["backend"] == "hot2"
    assert events[-1]["timeline"]["publish_us"] is not None
    assert "hot2" in lab.ctl("events").stdout


def test_a_refusal_is_a_sentence_and_an_exit_code(lab):
    done = lab.ctl("weight", "web/nobody", "50", check=False)
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert lab.ctl("weight", "web/hot1", check=False).returncode == 2, "wrong usage"


def test_curl_speaks_to_the_socket(lab):
    socket = lab.config.socket
    assert stat.S_IMODE(socket.stat().st_mode) == 0o660
    said = subprocess.run(["curl", "-s", "--unix-socket", str(socket), "http://localhost/v1/status"],
                          capture_output=True, check=True).stdout  # fmt: skip
    assert json.loads(said)["instance"] == "lab"


def test_the_tcp_listener_changes_nothing(lab):
    change = json.dumps({"changes": [{"op": "disable", "pool": "web", "backend": "hot1"}]})
    done = lab.on("balancer", "curl", "-s", "-w", "%{http_code}", "-o", "/dev/null", "-d", change,
                  "http://127.0.0.1:9100/v1/changes")  # fmt: skip
    assert done.stdout == "405"
    assert lab.control.states()["hot1"] == "serving"
