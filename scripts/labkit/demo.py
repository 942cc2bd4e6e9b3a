"""What scripts/demo shows once the lab is up. Every figure is measured from the client's side, on real connections."""

import subprocess
import time

from . import files, lab, traffic
from .control import Control, ControlError
from .processes import wait_until_ready

CONNECTIONS = 300
VICTIM, STANDBY = "hot2", "warm1"
RATE = 100  # requests a second to the victim's flows; one every 10 ms
HELD = 30
DEADLINE_S = 5.0
# Equal backends should share within this factor of their mean; for 300 random flows over 3, five standard deviations.
FAIR_WITHIN = 0.41
# What the configuration promises: `fall` probes must fail, one every `interval`, and the rest takes well under 20 ms.
EXPECTED_OUTAGE_MS = files.PROBE_FALL * files.PROBE_INTERVAL_MS + 20
# A machine busy with other things may take longer; this much means that something is wrong.
OUTAGE_LIMIT_MS = 1000


class DemoFailure(Exception):
    """Why the demo failed, in a few words."""


def require(condition: bool, why: str) -> None:
    if not condition:
        raise DemoFailure(why)


def wait_for(condition, why: str, deadline_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        require(time.monotonic() < end, why)
        time.sleep(0.02)


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


def show_shares(answers: dict[str, str | None], names: list[str]) -> None:
    counted = traffic.shares(answers)
    for name in names:
        share = counted[name] / len(answers)
        print(f"    {name:<7} {counted[name]:>4} connections  {share:>6.1%}  {'█' * round(share * 60)}".rstrip())


def show_timeline(events: list[dict]) -> None:
    """The control plane's own account, in the order of the four moments."""
    event = next((event for event in events if event["kind"] == "failover" and event["timeline"]), None)
    require(event is not None, "the control plane recorded no failover event")
    moments = [
        ("first bad signal (a probe failed)", "first_bad_signal_us"),
        ("decision (it failed again and again)", "decision_us"),
        ("publish (the new table is in shared memory)", "publish_us"),
        ("last worker acknowledged (no packet goes to it any more)", "last_worker_ack_us"),
    ]
    for text, key in moments:
        at = event["timeline"][key]
        if at is not None:
            print(f"    {at / 1000:>9.3f} ms  {text}")


class Demo:
    def __init__(self):
        self.lab = lab.current()
        self.control = Control(self.lab.config.socket)
        self.flows = traffic.flows(CONNECTIONS)
        self.names = [node.name for node in self.lab.backends]

    def run(self) -> None:
        before = self.balanced()
        after = self.failover(before)
        self.failback(before, after)

    def ask_all(self) -> dict[str, str | None]:
        answers = traffic.who_answers(self.flows)
        silent = sum(backend is None for backend in answers.values())
        require(silent == 0, f"{silent} of {len(answers)} connections got no answer")
        return answers

    def balanced(self) -> dict[str, str | None]:
        vip = self.lab.config.vips[0]
        title(f"1. Balanced. {CONNECTIONS} connections from the client to http://{vip}/, who answered:")
        answers = self.ask_all()
        show_shares(answers, self.names)
        counted = traffic.shares(answers)
        hot = [name for name in self.names if name.startswith("hot")]
        mean = CONNECTIONS / len(hot)
        for name in hot:
            require(abs(counted[name] - mean) <= FAIR_WITHIN * mean, f"{name} got {counted[name]} of {CONNECTIONS}")
        require(counted[STANDBY] == 0, f"the standby {STANDBY} got connections while all hot backends live")
        return answers

    def failover(self, before: dict[str, str | None]) -> dict[str, str | None]:
        title(f"2. {VICTIM} dies: kill -9 of its web server, while the client sends {RATE} requests a second to it\n"
              f"   and talks over {HELD} open connections to the others.")  # fmt: skip
        victims = [flow for flow, backend in before.items() if backend == VICTIM]
        others = [flow for flow, backend in before.items() if backend != VICTIM]
        seen = max((event["seq"] for event in self.control.events()), default=0)
        with traffic.Stream(RATE, victims) as stream, traffic.Stream(RATE, others[:HELD], hold=True) as connections:
            alive = stream.wait_for(lambda row: row["backend"] == VICTIM, DEADLINE_S)
            require(alive is not None, f"{VICTIM} is silent")
            self.lab.service(VICTIM).kill()
            taken = stream.wait_for(lambda row: row["backend"] == STANDBY, DEADLINE_S)
            time.sleep(0.5)
        require(taken is not None, f"{STANDBY} did not take {VICTIM}'s seat within {DEADLINE_S:.0f} s")
        outage = stream.outage_ms()
        require(outage is not None, "requests went on failing")
        print(f"    {outage:>9.0f} ms  from the first failed request to the first good one: "
              f"{len(stream.failures)} failed (at most {EXPECTED_OUTAGE_MS} ms on an idle machine)")  # fmt: skip
        print("    the control plane's own account:")
        show_timeline(self.control.events(since=seen))
        require(outage <= OUTAGE_LIMIT_MS, f"the outage took {outage:.0f} ms, more than {OUTAGE_LIMIT_MS} ms")
        broken = len(connections.failures)
        print(f"    {broken:>9} of {HELD} open connections to the others were disturbed")
        require(broken == 0, f"{broken} requests on the survivors' open connections failed")
        title("   Who answers now:")
        after = self.ask_all()
        show_shares(after, self.names)
        survivors_moved = traffic.moved(before, after, but_of=VICTIM)
        print(f"    {len(survivors_moved):>9} of {len(others)} flows of the other backends moved")
        require(not survivors_moved, f"{len(survivors_moved)} flows of the survivors moved")
        require(all(after[flow] == STANDBY for flow in victims), f"not all of {VICTIM}'s flows went to {STANDBY}")
        return after

    def failback(self, before: dict[str, str | None], after: dict[str, str | None]) -> None:
        title(f"3. {VICTIM} comes back, and the operator gives it its seat again: warmswapctl failback hot2")
        service = self.lab.service(VICTIM)
        service.start()
        wait_until_ready([service], time.monotonic() + DEADLINE_S)
        survivors = [flow for flow, backend in after.items() if backend not in (VICTIM, STANDBY)]
        with traffic.Stream(RATE, survivors) as stream:
            wait_for(self.fails_back, f"{VICTIM} was not found healthy again")
            wait_for(lambda: self.control.seats()[VICTIM] == VICTIM, f"{VICTIM} did not get its seat back")
            time.sleep(0.2)
        require(not stream.failures, f"{len(stream.failures)} requests to the others failed during the failback")
        restored = self.ask_all()
        show_shares(restored, self.names)
        differing = len(traffic.moved(before, restored))
        print(f"    {differing:>9} of {CONNECTIONS} flows differ from where they were at first")
        require(differing == 0, f"{differing} flows did not return to where they were")

    def fails_back(self) -> bool:
        """Asks for the failback, which is refused until the probes have found the backend healthy."""
        try:
            self.control.change({"op": "failback", "pool": "web", "backend": VICTIM})
        except ControlError as error:
            if error.status != 409:
                raise DemoFailure(f"the failback was refused: {error}") from None
            return False
        return True


NEXT = """
The lab is still up. Try
  scripts/lab status                                      nodes and what runs where
  scripts/lab exec client curl -s http://198.51.100.10/   ask the vip
  scripts/lab ctl status                                  what the balancer thinks
  scripts/lab ctl events                                  what happened, and how long it took
  scripts/lab stop hot1                                   kill another server (start hot1 brings it back)
  scripts/lab cut hot3                                    pull a cable (join hot3 plugs it in again)
  scripts/lab down                                        remove everything"""


def main(keep: bool) -> int:
    """Runs the demo in the lab that is up. The last line is the verdict."""
    why = ""
    try:
        Demo().run()
    except (DemoFailure, ControlError, OSError, subprocess.CalledProcessError, *lab.ERRORS) as failure:
        why = str(failure)
    except KeyboardInterrupt:
        why = "interrupted"
    if keep:
        print(NEXT)
    print(f"\ndemo: FAIL {why}" if why else "\ndemo: PASS")
    return 1 if why else 0
