"""scripts/bench gives back what it took, however it ends."""

import os
import signal
import subprocess
import sys
import time

import bench
import pytest
from scenarios import resources
from scenarios.resources import Child, Hugepages, ResourceError, exclusive, remove_dpdk_folders


@pytest.fixture
def setting(tmp_path):
    path = tmp_path / "nr_hugepages"
    path.write_text("3\n", encoding="ascii")
    return path


@pytest.fixture
def run_dir(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    return path


def test_hugepages_are_added_to_what_is_there_and_given_back(setting, run_dir):
    pages = Hugepages(run_dir, setting)
    assert pages.reserve(64)
    assert setting.read_text() == "35\n"
    pages.restore()
    assert setting.read_text() == "3\n"
    pages.restore()
    assert setting.read_text() == "3\n"


def test_the_next_run_gives_back_what_a_killed_one_took(setting, run_dir):
    Hugepages(run_dir, setting).reserve(64)
    later = Hugepages(run_dir, setting)
    later.reserve(128)
    later.restore()
    assert setting.read_text() == "3\n"


def test_two_runs_do_not_measure_each_other(run_dir, monkeypatch):
    monkeypatch.setattr(resources, "give_back_leftovers", lambda run: None)
    with exclusive(run_dir):
        with pytest.raises(ResourceError, match="another scripts/bench"):
            with exclusive(run_dir):
                pass
    with exclusive(run_dir):
        pass


def gone(pid: int) -> bool:
    try:
        return open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_ends_with_what_it_started(tmp_path):
    command = ["bash", "-c", "sleep 100 & echo $!; wait"]
    with Child("sleepers", command, tmp_path / "log") as child:
        wait_until(lambda: (tmp_path / "log").read_text().strip())
        grandchild = int((tmp_path / "log").read_text())
    assert gone(child.pid)
    wait_until(lambda: gone(grandchild))


def test_a_stopped_child_ends(tmp_path):
    with Child("sleeper", ["sleep", "100"], tmp_path / "log") as child:
        child.stop()
    assert gone(child.pid)


def test_a_child_that_ignores_the_request_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "TERM_DEADLINE_S", 0.2)
    with Child("stubborn", ["bash", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], tmp_path / "log") as child:
        child.wait_for("up")
    assert gone(child.pid)


def test_a_child_that_ended_says_its_last_words(tmp_path):
    with Child("speaker", ["bash", "-c", "echo no room for this; exit 3"], tmp_path / "log") as child:
        with pytest.raises(ResourceError, match="(?s)speaker ended with status 3.*no room for this"):
            child.wait_for("ready")


def test_processor_time_is_that_of_the_process(tmp_path):
    with Child("idle", ["sleep", "100"], tmp_path / "idle"), Child("busy", ["bash", "-c", "while :; do :; done"],
                                                                  tmp_path / "busy") as busy:  # fmt: skip
        begin = busy.cpu_seconds()
        wait_until(lambda: busy.cpu_seconds() - begin > 0.05)
        busy.stop()
        time.sleep(0.05)
        stopped = busy.cpu_seconds()
        time.sleep(0.2)
        assert busy.cpu_seconds() - stopped < 0.01


PROGRAM = """
import signal, sys, time
from pathlib import Path
sys.path[:0] = {paths}
from scenarios.__main__ import end_on_signals
from scenarios.resources import Child
end_on_signals()
with Child("sleeper", ["sleep", "100"], Path({log!r})) as child:
    print(child.pid, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process(tmp_path, how):
    program = PROGRAM.format(paths=bench.SCENARIO_PATHS, log=str(tmp_path / "log"))
    with subprocess.Popen([sys.executable, "-B", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as run:  # fmt: skip
        pid = int(run.stdout.readline())
        os.kill(run.pid, how)
        run.wait(10)
    wait_until(lambda: gone(pid))


def test_the_folders_of_dpdk_go_with_the_run_and_nobody_elses(tmp_path):
    for name in ("warmswap-wsbench17", "wsbench-17", "warmswap-edge1", "rte"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config").touch()
    remove_dpdk_folders(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rte", "warmswap-edge1"]
