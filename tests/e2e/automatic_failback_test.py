"""A recovered backend gets its seat back by itself, once it has been healthy for the hold-down.

    client ── br0 ── balancer           failback = "auto", hold_down = "1s"
               ├──── hot1, hot2, hot3   hot2 was dead and is back
               └──── warm1              sits in hot2's seat meanwhile
"""

import time

import pytest
from lab import eventually, files, layout, running_lab, traffic

FLOWS = traffic.flows(120)
HOLD_DOWN_S = 1.0


@pytest.fixture(scope="module", name="module_lab")
def lab_that_fails_back_by_itself(tmp_path_factory):
    config = files.balancer_config(layout.backends(3, 1), failback="auto")
    with running_lab(config=config, folder=tmp_path_factory.mktemp("config")) as running:
        yield running


def fail_over(lab) -> None:
    lab.do("stop", "hot2")
    eventually(lambda: lab.control.seats()["hot2"] == "warm1", "warm1 takes the seat")


def test_the_seat_returns_after_the_hold_down(lab):
    before = traffic.who_answers(FLOWS)
    fail_over(lab)
    lab.do("start", "hot2")
    begun = time.monotonic()
    eventually(lambda: lab.control.seats()["hot2"] == "hot2", "hot2 has its seat again")
    took = time.monotonic() - begun
    assert HOLD_DOWN_S - 0.2 <= took <= HOLD_DOWN_S + 1, took
    assert traffic.who_answers(FLOWS) == before


def test_a_backend_that_flaps_within_the_hold_down_does_not_get_its_seat(lab):
    fail_over(lab)
    for _ in range(3):
        lab.do("start", "hot2")
        eventually(lambda: lab.control.states()["hot2"] == "recovering", "hot2 is found healthy")
        time.sleep(HOLD_DOWN_S / 2)
        lab.do("stop", "hot2")
        eventually(lambda: lab.control.states()["hot2"] == "failed", "hot2 is found dead")
        assert lab.control.seats()["hot2"] == "warm1"
