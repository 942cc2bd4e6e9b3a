"""Compares the rings of controlplane/table with the Python oracle's. Usage: ring_oracle_test.py RING_DUMP"""

import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4]))
from tests.support import ring_oracle  # noqa: E402

RING_DUMP = None


def rings_of_the_code(size, weights, dead):
    """Seats are listed in random order: numbers must not matter, names must."""
    names = list(weights)
    random.shuffle(names)
    lines = [str(size)] + [f"{name} {weights[name]} {int(name in dead)}" for name in names]
    answer = subprocess.run([RING_DUMP], input="\n".join(lines), capture_output=True, text=True, check=True)
    rings = json.loads(answer.stdout)
    return tuple(
        [None if seat == ring_oracle.NO_SEAT else names[seat] for seat in rings[key]] for key in ("base", "re_dealt")
    )


class RingOracleTest(unittest.TestCase):
    def setUp(self):
        random.seed(20)

    def agree(self, size, weights, dead):
        base, re_dealt = rings_of_the_code(size, weights, dead)
        self.assertEqual(base, ring_oracle.base_ring(size, weights))
        self.assertEqual(re_dealt, ring_oracle.re_deal(base, weights, dead))

    @unittest.skipUnless(sys.hash_info.algorithm == "siphash13", "this Python hashes strings another way")
    def test_siphash_is_that_of_python(self):
        # With PYTHONHASHSEED=0 CPython hashes bytes with SipHash-1-3 under the zero key.
        program = "print([hash(bytes(range(n))) for n in range(1, 64)])"
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        answer = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        for length, value in enumerate(json.loads(answer.stdout), start=1):
            ours = ring_oracle.siphash13(bytes(16), bytes(range(length)))
            self.assertEqual(ours, value % 2**64, f"{length} bytes")

    def test_the_default_ring(self):
        weights = {f"hot{i:03}": 100 for i in range(100)}
        self.agree(65537, weights, {"hot042"})

    def test_weights_over_the_whole_range(self):
        weights = {f"w{i}": weight for i, weight in enumerate([0, 1, 2, 99, 100, 101, 1000, 65535])}
        self.agree(65537, weights, {"w7"})

    def test_random_pools(self):
        for _ in range(30):
            size = random.choice([2, 3, 101, 251, 1009, 1024])
            kind = random.choice(["equal", "small", "any", "sparse"])
            weights = {}
            for _ in range(random.randint(1, 40)):
                name = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789-._", k=random.randint(1, 63)))
                weights[name] = {
                    "equal": 100,
                    "small": random.randint(1, 5),
                    "any": random.randint(0, 65535),
                    "sparse": random.choice([0, 0, 1]),
                }[kind]
            dead = {name for name in weights if random.random() < random.choice([0.1, 0.5, 1.0])}
            with self.subTest(size=size, weights=weights, dead=dead):
                self.agree(size, weights, dead)


if __name__ == "__main__":
    RING_DUMP = sys.argv.pop(1)
    unittest.main()
