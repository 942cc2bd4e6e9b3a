"""The lab itself: comes up fast, says what is wrong, and leaves nothing, whatever happened to it.

    Each test builds and removes its own lab, without a balancer where none is needed.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from lab import SCRIPT, URL, eventually, files, lab_script, layout
from netns import run


def traces() -> list[str]:
    """What a lab may leave on a machine."""
    found = [name for name in run("ip", "netns", "list").split() if name.startswith("ws-")]
    found += [str(path) for folder in ("/dev/shm", "/dev/hugepages") for path in Path(folder).glob("warmswap-*")]
    found += [str(path) for path in Path("/run").glob("warmswap-lab*")]
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if b"/run/warmswap-lab" in command:
                found.append(f"{process.name} {command!r}")
    return found


@pytest.fixture(autouse=True)
def nothing_is_left():
    assert traces() == [], "somebody's lab is up"
    yield
    lab_script("down")
    assert traces() == []


def hugepages() -> str:
    return Path("/proc/sys/vm/nr_hugepages").read_text(encoding="ascii")


def test_up_is_fast_and_down_leaves_nothing():
    reserved = hugepages()
    begun = time.monotonic()
    lab_script("up")
    assert time.monotonic() - begun < 10
    assert lab_script("exec", "client", "curl", "-s", URL).stdout.strip() in ("hot1", "hot2", "hot3")
    shown = lab_script("status").stdout
    assert all(name in shown for name in ("client", "balancer", "hot3", "warm1", "dataplane", "controlplane"))
    lab_script("down")
    assert traces() == []
    assert hugepages() == reserved


def test_a_second_lab_is_refused_and_the_first_goes_on():
    lab_script("up", "--without-balancer")
    second = lab_script("up", check=False)
    assert second.returncode == 1
    assert "already up (3 hot, 1 warm, 0 spare)" in second.stderr
    assert "nginx (" in lab_script("status").stdout


def test_commands_say_so_when_there_is_no_lab():
    for command in (["status"], ["exec", "client", "true"], ["ctl", "status"], ["stop", "hot1"], ["cut", "hot1"]):
        done = lab_script(*command, check=False)
        assert done.returncode == 1
        assert done.stderr == "lab: the lab is not up: scripts/lab up\n"
    assert lab_script("down").stdout == "lab: was not up\n"


def test_an_unknown_node_is_named_with_those_there_are():
    lab_script("up", "--without-balancer", "--hot", "1", "--warm", "0")
    done = lab_script("exec", "hot2", "true", check=False)
    assert done.returncode == 1
    assert done.stderr == "lab: the lab has no node hot2: it has client, balancer, hot1\n"


def start_up() -> subprocess.Popen:
    """An `up` that is under way for about half a second."""
    command = [SCRIPT, "up", "--without-balancer", "--hot", "8"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("delay", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_an_interrupted_up_cleans_up(delay):
    process = start_up()
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    # Python itself ends with -SIGINT while it still loads; 0 means that the lab was up before the interrupt.
    status = process.wait(timeout=20)
    assert status in (130, -signal.SIGINT, 0)
    assert status == 0 or traces() == []


def test_a_killed_up_is_cleaned_by_the_next_one():
    process = start_up()
    eventually(lambda: Path(layout.RUN / "pid").is_dir(), "it has started something")
    process.kill()
    process.wait()
    assert traces() != []
    done = lab_script("up", "--without-balancer")
    assert "removing what an interrupted lab left" in done.stderr


def test_down_after_everything_crashed():
    lab_script("up")
    for name in run("ip", "netns", "list").split():
        if name.startswith("ws-"):
            for pid in run("ip", "netns", "pids", name).split():
                os.kill(int(pid), signal.SIGKILL)
    lab_script("down")
    assert traces() == []


def test_a_program_left_running_on_a_node_goes_down_with_it():
    lab_script("up", "--without-balancer", "--hot", "1", "--warm", "0")
    with subprocess.Popen([SCRIPT, "exec", "client", "sleep", "1000"]) as process:
        eventually(lambda: run("ip", "netns", "pids", "ws-client").split(), "it runs")
        lab_script("down")
        assert process.wait(timeout=5) == -signal.SIGKILL


def test_what_does_not_come_up_is_named_with_its_last_words(tmp_path):
    broken = tmp_path / "broken.toml"
    text = files.balancer_config(layout.backends(3, 1)).replace("[dataplane]", "[dataplane]\nnonsense = 1")
    files.write_private(broken, text)
    done = lab_script("up", "--config", str(broken), check=False)
    assert done.returncode == 1
    assert "controlplane has ended" in done.stderr or "dataplane has ended" in done.stderr
    assert "nonsense" in done.stderr
    assert traces() == []
