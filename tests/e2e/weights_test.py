"""Shares follow the weights, also when they change at run time.

    client ── br0 ── balancer
               ├──── hot1 (weight 100)
               ├──── hot2 (weight 300)
               └──── hot3 (weight 0: serves nobody)
"""

import pytest
from lab import RING_SIZE, files, layout, running_lab, traffic

WEIGHTS = {"hot1": 100, "hot2": 300, "hot3": 0}


@pytest.fixture(scope="module", name="module_lab")
def weighted_lab(tmp_path_factory):
    config = files.balancer_config(layout.backends(3, 0), "hot-hot", weights=WEIGHTS)
    with running_lab("--hot", "3", "--warm", "0", config=config, folder=tmp_path_factory.mktemp("config")) as running:
        yield running


def slots(lab) -> dict[str, int]:
    return {owner: count for (_, owner), (_, count) in lab.assignment().items()}


def test_slots_and_connections_follow_the_weights(lab):
    owned = slots(lab)
    assert abs(owned["hot2"] - RING_SIZE * 3 / 4) <= 0.01 * RING_SIZE
    assert abs(owned["hot1"] - RING_SIZE / 4) <= 0.01 * RING_SIZE
    counted = traffic.shares(traffic.who_answers(traffic.flows(400)))
    # 100 of 400 expected, standard deviation 8.7.
    assert 60 <= counted["hot1"] <= 140, counted
    assert counted["hot3"] == 0


def test_a_new_weight_moves_only_what_it_must_and_back_again(lab):
    flows = traffic.flows(400)
    before = traffic.who_answers(flows)
    lab.control.change({"op": "weight", "pool": "web", "backend": "hot1", "weight": 300})
    after = traffic.who_answers(flows)
    owned = slots(lab)
    assert abs(owned["hot1"] - RING_SIZE / 2) <= 0.01 * RING_SIZE
    assert None not in after.values()
    # A quarter of the slots has to change hands; what moves moves to hot1, but for the few Maglev cannot help.
    moved = traffic.moved(before, after)
    assert 50 <= len(moved) <= 160, len(moved)
    assert sum(after[flow] != "hot1" for flow in moved) <= 0.03 * len(flows)
    lab.control.change({"op": "weight", "pool": "web", "backend": "hot1", "weight": 100})
    assert traffic.who_answers(flows) == before
